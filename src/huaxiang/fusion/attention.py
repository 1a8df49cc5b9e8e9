"""A learnt question put to the modalities by several heads, each of which may listen to another one.

The richest way: the first head may take the photo's word on colour, the second the text's on purpose.
Learnt by torch (`contrastive.py`), served by NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.fusion.base import Parts
from huaxiang.fusion.concatenated import mean_shares
from huaxiang.fusion.gated import adapted, unit_rows
from huaxiang.fusion.projection import fit_projection
from huaxiang.fusion.stored import StoredFusion
from huaxiang.fusion.training_settings import TrainingSettings
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config(TrainingSettings):
    """Settings: `n_heads`, at least 1, divides `dimensions`; the others are in `training_settings.py`."""

    n_heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_heads < 1 or self.dimensions % self.n_heads:
            remedy = f"choose a divisor of {self.dimensions}"
            raise SettingsError("fusion.n_heads", value=str(self.n_heads), remedy=remedy)


class Attention(StoredFusion):
    """Multi-head attention over the modalities of an item, with one learnt query per head."""

    name = "attention"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32], *, seed: int = 0) -> Self:
        """Learn the heads from pairs of item rows, shape (P, 2).

        Raises
        ------
        MissingExtraError
            Without torch.
        """
        from huaxiang.fusion.contrastive import train

        self.projection_ = fit_projection(parts, dimensions=self.dimensions)
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        rng = np.random.default_rng(seed)
        start = attention_start(
            len(codes_MID), dimensions=self.dimensions, n_heads=self.config.n_heads, rng=rng
        )
        self.arrays_ = train(attended, start, codes_MID, present_MI, pairs_P2, self.config, seed=seed)
        return self

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) rows of unit length; zero where an item has nothing."""
        fused_ID, _ = self._run(parts)
        return fused_ID

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return the mean attention of each modality over items and heads; sums to 1."""
        _, shares_MIH = self._run(parts)
        return mean_shares(self.modalities, shares_MIH.mean(axis=2))

    def _run(self, parts: Parts) -> tuple[Matrix, NDArray[np.float32]]:
        codes_MID, present_MI = self.projection.project(parts), self.projection.present(parts)
        fused_ID, shares_MIH = attended(np, self.arrays_, codes_MID, present_MI)
        return fused_ID.astype(np.float32), shares_MIH.astype(np.float32)


def attention_start(
    n_modalities: int, *, dimensions: int, n_heads: int, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return arrays under which every head listens nearly equally and passes on what it hears."""
    width = dimensions // n_heads
    eye = np.eye(dimensions, dtype=np.float32)
    return {
        "adapt_MDD": np.zeros((n_modalities, dimensions, dimensions), np.float32),
        "name_MD": np.zeros((n_modalities, dimensions), np.float32),
        "key_DD": eye.copy(),
        "value_DD": eye.copy(),
        "out_DD": eye.copy(),
        "query_HW": (0.02 * rng.standard_normal((n_heads, width))).astype(np.float32),
    }


def attended(xp: Any, arrays: Mapping[str, Any], codes_MID: Any, present_MI: Any) -> tuple[Any, Any]:
    """Return the fused rows (I, D) and what each head gave to each modality, (M, I, H).

    `xp` is numpy or torch, as in `gated_sum`. Vaswani et al., Attention Is All You Need, NeurIPS 2017,
    section 3.2.2; the query is learnt and the same for all items.
    """
    codes_MID = adapted(xp, arrays["adapt_MDD"], codes_MID, present_MI)
    query_HW = arrays["query_HW"]
    by_head = (*codes_MID.shape[:2], *query_HW.shape)
    keys_MIHW = ((codes_MID + arrays["name_MD"][:, None]) @ arrays["key_DD"]).reshape(by_head)
    values_MIHW = (codes_MID @ arrays["value_DD"]).reshape(by_head)
    logits_MIH = (keys_MIHW * query_HW).sum(-1)
    raised_MIH = xp.exp(xp.clip(logits_MIH, -15.0, 15.0)) * present_MI[:, :, None]
    shares_MIH = raised_MIH / (raised_MIH.sum(0) + 1e-9)
    heard_ID = (shares_MIH[..., None] * values_MIHW).sum(0).reshape(codes_MID.shape[1:])
    return unit_rows(xp, heard_ID @ arrays["out_DD"]), shares_MIH
