"""What a ranker reads of a shopper and each candidate: what the linear models say, likeness, popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.pairs import Baskets
from huaxiang.records import Matrix, Vector

Floats = NDArray[np.float64]

N_NEWEST = 3
"""Newest items that have features of their own."""
N_READ = 60
"""Newest different items of a history that are read."""
MODELS = ("closed", "pairs")


@dataclass(frozen=True, kw_only=True)
class Habits:
    """When and how often items are taken, as sums over moments, each float64 (I,).

    Parameters
    ----------
    taken
        Weight of all moments.
    to_end
        The same times the number of the shopper's moments that followed: small for what is new.
    newest3, newest
        Weight of each shopper's newest three moments, and of the newest.
    """

    taken: Floats
    to_end: Floats
    newest3: Floats
    newest: Floats

    @classmethod
    def of(cls, items_MI: csr_matrix | Floats, n_left_M: NDArray[np.int64]) -> Self:
        """Return the sums over moments, each with so many of its shopper's after it."""

        def over(weights_M: Floats) -> Floats:
            return np.asarray(items_MI.T @ weights_M, dtype=np.float64).ravel()

        n_left = n_left_M.astype(np.float64)
        return cls(
            taken=over(np.ones_like(n_left)),
            to_end=over(n_left),
            newest3=over((n_left < 3).astype(np.float64)),
            newest=over((n_left < 1).astype(np.float64)),
        )

    @classmethod
    def in_baskets(cls, baskets: Baskets) -> Self:
        """Return the sums over all shoppers' moments."""
        return cls.of(baskets.items_MI, baskets.n_left_M)

    def at(self, item_rows: NDArray[np.integer]) -> Self:
        """Return those of some items."""
        return self._each(lambda own: own[item_rows])

    def longer(self, n_items: int) -> Self:
        """Return the same with more items, which nobody took."""
        return self._each(lambda own: np.concatenate([own, np.zeros(n_items - len(own))]))

    def less(self, others: Habits, where: NDArray[np.integer]) -> Self:
        """Return the sums without those of `others`, which stand at the different places `where`."""
        lowered = {}
        for name in _NAMES:
            values = getattr(self, name).copy()
            values[where] = np.maximum(values[where] - getattr(others, name), 0.0)
            lowered[name] = values
        return replace(self, **lowered)

    def minus(self, others: Habits) -> Habits:
        """Return the differences."""
        return Habits(**{name: getattr(self, name) - getattr(others, name) for name in _NAMES})

    def features(self) -> list[Floats]:
        """Return log popularity, moments to the end, and the shares of the newest three and of the newest."""
        taken = np.maximum(self.taken, 1e-9)
        return [np.log1p(self.taken), self.to_end / taken, self.newest3 / taken, self.newest / taken]

    def arrays(self) -> dict[str, Floats]:
        """Return the sums by name, as they are stored."""
        return {name: getattr(self, name) for name in _NAMES}

    def _each(self, changed: Any) -> Self:
        return replace(self, **{name: changed(getattr(self, name)) for name in _NAMES})


_NAMES = tuple(one.name for one in fields(Habits))


@dataclass(frozen=True, kw_only=True)
class Past:
    """One shopper's history as the features read it: the newest `N_READ` different items, newest first.

    Parameters
    ----------
    item_rows
        (N,).
    weights_N
        Summed weight of the events of each, faded.
    n_times_N, since_N
        How often each was met, and how many moments ago for the last time.
    rows_NI
        Model → what follows from each item alone, (N, I) each.
    asked_I
        Model → what the shopper's words and photos ask for, (I,) each.
    """

    item_rows: NDArray[np.int64]
    weights_N: Vector
    n_times_N: NDArray[np.int64]
    since_N: NDArray[np.int64]
    rows_NI: Mapping[str, Matrix]
    asked_I: Mapping[str, Vector]

    def proposed(self, model: str) -> Vector:
        """Return what follows from everything together, (I,)."""
        return np.asarray(self.weights_N @ self.rows_NI[model] + self.asked_I[model], dtype=np.float32)


