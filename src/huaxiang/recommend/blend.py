"""Choosing how much each member of an ensemble counts, on shoppers whose next item is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang import metrics
from huaxiang.recommend.base import NO_ITEM, Histories, Targets
from huaxiang.recommend.histories import take_shoppers
from huaxiang.recommend.top import BLOCK, Score, mask_had, top_rows
from huaxiang.records import Matrix

K = 10
N_CANDIDATES = 200
"""Best items of each member that are weighed against each other, per shopper."""

STEPS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Weights that are tried for a member, beside the others as they stand."""

SMALLEST_GAIN = 1e-4
"""NDCG that a change must bring to be kept: less is noise, and a simpler mix is preferred."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The candidates of a sample of validation shoppers, and each member's standard score of them.

    Parameters
    ----------
    standard_UPM
        float32 (U, P, M); -inf for a place that is not filled.
    is_wanted_UP
        Whether the candidate came next.
    n_wanted_U
        How many items came next, candidates or not.
    """

    standard_UPM: NDArray[np.float32]
    is_wanted_UP: NDArray[np.bool_]
    n_wanted_U: NDArray[np.int64]


def pool_of(
    scores: Mapping[str, Score],
    validation: Targets,
    *,
    had: Histories | None = None,
    exclude_had: bool,
    n_shoppers: int,
    rng: np.random.Generator,
) -> Pool:
    """Return the best candidates of each member, joined, for at most `n_shoppers` shoppers drawn by `rng`."""
    n_all = validation.histories.n_shoppers
    sample = np.sort(rng.permutation(n_all)[:n_shoppers])
    standard, wanted = [], []
    for start in range(0, len(sample), BLOCK):
        rows = sample[start : start + BLOCK]
        block = take_shoppers(validation.histories, rows)
        members = [_standard(score(block)) for score in scores.values()]
        if exclude_had:
            for scores_UI in members:
                mask_had(scores_UI, block if had is None else take_shoppers(had, rows))
        candidates_UP = _candidates(members)
        standard.append(_gathered(members, candidates_UP))
        wanted.append(_is_wanted(candidates_UP, validation, rows))
    return Pool(
        standard_UPM=np.concatenate(standard),
        is_wanted_UP=np.concatenate(wanted),
        n_wanted_U=np.diff(validation.offsets)[sample],
    )


def joined(pools: Sequence[Pool]) -> Pool:
    """Return the shoppers of several pools of the same members as one."""
    n_places = max(pool.is_wanted_UP.shape[1] for pool in pools)

    def padded(array: NDArray[Any], with_: float) -> NDArray[Any]:
        missing = n_places - array.shape[1]
        return np.pad(array, [(0, 0), (0, missing), (0, 0)][: array.ndim], constant_values=with_)

    return Pool(
        standard_UPM=np.concatenate([padded(pool.standard_UPM, -np.inf) for pool in pools]),
        is_wanted_UP=np.concatenate([padded(pool.is_wanted_UP, False) for pool in pools]),
        n_wanted_U=np.concatenate([pool.n_wanted_U for pool in pools]),
    )


def choose_weights(
    pool: Pool, *, start: Sequence[float] | None = None, changing: Sequence[int] | None = None
) -> list[float]:
    """Return one weight per member: from the best single one on, changed one at a time while NDCG rises.

    Parameters
    ----------
    start
        Weights to begin with instead.
    changing
        Members whose weight may change; None are all.
    """
    n_members = pool.standard_UPM.shape[2]
    singles = [list(row) for row in np.eye(n_members)]
    weights = list(start) if start else max(singles, key=lambda tried: pool_ndcg(pool, tried))
    best = pool_ndcg(pool, weights)
    improved = True
    while improved:
        improved = False
        for member in range(n_members) if changing is None else changing:
            tries = [[*weights[:member], step, *weights[member + 1 :]] for step in STEPS]
            figures = [pool_ndcg(pool, tried) if any(tried) else 0.0 for tried in tries]
            if max(figures) > best + SMALLEST_GAIN:
                best, improved = max(figures), True
                weights = tries[int(np.argmax(figures))]
    return [float(weight) for weight in weights]


def pool_ndcg(pool: Pool, weights: list[float]) -> float:
    """Return the mean NDCG@10 of the candidates ordered by the weighted sum."""
    is_there_UP = np.isfinite(pool.standard_UPM[:, :, 0])
    sums_UP = np.where(is_there_UP[:, :, None], pool.standard_UPM, 0.0) @ np.array(weights, dtype=np.float32)
    top = top_rows(np.where(is_there_UP, sums_UP, -np.inf).astype(np.float32), K)
    hits_UK = np.take_along_axis(pool.is_wanted_UP, np.maximum(top.item_rows, 0), axis=1)
    return float(metrics.ndcg(hits_UK & (top.item_rows != NO_ITEM), pool.n_wanted_U).mean())


def scale_of(scores_UI: Matrix) -> tuple[Matrix, Matrix]:
    """Return mean and, about it, length of each row, (U, 1); the length is 1 where all scores are alike.

    Length, and not deviation: no single score then exceeds 1, whatever the size of the catalogue, and a
    softmax over the scores compares an item with many others instead of with the first alone.
    """
    mean_U1 = scores_UI.mean(axis=1, keepdims=True)
    off_UI = scores_UI - mean_U1
    length_U1 = np.sqrt(np.einsum("ui,ui->u", off_UI, off_UI))[:, None]  # quicker than `std` on one row
    return mean_U1, np.where(length_U1 > 1e-12, length_U1, np.float32(1.0))


def _standard(scores_UI: Matrix) -> Matrix:
    mean_U1, length_U1 = scale_of(scores_UI)
    return np.asarray((scores_UI - mean_U1) / length_U1, dtype=np.float32)


def _candidates(members: list[Matrix]) -> NDArray[np.int32]:
    """Return the items that any member has among its best, each once per shopper, padded with `NO_ITEM`."""
    joined_UP = np.sort(
        np.concatenate([top_rows(one, N_CANDIDATES).item_rows for one in members], axis=1), axis=1
    )
    joined_UP[:, 1:][joined_UP[:, 1:] == joined_UP[:, :-1]] = NO_ITEM
    return joined_UP


def _gathered(members: list[Matrix], candidates_UP: NDArray[np.int32]) -> NDArray[np.float32]:
    rows_UP = np.maximum(candidates_UP, 0)
    stacked_UPM = np.stack([np.take_along_axis(one, rows_UP, axis=1) for one in members], axis=2)
    stacked_UPM[candidates_UP == NO_ITEM] = -np.inf
    return stacked_UPM


def _is_wanted(
    candidates_UP: NDArray[np.int32], validation: Targets, rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    ends = validation.offsets
    next_items = [validation.item_rows[ends[row] : ends[row + 1]] for row in rows]
    wanted = [np.isin(own_P, items) for own_P, items in zip(candidates_UP, next_items, strict=True)]
    return np.asarray(np.array(wanted) & (candidates_UP != NO_ITEM), dtype=bool)
