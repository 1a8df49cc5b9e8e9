"""The directed ridge of a catalogue too large for one dense system: popular items exactly, others by them.

The system is that of `ridge.py`, ``A = C + EEᵀ`` with ``C = SᵀS + D`` sparse. Three steps keep everything
linear in the number of items:

1. *Elimination.* The items with the most mass are the head, the others the tail. Two items of the tail hardly
   ever meet, so what they have in common is added to their diagonal: that only makes C larger, so that the
   system stays positive definite. Then the tail goes by ``Cₜₜ⁻¹``, which is diagonal, and what is left for
   the head, ``Cₕₕ − Cₕₜ Cₜₜ⁻¹ Cₜₕ``, is solved exactly.
2. *Woodbury.* With G = C⁻¹, ``A⁻¹ = G − GE (1 + EᵀGE)⁻¹ EᵀG``, and so the weights ``A⁻¹ (SᵀT + EEᵀ)`` are
   ``G SᵀT + GE (1 + EᵀGE)⁻¹ (E − TᵀS GE)ᵀ``: something sparse, and a product of two narrow matrices.
3. *Search.* The largest weights of each item are among the sparse ones and its nearest in the narrow product,
   which faiss finds without looking at all pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from huaxiang.recommend.pairs import keep_largest
from huaxiang.recommend.ridge import inverse_of, largest_of_rows
from huaxiang.records import Matrix, Vector

BLOCK = 256
KEPT_PER_PLACE = 4
"""Sparse weights of a row that are looked at for each that is kept."""
CELLS_PER_ROOT, CELLS_LOOKED_AT = 4, 64
"""Cells of the index for each square root of the items, and how many of them a search looks at."""
CELLS_PER_LOOK = 4
"""Cells for each that is looked at, up to which looking at everything costs no more than the cells do."""
POINTS_PER_CELL = 64
"""What the cells are learnt from."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Weights as ``through_IH · head_HI + own_II + left_ID · right_IDᵀ``.

    Parameters
    ----------
    through_IH
        How much of the head's weights an item has: a head item all of its own, another some of those it met.
    head_HI
        The head's weights that come of behaviour, the largest of each row.
    own_II
        What an item of the tail has of itself.
    left_ID, right_ID
        The narrow product: what comes of likeness.
    """

    through_IH: csr_matrix
    head_HI: csr_matrix
    own_II: csr_matrix
    left_ID: Matrix
    right_ID: Matrix

    def sparse_rows(self, rows: slice) -> csr_matrix:
        """Return what comes of behaviour, of some rows."""
        return csr_matrix(self.through_IH[rows] @ self.head_HI + self.own_II[rows])

    def largest(self, n_kept: int, *, tell: Callable[[int, int], None]) -> csr_matrix:
        """Return the largest weights of each row, (I, I); of the narrow product only those above zero."""
        n_items = len(self.left_ID)
        index = _index_of(self.right_ID)
        blocks = []
        for start in range(0, n_items, BLOCK):
            rows = slice(start, start + BLOCK)
            tell(start, n_items)
            left_XD = self.left_ID[rows]
            behaviour_XI = keep_largest(self.sparse_rows(rows), KEPT_PER_PLACE * n_kept)
            alike_XI = _found(index, left_XD, min(n_kept, n_items), n_items)
            joined_XI = csr_matrix(
                behaviour_XI + _at(left_XD, self.right_ID, _pattern(behaviour_XI, alike_XI))
            )
            blocks.append(keep_largest(joined_XI, n_kept))
        tell(n_items, n_items)
        return csr_matrix(vstack(blocks, format="csr"), dtype=np.float32)


def directed_parts(
    gram_II: csr_matrix,
    targets_II: csr_matrix,
    kernel_ID: Matrix,
    *,
    diagonal_factor: float,
    ridge: float,
    n_head: int,
    n_kept: int,
) -> Parts:
    """Return the weights of `ridge.directed_weights` in parts; the same where `n_head` is all items.

    Parameters
    ----------
    n_head
        Items of the head, those with the most mass: a dense matrix of its square stands in memory.
    n_kept
        Weights that are wanted of each row, so that more of the head's need not be kept than several times as
        many.

    Source
    ------
    Block elimination and the identity of Woodbury are in any book on matrices, such as Golub and Van Loan,
    Matrix Computations, 2013, 2.1 and 3.2. That sparse autoencoders of large catalogues can do without a
    dense inverse: Spišák et al., Scalable Approximate NonSymmetric Autoencoder, RecSys 2023, who factorise.
    """
    lengths_I = np.einsum("id,id->i", kernel_ID, kernel_ID)
    diagonal_I = diagonal_factor * (gram_II.diagonal() + lengths_I) + ridge - lengths_I
    split = _Split.of(gram_II, diagonal_I, n_head)
    narrow_ID = split.solved(kernel_ID)
    inner_DD = np.eye(kernel_ID.shape[1]) + kernel_ID.T.astype(np.float64) @ narrow_ID
    n_of_head = min(KEPT_PER_PLACE * n_kept, len(kernel_ID))
    return Parts(
        through_IH=split.joined(_diagonal(np.ones(len(split.head))), -split.shared_HT.T),
        head_HI=split.head_rows(targets_II, n_of_head),
        own_II=split.joined(
            csr_matrix((len(split.head), len(kernel_ID)), dtype=np.float32),
            _diagonal(1 / split.diagonal_T) @ targets_II[split.tail],
        ),
        left_ID=np.asarray(narrow_ID @ np.linalg.inv(inner_DD), dtype=np.float32),
        right_ID=np.asarray(kernel_ID - targets_II.T @ narrow_ID, dtype=np.float32),
    )


@dataclass(frozen=True, kw_only=True)
class _Split:
    """The sparse system C, split into head and tail, with the tail eliminated.

    Parameters
    ----------
    head, tail
        Item rows, ascending.
    inverse_HH
        Of what is left for the head.
    shared_HT
        ``Cₕₜ Cₜₜ⁻¹``.
    diagonal_T
        Cₜₜ.
    """

    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    inverse_HH: Matrix
    shared_HT: csr_matrix
    diagonal_T: Vector

    @classmethod
    def of(cls, gram_II: csr_matrix, diagonal_I: NDArray[np.floating], n_head: int) -> Self:
        """Return the split of SᵀS with another diagonal; the head has the most mass."""
        mass_I = gram_II.diagonal()
        order = np.argsort(-mass_I, kind="stable")
        head, tail = np.sort(order[:n_head]), np.sort(order[n_head:])
        others_II = csr_matrix(gram_II - _diagonal(mass_I))
        of_head_HI = csr_matrix(others_II[head])
        between_HT = csr_matrix(of_head_HI[:, tail])
        among_tail_T = np.asarray(abs(others_II[tail][:, tail]).sum(axis=1)).ravel()
        diagonal_T = (diagonal_I[tail] + among_tail_T).astype(np.float32)
        shared_HT = csr_matrix(between_HT @ _diagonal(1 / diagonal_T))
        system_HH = np.asfortranarray(of_head_HI[:, head].toarray())
        np.einsum("hh->h", system_HH)[:] += diagonal_I[head].astype(np.float32)
        system_HH -= (shared_HT @ between_HT.T).toarray()
        return cls(
            head=head,
            tail=tail,
            inverse_HH=inverse_of(system_HH),
            shared_HT=shared_HT,
            diagonal_T=diagonal_T,
        )

    def solved(self, right_ID: Matrix) -> Matrix:
        """Return C⁻¹ times a narrow matrix, (I, D)."""
        found_ID = np.empty_like(right_ID)
        found_HD = self.inverse_HH @ (right_ID[self.head] - self.shared_HT @ right_ID[self.tail])
        found_ID[self.head] = found_HD
        found_ID[self.tail] = right_ID[self.tail] / self.diagonal_T[:, None] - self.shared_HT.T @ found_HD
        return found_ID

    def head_rows(self, right_II: csr_matrix, n_kept: int) -> csr_matrix:
        """Return the largest entries of the head's rows of C⁻¹ times a sparse matrix, (H, I)."""
        seen_HI = csr_matrix(right_II[self.head] - self.shared_HT @ right_II[self.tail], dtype=np.float32)
        by_column = seen_HI.T.tocsr()
        blocks = []
        for start in range(0, len(self.head), BLOCK):
            rows_XI = (by_column @ self.inverse_HH[:, start : start + BLOCK]).T
            blocks.append(largest_of_rows(np.ascontiguousarray(rows_XI), n_kept))
        return csr_matrix(vstack(blocks, format="csr"))

    def joined(self, of_head: csr_matrix, of_tail: csr_matrix) -> csr_matrix:
        """Return rows of head and tail in the order of the items."""
        place_I = np.empty(len(self.head) + len(self.tail), dtype=np.int64)
        place_I[np.concatenate([self.head, self.tail])] = np.arange(len(place_I))
        return csr_matrix(vstack([of_head, of_tail], format="csr")[place_I], dtype=np.float32)