def newest_items(
    histories: Histories, row: int, weights_E: NDArray[np.float32]
) -> tuple[NDArray[np.int64], Vector, NDArray[np.int64], NDArray[np.int64]]:
    """Return one shopper's newest different items, their weight, how often they were met, and since when."""
    own = slice(int(histories.offsets[row]), int(histories.offsets[row + 1]))
    counts_E = (histories.item_rows[own] != NO_ITEM) & (weights_E[own] != 0)
    items_E = histories.item_rows[own][counts_E][::-1]
    steps_E = histories.steps_back[own][counts_E][::-1]
    different, firsts, which = np.unique(items_E, return_index=True, return_inverse=True)
    newest_first = np.argsort(firsts, kind="stable")[:N_READ]
    weights = np.bincount(which, weights_E[own][counts_E][::-1], minlength=len(different))
    times = np.bincount(which, minlength=len(different))
    return (
        different[newest_first].astype(np.int64),
        weights[newest_first].astype(np.float32),
        times[newest_first],
        steps_E[firsts[newest_first]].astype(np.int64),
    )


def candidates_of(past: Past, popular: NDArray[np.int64], *, n_candidates: int) -> NDArray[np.int64]:
    """Return the items worth weighing: the best of each model, what is popular, and what was had."""
    found = [past.item_rows]
    for model, share in zip(MODELS, (1, 2), strict=True):
        scores_I = past.proposed(model)
        scores_I[past.item_rows] = -np.inf
        n = min(n_candidates // share, len(scores_I))
        best = np.argpartition(-scores_I, n - 1)[:n] if n < len(scores_I) else np.arange(n)
        found.append(best[scores_I[best] > 0])
    if sum(map(len, found)) < n_candidates:
        found.append(popular)
    return np.unique(np.concatenate(found))


def names_of(spaces: Sequence[str]) -> list[str]:
    """Return the names of the features, in order."""
    names = [f"{model}_{what}" for model in MODELS for what in ("z", "score", "rank", "gap")]
    parts = (*(str(place) for place in range(N_NEWEST)), "max", "mean", "n")
    names += [f"{model}_{part}" for model in MODELS for part in parts]
    names += [f"{space}_{part}" for space in spaces for part in (*parts[:-1], "all")]
    names += ["popularity", "to_end", "newest3", "newest", "n_times", "since"]
    return [*names, "n_read", "popularity_of_newest"]


def features_of(
    past: Past,
    candidates: NDArray[np.int64],
    vectors: Mapping[str, Matrix],
    habits: Habits,
    popularity_of_newest: float,
) -> NDArray[np.float32]:
    """Return the features of each candidate, float32 (C, F); NaN where there is nothing to say.

    Parameters
    ----------
    vectors
        Space → float32 (I, D), rows of unit length or zero.
    habits
        Of the candidates.
    """
    columns: list[NDArray[Any]] = []
    for model in MODELS:
        columns += _standing(past.proposed(model), candidates)
    n_read = len(past.item_rows)
    for model in MODELS:
        entries_NC = past.rows_NI[model][:, candidates]
        columns += [*_newest(entries_NC), *_largest(entries_NC)]
        columns.append((entries_NC > 0).sum(axis=0))
    for vectors_ID in vectors.values():
        likeness_NC = vectors_ID[past.item_rows] @ vectors_ID[candidates].T
        columns += [*_newest(likeness_NC), *_largest(likeness_NC), past.weights_N @ likeness_NC]
    columns += [*habits.features(), *_had(past, candidates)]
    columns += [np.full(len(candidates), n_read), np.full(len(candidates), popularity_of_newest)]
    return np.stack(columns, axis=1).astype(np.float32)


def _standing(scores_I: Vector, candidates: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Return a model's score of each candidate: in deviations, as it is, its rank, its gap to the best."""
    own_C = scores_I[candidates]
    z_C = (own_C - scores_I.mean()) / max(float(scores_I.std()), 1e-12)
    rank_C = np.empty(len(own_C))
    rank_C[np.argsort(-own_C, kind="stable")] = np.arange(len(own_C))
    return [z_C, own_C, rank_C, z_C.max(initial=0.0) - z_C]


def _newest(entries_NC: Matrix) -> list[NDArray[Any]]:
    missing = np.full(entries_NC.shape[1], np.nan)
    return [entries_NC[place] if place < len(entries_NC) else missing for place in range(N_NEWEST)]


def _largest(entries_NC: Matrix) -> list[NDArray[Any]]:
    if not len(entries_NC):
        return [np.full(entries_NC.shape[1], np.nan)] * 2
    return [entries_NC.max(axis=0), entries_NC.mean(axis=0)]


def _had(past: Past, candidates: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Return how often each candidate was met before, and how many moments ago."""
    times_C, since_C = np.zeros(len(candidates)), np.full(len(candidates), np.nan)
    places = np.searchsorted(candidates, past.item_rows)
    times_C[places], since_C[places] = past.n_times_N, past.since_N
    return [times_C, since_C]
