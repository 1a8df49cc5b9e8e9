"""The sliced softmax, against PyTorch's own cross-entropy."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from huaxiang.recommend.full_softmax import SLICE, full_softmax_loss


@pytest.mark.parametrize("n_rows", [1, SLICE, SLICE + 7])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_cross_entropy(n_rows: int, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(n_rows)
    outlooks = torch.randn(n_rows, 5, generator=generator).requires_grad_()
    items = torch.randn(11, 5, generator=generator).requires_grad_()
    targets = torch.randint(0, 11, (n_rows,), generator=generator)
    weights = torch.rand(n_rows, generator=generator) + 0.1

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        return [loss.detach(), *torch.autograd.grad(3 * loss, [outlooks, items])]

    ours = gradients(full_softmax_loss(outlooks, items, targets, weights, smoothing=smoothing))
    each = cross_entropy(outlooks @ items.T, targets, reduction="none", label_smoothing=smoothing)
    for mine, theirs in zip(ours, gradients(each @ weights / weights.sum()), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
