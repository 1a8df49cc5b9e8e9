"""How good a prediction or a list is: plain functions on arrays, and how sure we may be of the figure.

Lists are `top_UK`: item rows, best first, integer (U, K), -1 where a list is shorter. What came next is a
mask `hits_UK` (see `hits`) and the number wanted, `n_wanted_U`. Figures come per shopper, so that they can be
averaged over any group and bootstrapped; a figure that has no meaning for a shopper (nothing wanted, an
empty list) is NaN: average with `np.nanmean`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.integer]

BOOTSTRAP_BLOCK = 1 << 22
"""Draws held at once while resampling: 32 MiB."""


def hits(top_UK: Rows, offsets: Rows, item_rows: Rows) -> Mask:
    """Return which listed items were wanted, (U, K).

    Shopper `u` wanted `item_rows[offsets[u]:offsets[u + 1]]`. An item listed twice counts once.

    Examples
    --------
    >>> hits(np.array([[4, 2, -1], [7, 7, 1]]), np.array([0, 1, 3]), np.array([2, 7, 9])).tolist()
    [[False, True, False], [True, False, False]]
    """
    n_shoppers, k = top_UK.shape
    width = int(max(top_UK.max(initial=-1), item_rows.max(initial=-1))) + 1
    if width == 0 or k == 0:
        return np.zeros(top_UK.shape, dtype=bool)
    shoppers_U1 = np.arange(n_shoppers, dtype=np.int64)[:, None]
    listed = np.where(top_UK >= 0, shoppers_U1 * width + top_UK, -1).ravel()
    wanted = np.repeat(shoppers_U1.ravel(), np.diff(offsets)) * width + item_rows
    found = np.isin(listed, wanted)
    places = np.flatnonzero(found)
    first_places = places[np.unique(listed[places], return_index=True)[1]]
    once = np.zeros(listed.shape, dtype=bool)
    once[first_places] = True
    return once.reshape(top_UK.shape)


def recall(hits_UK: Mask, n_wanted_U: Rows) -> Floats:
    """Return the share of the wanted items that are listed: hits / wanted, (U,).

    Examples
    --------
    >>> recall(np.array([[True, False, True]]), np.array([4])).tolist()
    [0.5]
    """
    return _divide(hits_UK.sum(axis=1), n_wanted_U)


def hit_rate(hits_UK: Mask, n_wanted_U: Rows) -> Floats:
    """Return 1 where at least one wanted item is listed, else 0, (U,).

    Examples
    --------
    >>> hit_rate(np.array([[True, True], [False, False]]), np.array([2, 1])).tolist()
    [1.0, 0.0]
    """
    return np.where(n_wanted_U > 0, hits_UK.any(axis=1), np.nan)


def mrr(hits_UK: Mask, n_wanted_U: Rows) -> Floats:
    """Return 1 / rank of the first hit, 0 without one, (U,).

    Source
    ------
    Voorhees, The TREC-8 question answering track report, TREC 1999, section 3.

    Examples
    --------
    >>> mrr(np.array([[False, True, True]]), np.array([2])).tolist()
    [0.5]
    """
    if hits_UK.shape[1] == 0:
        return np.where(n_wanted_U > 0, 0.0, np.nan)
    reciprocal = np.where(hits_UK.any(axis=1), 1 / (hits_UK.argmax(axis=1) + 1), 0.0)
    return np.where(n_wanted_U > 0, reciprocal, np.nan)


def ndcg(hits_UK: Mask, n_wanted_U: Rows) -> Floats:
    """Return the discounted gain over the best possible one, gain 1 per hit, (U,).

    DCG = Σ hit_r / log2(r + 1) over ranks r = 1 … K; the best list has min(wanted, K) hits at its head.

    Source
    ------
    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002, section 2.

    Examples
    --------
    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 1])).round(4).tolist()
    [1.0, 0.6309]
    """
    k = hits_UK.shape[1]
    discounts_K = 1 / np.log2(np.arange(2, k + 2))
    best_K1 = np.concatenate([[0.0], np.cumsum(discounts_K)])
    return _divide(hits_UK @ discounts_K, best_K1[np.minimum(n_wanted_U, k)])


def graded_ndcg(gains_UK: ArrayLike, ideal_UN: ArrayLike) -> Floats:
    """Return NDCG of lists whose items have a graded gain, (U,).

    Parameters
    ----------
    gains_UK
        Gain of each listed item in list order, ≥ 0: for judged relevance, 2^relevance − 1.
    ideal_UN
        Gains of every item that could have been listed, in any order; 0 pads.

    Source
    ------
    Burges et al., Learning to rank using gradient descent, ICML 2005, section 6 (exponential gain).

    Examples
    --------
    >>> graded_ndcg([[1.0, 7.0]], [[7.0, 1.0, 3.0]]).round(4).tolist()
    [0.6091]
    """
    gains, ideal = np.asarray(gains_UK, dtype=float), np.asarray(ideal_UN, dtype=float)
    discounts_K = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
    best = -np.sort(-ideal, axis=1)[:, : gains.shape[1]]
    return _divide(gains @ discounts_K, best @ discounts_K[: best.shape[1]])


def average_ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1 along the last axis; equal values share the mean of their ranks.

    Examples
    --------
    >>> average_ranks([30, 10, 30, 20]).tolist()
    [3.5, 1.0, 3.5, 2.0]
    """
    given = np.asarray(values)
    order = np.argsort(given, axis=-1, kind="stable")
    ordered = np.take_along_axis(given, order, axis=-1)
    places = np.broadcast_to(np.arange(given.shape[-1]), given.shape)
    is_new = np.ones(given.shape, dtype=bool)
    is_new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    is_last = np.ones(given.shape, dtype=bool)
    is_last[..., :-1] = is_new[..., 1:]
    first = np.maximum.accumulate(np.where(is_new, places, 0), axis=-1)
    beyond = np.where(is_last, places, given.shape[-1])[..., ::-1]
    last = np.minimum.accumulate(beyond, axis=-1)[..., ::-1]
    ranks = np.empty(given.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    return ranks


def spearman(a_UV: ArrayLike, b_UV: ArrayLike) -> Floats:
    """Return the rank correlation of each row of `a` with that row of `b`, -1 to 1, (U,).

    Pearson's correlation of the average ranks; NaN where a row is constant.

    Source
    ------
    Spearman, The proof and measurement of association between two things, Am. J. Psychology 1904.

    Examples
    --------
    >>> spearman([[1, 2, 3]], [[10, 30, 20]]).round(4).tolist()
    [0.5]
    """
    a, b = average_ranks(a_UV), average_ranks(b_UV)
    a -= a.mean(axis=-1, keepdims=True)
    b -= b.mean(axis=-1, keepdims=True)
    length = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return _divide((a * b).sum(axis=-1), length)


def auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the chance that a positive scores above a negative, ties counted half; NaN if one is missing.

    From ranks: (Σ ranks of positives − n₊(n₊ + 1)/2) / (n₊ n₋), the Mann-Whitney statistic.

    Source
    ------
    Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 1982.

    Examples
    --------
    >>> auc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1])
    0.875
    """
    is_positive = np.asarray(labels).astype(bool)
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    rank_sum = average_ranks(scores)[is_positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def accuracy(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the share of predictions that are right.

    Examples
    --------
    >>> accuracy(["a", "b", "b"], ["a", "b", "a"])
    0.6666666666666666
    """
    return float(np.mean(np.asarray(predicted) == np.asarray(actual)))


