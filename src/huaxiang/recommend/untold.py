"""What the linear models would say of a shopper had they never been told of the shopper's newest moments.

A ranker that learns from what the models propose must not see proposals made with the answer at hand. Fitting
the models anew without each answer is out of the question; but they are sums over shoppers, so that what one
shopper's newest moments put into them can be taken out again, exactly. A query at moment *p* keeps what the
shopper did before: the models are then as they would have been, had this one shopper stopped there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.ridge import Solution
from huaxiang.records import Matrix

Floats = NDArray[np.float64]

RESIDUE = 1e-6
"""Shares of a row's largest entry below which what is left after taking out counts as nothing."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What one shopper did, moment by moment.

    Parameters
    ----------
    item_rows
        Their different items, (N,).
    weights_MN
        What was done with each at each moment, as the models count it.
    """

    item_rows: NDArray[np.int64]
    weights_MN: Floats


def closed_rows_before(
    solution: Solution,
    item_rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    own: Moments,
    p: int,
    *,
    decays: tuple[float, float],
) -> Matrix:
    """Return weights of the items `item_rows`, (K, C), had the shopper stopped before moment `p`.

    Only those at `columns`, which are in ascending order. `decays` are those of sources and targets.

    With A the system of equations, P its inverse and B the weights, let *r* be the splits that go (those with
    a source at *p* or later, and the last before it, which has no target left) and ΔT what the others lose of
    their targets. Then

        A' = A − SᵣᵀSᵣ,  B' = B + A'⁻¹ [Sᵣᵀ(SᵣB − Tᵣ) − SₖᵀΔTₖ],  A'⁻¹ = P + P Sᵣᵀ (1 − SᵣPSᵣᵀ)⁻¹ SᵣP

    by the identity of Woodbury. What `diagonal_factor` added for those splits stays.
    """
    n_moments = len(own.weights_MN)
    steps_MM = np.arange(n_moments)[None, :] - np.arange(n_moments)[:, None]
    fades_MM = np.where(steps_MM <= 0, decays[0] ** np.abs(steps_MM), 0.0)
    leads_MM = np.where(steps_MM > 0, decays[1] ** np.maximum(steps_MM - 1, 0), 0.0)
    leads_MM[:, :p] = 0.0  # targets from `p` on: what is to be forgotten
    sources_SN = (fades_MM @ own.weights_MN)[:-1]
    targets_SN = (leads_MM @ own.weights_MN)[:-1]
    goes = np.arange(n_moments - 1) >= max(p - 1, 0)
    kept_SN, gone_SN = sources_SN[~goes], sources_SN[goes]
    reach_NS = solution.inverse_II[np.ix_(own.item_rows, own.item_rows)].astype(np.float64) @ gone_SN.T
    rows_KN = solution.inverse_II[np.ix_(item_rows, own.item_rows)].astype(np.float64)
    inner_SS = np.eye(len(gone_SN)) - gone_SN @ reach_NS
    rows_KN = rows_KN + rows_KN @ gone_SN.T @ np.linalg.solve(inner_SS, reach_NS.T)
    back_KN = rows_KN @ gone_SN.T @ gone_SN
    lost_KN = rows_KN @ (gone_SN.T @ targets_SN[goes] + kept_SN.T @ targets_SN[~goes])
    rows_KC = back_KN.astype(np.float32) @ solution.weights_II[np.ix_(own.item_rows, columns)]
    rows_KC += solution.weights_II[np.ix_(item_rows, columns)]
    places, is_there = places_in(columns, own.item_rows)
    rows_KC[:, places] -= lost_KN[:, is_there].astype(np.float32)
    return np.asarray(rows_KC)


def neighbour_rows_before(
    neighbours: Neighbours,
    item_rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    rows_KC: Matrix,
    own: Moments,
    p: int,
) -> Matrix:
    """Return what follows from each item, (K, C), without this shopper's pairs with a moment from `p` on.

    Parameters
    ----------
    rows_KC
        What the neighbours propose after each of `item_rows` alone, at `columns`.
    """
    items = own.item_rows
    sizes_M = np.maximum(own.weights_MN.sum(axis=1), 1e-12)
    shares_MN = own.weights_MN / sizes_M[:, None] ** neighbours.config.basket_exponent
    lost_NN = _pairs(shares_MN, neighbours) - _pairs(shares_MN[:p], neighbours)
    order = np.argsort(items)
    place_K = order[np.searchsorted(items, item_rows, sorter=order).clip(max=len(items) - 1)]
    lost_KN = np.where((items[place_K] == item_rows)[:, None], lost_NN[place_K], 0.0)
    mass_N = neighbours.mass_I[items]
    left_N = mass_N - own.weights_MN[p:].sum(axis=0)
    is_left_N = left_N > RESIDUE * mass_N
    rarer_N = np.where(is_left_N, mass_N / np.where(is_left_N, left_N, 1.0), 0.0)
    places, is_there = places_in(columns, items)
    left_KC = rows_KC.copy()
    lost_KN = lost_KN * neighbours.scale_of(item_rows, items)
    columns_KN = rows_KC[:, places] - lost_KN[:, is_there]
    left_KC[:, places] = columns_KN * (rarer_N**neighbours.target_exponent_ * is_left_N)[is_there]
    left_KC[left_KC < RESIDUE * rows_KC.max(axis=1, initial=0.0, keepdims=True)] = 0.0
    return left_KC


def places_in(
    columns: NDArray[np.int64], item_rows: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where those of `item_rows` that stand in the ascending `columns` do, and which do, (N,)."""
    if not len(columns):
        return np.zeros(0, dtype=np.int64), np.zeros(len(item_rows), dtype=np.bool_)
    places = np.searchsorted(columns, item_rows).clip(max=len(columns) - 1)
    is_there = columns[places] == item_rows
    return places[is_there], is_there


def _pairs(shares_MN: Floats, neighbours: Neighbours) -> Floats:
    """Return what one shopper's moments add to the pairs, (N, N)."""
    n_moments = len(shares_MN)
    forward, backward = np.zeros((2, n_moments))
    for lag in range(n_moments):
        forward[lag], backward[lag] = neighbours.config.pair_weights(lag)
    steps_MM = np.arange(n_moments)[None, :] - np.arange(n_moments)[:, None]
    lags_MM = np.abs(steps_MM)
    counts_MM = np.where(steps_MM >= 0, forward[lags_MM], backward[lags_MM]) if n_moments else lags_MM
    pairs_NN = shares_MN.T @ counts_MM @ shares_MN
    if n_moments:  # an item is no pair with itself in one moment
        np.einsum("nn->n", pairs_NN)[:] -= forward[0] * (shares_MN**2).sum(axis=0)
    return np.asarray(pairs_NN)