def _index_of(right_ID: Matrix) -> faiss.Index:
    """Return an index of the rows by inner product, in cells where they are many."""
    n_items, width = right_ID.shape
    n_cells = min(CELLS_PER_ROOT * int(n_items**0.5), n_items // POINTS_PER_CELL)
    if n_cells <= CELLS_PER_LOOK * CELLS_LOOKED_AT:
        index: faiss.Index = faiss.IndexFlatIP(width)
    else:
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, n_cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.max_points_per_centroid = POINTS_PER_CELL
        index.train(np.ascontiguousarray(right_ID))
        index.nprobe = CELLS_LOOKED_AT
    index.add(np.ascontiguousarray(right_ID))
    return index


def _found(index: faiss.Index, left_XD: Matrix, n: int, n_items: int) -> csr_matrix:
    """Return the `n` largest products of each row above zero, (X, I)."""
    values_XN, items_XN = index.search(np.ascontiguousarray(left_XD), n)
    is_there_XN = (items_XN >= 0) & (values_XN > 0)
    rows_XN = np.broadcast_to(np.arange(len(left_XD))[:, None], items_XN.shape)
    shape = (len(left_XD), n_items)
    return csr_matrix((values_XN[is_there_XN], (rows_XN[is_there_XN], items_XN[is_there_XN])), shape=shape)


def _pattern(*tables_XI: csr_matrix) -> csr_matrix:
    """Return ones where any of the tables has an entry."""
    named_XI = sum(
        csr_matrix((np.ones(one.nnz, dtype=np.float32), one.indices, one.indptr), one.shape)
        for one in tables_XI
    )
    return csr_matrix(named_XI)


def _at(left_XD: Matrix, right_ID: Matrix, pattern_XI: csr_matrix) -> csr_matrix:
    """Return the narrow product where the pattern has entries, (X, I)."""
    values = np.empty(pattern_XI.nnz, dtype=np.float32)
    for row, left_D in enumerate(left_XD):
        own = slice(pattern_XI.indptr[row], pattern_XI.indptr[row + 1])
        values[own] = right_ID[pattern_XI.indices[own]] @ left_D
    return csr_matrix((values, pattern_XI.indices, pattern_XI.indptr), shape=pattern_XI.shape)


def _diagonal(values_N: NDArray[np.floating]) -> csr_matrix:
    places = np.arange(len(values_N))
    return csr_matrix((values_N.astype(np.float32), (places, places)), shape=(len(values_N),) * 2)
