"""Which items answer a query, best first: words, meaning and looks put together, then the shopper.

A score of relevance is 0 to 1 and means the same whatever found the item, so that a list can end where
relevance does. The shopper moves items up and down among those that answer the query about as well; what the
query names outright stays on top whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.records import Matrix, Vector

Rows = NDArray[np.int64]
_ASKED_AGAIN = 4
"""Times as many nearest are asked for where too few of them may be listed."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of a search.

    Parameters
    ----------
    lexical_weight
        What the words count; the rest is what the meaning counts. 0 to 1.
    value_weight
        What an item gains that has every value the query names, such as a colour; ≥ 0.
    photo_weight
        What a photo counts where there are words beside it; 0 to 1.
    strength
        How far the shopper's profile moves an item, in units of the best relevance; 0 leaves it out; ≥ 0.
    keep_share
        Share of the best relevance that an item needs to be found at all; 0 to 1.
    n_candidates
        Best items by words, and as many by meaning, that are looked at; ≥ 10.
    relevance
        Folder that `huaxiang finetune search` made, by which the best are put in order; "" is without. It is
        copied into the run.
    n_reordered
        How many of the best it puts in order; ≥ 2.
    n_read
        How many of these are read together with the query, where `--cross` was given; 0 is none.
    """

    lexical_weight: float = 0.5
    value_weight: float = 0.2
    photo_weight: float = 0.6
    strength: float = 0.5
    keep_share: float = 0.5
    n_candidates: int = 400
    relevance: str = ""
    n_reordered: int = 100
    n_read: int = 20

    def __post_init__(self) -> None:
        shares = (self.lexical_weight, self.photo_weight, self.keep_share)
        fits = all(0 <= share <= 1 for share in shares) and min(self.value_weight, self.strength) >= 0
        if not fits or self.n_candidates < 10 or self.n_reordered < 2 or self.n_read < 0:
            remedy = "weights and shares are 0 to 1, strength, n_read ≥ 0, n_reordered ≥ 2, n_candidates ≥ 10"
            raise SettingsError("out of range", column="search", remedy=remedy)


class Nearest(Protocol):
    """An index of vectors."""

    def nearest(self, vector: Vector, n: int) -> tuple[Rows, NDArray[np.float32]]:
        """Return the rows of the nearest items and their cosines, nearest first."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A vector that is looked for, among those of the items in the same space."""

    vector: Vector
    index: Nearest
    vectors_ID: Matrix

    def nearest(self, n: int, allowed_I: NDArray[np.bool_]) -> Rows:
        """Return the nearest items that are allowed, about `n`."""
        wanted = n
        while True:
            rows, _ = self.index.nearest(self.vector, wanted)
            fits = rows[allowed_I[rows]]
            if len(fits) >= n or len(rows) < wanted or wanted >= len(self.index):
                return np.asarray(fits[:n], dtype=np.int64)
            wanted *= _ASKED_AGAIN

    def cosines(self, rows: Rows) -> Vector:
        """Return how near some items are, 0 for those without a vector."""
        return np.asarray(np.maximum(self.vectors_ID[rows] @ self.vector, 0), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Items that answer a query, best first: their rows, and how relevant each is."""

    rows: Rows
    relevance: Vector

    def take(self, places: NDArray[np.integer]) -> Found:
        """Return some of them, in this order."""
        return Found(rows=self.rows[places], relevance=self.relevance[places])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is looked for, as numbers.

    Parameters
    ----------
    lexical_I
        How much of the words each item has, 0 to 1; None where no words were said.
    words, photo
        The vectors of the words and of the photo; None without.
    value_share_I
        How much each item has of what the query names, 0 to 1; None where it names nothing.
    """

    lexical_I: Vector | None = None
    words: Sight | None = None
    photo: Sight | None = None
    value_share_I: Vector | None = None


def found_items(asked: Asked, allowed_I: NDArray[np.bool_], config: Config) -> Found:
    """Return the allowed items that answer best, one candidate list from all that was asked with.

    Examples
    --------
    >>> asked = Asked(lexical_I=np.array([0.1, 0.9, 0.8, 0.0], "f"))
    >>> found_items(asked, np.array([True, True, False, True]), Config()).rows.tolist()
    [1]
    """
    rows = _candidates(asked, allowed_I, config.n_candidates)
    relevance = _relevance(asked, rows, config)
    order = np.argsort(-relevance, kind="stable")
    rows, relevance = rows[order], relevance[order]
    best = float(relevance[0]) if len(relevance) else 0.0
    n_kept = int(np.count_nonzero((relevance >= config.keep_share * best) & (relevance > 0)))
    return Found(rows=rows[:n_kept], relevance=relevance[:n_kept])


def _candidates(asked: Asked, allowed_I: NDArray[np.bool_], n: int) -> Rows:
    found = [sight.nearest(n, allowed_I) for sight in (asked.words, asked.photo) if sight is not None]
    if asked.lexical_I is not None:
        found.append(_best(np.where(allowed_I, asked.lexical_I, 0), n))
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _best(scores_I: Vector, n: int) -> Rows:
    """Return the rows of the `n` highest scores above 0, in no order."""
    above = np.flatnonzero(scores_I > 0)
    if len(above) <= n:
        return above
    return np.asarray(above[np.argpartition(-scores_I[above], n)[:n]], dtype=np.int64)


def _relevance(asked: Asked, rows: Rows, config: Config) -> Vector:
    looks = None if asked.photo is None else asked.photo.cosines(rows)
    if asked.lexical_I is None:
        return np.zeros(len(rows), np.float32) if looks is None else looks
    meaning = 0.0 if asked.words is None else asked.words.cosines(rows)
    w = config.lexical_weight if asked.words is not None else 1.0
    relevance = w * asked.lexical_I[rows] + (1 - w) * meaning
    if asked.value_share_I is not None:
        share = asked.value_share_I[rows]
        relevance = (relevance + config.value_weight * share) / (1 + config.value_weight)
    if looks is not None:
        relevance = config.photo_weight * looks + (1 - config.photo_weight) * relevance
    return np.asarray(relevance, dtype=np.float32)


def reordered(found: Found, places: Rows, scores: Vector) -> Found:
    """Return what was found with some of it in the order of other scores; relevance stays with the places.

    Parameters
    ----------
    places
        Places of what is put in order, ascending; they are shared out anew among the same items.

    Examples
    --------
    >>> found = Found(rows=np.array([7, 8, 9]), relevance=np.array([0.9, 0.8, 0.7], "f"))
    >>> reordered(found, np.array([0, 2]), np.array([0.1, 0.5])).rows.tolist()
    [9, 8, 7]
    """
    rows = found.rows.copy()
    rows[places] = found.rows[places[np.argsort(-scores, kind="stable")]]
    return Found(rows=rows, relevance=found.relevance)


def personal_order(found: Found, worth_N: Vector, is_exact_N: NDArray[np.bool_]) -> Rows:
    """Return the places of what was found, best for the shopper first.

    Parameters
    ----------
    worth_N
        See `worth`.
    is_exact_N
        What the query names outright: it stays on top, by relevance, whatever fits.

    Examples
    --------
    >>> found = Found(rows=np.arange(3), relevance=np.array([0.9, 0.85, 0.5], "f"))
    >>> worth_N = worth(found, np.array([0.0, 1.0, 1.0], "f"), strength=0.3)
    >>> personal_order(found, worth_N, np.zeros(3, bool)).tolist()
    [1, 0, 2]
    >>> personal_order(found, worth_N, np.arange(3) == 0).tolist()
    [0, 1, 2]
    """
    return np.lexsort((-worth_N, -found.relevance * is_exact_N, ~is_exact_N))


COVERED = 4.0
"""What having all words of the query counts beside none, in strengths: twice all that fit can count."""


def worth(found: Found, fit_N: Vector, *, strength: float, covered_N: Vector | None = None) -> Vector:
    """Return what each item is worth to the shopper: relevance over the best, moved by how well it fits.

    Parameters
    ----------
    fit_N
        How well each fits the shopper, in any unit: what counts is how far it lies from the others.
    covered_N
        How much of the query's words each has, 0 to 1: the more is said, the less taste decides. None where
        there are no words.

    Examples
    --------
    >>> found = Found(rows=np.arange(2), relevance=np.array([0.9, 0.7], "f"))
    >>> liked, has_words = np.array([0.0, 1.0], "f"), np.array([1.0, 0.6], "f")
    >>> worth(found, liked, strength=0.5).argmax(), worth(
    ...     found, liked, strength=0.5, covered_N=has_words
    ... ).argmax()
    (np.int64(1), np.int64(0))
    """
    best = float(found.relevance.max(initial=0)) or 1.0
    worth_N = found.relevance / best + strength * even(fit_N)
    if covered_N is not None:
        worth_N = worth_N + COVERED * strength * covered_N
    return np.asarray(worth_N, dtype=np.float32)


def even(fit_N: Vector) -> Vector:
    """Return how far each lies above the middle, in spreads of all, within -1 to 1.

    Examples
    --------
    >>> even(np.array([1, 1, 1, 5], "f")).astype(float).round(2).tolist()
    [-0.28, -0.28, -0.28, 0.7]
    """
    spread = float(fit_N.std()) if len(fit_N) else 0.0
    if spread < 1e-12:
        return np.zeros_like(fit_N)
    return np.asarray(np.tanh((fit_N - fit_N.mean()) / (2 * spread)), dtype=np.float32)


def one_of_each(rows: Rows, group_rows: NDArray[np.integer]) -> Rows:
    """Return the places of the first variant of each product, in order.

    Examples
    --------
    >>> one_of_each(np.array([4, 2, 3]), np.array([0, 0, 1, 1, 1])).tolist()
    [0]
    """
    _, firsts = np.unique(group_rows[rows], return_index=True)
    return np.sort(firsts)
