"""What the trained fusions share: they start as the weighted sum, learn by torch and are served by NumPy.

The arithmetic of each is one function that reads either library, so what is learnt is what is served.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.fusion.base import Parts
from huaxiang.fusion.concatenated import mean_shares
from huaxiang.fusion.projection import fit_projection
from huaxiang.fusion.stored import StoredFusion
from huaxiang.fusion.weighted import learn_lambda, some_pairs
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a fusion is trained.

    Parameters
    ----------
    dimensions
        D, 1 to 512.
    steps
        At most so many; 0 leaves the closed-form start. 400 take about 5 s on two cores.
    batch
        Pairs per step, each the others' counterexample. ≥ 2.
    learning_rate, weight_decay
        AdamW's. > 0 and ≥ 0.
    modality_dropout
        Chance that a modality is hidden in training, so that an item with one of them lands near itself.
        0 to 1, 1 excluded.
    alignment
        Weight of "what one modality says of an item lies near what the other says", beside "what goes
        together lies near". ≥ 0.
    """

    dimensions: int = 128
    steps: int = 400
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    modality_dropout: float = 0.3
    alignment: float = 0.5

    def __post_init__(self) -> None:
        allowed = {
            "dimensions": 1 <= self.dimensions <= 512,
            "steps": self.steps >= 0,
            "batch": self.batch >= 2,
            "learning_rate": self.learning_rate > 0,
            "weight_decay": self.weight_decay >= 0,
            "modality_dropout": 0 <= self.modality_dropout < 1,
            "alignment": self.alignment >= 0,
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                remedy = "see the ranges in huaxiang.fusion.trained"
                raise SettingsError(f"fusion.{name}", value=str(getattr(self, name)), remedy=remedy)


class TrainedFusion(StoredFusion):
    """A weighted sum whose weights are read off the item; a subclass says how."""

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32], *, seed: int = 0) -> Self:
        """Start from the weighted sum's λ, then learn from pairs of item rows, shape (P, 2).

        Raises
        ------
        MissingExtraError
            Without torch.
        """
        from huaxiang.fusion.contrastive import train

        self.projection_ = fit_projection(parts, dimensions=self.dimensions)
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        few_P2 = some_pairs(pairs_P2, most=4096, seed=seed)
        start = self.start(learn_lambda(codes_MID, few_P2, prior_pairs=20.0))
        self.arrays_ = train(self.run, start, codes_MID, present_MI, pairs_P2, self.config, seed=seed)
        return self

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) rows of unit length; zero where an item has nothing."""
        fused_ID, _ = self._fused(parts)
        return fused_ID

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return the mean share of each modality over items; sums to 1."""
        _, shares_MI = self._fused(parts)
        return mean_shares(self.modalities, shares_MI)

    def _fused(self, parts: Parts) -> tuple[Matrix, Matrix]:
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        fused_ID, shares_MI = self.run(np, self.arrays_, codes_MID, present_MI)
        return np.asarray(fused_ID, np.float32), np.asarray(shares_MI, np.float32)

    @abstractmethod
    def start(self, lambda_M: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return arrays under which `run` is the weighted sum with `lambda_M`."""

    @staticmethod
    @abstractmethod
    def run(xp: Any, arrays: Mapping[str, Any], codes_MID: Any, present_MI: Any) -> tuple[Any, Any]:
        """Return the fused rows (I, D) and each modality's share (M, I); `xp` is numpy or torch."""


def adapted(xp: Any, adapt_MDD: Any, codes_MID: Any, present_MI: Any) -> Any:
    """Return the codes after a small learnt change of each modality's, of unit length; zero where absent."""
    return unit_rows(xp, (codes_MID + codes_MID @ adapt_MDD) * present_MI[:, :, None])


def shares(xp: Any, logits_M: Any, present_M: Any) -> Any:
    """Return the softmax over the first axis, among the present ones."""
    raised_M = xp.exp(xp.clip(logits_M, -15.0, 15.0)) * present_M
    return raised_M / (raised_M.sum(0) + 1e-9)


def unit_rows(xp: Any, rows: Any) -> Any:
    """Return rows of unit length along the last axis, differentiable at zero."""
    return rows / xp.sqrt((rows * rows).sum(-1) + 1e-12)[..., None]
