"""What each event adds to each score, kept as the few entries that are not zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.records import Matrix, Vector

_FEW = 256
"""Rows of a table up to which copying each is quicker than looking up every entry of them."""


@dataclass(frozen=True, slots=True)
class Effects:
    """A sparse (E, I) matrix as triplets, several of which may name the same place: they add up.

    One shopper has some thousand entries in a row of some ten thousand items. A general sparse matrix spends
    more time on checking itself than on so few, so lists of one shopper at a time are made with these.

    Parameters
    ----------
    events, items
        Row and column of each entry, (N,).
    values
        float32 (N,).
    shape
        E and I.

    Examples
    --------
    >>> effects = Effects.of(np.array([[0, 2], [1, 0]], "f"))
    >>> effects.sums(), effects.at(np.array([1])).ravel(), effects.toward(np.array([1, 1], "f"))
    (array([1., 2.], dtype=float32), array([2., 0.], dtype=float32), array([2., 1.], dtype=float32))
    """

    events: NDArray[np.integer]
    items: NDArray[np.integer]
    values: NDArray[np.float32]
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix_EI: Matrix | csr_matrix) -> Self:
        """Return a matrix, dense or sparse, as its entries."""
        if isinstance(matrix_EI, np.ndarray):
            events, items = np.nonzero(matrix_EI)
            return cls(events, items, matrix_EI[events, items].astype(np.float32), matrix_EI.shape)
        events = np.repeat(np.arange(matrix_EI.shape[0]), np.diff(matrix_EI.indptr))
        return cls(events, matrix_EI.indices, matrix_EI.data.astype(np.float32), matrix_EI.shape)

    @classmethod
    def none(cls, n_events: int, n_items: int) -> Self:
        """Return events that add nothing."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, np.zeros(0, dtype=np.float32), (n_events, n_items))

    @classmethod
    def joined(cls, parts: Iterable[Effects], shape: tuple[int, int]) -> Self:
        """Return the sum of several."""
        some = [part for part in parts if len(part.values)]
        if not some:
            return cls.none(*shape)
        return cls(
            np.concatenate([part.events for part in some]),
            np.concatenate([part.items for part in some]),
            np.concatenate([part.values for part in some]),
            shape,
        )

    @property
    def n_events(self) -> int:
        """E."""
        return self.shape[0]

    def after(self, table_IJ: csr_matrix) -> Effects:
        """Return the matrix product with a table of what follows from each item, (E, J)."""
        shape = (self.shape[0], table_IJ.shape[1])
        if not table_IJ.nnz or not len(self.items):
            return Effects.none(*shape)
        starts, ends = table_IJ.indptr.take(self.items), table_IJ.indptr.take(self.items + 1)
        lengths = ends - starts
        if len(self.items) <= _FEW:
            rows = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
            items = np.concatenate([table_IJ.indices[row] for row in rows])
            shares = np.concatenate([table_IJ.data[row] for row in rows])
        else:
            places = np.arange(lengths.sum()) + np.repeat(ends - np.cumsum(lengths), lengths)
            items, shares = table_IJ.indices.take(places), table_IJ.data.take(places)
        values = shares * np.repeat(self.values, lengths)
        return Effects(np.repeat(self.events, lengths), items, values, shape)

    def scaled(self, factor_I: NDArray[np.floating]) -> Effects:
        """Return each column times its factor, (I,)."""
        return self.times(factor_I.take(self.items))

    def times(self, factor: NDArray[np.floating] | float) -> Effects:
        """Return everything times a factor, or each entry times its own, (N,)."""
        return Effects(self.events, self.items, (self.values * factor).astype(np.float32), self.shape)

    def sums(self) -> Vector:
        """Return the sum over the events, (I,)."""
        return np.bincount(self.items, self.values, minlength=self.shape[1]).astype(np.float32)

    def toward(self, weights_I: NDArray[np.floating]) -> Vector:
        """Return the weighted sum over the items, (E,)."""
        weighted = self.values * weights_I.take(self.items)
        return np.bincount(self.events, weighted, minlength=self.shape[0]).astype(np.float32)

    def at(self, item_rows: NDArray[np.integer]) -> Matrix:
        """Return the columns of some items, each named once, (E, K)."""
        n_items = len(item_rows)
        place_I = np.full(self.shape[1], -1, dtype=np.int64)
        place_I[item_rows] = np.arange(n_items)
        places = place_I.take(self.items)
        here = np.flatnonzero(places >= 0)
        flat = self.events[here] * n_items + places[here]
        sums = np.bincount(flat, self.values[here], minlength=self.shape[0] * n_items)
        return sums.astype(np.float32).reshape(self.shape[0], n_items)

    def matrix(self) -> csr_matrix:
        """Return them as a general sparse matrix, (E, I)."""
        return csr_matrix((self.values, (self.events, self.items)), shape=self.shape, dtype=np.float32)
