"""Likeness alone: what is nearest to what the shopper took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from huaxiang.recommend.base import Histories
from huaxiang.recommend.weights import faded_weights, item_weights, sum_by_shopper
from huaxiang.records import Matrix

FADING = 0.6


@dataclass(frozen=True, kw_only=True)
class Content:
    """Lists the nearest to the faded mean of the vectors of what was taken.

    Parameters
    ----------
    items_ID
        Rows of unit length, or zero.
    """

    items_ID: Matrix

    def score(self, histories: Histories) -> Matrix:
        """Return cosines times the length of the faded sum, (U, I)."""
        weights_E = faded_weights(histories, step_decay=FADING)
        taken_UI = sum_by_shopper(histories, item_weights(histories, weights_E, len(self.items_ID)))
        return np.asarray((taken_UI @ self.items_ID) @ self.items_ID.T, dtype=np.float32)