def log_loss(probabilities: ArrayLike, labels: ArrayLike, *, smallest: float = 1e-15) -> float:
    """Return the mean of −ln(probability given to what happened), in nats.

    Parameters
    ----------
    probabilities
        (N,) of the positive class, or (N, C) of each class.
    labels
        (N,): 0 or 1, or the class's column.
    smallest
        Probabilities below it count as it, so that one certain error is not infinite.

    Examples
    --------
    >>> round(log_loss([0.5, 0.25], [1, 0]), 4)
    0.4904
    """
    given, rows = np.asarray(probabilities, dtype=float), np.asarray(labels).astype(np.intp)
    classes_NC = np.stack([1 - given, given], axis=1) if given.ndim == 1 else given
    of_actual = classes_NC[np.arange(len(rows)), rows]
    return float(-np.log(np.clip(of_actual, smallest, 1.0)).mean())


def slate_ctr(clicked_UK: Mask, shown_UK: Mask | None = None) -> Floats:
    """Return the click-through rate of each slate, clicks / items shown, (U,); NaN where nothing was shown.

    Examples
    --------
    >>> slate_ctr(np.array([[True, False, False, False]])).tolist()
    [0.25]
    """
    shown = np.ones(clicked_UK.shape, dtype=bool) if shown_UK is None else shown_UK
    return _divide((clicked_UK & shown).sum(axis=1), shown.sum(axis=1))


