"""What a ranker reads of a shopper and each candidate: what the linear models say, likeness, popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.pairs import Baskets
from huaxiang.records import Matrix, Vector

Floats = NDArray[np.float64]
Row = tuple[NDArray[np.integer], Vector]
"""The items of a row that are not zero, each once, and their values."""

N_NEWEST = 3
"""Newest items that have features of their own."""
N_READ = 60
"""Newest different items of a history that are read."""
MODELS = ("closed", "tastes", "pairs")
"""What comes next, what goes with everything done, both closed forms, and the neighbours' counts."""
SHARES = {"closed": 1.0, "tastes": 0.5, "pairs": 0.5}
"""Candidates of each model for each of the first one's."""


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
    def in_baskets(cls, baskets: Baskets, *, but: int = 0) -> Self:
        """Return the sums over all shoppers' moments, without the newest `but` of each."""
        is_read_M = baskets.n_left_M >= but
        return cls.of(baskets.items_MI[is_read_M], baskets.n_left_M[is_read_M] - but)

    def at(self, item_rows: NDArray[np.integer]) -> Self:
        """Return those of some items."""
        return self._each(lambda own: own[item_rows])

    def longer(self, n_items: int) -> Self:
        """Return the same with more items, which nobody took."""
        return self._each(lambda own: np.concatenate([own, np.zeros(n_items - len(own))]))

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
class Entries:
    """The few entries that are not zero of some rows over all items, (N, I), each place at most once.

    Parameters
    ----------
    row_E, item_E
        Where each stands, (E,); rows in ascending order.
    value_E
        float32 (E,).
    shape
        N and I.
    """

    row_E: NDArray[np.int64]
    item_E: NDArray[np.integer]
    value_E: Vector
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: Sequence[Row], n_items: int) -> Self:
        """Return rows that each name some items."""
        return cls(
            row_E=np.repeat(np.arange(len(rows)), [len(items) for items, _ in rows]),
            item_E=np.concatenate([items for items, _ in rows]),
            value_E=np.concatenate([values for _, values in rows]),
            shape=(len(rows), n_items),
        )

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The items that some row names, in ascending order, (K,)."""
        is_named_I = np.zeros(self.shape[1], dtype=np.bool_)
        is_named_I[self.item_E] = True
        return np.flatnonzero(is_named_I)

    def at(self, item_rows: NDArray[np.integer]) -> Matrix:
        """Return the columns of some items, each named once, (N, C)."""
        place_I = np.full(self.shape[1], -1, dtype=np.int32)
        place_I[item_rows] = np.arange(len(item_rows))
        place_E = place_I[self.item_E]
        here = np.flatnonzero(place_E >= 0)
        values_NC = np.zeros((self.shape[0], len(item_rows)), dtype=np.float32)
        values_NC[self.row_E[here], place_E[here]] = self.value_E[here]
        return values_NC

    def with_first(self, values_XK: Matrix) -> Self:
        """Return the same with other values in the first X rows, at `columns`."""
        row_E, place_E = np.nonzero(values_XK)
        stays = slice(int(np.searchsorted(self.row_E, len(values_XK))), None)
        return replace(
            self,
            row_E=np.concatenate([row_E, self.row_E[stays]]),
            item_E=np.concatenate([self.columns[place_E], self.item_E[stays]]),
            value_E=np.concatenate([values_XK[row_E, place_E], self.value_E[stays]]),
        )


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What one model says after each of a shopper's items.

    Parameters
    ----------
    entries
        What follows from each item alone, and last what was asked for in words and photos, (N + 1, I).
    scores_I
        What follows from everything together, float64.
    """

    entries: Entries
    scores_I: Floats

    @classmethod
    def of(cls, entries: Entries, weights_N: Vector) -> Self:
        """Return what follows from items with such weights, and from what was asked for."""
        weight_R = np.append(weights_N, np.float32(1))
        weighted_E = entries.value_E * weight_R[entries.row_E]
        return cls(
            entries=entries,
            scores_I=np.bincount(entries.item_E, weighted_E, minlength=entries.shape[1]).astype(np.float64),
        )

    def best(self, n: int, *, but: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the items with the `n` largest scores above 0, without those of `but`, in any order."""
        is_best_I = self.scores_I > 0
        is_best_I[but] = False
        above = np.flatnonzero(is_best_I)
        if len(above) > n:
            above = above[np.argpartition(-self.scores_I[above], n - 1)[:n]]
        return above

    def features(self, candidates: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Return the score of each candidate in deviations, as it is, its rank, and its gap to the best."""
        own_C, n_items = self.scores_I[candidates], len(self.scores_I)
        mean = float(self.scores_I.sum()) / n_items
        variance = float(self.scores_I @ self.scores_I) / n_items - mean**2
        z_C = (own_C - mean) / max(variance, 1e-24) ** 0.5
        rank_C = np.empty(len(own_C))
        rank_C[np.argsort(-own_C, kind="stable")] = np.arange(len(own_C))
        return [z_C, own_C, rank_C, z_C.max(initial=0.0) - z_C]

    def at(self, candidates: NDArray[np.int64]) -> Matrix:
        """Return what follows from each item alone, of the candidates, (N, C)."""
        return self.entries.at(candidates)[:-1]


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
    proposals
        Model → what it says.
    """

    item_rows: NDArray[np.int64]
    weights_N: Vector
    n_times_N: NDArray[np.int64]
    since_N: NDArray[np.int64]
    proposals: Mapping[str, Proposal]


def newest_items(
    histories: Histories, row: int, weights_E: Mapping[str, NDArray[np.float32]]
) -> tuple[NDArray[np.int64], dict[str, Vector], NDArray[np.int64], NDArray[np.int64]]:
    """Return one shopper's newest different items, their weights, how often they were met, and since when.

    Parameters
    ----------
    weights_E
        Model → what each event of all shoppers counts for it.
    """
    own = slice(int(histories.offsets[row]), int(histories.offsets[row + 1]))
    counts_E = (histories.item_rows[own] != NO_ITEM) & (weights_E[MODELS[0]][own] != 0)
    items_E = histories.item_rows[own][counts_E][::-1]
    steps_E = histories.steps_back[own][counts_E][::-1]
    different, firsts, which = np.unique(items_E, return_index=True, return_inverse=True)
    newest_first = np.argsort(firsts, kind="stable")[:N_READ]
    times = np.bincount(which, minlength=len(different))
    weights = {
        name: np.bincount(which, values[own][counts_E][::-1], minlength=len(different))
        for name, values in weights_E.items()
    }
    return (
        different[newest_first].astype(np.int64),
        {name: values[newest_first].astype(np.float32) for name, values in weights.items()},
        times[newest_first],
        steps_E[firsts[newest_first]].astype(np.int64),
    )


def candidates_of(past: Past, popular: NDArray[np.int64], *, n_candidates: int) -> NDArray[np.int64]:
    """Return the items worth weighing: the best of each model, what is popular, and what was had."""
    found = [past.item_rows]
    for model, share in SHARES.items():
        n = max(1, round(share * n_candidates))
        found.append(past.proposals[model].best(n, but=past.item_rows))
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
        columns += past.proposals[model].features(candidates)
    n_read = len(past.item_rows)
    for model in MODELS:
        entries_NC = past.proposals[model].at(candidates)
        columns += [*_newest(entries_NC), *_largest(entries_NC)]
        columns.append((entries_NC > 0).sum(axis=0))
    for vectors_ID in vectors.values():
        likeness_NC = vectors_ID[past.item_rows] @ vectors_ID[candidates].T
        columns += [*_newest(likeness_NC), *_largest(likeness_NC), past.weights_N @ likeness_NC]
    columns += [*habits.features(), *_had(past, candidates)]
    columns += [np.full(len(candidates), n_read), np.full(len(candidates), popularity_of_newest)]
    return np.stack(columns, axis=1).astype(np.float32)


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
