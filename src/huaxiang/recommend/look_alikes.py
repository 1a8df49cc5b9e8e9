"""Items that resemble a vector: how words, photos and new items enter models of items that sold before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.records import Matrix

BLOCK = 1024


def look_alikes(
    queries_QD: Matrix,
    items_ID: Matrix,
    *,
    among_I: NDArray[np.bool_],
    n: int = 20,
    temperature: float = 0.1,
) -> csr_matrix:
    """Return the `n` items most like each query as shares that sum to 1, sparse (Q, I).

    Parameters
    ----------
    queries_QD, items_ID
        float32 rows of unit length in one space; a zero row resembles nothing, and nothing resembles it.
    among_I
        Items that may be named.
    temperature
        Of the softmax over cosines; > 0, smaller trusts the nearest more.
    """
    candidates = np.flatnonzero(among_I & items_ID.any(axis=1))
    n = min(n, len(candidates))
    if n == 0 or not len(queries_QD):
        return csr_matrix((len(queries_QD), len(items_ID)), dtype=np.float32)
    is_first = len(candidates) == candidates[-1] + 1
    named_ID = items_ID[: len(candidates)] if is_first else items_ID[candidates]
    blocks = [
        _nearest(queries_QD[start : start + BLOCK], named_ID, n=n, temperature=temperature)
        for start in range(0, len(queries_QD), BLOCK)
    ]
    nearest = csr_matrix(vstack(blocks))
    return csr_matrix(
        (nearest.data, candidates[nearest.indices], nearest.indptr), (len(queries_QD), len(items_ID))
    )


def stand_ins(items_ID: Matrix, *, is_known_I: NDArray[np.bool_]) -> csr_matrix:
    """Return what each item is read as, sparse (I, I): itself, and if unknown also its known look-alikes."""
    n_items = len(items_ID)
    unknown = np.flatnonzero(~is_known_I)
    alike = look_alikes(items_ID[unknown], items_ID, among_I=is_known_I).tocoo()
    rows = np.concatenate([np.arange(n_items), unknown[alike.row]])
    columns = np.concatenate([np.arange(n_items), alike.col])
    shares = np.concatenate([np.ones(n_items, dtype=np.float32), alike.data])
    return csr_matrix((shares, (rows, columns)), shape=(n_items, n_items), dtype=np.float32)


def more_stand_ins(
    stand_ins_II: csr_matrix, items_ID: Matrix, *, is_known_I: NDArray[np.bool_]
) -> csr_matrix:
    """Return the stand-ins of a longer catalogue: the same for the items that were there, found for new ones.

    Parameters
    ----------
    stand_ins_II
        What `stand_ins` returned for the first items.
    """
    n_old, n_all = stand_ins_II.shape[0], len(items_ID)
    new = np.arange(n_old, n_all)
    alike_NI = look_alikes(items_ID[new], items_ID, among_I=is_known_I & (np.arange(n_all) < n_old))
    ones = np.ones(len(new), dtype=np.float32)
    itself_NI = csr_matrix((ones, new, np.arange(len(new) + 1)), shape=alike_NI.shape)
    same = (stand_ins_II.data, stand_ins_II.indices, stand_ins_II.indptr)
    widened = csr_matrix(same, shape=(n_old, n_all))
    return csr_matrix(vstack([widened, itself_NI + alike_NI], format="csr"))


def content_look_alikes(histories: Histories, weights_E: NDArray[np.float32], items_ID: Matrix) -> Effects:
    """Return the items that each event of words or a photo resembles, times its weight, (E, I).

    Rows of events about an item are empty.
    """
    shape = (len(weights_E), len(items_ID))
    spoken = np.flatnonzero((histories.item_rows == NO_ITEM) & (histories.content_rows >= 0))
    if not len(spoken):
        return Effects.none(*shape)
    queries_QD = histories.content_vectors[histories.content_rows[spoken]]
    alike = look_alikes(queries_QD, items_ID, among_I=np.ones(len(items_ID), dtype=bool)).tocoo()
    events = spoken[alike.row]
    return Effects(events, alike.col, (alike.data * weights_E[events]).astype(np.float32), shape)


def _nearest(queries_QD: Matrix, named_ID: Matrix, *, n: int, temperature: float) -> csr_matrix:
    cosines_QI = queries_QD @ named_ID.T
    nearest_QN = np.argpartition(-cosines_QI, n - 1, axis=1)[:, :n]
    cosines_QN = np.take_along_axis(cosines_QI, nearest_QN, axis=1)
    shares_QN = np.exp((cosines_QN - cosines_QN.max(axis=1, keepdims=True)) / temperature)
    shares_QN *= cosines_QN > 0
    shares_QN /= np.maximum(shares_QN.sum(axis=1, keepdims=True), 1e-12)
    ends = np.arange(len(queries_QD) + 1) * n
    shape = (len(queries_QD), len(named_ID))
    return csr_matrix((shares_QN.ravel().astype(np.float32), nearest_QN.ravel(), ends), shape=shape)