def coverage(top_UK: Rows, n_items: int) -> float:
    """Return the share of the catalogue that is in at least one list.

    Source
    ------
    Ge, Delgado-Battenfeld, Jannach, Beyond accuracy, RecSys 2010, section 3.2 (catalogue coverage).

    Examples
    --------
    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    return len(np.unique(top_UK[top_UK >= 0])) / n_items


def variety(top_UK: Rows, vectors_ID: NDArray[np.floating], *, block: int = 4096) -> Floats:
    """Return the mean cosine distance between two different items of a list, (U,).

    With unit rows Σ_{i≠j} cos = |Σ v|² − Σ |v|², so no pair is ever formed. NaN below two items.

    Parameters
    ----------
    vectors_ID
        Rows of unit length; a zero row is at distance 1 from everything.

    Source
    ------
    Ziegler et al., Improving recommendation lists through topic diversification, WWW 2005.

    Examples
    --------
    >>> variety(np.array([[0, 1], [0, 2]]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).tolist()
    [0.0, 1.0]
    """
    figures = [_variety(top_UK[u : u + block], vectors_ID) for u in range(0, len(top_UK), block)]
    return np.concatenate(figures) if figures else np.empty(0)


def _variety(top_UK: Rows, vectors_ID: NDArray[np.floating]) -> Floats:
    vectors_UKD = np.where((top_UK >= 0)[:, :, None], vectors_ID[top_UK], 0).astype(np.float64)
    n_listed_U = (top_UK >= 0).sum(axis=1)
    squared = (vectors_UKD.sum(axis=1) ** 2).sum(axis=1) - (vectors_UKD**2).sum(axis=(1, 2))
    return 1 - _divide(squared, n_listed_U * (n_listed_U - 1))


def novelty(top_UK: Rows, n_had_I: Rows, n_shoppers: int) -> Floats:
    """Return the mean surprise of a list's items in bits, (U,): −log2(share of shoppers who had the item).

    An item that nobody had counts as had by one.

    Source
    ------
    Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 2010.

    Examples
    --------
    >>> novelty(np.array([[0, 1]]), np.array([8, 2]), 8).tolist()
    [1.0]
    """
    bits_I = -np.log2(np.maximum(n_had_I, 1) / n_shoppers)
    listed_UK = top_UK >= 0
    return _divide(np.where(listed_UK, bits_I[top_UK], 0).sum(axis=1), listed_UK.sum(axis=1))


def value_shares(offsets: Rows, item_rows: Rows, shares_IV: Any) -> Floats:
    """Return how each shopper's items divide over the values of one dimension, (U, V); zero without items.

    Parameters
    ----------
    offsets, item_rows
        Shopper `u` has, or is listed, the items `item_rows[offsets[u]:offsets[u + 1]]`.
    shares_IV
        Each item's split over the values, an array or a sparse matrix; rows sum to 1, or to 0 for an item
        without a value.

    Examples
    --------
    >>> value_shares(np.array([0, 2, 2]), np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    from scipy.sparse import csr_matrix

    ones = np.ones(len(item_rows))
    shape = (len(offsets) - 1, shares_IV.shape[0])
    sums_UV = csr_matrix((ones, item_rows, offsets), shape=shape) @ csr_matrix(shares_IV)
    dense_UV = np.asarray(sums_UV.toarray())
    total_U1 = dense_UV.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(dense_UV, total_U1, out=dense_UV, where=total_U1 > 0))


def calibration(profile_UV: ArrayLike, list_UV: ArrayLike, *, alpha: float = 0.01) -> Floats:
    """Return how far a list's values are from the shopper's taste, in nats; 0 is calibrated, (U,).

    KL(p ‖ q̃) = Σ p_v ln(p_v / q̃_v) with q̃ = (1 − α) q + α p, so that a missing value is not infinite.

    Parameters
    ----------
    profile_UV, list_UV
        Shares by value, p and q; rows sum to 1.

    Source
    ------
    Steck, Calibrated recommendations, RecSys 2018, section 3.

    Examples
    --------
    >>> calibration([[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]).round(3).tolist()
    [0.0, 1.959]
    """
    p, q = np.asarray(profile_UV, dtype=float), np.asarray(list_UV, dtype=float)
    smoothed = (1 - alpha) * q + alpha * p
    ratio = np.divide(p, smoothed, out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log(ratio)).sum(axis=1))


