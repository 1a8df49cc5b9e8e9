"""Which items follow which: sums over pairs of events of one shopper, a number of moments apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags

from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.histories import take_events
from huaxiang.recommend.weights import item_weights, type_weights

SETTLE_AFTER = 500_000
"""Learnt entries that are kept aside before they are merged into the large table."""


@dataclass(frozen=True, kw_only=True)
class Baskets:
    """What was liked at each moment of each shopper: a sparse (moments × items) matrix, in order.

    Parameters
    ----------
    items_MI
        Summed event weights; events that are words, or say no, are left out.
    shopper_M
        Row of the shopper of each moment.
    n_left_M
        How many moments of the same shopper follow.
    """

    items_MI: csr_matrix
    shopper_M: NDArray[np.int64]
    n_left_M: NDArray[np.int64]


def baskets_of(histories: Histories, n_items: int) -> Baskets:
    """Return the moments of all shoppers one after the other."""
    liked = take_events(histories, (histories.item_rows != NO_ITEM) & (type_weights(histories) > 0))
    rows_EI = item_weights(liked, type_weights(liked), n_items)
    moment_E = liked.moments
    n_moments = int(moment_E[-1]) + 1 if len(moment_E) else 0
    starts_M = np.searchsorted(moment_E, np.arange(n_moments + 1))
    ones = np.ones(len(moment_E), dtype=np.float32)
    grouping = csr_matrix((ones, np.arange(len(moment_E)), starts_M), shape=(n_moments, len(moment_E)))
    shopper_M = liked.shopper_of_event[starts_M[:-1]] if n_moments else np.zeros(0, dtype=np.int64)
    ends_M = np.searchsorted(shopper_M, shopper_M, side="right")
    n_left_M = ends_M - 1 - np.arange(n_moments)
    return Baskets(items_MI=csr_matrix(grouping @ rows_EI), shopper_M=shopper_M, n_left_M=n_left_M)


def shared_out(baskets: Baskets, exponent: float) -> Baskets:
    """Return the moments divided by their own size^`exponent`: two lines of a long invoice say less."""
    sizes_M = np.asarray(baskets.items_MI.sum(axis=1)).ravel()
    shared_MI = csr_matrix(diags(sizes_M**-exponent) @ baskets.items_MI, dtype=np.float32)
    return replace(baskets, items_MI=shared_MI)


def pair_sums(baskets: Baskets, lag: int, weights_M: NDArray[np.float64] | None = None) -> csr_matrix:
    """Return how often the column's item came `lag` moments after the row's item, sparse (I, I).

    Parameters
    ----------
    lag
        0 pairs what was bought together, and then an item never pairs with itself.
    weights_M
        What a pair counts, by its *later* moment; None counts each as 1.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> pair_sums(baskets_of(histories_of([[0, 1, 2], [0, 2]]), 3), lag=1).toarray()
    array([[0., 1., 1.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    earlier = np.flatnonzero(baskets.n_left_M >= lag)
    later_MI = baskets.items_MI[earlier + lag]
    if weights_M is not None:
        later_MI = later_MI.multiply(weights_M[earlier + lag][:, None]).tocsr()
    sums_II = csr_matrix(baskets.items_MI[earlier].T @ later_MI).astype(np.float32)
    if lag == 0:
        sums_II.setdiag(0)
        sums_II.eliminate_zeros()
    return sums_II


def keep_largest(matrix: csr_matrix, n_per_row: int) -> csr_matrix:
    """Return the matrix with only the `n_per_row` entries of each row that are farthest from 0."""
    too_long = np.flatnonzero(np.diff(matrix.indptr) > n_per_row)
    if not len(too_long):
        return matrix
    is_kept_N = np.ones(matrix.nnz, dtype=np.bool_)
    for row in too_long:
        own = slice(matrix.indptr[row], matrix.indptr[row + 1])
        is_kept_N[own] = False
        is_kept_N[own.start + np.argpartition(-np.abs(matrix.data[own]), n_per_row - 1)[:n_per_row]] = True
    ends = np.concatenate([[0], np.cumsum(is_kept_N)])[matrix.indptr]
    return csr_matrix((matrix.data[is_kept_N], matrix.indices[is_kept_N], ends), shape=matrix.shape)


class PairTable:
    """Pair sums that can be added to one event at a time: a large settled matrix and a small fresh one.

    What is added waits until somebody reads, so that adding costs next to nothing.

    Parameters
    ----------
    fold_every
        Readers take in what waits once it is so many entries; 1 is always. Who serves many readers a second
        sets it higher, and calls `fold` when there is time.
    """

    def __init__(self, settled: csr_matrix, *, fold_every: int = 1) -> None:
        self.fold_every = fold_every
        self._folding = Lock()
        self._adding = Lock()
        self._waiting: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]] = []
        self._n_waiting = 0
        self._tables_II = (settled, csr_matrix(settled.shape, dtype=np.float32))

    def add(self, rows: NDArray[np.int32], columns: NDArray[np.int32], amounts: NDArray[np.float32]) -> None:
        """Add entries, each (N,)."""
        with self._adding:  # one thread may fold while another adds
            self._waiting.append((rows, columns, amounts))
            self._n_waiting += len(rows)

    def whole(self) -> csr_matrix:
        """Return everything as one matrix."""
        self.fold()
        settled_II, fresh_II = self._tables_II
        return csr_matrix(settled_II + fresh_II)

    def tables(self) -> tuple[csr_matrix, ...]:
        """Return the matrices whose sum the table is, (I, I) each."""
        if self._n_waiting >= self.fold_every:
            self.fold()
        settled_II, fresh_II = self._tables_II
        return (settled_II, fresh_II) if fresh_II.nnz else (settled_II,)

    def after(self, rows_XI: csr_matrix) -> csr_matrix:
        """Return `rows_XI @ table`, sparse (X, I)."""
        first_II, *more = self.tables()
        return csr_matrix(sum((rows_XI @ table_II for table_II in more), start=rows_XI @ first_II))

    def fold(self) -> None:
        """Take in what waits; of several threads one does so at a time."""
        with self._folding:
            self._fold()

    def longer(self, n_items: int) -> PairTable:
        """Return a copy over more items, which have no pairs yet."""
        copy = self.whole()
        copy.resize((n_items, n_items))
        return PairTable(copy, fold_every=self.fold_every)

    def _fold(self) -> None:
        with self._adding:
            waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if not waiting:
            return
        settled_II, fresh_II = self._tables_II
        rows, columns, amounts = (np.concatenate(part) for part in zip(*waiting, strict=True))
        newest_II = coo_matrix((amounts, (rows, columns)), shape=settled_II.shape)
        fresh_II = csr_matrix(fresh_II + csr_matrix(newest_II))
        if fresh_II.nnz > SETTLE_AFTER:
            settled_II = csr_matrix(settled_II + fresh_II)
            fresh_II = csr_matrix(fresh_II.shape, dtype=np.float32)
        self._tables_II = (settled_II, fresh_II)  # at once: readers see both of one moment
