"""What sells: the same list for everybody, and the fallback when nothing is known of a shopper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import NotFittedError
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import MS_PER_DAY, NO_ITEM, Contributions, Histories, TrainingData
from huaxiang.recommend.search_space import Range, Space
from huaxiang.recommend.stored import load_arrays, load_settings, save_arrays
from huaxiang.recommend.weights import check_positive, type_weights
from huaxiang.records import Matrix, Vector

MOST_HALF_LIVES = 400
"""From the landmark to the newest event; the largest numbers there are hold 1,023."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `Popular`.

    Parameters
    ----------
    half_life_days
        Days until an event counts half; > 0, None counts all time alike. Not used where only an order
        is known.
    """

    half_life_days: float | None = 7.0

    def __post_init__(self) -> None:
        check_positive("popular.half_life_days", self.half_life_days)


SPACE: Space = {"half_life_days": Range(low=1.0, high=365.0, log=True, needs_times=True)}


class Popular:
    """Items by how much happened to them lately, disliked ones less.

    Time is counted forward: an event's mass doubles with each half-life after a fixed landmark, and old mass
    never has to be touched. So it learns with each event, late ones too.

    Source
    ------
    Cormode et al., Forward Decay, ICDE 2009.
    """

    name = "popular"
    space: Space = SPACE
    uses: tuple[str, ...] = ("ids", "times")

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.mass_: NDArray[np.float64] | None = None
        self.landmark_ms_ = 0

    def fit(self, training: TrainingData) -> Self:
        """Start over: count the events of `training`."""
        times = training.histories.occurred_ms
        self.mass_ = np.zeros(training.catalogue.n_items)
        self.landmark_ms_ = int(times.max()) if len(times) else 0
        self._count(training.histories)
        return self

    def learn(self, history: Histories) -> None:
        """Count the newest event of the only shopper in `history`."""
        if not history.order_only:
            self._move_landmark(int(history.occurred_ms[-1]))
        self._count(history, first=len(history.item_rows) - 1)

    def score(self, histories: Histories) -> Matrix:
        """Return the same scores, shares of 1 at the most popular item, for each shopper."""
        shares_I = self.shares()
        return np.tile(shares_I, (histories.n_shoppers, 1))

    def shares(self) -> NDArray[np.float32]:
        """Return the popularity of each item, 1 for the most popular and at least 0, (I,)."""
        if self.mass_ is None:
            raise NotFittedError("popular was not fitted", remedy="call fit first")
        positive_I = np.maximum(self.mass_, 0.0)
        return np.asarray(positive_I / max(positive_I.max(initial=0.0), 1e-300), dtype=np.float32)

    def scores_by_event(self, history: Histories) -> tuple[Vector, Effects]:
        """Return the scores, (I,), to which no event of the shopper adds anything."""
        shares_I = self.shares()
        return shares_I, Effects.none(len(history.item_rows), len(shares_I))

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return zeros: nothing here is personal, all of the score is `rest`."""
        nothing = np.zeros(len(histories.event_keys), dtype=np.float32)
        rest = float(self.shares()[item_row])
        return Contributions(event_keys=histories.event_keys, values=nothing, rest=rest, is_exact=True)

    def with_items(self, vectors: Mapping[str, Matrix]) -> Popular:
        """Return the same over a longer catalogue; new items start with nothing."""
        longer = Popular(self.config)
        n_new = len(next(iter(vectors.values()))) - len(self.shares())
        assert self.mass_ is not None
        longer.mass_ = np.concatenate([self.mass_, np.zeros(n_new)])
        longer.landmark_ms_ = self.landmark_ms_
        return longer

    def save(self, folder: Path) -> None:
        """Write the counts and the settings."""
        self.shares()
        arrays = {"mass": self.mass_, "landmark_ms": np.array([self.landmark_ms_])}
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays)  # type: ignore[arg-type]

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        loaded = cls(Config(**load_settings(folder, name=cls.name)["config"]))
        arrays = load_arrays(folder)
        loaded.mass_, loaded.landmark_ms_ = arrays["mass"], int(arrays["landmark_ms"][0])
        return loaded

    def _move_landmark(self, newest_ms: int) -> None:
        """Begin to count from a later moment where masses would grow too large for numbers."""
        if self.config.half_life_days is None or self.mass_ is None:
            return
        half_lives = (newest_ms - self.landmark_ms_) / MS_PER_DAY / self.config.half_life_days
        if half_lives > MOST_HALF_LIVES:
            self.mass_ = self.mass_ * 0.5**half_lives
            self.landmark_ms_ = newest_ms

    def _count(self, histories: Histories, *, first: int = 0) -> None:
        if self.mass_ is None:
            raise NotFittedError("popular was not fitted", remedy="call fit first")
        weights_E = type_weights(histories).astype(np.float64)
        if self.config.half_life_days is not None and not histories.order_only:
            age_days = (self.landmark_ms_ - histories.occurred_ms) / MS_PER_DAY
            weights_E *= 0.5 ** (age_days / self.config.half_life_days)
        weights_E[:first] = 0.0
        about_item = histories.item_rows != NO_ITEM
        np.add.at(self.mass_, histories.item_rows[about_item], weights_E[about_item])
