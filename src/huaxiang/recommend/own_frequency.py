"""What the shopper bought most, lately: hard to beat wherever people buy the same things again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import Contributions, Histories, TrainingData
from huaxiang.recommend.search_space import DAYS, Range, Space
from huaxiang.recommend.stored import load_arrays, load_settings, save_arrays
from huaxiang.recommend.weights import (
    check_positive,
    check_share,
    faded_weights,
    item_weights,
    sum_by_shopper,
    type_weights,
    weights_at_items,
)
from huaxiang.records import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `OwnFrequency`.

    Parameters
    ----------
    step_decay
        What an event counts for each moment (event, or basket where times are known) since; in (0, 1].
    half_life_days
        Days until an event counts half; > 0, or None. Not used where only an order is known.
    popular_share
        What the most popular item scores beside an own purchase of 1, so that the list goes on after the
        shopper's own items; 0 to 1.
    """

    step_decay: float = 0.95
    half_life_days: float | None = 180.0
    popular_share: float = 1e-3

    def __post_init__(self) -> None:
        check_share("own_frequency.step_decay", self.step_decay)
        check_positive("own_frequency.half_life_days", self.half_life_days)
        if not 0 <= self.popular_share <= 1:
            value = str(self.popular_share)
            raise SettingsError("out of range", column="own_frequency.popular_share", value=value)


SPACE: Space = {
    "step_decay": Range(low=0.5, high=1.0),
    "half_life_days": DAYS,
    "popular_share": Range(low=1e-5, high=1e-1, log=True),
}


class OwnFrequency:
    """The shopper's own items by how much was done with them lately, then what is popular.

    It needs no retraining for a shopper: their events are the whole model.
    """

    name = "own_frequency"
    space: Space = SPACE
    uses: tuple[str, ...] = ("ids", "order", "times")

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.shares_I: NDArray[np.float32] | None = None

    def fit(self, training: TrainingData) -> Self:
        """Start over: count what is popular, for the end of the list."""
        liking_E = np.maximum(type_weights(training.histories), 0)
        counts_I = item_weights(training.histories, liking_E, training.catalogue.n_items).sum(axis=0)
        self.shares_I = np.asarray(counts_I / max(counts_I.max(), 1e-12), dtype=np.float32).ravel()
        return self

    def score(self, histories: Histories) -> Matrix:
        """Return the weight of each own item plus a little of its popularity, (U, I)."""
        if histories.n_shoppers == 1:
            return self.scores_by_event(histories)[0][None]
        rows_EI = item_weights(histories, self._weights(histories), len(self._fitted()))
        own_UI = sum_by_shopper(histories, rows_EI).toarray()
        return np.asarray(own_UI + self._popular(), dtype=np.float32)

    def scores_by_event(self, history: Histories) -> tuple[Vector, Effects]:
        """Return the scores of the only shopper, (I,), and what each event adds to them."""
        effects = weights_at_items(history, self._weights(history), len(self._fitted()))
        return effects.sums() + self._popular(), effects

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return the weights of the events about the item; `rest` is its popularity."""
        values = self._weights(histories) * (histories.item_rows == item_row)
        rest = float(self._popular()[item_row])
        return Contributions(event_keys=histories.event_keys, values=values, rest=rest, is_exact=True)

    def with_items(self, vectors: Mapping[str, Matrix]) -> OwnFrequency:
        """Return the same over a longer catalogue; new items start with no popularity."""
        longer = OwnFrequency(self.config)
        n_new = len(next(iter(vectors.values()))) - len(self._fitted())
        longer.shares_I = np.concatenate([self._fitted(), np.zeros(n_new, dtype=np.float32)])
        return longer

    def save(self, folder: Path) -> None:
        """Write the popularity and the settings."""
        save_arrays(folder, name=self.name, config=self.config, arrays={"shares": self._fitted()})

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        loaded = cls(Config(**load_settings(folder, name=cls.name)["config"]))
        loaded.shares_I = load_arrays(folder)["shares"]
        return loaded

    def _weights(self, histories: Histories) -> NDArray[np.float32]:
        decay, half_life_days = self.config.step_decay, self.config.half_life_days
        return faded_weights(histories, step_decay=decay, half_life_days=half_life_days)

    def _popular(self) -> NDArray[np.float32]:
        return self._fitted() * np.float32(self.config.popular_share)

    def _fitted(self) -> NDArray[np.float32]:
        if self.shares_I is None:
            raise NotFittedError("own_frequency was not fitted", remedy="call fit first")
        return self.shares_I