def bootstrap_interval(
    values_U: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, n_resamples: int = 1000
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean, shoppers drawn with replacement.

    NaN values are left out before drawing.

    Source
    ------
    Efron and Tibshirani, An introduction to the bootstrap, 1993, section 13.3.

    Examples
    --------
    >>> bootstrap_interval([1.0, 1.0, 1.0], rng=np.random.default_rng(0))
    (1.0, 1.0)
    """
    values = np.asarray(values_U, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return float("nan"), float("nan")
    step = max(1, BOOTSTRAP_BLOCK // len(values))
    means = [
        values[rng.integers(0, len(values), (min(step, n_resamples - done), len(values)))].mean(axis=1)
        for done in range(0, n_resamples, step)
    ]
    return _percentiles(np.concatenate(means), level)


def paired_bootstrap_interval(
    ours_U: ArrayLike,
    theirs_U: ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = 1000,
) -> tuple[float, float]:
    """Return the interval of mean(ours − theirs), each shopper's two figures drawn together.

    Narrower than two separate intervals, because shoppers who are hard for one are hard for the other.
    An interval above 0 says that ours is better.

    Examples
    --------
    >>> paired_bootstrap_interval([0.5, 1.0], [0.25, 0.75], rng=np.random.default_rng(0))
    (0.25, 0.25)
    """
    gaps_U = np.asarray(ours_U, dtype=float) - np.asarray(theirs_U, dtype=float)
    return bootstrap_interval(gaps_U, rng=rng, level=level, n_resamples=n_resamples)


def bootstrap_statistic(
    statistic: Callable[..., float],
    *samples: NDArray[np.generic],
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = 1000,
) -> tuple[float, float]:
    """Return the interval of any statistic of samples whose rows belong together, as AUC of (scores, labels).

    Resamples in which the statistic is NaN (one class only) are left out.

    Examples
    --------
    >>> scores, labels = np.arange(40), np.arange(40) >= 20
    >>> bootstrap_statistic(auc, scores, labels, rng=np.random.default_rng(0), n_resamples=20)
    (1.0, 1.0)
    """
    n_rows = len(samples[0])
    draws = (rng.integers(0, n_rows, n_rows) for _ in range(n_resamples))
    figures = np.array([statistic(*(sample[rows] for sample in samples)) for rows in draws], dtype=float)
    return _percentiles(figures[~np.isnan(figures)], level)


def _percentiles(figures: Floats, level: float) -> tuple[float, float]:
    if len(figures) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _divide(above: NDArray[np.generic], below: ArrayLike) -> Floats:
    divisor = np.asarray(below, dtype=float)
    undefined = np.full(np.shape(above), np.nan)
    return np.asarray(np.divide(above, divisor, out=undefined, where=divisor > 0))
