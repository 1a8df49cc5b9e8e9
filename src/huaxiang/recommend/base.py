"""What every recommender promises: histories in, one score per item out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from huaxiang.ranking.effects import Effects
from huaxiang.records import Matrix, Vector
from huaxiang.shop.catalogue import Catalogue

NO_ITEM = -1
MS_PER_DAY = 86_400_000.0


@dataclass(frozen=True, kw_only=True)
class Histories:
    """What a batch of shoppers did, oldest first: the only thing a recommender reads about them.

    Shopper `u` has the events `offsets[u]:offsets[u + 1]`.

    Parameters
    ----------
    item_rows
        int32 (E,); `NO_ITEM` for events that are words or a photo.
    types
        uint8 (E,), `EventType.code`.
    occurred_ms
        int64 (E,), milliseconds since 1970; the ordinal where the shop knows only an order.
    event_keys
        int64 (E,), the state's key of each event, carried through so that reasons can name it.
    content_rows
        int32 (E,), row in `content_vectors` for events without an item, else -1.
    content_vectors
        float32 (C, D) in the fused space: the vectors of queries, reviews, statements, photos.
    order_only
        No gaps, no decay by time.
    shopper_ids
        Who they are, (U,), where the caller needs to know; no recommender reads it.
    """

    offsets: NDArray[np.int64]
    item_rows: NDArray[np.int32]
    types: NDArray[np.uint8]
    occurred_ms: NDArray[np.int64]
    event_keys: NDArray[np.int64]
    content_rows: NDArray[np.int32]
    content_vectors: Matrix
    order_only: bool = False
    shopper_ids: Sequence[str] = ()

    @property
    def n_shoppers(self) -> int:
        """U."""
        return len(self.offsets) - 1

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of events of each shopper, (U,)."""
        return np.diff(self.offsets)

    @cached_property
    def shopper_of_event(self) -> NDArray[np.int64]:
        """The row of the shopper of each event, (E,)."""
        return np.repeat(np.arange(self.n_shoppers), self.lengths())

    @cached_property
    def moments(self) -> NDArray[np.int64]:
        """The number of the moment of each event, (E,), counted through all shoppers.

        Events of one shopper at the same time, such as the lines of one basket, share a moment. Where a shop
        knows only an order, each event is a moment of its own.

        Examples
        --------
        >>> from huaxiang.recommend.histories import histories_of
        >>> histories_of([[7, 8, 9], [7]], occurred_ms=[[5, 5, 6], [6]]).moments
        array([0, 0, 1, 2])
        """
        starts = np.ones(len(self.occurred_ms), dtype=bool)
        starts[1:] = np.diff(self.occurred_ms) != 0
        starts[self.offsets[:-1][self.lengths() > 0]] = True
        return np.cumsum(starts) - 1

    @cached_property
    def steps_back(self) -> NDArray[np.int64]:
        """How many moments of the shopper followed each event, (E,); 0 for the newest."""
        return self.moments[self._last_of_shopper] - self.moments

    @cached_property
    def days_back(self) -> NDArray[np.float64]:
        """The days between each event and its shopper's newest, (E,); 0 where only an order is known."""
        if self.order_only:
            return np.zeros(len(self.occurred_ms))
        return (self.occurred_ms[self._last_of_shopper] - self.occurred_ms) / MS_PER_DAY

    @cached_property
    def _last_of_shopper(self) -> NDArray[np.int64]:
        return np.repeat(self.offsets[1:] - 1, self.lengths())


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What recommenders learn from.

    Parameters
    ----------
    histories
        Whole training sequences, not cut to the size of a state.
    vectors
        Item vectors by space name, each float32 (I, D) with zero rows where absent:
        "fused", and the raw "text" and "image" where the shop has them.
    validation
        Histories and the item rows that came next, for early stopping and for choosing weights; or None.
    progress
        Called with (done, total, note); None is silent.
    checkpoint
        Folder to which long fits save themselves, so that they can be resumed; or None.
    """

    histories: Histories
    catalogue: Catalogue
    vectors: Mapping[str, Matrix]
    seed: int = 0
    validation: Targets | None = None
    progress: Callable[[int, int, str], None] | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Histories and what came next: shopper `u` had `item_rows[offsets[u]:offsets[u + 1]]` after them."""

    histories: Histories
    offsets: NDArray[np.int64]
    item_rows: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """How much each event of one shopper adds to one item's score; `rest` is what no event explains."""

    event_keys: NDArray[np.int64]
    values: NDArray[np.float32]
    rest: float = 0.0
    is_exact: bool = field(default=False)
    """Whether `values.sum() + rest` is the score (linear models) or an attribution (neural ones)."""


class Recommender(Protocol):
    """One way of scoring items for shoppers."""

    name: str
    """Short name used in settings, reports and runs: popular, own_frequency, neighbours, …"""

    @property
    def uses(self) -> tuple[str, ...]:
        """What it reads: any of "ids", "order", "times", "text", "image"."""

    def fit(self, training: TrainingData) -> Self:
        """Start over on `training`; returns itself."""

    def score(self, histories: Histories) -> Matrix:
        """Return (U, I) float32: higher is better; comparable within one row only. Nothing is masked."""

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return what each event of the only shopper in `histories` adds to one item's score."""

    def save(self, folder: Path) -> None:
        """Write weights (safetensors) and settings (JSON)."""


@runtime_checkable
class LearnsEvents(Protocol):
    """A recommender that learns with each event; the others wait for the next retraining and say so."""

    def learn(self, history: Histories) -> None:
        """Learn from the newest event of the only shopper in `history`; the older ones are its context."""


@runtime_checkable
class FoldsLater(Protocol):
    """A recommender that can put off taking in what it learnt, for the sake of its readers."""

    def fold(self, *, every: int | None = None) -> None:
        """Take in what was learnt; with `every`, readers do so from now on once so many entries wait."""


@runtime_checkable
class TakesNewItems(Protocol):
    """A recommender that can score items which joined the catalogue after `fit`."""

    def with_items(self, vectors: Mapping[str, Matrix]) -> Self:
        """Return the same model over a longer catalogue.

        `vectors` holds every item's vectors by space, the fitted items first and the new ones after them.
        """


@runtime_checkable
class GoesOn(Protocol):
    """A recommender whose next fit need not start from nothing."""

    def going_on(self) -> Self:
        """Return the same way, yet to be fitted, whose fit begins where this one ended and is shorter."""


@runtime_checkable
class ScoresByEvent(Protocol):
    """A recommender whose scores are sums over events: the linear ones."""

    def scores_by_event(self, history: Histories) -> tuple[Vector, Effects]:
        """Return the scores of the only shopper in `history`, (I,), and what each event adds to them."""
