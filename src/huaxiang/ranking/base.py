"""What ranking takes: scores, what the shopper did, and a way to score again with less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.rules import Ruling
from huaxiang.ranking.effects import Effects
from huaxiang.ranking.stated import NOTHING_STATED, Stated
from huaxiang.records import EventType, Matrix, Vector
from huaxiang.shop.catalogue import Catalogue

ScoreKept = Callable[[NDArray[np.bool_]], Matrix]
"""Scores one shopper again with only some of their events: (X, E) booleans in, (X, I) scores out."""

Relate = Callable[[int, int], str | None]
"""How the first item (a row) stands to the second: "complement", "substitute" or None."""


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """What one shopper did, oldest first, as a reason names it.

    Parameters
    ----------
    event_ids
        (E,); None for what was described and is no event of the log.
    types
        uint8 (E,), `EventType.code`.
    item_rows
        int32 (E,); -1 for words and photos.
    texts
        The words of each event, None where there are none, (E,).
    """

    event_ids: Sequence[str | None]
    types: NDArray[np.uint8]
    item_rows: NDArray[np.int32]
    texts: Sequence[str | None]

    def disliked_rows(self) -> NDArray[np.int32]:
        """Return the items that the shopper disliked: they are never listed."""
        disliked = (self.types == EventType.DISLIKE.code) & (self.item_rows >= 0)
        return np.unique(self.item_rows[disliked])


@dataclass(frozen=True, kw_only=True)
class Case:
    """One shopper to make a list for.

    Parameters
    ----------
    scores_I
        Higher is better.
    effects
        What each event adds to each score; for linear models they and a rest sum to the scores.
    score_kept
        See `ScoreKept`: reasons are checked with it. None leaves them unchecked.
    had_rows
        Items the shopper had, also those whose events have left the state.
    """

    scores_I: Vector
    effects: Effects
    deeds: Deeds
    had_rows: NDArray[np.int32]
    score_kept: ScoreKept | None = None
    stated: Stated = NOTHING_STATED


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What may be listed.

    Parameters
    ----------
    vectors_ID
        Unit rows, for variety; zero rows where an item has none.
    popularity_I
        0 to 1: how an item without a personal reason is presented; None presents it as often chosen.
    relate
        Whether reasons say that an item completes or replaces the one they name; None where they don't.
    """

    catalogue: Catalogue
    vectors_ID: Matrix
    popularity_I: Vector | None = None
    relate: Relate | None = None

    @cached_property
    def popular_from(self) -> float:
        """The popularity from which an item is one of the most popular tenth."""
        return float("inf") if self.popularity_I is None else float(np.quantile(self.popularity_I, 0.9))


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """When and how a list is made.

    Parameters
    ----------
    language
        Of titles and reasons.
    now_ms
        Items on sale from later on are left out; None lists them.
    rng
        Needed where places are drawn by chance.
    ruling
        What the shop's rules say; None where there are none.
    """

    language: str = "en"
    now_ms: int | None = None
    rng: np.random.Generator | None = None
    ruling: Ruling | None = None
