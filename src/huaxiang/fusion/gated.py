"""A weight per item and modality: the item itself says whether its photo or its words tell more.

A gate reads what the item has and gives each modality a share; a plain bag may rest on its words, a
patterned dress on its photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.fusion.trained import TrainedFusion, TrainingSettings, adapted, shares, unit_rows


@dataclass(frozen=True, kw_only=True)
class Config(TrainingSettings):
    """Settings: those of training."""


class Gated(TrainedFusion):
    """The weighted sum, with weights that a gate reads off each item."""

    name = "gated"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    def start(self, lambda_M: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return arrays under which the gated sum is the weighted sum with `lambda_M`."""
        n, dimensions = len(lambda_M), self.dimensions
        return {
            "adapt_MDD": np.zeros((n, dimensions, dimensions), np.float32),
            "gate_MDM": np.zeros((n, dimensions, n), np.float32),
            "bias_M": np.log(np.maximum(lambda_M, 1e-4)).astype(np.float32),
        }

    @staticmethod
    def run(xp: Any, arrays: Mapping[str, Any], codes_MID: Any, present_MI: Any) -> tuple[Any, Any]:
        """Return the fused rows (I, D) and the gates (M, I).

        Source
        ------
        Arevalo et al., Gated Multimodal Units for Information Fusion, 2017, section 3; ours is a softmax,
        so that absent modalities leave their share to the others.
        """
        codes_MID = adapted(xp, arrays["adapt_MDD"], codes_MID, present_MI)
        logits_IM = (codes_MID @ arrays["gate_MDM"]).sum(0) + arrays["bias_M"]
        shares_MI = shares(xp, logits_IM.T, present_MI)
        return unit_rows(xp, (shares_MI[:, :, None] * codes_MID).sum(0)), shares_MI
