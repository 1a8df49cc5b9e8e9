"""A recommender that can't take new items, over a longer catalogue: it scores them as what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.errors import InputError
from huaxiang.recommend.base import (
    NO_ITEM,
    Contributions,
    Histories,
    LearnsEvents,
    Recommender,
    TrainingData,
)
from huaxiang.recommend.look_alikes import look_alikes
from huaxiang.records import Matrix


class Longer:
    """A fitted recommender and the items that joined since, each standing for those it resembles.

    Parameters
    ----------
    member
        It knows the first `n_known` items and no others.
    vectors_ID
        Fused vectors of all items, the known ones first.
    """

    def __init__(self, member: Recommender, vectors_ID: Matrix, *, n_known: int) -> None:
        self.name = member.name
        self.member = member
        self._look_at(vectors_ID, n_known)

    @property
    def uses(self) -> tuple[str, ...]:
        """What the member reads."""
        return self.member.uses

    def score(self, histories: Histories) -> Matrix:
        """Return the member's scores, and for each new item the mean of those it looks like, (U, I)."""
        known_UI = self.member.score(self._read(histories))
        new_UN = (self._alike_NI @ known_UI.T).T
        return np.concatenate([known_UI, np.asarray(new_UN, dtype=np.float32)], axis=1)

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return what each event adds to an item's score, or to the scores of those it looks like."""
        read = self._read(histories)
        if item_row < self._n_known:
            return self.member.contributions(read, item_row)
        alike = self._alike_NI[item_row - self._n_known].tocoo()
        values, rest = np.zeros(len(histories.event_keys), dtype=np.float32), 0.0
        for known, share in zip(alike.col.tolist(), alike.data.tolist(), strict=True):
            part = self.member.contributions(read, known)
            values += np.float32(share) * part.values
            rest += share * part.rest
        return Contributions(event_keys=histories.event_keys, values=values, rest=rest)

    def learn(self, history: Histories) -> None:
        """Let the member learn, if it can, what was done with a new item as if with one that it resembles."""
        if isinstance(self.member, LearnsEvents):
            self.member.learn(self._read(history))

    def with_items(self, vectors: Mapping[str, Matrix]) -> Longer:
        """Return the same over a still longer catalogue."""
        return Longer(self.member, vectors["fused"], n_known=self._n_known)

    def fit(self, training: TrainingData) -> Self:
        """Let the member start over on all items: then it knows them."""
        self.member.fit(training)
        vectors_ID = training.vectors["fused"]
        self._look_at(vectors_ID, len(vectors_ID))
        return self

    def save(self, folder: Path) -> None:
        """Keep the member.

        Raises
        ------
        InputError
            There are items that it doesn't know: read back, it would be too short for the catalogue.
        """
        if self._alike_NI.shape[0]:
            remedy = "build the run again"
            raise InputError(f"{self.name} can't be kept with items that it never learnt", remedy=remedy)
        self.member.save(folder)

    def _look_at(self, vectors_ID: Matrix, n_known: int) -> None:
        self._n_known = n_known
        known_I = np.arange(len(vectors_ID)) < n_known
        alike_NI = look_alikes(vectors_ID[n_known:], vectors_ID, among_I=known_I)
        self._alike_NI = csr_matrix(alike_NI[:, :n_known])
        self._stand_in_I = _stand_ins(self._alike_NI)

    def _read(self, histories: Histories) -> Histories:
        """Return the histories in known items; one that resembles none becomes no item."""
        rows = histories.item_rows
        is_item = rows != NO_ITEM
        read = np.where(is_item, self._stand_in_I[np.where(is_item, rows, 0)], NO_ITEM)
        return replace(histories, item_rows=read.astype(np.int32))


def _stand_ins(alike_NI: csr_matrix) -> NDArray[np.int64]:
    """Return the known row by which each item is read, `NO_ITEM` where it resembles none."""
    n_known = alike_NI.shape[1]
    nearest_N = np.asarray(alike_NI.argmax(axis=1)).ravel() if n_known else np.zeros(0, dtype=np.int64)
    is_like_N = np.asarray(alike_NI.sum(axis=1)).ravel() > 0
    new_N = np.where(is_like_N, nearest_N, NO_ITEM) if n_known else np.full(alike_NI.shape[0], NO_ITEM)
    return np.concatenate([np.arange(n_known), new_N]).astype(np.int64)
