"""Items like an item, or like any vector of their space: one index over the fused vectors.

Up to a hundred thousand items every one is compared, in half precision; above that a graph (HNSW) finds
nearly all of the nearest in a small part of the time.

Source
------
Douze et al., The Faiss library, 2024; Malkov and Yashunin, Efficient and robust approximate nearest neighbor
search using Hierarchical Navigable Small World graphs, TPAMI 2020.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix, Vector

MOST_EXACT = 100_000
"""Up to this many items all are compared."""
_HNSW_LINKS = 32
_EXTRA = 4
"""Nearest are asked for this many times over, as some of them are variants or may not be listed."""


class SimilarItems:
    """The nearest items of a vector, by cosine.

    Examples
    --------
    >>> items_ID = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    >>> rows, cosines = SimilarItems.of(items_ID).nearest(items_ID[0], 2)
    >>> sorted(rows.tolist()), cosines.tolist()
    ([0, 1], [1.0, 1.0])
    """

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def of(cls, vectors_ID: Matrix) -> Self:
        """Return an index of item vectors, (I, D), rows of unit length or zero; row order is kept."""
        n_items, dimensions = vectors_ID.shape
        if n_items <= MOST_EXACT:
            quantizer = faiss.ScalarQuantizer.QT_fp16
            index: Any = faiss.IndexScalarQuantizer(dimensions, quantizer, faiss.METRIC_INNER_PRODUCT)
        else:
            index = faiss.IndexHNSWFlat(dimensions, _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.add(np.ascontiguousarray(vectors_ID, dtype=np.float32))
        return cls(index)

    def with_items(self, vectors_ID: Matrix, *, is_changed: bool = True) -> SimilarItems:
        """Return an index of these vectors, of which the first are those of this one.

        In the graph of a large catalogue an old item keeps its place, whatever became of its vector, until
        the run is built again: to find all places anew takes minutes.

        Parameters
        ----------
        is_changed
            Some of the first may be other vectors than before.
        """
        is_graph = isinstance(self._index, faiss.IndexHNSWFlat)
        if (is_changed and not is_graph) or is_graph != (len(vectors_ID) > MOST_EXACT):
            return SimilarItems.of(vectors_ID)
        index = faiss.clone_index(self._index)
        index.add(np.ascontiguousarray(vectors_ID[len(self) :], dtype=np.float32))
        return SimilarItems(index)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def nearest(self, vector: Vector, n: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows of the `n` most similar items, the most similar first, and their cosines.

        Items without a vector are near nothing and are left out, so there may be fewer.
        """
        n = min(n, len(self))
        if n <= 0 or not vector.any():
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        cosines, rows = self._index.search(np.asarray(vector, dtype=np.float32)[None], n)
        is_near = (rows[0] >= 0) & (cosines[0] > 0)
        return rows[0][is_near], cosines[0][is_near]

    def like(
        self,
        item_row: int,
        vectors_ID: Matrix,
        *,
        k: int,
        allowed_I: NDArray[np.bool_],
        group_rows: NDArray[np.int32],
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the `k` items most like an item: allowed ones, one of each product, not the item's own."""
        wanted = k * _EXTRA
        while True:
            rows, cosines = self.nearest(vectors_ID[item_row], wanted)
            fits = allowed_I[rows] & (group_rows[rows] != group_rows[item_row])
            _, firsts = np.unique(group_rows[rows], return_index=True)
            is_first = np.zeros(len(rows), dtype=bool)
            is_first[firsts] = True
            chosen = np.flatnonzero(fits & is_first)[:k]
            if len(chosen) == k or wanted >= len(self):
                return rows[chosen], cosines[chosen]
            wanted *= _EXTRA

    def save(self, file: Path) -> None:
        """Write the index as faiss writes it."""
        faiss.write_index(self._index, str(file))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Return what `save` wrote.

        Raises
        ------
        ArtefactError
            When the file is missing or is no index.
        """
        try:
            return cls(faiss.read_index(str(file)))
        except RuntimeError as error:
            raise ArtefactError(
                "the index can't be read", file=str(file), remedy="build the run again"
            ) from error
