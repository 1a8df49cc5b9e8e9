"""A weight per item and modality: the item itself says whether its photo or its words tell more.

A gate reads what the item has and gives each modality a share; a plain bag may rest on its words, a
patterned dress on its photo. Learnt by torch (`contrastive.py`), served by NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.fusion.base import Parts
from huaxiang.fusion.concatenated import mean_shares
from huaxiang.fusion.projection import fit_projection
from huaxiang.fusion.stored import StoredFusion
from huaxiang.fusion.training_settings import TrainingSettings
from huaxiang.fusion.weighted import learn_lambda, some_pairs
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config(TrainingSettings):
    """Settings: those of training, in `training_settings.py`."""


class Gated(StoredFusion):
    """The weighted sum, with weights that a gate reads off each item."""

    name = "gated"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32], *, seed: int = 0) -> Self:
        """Start from the weighted sum's λ, then learn the gate from pairs of item rows, shape (P, 2).

        Raises
        ------
        MissingExtraError
            Without torch.
        """
        from huaxiang.fusion.contrastive import train

        self.projection_ = fit_projection(parts, dimensions=self.dimensions)
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        few_P2 = some_pairs(pairs_P2, most=4096, seed=seed)
        lambda_M = learn_lambda(codes_MID, few_P2, prior_pairs=20.0)
        start = gate_start(lambda_M, dimensions=self.dimensions)
        self.arrays_ = train(gated_sum, start, codes_MID, present_MI, pairs_P2, self.config, seed=seed)
        return self

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) rows of unit length; zero where an item has nothing."""
        fused_ID, _ = self._run(parts)
        return fused_ID

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return the mean gate of each modality; sums to 1."""
        _, shares_MI = self._run(parts)
        return mean_shares(self.modalities, shares_MI)

    def _run(self, parts: Parts) -> tuple[Matrix, Matrix]:
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        fused_ID, shares_MI = gated_sum(np, self.arrays_, codes_MID, present_MI)
        return fused_ID.astype(np.float32), shares_MI.astype(np.float32)


def gate_start(lambda_M: NDArray[np.float32], *, dimensions: int) -> dict[str, NDArray[np.float32]]:
    """Return arrays under which the gated sum is the weighted sum with `lambda_M`."""
    n = len(lambda_M)
    return {
        "adapt_MDD": np.zeros((n, dimensions, dimensions), np.float32),
        "gate_MDM": np.zeros((n, dimensions, n), np.float32),
        "bias_M": np.log(np.maximum(lambda_M, 1e-4)).astype(np.float32),
    }


def gated_sum(xp: Any, arrays: Mapping[str, Any], codes_MID: Any, present_MI: Any) -> tuple[Any, Any]:
    """Return the fused rows (I, D) and the gates (M, I).

    `xp` is numpy or torch: the arithmetic that is learnt is, letter by letter, the one that is served.
    """
    codes_MID = adapted(xp, arrays["adapt_MDD"], codes_MID, present_MI)
    logits_IM = (codes_MID @ arrays["gate_MDM"]).sum(0) + arrays["bias_M"]
    raised_MI = xp.exp(xp.clip(logits_IM, -15.0, 15.0)).T * present_MI
    shares_MI = raised_MI / (raised_MI.sum(0) + 1e-9)
    return unit_rows(xp, (shares_MI[:, :, None] * codes_MID).sum(0)), shares_MI


def adapted(xp: Any, adapt_MDD: Any, codes_MID: Any, present_MI: Any) -> Any:
    """Return the codes after a small learnt change of each modality's, of unit length; zero where absent."""
    return unit_rows(xp, (codes_MID + codes_MID @ adapt_MDD) * present_MI[:, :, None])


def unit_rows(xp: Any, rows: Any) -> Any:
    """Return rows of unit length along the last axis, differentiable at zero."""
    return rows / xp.sqrt((rows * rows).sum(-1) + 1e-12)[..., None]
