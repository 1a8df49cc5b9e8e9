"""What is wrong with an encoder that is to put what shoppers had together close (InfoNCE in the batch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.finetuning.bi_encoder import cosines
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.behaviour import BehaviourConfig


class BehaviourNetwork(nn.Module):
    """An encoder of rows, such as `BiEncoder`, and the pairs it learns from.

    Parameters
    ----------
    encoder
        Its `distinct(rows)` returns the vectors of the different rows, and which of them each has.
    known
        Sorted keys `left · I + right` of all pairs: what belongs together is never a negative.
    log_shares_I
        Log of the chance that an item comes up as a negative.
    past_ND
        Vectors of the encoder as it came; None leaves them alone.
    """

    known: Tensor
    log_shares_I: Tensor
    past_ND: Tensor

    def __init__(
        self,
        encoder: Any,
        *,
        known: NDArray[np.int64],
        log_shares_I: NDArray[np.float32],
        n_items: int,
        past_ND: Matrix | None,
        config: BehaviourConfig,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_items = n_items
        self.settings = config
        self.register_buffer("known", torch.from_numpy(known), persistent=False)
        self.register_buffer("log_shares_I", torch.from_numpy(log_shares_I), persistent=False)
        past = np.zeros((0, 0), np.float32) if past_ND is None else past_ND
        self.register_buffer("past_ND", torch.from_numpy(past), persistent=False)

    def forward(
        self, left: Tensor, right: Tensor, left_text: Tensor, right_text: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the mean loss: numbers, text rows and weights of pairs, (B,) each."""
        rows = torch.cat([left_text, right_text])
        vectors_CD, which = self.encoder.distinct(rows)
        first_BD, second_BD = vectors_CD[which].chunk(2)
        scores_BB = self.settings.sharpness * cosines(first_BD, second_BD)
        scores_BB = scores_BB - self.settings.popularity * self.log_shares_I[right]
        scores_BB = scores_BB.masked_fill(self._no_negatives(left, right), -torch.inf)
        own = torch.arange(len(left), device=left.device)
        surprise_B = functional.cross_entropy(scores_BB, own, reduction="none")
        loss = (surprise_B * weight).sum() / weight.sum()
        seen = {"pair_right": (scores_BB.argmax(1) == own).float().mean()}
        if self.settings.anchor:
            before_CD = self.past_ND[torch.unique(rows)]
            loss = loss + self.settings.anchor * (1 - (vectors_CD * before_CD).sum(1)).mean()
        return {"loss": loss, **seen}

    def _no_negatives(self, left: Tensor, right: Tensor) -> Tensor:
        """Return which of the other right sides belong to a left one, too, or are itself, (B, B)."""
        keys_BB = left[:, None] * self.n_items + right[None]
        at = torch.searchsorted(self.known, keys_BB).clamp(max=len(self.known) - 1)
        found = (self.known[at] == keys_BB) | (left[:, None] == right[None])
        return found.fill_diagonal_(False)
