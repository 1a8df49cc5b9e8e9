"""Lists to be put in order, as they would have been served at the time: what `stacked` learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.base import NO_ITEM, Histories, TrainingData
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.histories import take_events, take_shoppers
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import Solution
from huaxiang.recommend.stacked_features import Entries, Habits
from huaxiang.recommend.untold import Moments, closed_rows_before, neighbour_rows_before
from huaxiang.recommend.weights import type_weights
from huaxiang.records import Vector

if TYPE_CHECKING:
    from huaxiang.recommend.stacked import Config, Stacked

MOST_MOMENTS = 60
"""Newest moments of a shopper that are taken out of the models; older ones hold none of the answers."""
MOST_ITEMS = 400
"""Different items of a shopper up to which they are: the time grows with the square."""


class Lessons:
    """The newest moments of the shoppers as lists to be put in order: features, and what was taken.

    Each is made as if its shopper had stopped before it.
    """

    def __init__(self, stacked: Stacked, training: TrainingData, solutions: Mapping[str, Solution]) -> None:
        self.stacked = stacked
        self.solutions = solutions
        histories, n_items = training.histories, training.catalogue.n_items
        self.baskets = baskets_of(histories, n_items)
        self.shopper_Q, self.moment_Q, self.wanted_Q, cut_Q = _questions(
            histories, stacked.config, np.random.default_rng(training.seed)
        )
        asked = take_shoppers(histories, self.shopper_Q)
        place_E = np.arange(len(asked.item_rows)) - np.repeat(asked.offsets[:-1], asked.lengths())
        self.histories = take_events(asked, place_E < np.repeat(cut_Q, asked.lengths()))
        self.smallest = {name: _smallest_of_rows(stacked.models[name]) for name in solutions}
        self.habits_without: list[Habits] = [
            Habits.in_baskets(self.baskets, but=n + 1) for n in range(stacked.config.n_answers)
        ]
        self.first_moment_U = np.searchsorted(self.baskets.shopper_M, np.arange(histories.n_shoppers + 1))

    def __len__(self) -> int:
        return len(self.shopper_Q)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield the features of each list, (C, F), and whether each candidate was taken."""
        pasts = self.stacked.pasts(self.histories, untold=self._entries_before)
        for number, past in enumerate(pasts):
            candidates = self.stacked.candidates(past)
            wanted_C = np.isin(candidates, self.wanted_Q[number])
            if wanted_C.any() and not wanted_C.all():
                yield self.stacked.features(past, candidates, self._habits_before(number)), wanted_C
            else:
                yield np.zeros((0, 0), dtype=np.float32), wanted_C

    @lru_cache(maxsize=1)  # noqa: B019 - asked for twice in a row; the lessons go with the fit
    def _own(self, number: int) -> tuple[Moments, int]:
        """Return the moments of a question's shopper that are taken out, and which of them is asked for."""
        shopper = self.shopper_Q[number]
        first, end = self.first_moment_U[shopper], self.first_moment_U[shopper + 1]
        asked = first + self.moment_Q[number]
        start = max(first, end - MOST_MOMENTS)
        n_items_M = np.diff(self.baskets.items_MI.indptr[start : end + 1])
        start = min(start + int((np.cumsum(n_items_M[::-1]) > MOST_ITEMS).sum()), asked)
        own_MI = self.baskets.items_MI[start:end]
        item_rows = np.unique(own_MI.indices).astype(np.int64)
        weights_MN = own_MI[:, item_rows].toarray().astype(np.float64)
        return Moments(item_rows=item_rows, weights_MN=weights_MN), int(asked - start)

    def _entries_before(
        self, number: int, item_rows: NDArray[np.int64], entries: Mapping[str, Entries]
    ) -> dict[str, Entries]:
        """Return what follows from each item as it was before the moment asked for.

        Only of the items that are served after one of these; another would hardly have come in their place.
        """
        own, p = self._own(number)
        n_read = len(item_rows)
        before = {}
        for name, model in self.stacked.models.items():
            columns = entries[name].columns
            if isinstance(model, Neighbours):
                told_NK = entries[name].at(columns)[:n_read]
                values_NK = neighbour_rows_before(model, item_rows, columns, told_NK, own, p)
            else:
                decays = (model.config.source_decay, model.config.target_decay)
                values_NK = closed_rows_before(
                    self.solutions[name], item_rows, columns, own, p, decays=decays
                )
                smallest_N = self.smallest[name][item_rows]
                values_NK[np.abs(values_NK) < smallest_N[:, None]] = 0.0  # as what is served
            before[name] = entries[name].with_first(values_NK)
        return before

    def _habits_before(self, number: int) -> Habits:
        """Return the habits without the moment asked for, and without everybody's moments as new as it.

        What a list is served from lacks what the others are about to do, too: with it, an item that is just
        becoming popular would look more popular than it does when it is to be foretold.
        """
        shopper = self.shopper_Q[number]
        n_moments = self.first_moment_U[shopper + 1] - self.first_moment_U[shopper]
        return self.habits_without[int(n_moments - 1 - self.moment_Q[number])]


def _questions(
    histories: Histories, config: Config, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int32]], NDArray[np.int64]]:
    """Return the moments to foretell: shopper, number among the liked moments, items taken, events before."""
    weights_E = type_weights(histories) * (histories.item_rows != NO_ITEM)
    strongest = weights_E.max(initial=0.0)
    liked = np.flatnonzero(weights_E > 0)
    only_liked = take_events(histories, weights_E > 0)
    moments, firsts = np.unique(only_liked.moments, return_index=True)
    shopper_M = only_liked.shopper_of_event[firsts]
    number_M = moments - np.searchsorted(shopper_M, shopper_M)
    n_left_M = np.searchsorted(shopper_M, shopper_M, side="right") - 1 - moments
    ends = np.append(firsts[1:], len(liked))
    asked = [
        moment
        for moment in np.flatnonzero((number_M >= 1) & (n_left_M < config.n_answers))
        if (weights_E[liked[firsts[moment] : ends[moment]]] == strongest).any()
    ]
    if len(asked) > config.most_queries:
        asked = np.sort(rng.permutation(asked)[: config.most_queries]).tolist()
    wanted = []
    for moment in asked:
        events = liked[firsts[moment] : ends[moment]]
        wanted.append(histories.item_rows[events[weights_E[events] == strongest]])
    chosen = np.array(asked, dtype=np.int64)
    cut_Q = liked[firsts[chosen]] - histories.offsets[shopper_M[chosen]]
    return shopper_M[chosen], number_M[chosen], wanted, cut_Q


def _smallest_of_rows(model: ClosedForm | Neighbours) -> Vector:
    """Return the smallest size of each row's kept weights, (I,); 0 where none was left out."""
    assert isinstance(model, ClosedForm) and model.weights_II is not None
    kept_II = model.weights_II
    smallest = np.zeros(kept_II.shape[0], dtype=np.float32)
    n_kept = np.diff(kept_II.indptr)
    filled = np.flatnonzero((n_kept > 0) & (n_kept < kept_II.shape[1]))
    if not len(filled):
        return smallest
    sizes = np.abs(kept_II[filled].data)
    smallest[filled] = np.minimum.reduceat(sizes, np.cumsum([0, *n_kept[filled][:-1]]))
    return smallest
