"""The log-loss over items drawn at random, for catalogues whose softmax over all items costs too much.

What was drawn stands for what was not: an item that is drawn often counts the less each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EXPONENT = 0.75
"""Items are drawn by how often they were taken, to this power, so that rare ones are met too."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """How likely each item is drawn.

    Parameters
    ----------
    share_I
        Sums to 1, each above 0.
    """

    share_I: NDArray[np.float64]

    @classmethod
    def of(cls, counts_I: NDArray[np.integer]) -> Self:
        """Return shares by how often items were taken; what never was counts as if once."""
        raised_I = np.maximum(counts_I, 1).astype(np.float64) ** EXPONENT
        return cls(share_I=raised_I / raised_I.sum())

    def draw(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Draw `n` times. Return the different items, ascending, and the log of what each stands for."""
        uniform = (np.arange(n) + rng.random(n)) / n  # one draw in each of n equal parts: fewer twice
        drawn = np.searchsorted(np.cumsum(self.share_I), uniform).clip(max=len(self.share_I) - 1)
        items, times = np.unique(drawn, return_counts=True)
        return items, np.log(times / (n * self.share_I[items])).astype(np.float32)


def sampled_softmax_loss(
    outlooks_ND: Tensor,
    targets_ND: Tensor,
    drawn_SD: Tensor,
    log_weights_S: Tensor,
    is_target_NS: Tensor,
    weights_N: Tensor,
) -> Tensor:
    """Return the weighted mean of −log of each target's share among itself and what was drawn, a scalar.

    Parameters
    ----------
    outlooks_ND, targets_ND
        Outlooks, already divided by the temperature, and the vectors of what followed.
    drawn_SD, log_weights_S
        The vectors of the different items drawn, and the log of what each stands for.
    is_target_NS
        Where an item drawn is the row's own target, and so no other than it.
    weights_N
        How much each target counts.

    Source
    ------
    Bengio and Senécal, Quick Training of Probabilistic Neural Nets by Importance Sampling, AISTATS 2003. That
    the target, which is always there, has no correction of its own: Khrylchenko et al., Correcting the LogQ
    Correction, RecSys 2025.
    """
    own_N = (outlooks_ND * targets_ND).sum(dim=1)
    others_NS = (outlooks_ND @ drawn_SD.T + log_weights_S).masked_fill(is_target_NS, float("-inf"))
    total_N = torch.logsumexp(torch.cat([own_N[:, None], others_NS], dim=1), dim=1)
    return ((total_N - own_N) * weights_N).sum() / weights_N.sum()
