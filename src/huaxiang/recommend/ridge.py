"""Closed-form item-to-item weights: the sums they need, and the two systems of equations.

A training sequence is split at each of its places: `S` has the moments before the split, faded by
`source_decay` per step back, `T` those after it, faded by `target_decay` per step ahead. The splits never
stand in memory: a pair of moments takes part in a known series of them, which has a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_matrix

from huaxiang.recommend.pairs import Baskets, pair_sums
from huaxiang.records import Matrix

SMALLEST = 1e-4
"""Pairs that count less than this are left out."""

BLOCK = 1024


def source_gram(baskets: Baskets, *, decay: float) -> csr_matrix:
    """Return SᵀS, sparse (I, I).

    Two moments *m* apart, the later with *n* moments after it, meet in *n* splits and count
    ``decay^m · Σ_{q<n} decay^(2q)`` in all.
    """
    splits_M = baskets.n_left_M.astype(np.float64)
    series_M = splits_M if decay == 1 else (1 - decay ** (2 * splits_M)) / (1 - decay**2)
    items_MI = baskets.items_MI
    gram_II = csr_matrix(items_MI.T @ items_MI.multiply(series_M[:, None]).tocsr())
    for lag in range(1, _last_lag(baskets, decay) + 1):
        pairs_II = pair_sums(baskets, lag, decay**lag * series_M)
        gram_II = gram_II + pairs_II + pairs_II.T
    return csr_matrix(gram_II, dtype=np.float32)


def source_target(baskets: Baskets, *, source_decay: float, target_decay: float) -> csr_matrix:
    """Return SᵀT, sparse (I, I).

    Two moments *m* apart count ``Σ_{q<m} source_decay^q · target_decay^(m−1−q)``.
    """
    sums_II = csr_matrix((baskets.items_MI.shape[1],) * 2, dtype=np.float32)
    for lag in range(1, _last_lag(baskets, max(source_decay, target_decay)) + 1):
        steps = np.arange(lag)
        weight = float((source_decay**steps * target_decay ** (lag - 1 - steps)).sum())
        sums_II = sums_II + weight * pair_sums(baskets, lag)
    return csr_matrix(sums_II, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Directed weights as they were solved, whole.

    Parameters
    ----------
    weights_II
        float32 (I, I).
    inverse_II
        Of the system of equations, float32 (I, I), symmetric: it says what would be otherwise had a shopper
        not been there.
    """

    weights_II: Matrix
    inverse_II: Matrix


def directed_weights(
    gram_II: csr_matrix, targets_II: csr_matrix, kernel_ID: Matrix, *, diagonal_factor: float, ridge: float
) -> Solution:
    """Return ``(SᵀS + EEᵀ, its diagonal × diagonal_factor, + ridge·I)⁻¹ (SᵀT + EEᵀ)`` and the inverse.

    Two matrices of I × I float32 stand in memory: 1.2 GB at 12,000 items. Multiplying the inverse with the
    sparse and the narrow part of the right side takes less than half of the time of solving for all of it.
    """
    system_II = _dense(gram_II, kernel_ID)
    diagonal = np.einsum("ii->i", system_II)
    diagonal *= diagonal_factor
    diagonal += ridge
    inverse_II = inverse_of(system_II)
    weights_II = np.ascontiguousarray((targets_II.T.tocsr() @ inverse_II).T)
    narrow_ID = inverse_II @ kernel_ID
    for start in range(0, len(weights_II), BLOCK):
        weights_II[start : start + BLOCK] += narrow_ID[start : start + BLOCK] @ kernel_ID.T
    return Solution(weights_II=weights_II, inverse_II=inverse_II)


def symmetric_weights(gram_II: csr_matrix, kernel_ID: Matrix, *, ridge: float) -> Matrix:
    """Return EASE's weights ``−P / diag(P)`` off the diagonal, 0 on it, with ``P = (XᵀX + EEᵀ + ridge·I)⁻¹``.

    Source
    ------
    Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019. The kernel is ours: each text
    coordinate is one more row of X.
    """
    system_II = _dense(gram_II, kernel_ID)
    np.einsum("ii->i", system_II)[:] += ridge
    inverse_II = inverse_of(system_II)
    inverse_II /= -np.diag(inverse_II)[None, :].copy()
    np.fill_diagonal(inverse_II, 0.0)
    return inverse_II


def inverse_of(system_II: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inverse of a symmetric positive definite matrix, which is overwritten; by rows."""
    factor_II, failed = spotrf(system_II, lower=1, overwrite_a=1)
    if failed == 0:
        inverse_II, failed = spotri(factor_II, lower=1, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError(f"not positive definite at {failed}; a larger ridge helps")
    rows_II = inverse_II.T  # the lower half by columns is the upper half by rows
    for start in range(0, len(rows_II), BLOCK):
        block = slice(start, start + BLOCK)
        rows_II[block, :start] = rows_II[:start, block].T
        corner = rows_II[block, block]
        rows_II[block, block] = np.triu(corner) + np.triu(corner, 1).T
    return np.asarray(rows_II)


def centred_unit(vectors_ID: Matrix) -> Matrix:
    """Return the vectors minus their mean, again of unit length; zero rows stay zero."""
    present_I = vectors_ID.any(axis=1)
    centred_ID = vectors_ID - vectors_ID[present_I].mean(axis=0) if present_I.any() else vectors_ID.copy()
    centred_ID[~present_I] = 0.0
    lengths_I = np.linalg.norm(centred_ID, axis=1, keepdims=True)
    return np.asarray(centred_ID / np.maximum(lengths_I, 1e-12), dtype=np.float32)


def largest_of_rows(weights_II: Matrix, n_per_row: int) -> csr_matrix:
    """Return the `n_per_row` entries of each row that are farthest from 0, sparse."""
    n_items = weights_II.shape[1]
    n = min(n_per_row, n_items)
    columns, values = [], []
    for start in range(0, len(weights_II), BLOCK):
        rows_XI = np.ascontiguousarray(weights_II[start : start + BLOCK])
        found_XN = np.argpartition(np.abs(rows_XI), n_items - n, axis=1)[:, n_items - n :]
        found_XN.sort(axis=1)
        columns.append(found_XN.ravel())
        values.append(np.take_along_axis(rows_XI, found_XN, axis=1).ravel())
    ends = np.arange(len(weights_II) + 1) * n
    kept = csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=weights_II.shape)
    kept.eliminate_zeros()
    return kept


def _dense(sums_II: csr_matrix, kernel_ID: Matrix) -> NDArray[np.float32]:
    """Return `sums_II` + EEᵀ, dense, in the order that LAPACK overwrites."""
    n_items = sums_II.shape[0]
    by_column = sums_II.tocsc()
    dense_II = np.empty((n_items, n_items), dtype=np.float32, order="F")
    for start in range(0, n_items, BLOCK):
        block = slice(start, start + BLOCK)
        dense_II[:, block] = by_column[:, block].toarray()
        dense_II[:, block] += kernel_ID @ kernel_ID[block].T
    return dense_II


def _last_lag(baskets: Baskets, decay: float) -> int:
    longest = int(baskets.n_left_M.max(initial=0))
    return longest if decay == 1 else min(longest, int(np.log(SMALLEST) / np.log(decay)))
