"""The best items of each shopper, found block by block: the full score matrix never stands in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.recommend.base import NO_ITEM, Histories, Targets
from huaxiang.recommend.histories import take_shoppers
from huaxiang.records import Matrix

Score = Callable[[Histories], Matrix]
"""Any recommender's `score`."""

BLOCK, FIRST_BLOCK = 512, 8
"""Shoppers scored at once, at most, and at first, before it is known how many items there are."""
MOST_SCORES = 8_000_000
"""Scores that stand in memory at once; 8 million float32 are 32 MB. A block of one shopper may have more."""
GROUPS_PER_PLACE = 8
"""Groups of items, for each place of a list, whose maxima say which scores are worth sorting."""


@dataclass(frozen=True, kw_only=True)
class Top:
    """The best items of each shopper, best first.

    Parameters
    ----------
    item_rows
        int32 (U, K); `NO_ITEM` where fewer than K items may be listed.
    scores
        float32 (U, K); -inf there.
    """

    item_rows: NDArray[np.int32]
    scores: Matrix


def top_rows(scores_UI: Matrix, k: int) -> Top:
    """Return the `k` best of each row; equal scores by item row, -inf and NaN never.

    Examples
    --------
    >>> top_rows(np.array([[0.1, 0.9, -np.inf, 0.9]], "f"), 3).item_rows
    array([[1, 3, 0]], dtype=int32)
    """
    if k <= 0:
        raise InputError("a list needs at least one place", column="k", value=str(k), remedy="give 1 or more")
    n_shoppers, n_items = scores_UI.shape
    width = min(k, n_items)
    at_least_U1 = _at_least(scores_UI, width)
    shopper_E, item_E = np.divmod(np.flatnonzero(scores_UI >= at_least_U1), max(n_items, 1))
    if (np.bincount(shopper_E, minlength=n_shoppers) < width).any():  # NaN reaches nothing: it is listed last
        return top_rows(np.where(np.isnan(scores_UI), -np.inf, scores_UI), k)
    scores_E = scores_UI[shopper_E, item_E]
    order = np.lexsort((item_E, -scores_E, shopper_E))
    first_U = np.searchsorted(shopper_E, np.arange(n_shoppers))
    best_UW = order[first_U[:, None] + np.arange(width)]
    rows_UK = np.full((n_shoppers, k), NO_ITEM, dtype=np.int32)
    best_UK = np.full((n_shoppers, k), -np.inf, dtype=np.float32)
    rows_UK[:, :width], best_UK[:, :width] = item_E[best_UW], scores_E[best_UW]
    rows_UK[np.isneginf(best_UK)] = NO_ITEM
    return Top(item_rows=rows_UK, scores=best_UK)


def _at_least(scores_UI: Matrix, k: int) -> Matrix:
    """Return a score that at least `k` items of each row reach, and hardly more, (U, 1).

    The `k`-th largest of the maxima of several times as many groups: one pass over the scores, where a
    partition of them takes many.
    """
    n_shoppers, n_items = scores_UI.shape
    n_groups = GROUPS_PER_PLACE * k
    if n_groups * 2 > n_items:
        return np.partition(scores_UI, n_items - k, axis=1)[:, n_items - k, None] if k else scores_UI[:, :0]
    width = n_items // n_groups
    grouped = scores_UI[:, : width * n_groups].reshape(n_shoppers, width, n_groups)
    return np.partition(grouped.max(axis=1), n_groups - k, axis=1)[:, n_groups - k, None]


def mask_had(scores_UI: Matrix, histories: Histories) -> None:
    """Set the scores of the items in each shopper's history to -inf, in place."""
    about_item = histories.item_rows != NO_ITEM
    scores_UI[histories.shopper_of_event[about_item], histories.item_rows[about_item]] = -np.inf


def top_items(
    score: Score,
    histories: Histories,
    *,
    k: int,
    exclude_had: bool = False,
    had: Histories | None = None,
    allowed_I: NDArray[np.bool_] | None = None,
) -> Top:
    """Return each shopper's `k` best items.

    Parameters
    ----------
    score
        A recommender's `score`; called with at most `BLOCK` shoppers at a time.
    exclude_had
        Leave out the items of the shopper's history (the masked protocol).
    had
        What "had" is read from where `histories` were cut short; None reads `histories`.
    allowed_I
        Items that may be listed at all; None allows each.
    """
    blocks: list[Top] = []
    start, size = 0, FIRST_BLOCK
    while start < histories.n_shoppers or not blocks:
        block = slice(start, start + size)
        scores_UI = np.array(score(take_shoppers(histories, block)), dtype=np.float32)
        if exclude_had:
            mask_had(scores_UI, take_shoppers(histories if had is None else had, block))
        if allowed_I is not None:
            scores_UI[:, ~allowed_I] = -np.inf
        blocks.append(top_rows(scores_UI, k))
        start, size = start + size, min(BLOCK, max(1, MOST_SCORES // max(scores_UI.shape[1], 1)))
    return Top(
        item_rows=np.concatenate([block.item_rows for block in blocks]),
        scores=np.concatenate([block.scores for block in blocks]),
    )


def target_ranks(score: Score, targets: Targets, *, exclude_had: bool = False) -> NDArray[np.int64]:
    """Return the place of each shopper's first target in the full ranking, 0 for the first, (U,).

    An item with the same score as the target counts half, rounded up, so that a model that scores everything
    alike is not rewarded. With `exclude_had`, a target that was had before ranks last.
    """
    ranks = []
    for start in range(0, targets.histories.n_shoppers, BLOCK):
        block = take_shoppers(targets.histories, slice(start, start + BLOCK))
        rows = targets.item_rows[targets.offsets[start : start + block.n_shoppers]]
        scores_UI = np.array(score(block), dtype=np.float32)
        if exclude_had:
            mask_had(scores_UI, block)
        own_U1 = np.take_along_axis(scores_UI, rows[:, None].astype(np.int64), axis=1)
        above_U = (scores_UI > own_U1).sum(axis=1)
        ties_U = (scores_UI == own_U1).sum(axis=1) - 1
        ranks.append(above_U + (ties_U + 1) // 2)
    return np.concatenate(ranks) if ranks else np.zeros(0, dtype=np.int64)
