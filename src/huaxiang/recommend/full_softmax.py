"""The mean log-loss over all items, a slice of rows at a time.

A batch of 2,000 events and 12,000 items would need 100 MB of logits, four times over. Here each slice's
logits are turned into their own gradient at once and thrown away, so little memory is read or written.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SLICE = 256


def full_softmax_loss(
    outlooks_ND: Tensor, items_ID: Tensor, targets_N: Tensor, weights_N: Tensor, *, smoothing: float = 0.0
) -> Tensor:
    """Return the weighted mean of -log softmax(outlooks · items)[target], a scalar.

    Parameters
    ----------
    outlooks_ND, items_ID
        Their inner products are the logits.
    targets_N
        int64 (N,), rows of `items_ID`.
    weights_N
        How much each target counts; their sum is above 0.
    smoothing
        Share of each target that is spread over all items; 0 to 1.
    """
    loss: Tensor = _FullSoftmax.apply(  # type: ignore[no-untyped-call]
        outlooks_ND, items_ID, targets_N, weights_N / weights_N.sum(), smoothing
    )
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        outlooks_ND: Tensor,
        items_ID: Tensor,
        targets_N: Tensor,
        weights_N: Tensor,
        smoothing: float,
    ) -> Tensor:
        d_outlooks, d_items = torch.empty_like(outlooks_ND), torch.zeros_like(items_ID)
        loss = outlooks_ND.new_zeros(())
        for first in range(0, len(outlooks_ND), SLICE):
            part = slice(first, first + SLICE)
            logits = outlooks_ND[part] @ items_ID.T
            losses, errors = _losses_and_errors(logits, targets_N[part], smoothing)
            loss += losses @ weights_N[part]
            errors.mul_(weights_N[part, None])
            torch.mm(errors, items_ID, out=d_outlooks[part])
            d_items.addmm_(errors.T, outlooks_ND[part])
        ctx.save_for_backward(d_outlooks, d_items)
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        d_outlooks, d_items = ctx.saved_tensors
        return grad * d_outlooks, grad * d_items, None, None, None


def _losses_and_errors(logits_NI: Tensor, targets_N: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Return the loss of each row, and the gradient of the losses in the place of the logits."""
    n_items = logits_NI.shape[1]
    target_N1 = targets_N[:, None]
    total_N = torch.logsumexp(logits_NI, dim=1)
    aimed_N = (1 - smoothing) * logits_NI.gather(1, target_N1)[:, 0]
    if smoothing:
        aimed_N = aimed_N + smoothing * logits_NI.mean(dim=1)
    errors_NI = logits_NI.sub_(total_N[:, None]).exp_()
    if smoothing:
        errors_NI.sub_(smoothing / n_items)
    errors_NI.scatter_add_(1, target_N1, torch.full_like(target_N1, smoothing - 1, dtype=errors_NI.dtype))
    return total_N - aimed_N, errors_NI
