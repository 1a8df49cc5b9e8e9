"""A learnt question put to the modalities by several heads, each of which may heed another one.

The richest way: one head may take the photo's word on colour, another the text's on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.fusion.trained import TrainedFusion, TrainingSettings, adapted, shares, unit_rows


@dataclass(frozen=True, kw_only=True)
class Config(TrainingSettings):
    """Settings: `n_heads`, at least 1, divides `dimensions`; and those of training."""

    n_heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_heads < 1 or self.dimensions % self.n_heads:
            remedy = f"choose a divisor of {self.dimensions}"
            raise SettingsError("fusion.n_heads", value=str(self.n_heads), remedy=remedy)


class Attention(TrainedFusion):
    """Multi-head attention over the modalities of an item, with one learnt query per head."""

    name = "attention"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    def start(self, lambda_M: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return arrays under which every head heeds the modalities by `lambda_M`, whatever they say."""
        n, dimensions, n_heads = len(lambda_M), self.dimensions, self.config.n_heads
        eye = np.eye(dimensions, dtype=np.float32)
        heed_M = np.log(np.maximum(lambda_M, 1e-4)).astype(np.float32)
        return {
            "adapt_MDD": np.zeros((n, dimensions, dimensions), np.float32),
            "key_DD": eye.copy(),
            "value_DD": eye.copy(),
            "out_DD": eye.copy(),
            "query_HW": np.zeros((n_heads, dimensions // n_heads), np.float32),
            "heed_MH": np.repeat(heed_M[:, None], n_heads, axis=1),
        }

    @staticmethod
    def run(xp: Any, arrays: Mapping[str, Any], codes_MID: Any, present_MI: Any) -> tuple[Any, Any]:
        """Return the fused rows (I, D) and each modality's attention, mean over heads, (M, I).

        Source
        ------
        Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.2.2; ours has one query, learnt
        and the same for all items, and a bias that says how much a head heeds a modality beforehand.
        """
        codes_MID = adapted(xp, arrays["adapt_MDD"], codes_MID, present_MI)
        query_HW = arrays["query_HW"]
        by_head = (*codes_MID.shape[:2], *query_HW.shape)
        keys_MIHW = (codes_MID @ arrays["key_DD"]).reshape(by_head)
        values_MIHW = (codes_MID @ arrays["value_DD"]).reshape(by_head)
        logits_MIH = (keys_MIHW * query_HW).sum(-1) + arrays["heed_MH"][:, None]
        shares_MIH = shares(xp, logits_MIH, present_MI[:, :, None])
        heard_ID = (shares_MIH[..., None] * values_MIHW).sum(0).reshape(codes_MID.shape[1:])
        return unit_rows(xp, heard_ID @ arrays["out_DD"]), shares_MIH.mean(-1)
