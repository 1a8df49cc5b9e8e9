"""What all linear recommenders share: a score is a sum over events, so each event's part of it is known."""

from __future__ import annotations

from abc import ABC, abstractmethod

from scipy.sparse import csr_matrix

from huaxiang.recommend.base import Contributions, Histories
from huaxiang.recommend.weights import sum_by_shopper
from huaxiang.records import Matrix


class Linear(ABC):
    """Scores that follow linearly from the events; a way says what an event is, and what follows from it."""

    @abstractmethod
    def events(self, histories: Histories) -> tuple[csr_matrix, csr_matrix]:
        """Return what was done and what was asked for in words or photos, each sparse (E, I), weighted."""

    @abstractmethod
    def proposed(self, done_XI: csr_matrix, asked_XI: csr_matrix) -> Matrix:
        """Return the scores that follow from sums of what was done and asked for, (X, I)."""

    def score(self, histories: Histories) -> Matrix:
        """Return what follows from all of each shopper's events together, (U, I)."""
        done_EI, asked_EI = self.events(histories)
        return self.proposed(sum_by_shopper(histories, done_EI), sum_by_shopper(histories, asked_EI))

    def scores_by_event(self, histories: Histories) -> Matrix:
        """Return what each event of the only shopper adds to each item's score, (E, I)."""
        return self.proposed(*self.events(histories))

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return what each event of the only shopper adds to one item's score; they sum to it."""
        values = self.scores_by_event(histories)[:, item_row]
        return Contributions(event_keys=histories.event_keys, values=values, is_exact=True)
