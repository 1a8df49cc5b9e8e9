"""What all linear recommenders share: a score is a sum over events, so each event's part of it is known."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.sparse import csr_matrix

from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import Contributions, Histories
from huaxiang.recommend.weights import sum_by_shopper
from huaxiang.records import Matrix, Vector


class Linear(ABC):
    """Scores that follow linearly from the events; a way says what an event is, and what follows from it."""

    @abstractmethod
    def events(self, histories: Histories) -> tuple[Effects, Effects]:
        """Return what was done and what was asked for in words or photos, each (E, I), weighted."""

    @abstractmethod
    def proposed(self, done_UI: csr_matrix, asked_UI: csr_matrix) -> Matrix:
        """Return the scores that follow from sums of what many shoppers did and asked for, (U, I)."""

    @abstractmethod
    def followed(self, done: Effects, asked: Effects) -> Effects:
        """Return what follows from each event of one shopper: the same sums, event by event."""

    def score(self, histories: Histories) -> Matrix:
        """Return what follows from all of each shopper's events together, (U, I)."""
        if histories.n_shoppers == 1:
            return self.scores_by_event(histories)[0][None]
        done, asked = self.events(histories)
        done_UI, asked_UI = (sum_by_shopper(histories, part.matrix()) for part in (done, asked))
        return self.proposed(done_UI, asked_UI)

    def scores_by_event(self, history: Histories) -> tuple[Vector, Effects]:
        """Return the scores of the only shopper, (I,), and what each event adds to them."""
        effects = self.followed(*self.events(history))
        return effects.sums(), effects

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return what each event of the only shopper adds to one item's score; they sum to it."""
        _, effects = self.scores_by_event(histories)
        values = effects.at(np.array([item_row]))[:, 0]
        return Contributions(event_keys=histories.event_keys, values=values, is_exact=True)
