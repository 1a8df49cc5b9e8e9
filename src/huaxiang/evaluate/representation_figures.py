"""How good predictions are, and how sure that is: each figure of the shoppers, and of resamples of them.

A resample of shoppers is a row of `weights_BU`: how often each of them was drawn. So every figure is one pass
over the predictions in order, for all resamples at once, and the resamples of two representations are the
same ones, which makes their differences paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from huaxiang.metrics import average_ranks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")

TOP = 10
"""Predictions of each shopper that novelty looks at."""
NOVELTY_POWER = 100


def resamples(shopper_ids: Sequence[str], *, n_resamples: int, seed: int = 0) -> Floats:
    """Return how often each shopper is drawn, (B + 1, U); the first row is everybody once.

    Each count is Poisson(1) and depends on nothing but the shopper's id, the resample and the seed. So a
    shopper has the same counts in every task and at every cut date, and averages over these stay bootstrapped
    over people, not over rows.

    Source
    ------
    Hanley and MacGibbon, Creating non-parametric bootstrap samples using Poisson frequencies, 2006.

    Examples
    --------
    >>> few, more = (resamples(ids, n_resamples=3) for ids in (["b"], ["a", "b"]))
    >>> few[0].tolist(), bool((few[:, 0] == more[:, 1]).all())
    ([1.0], True)
    """
    drawn_UB = [
        np.random.default_rng([seed, crc32(shopper_id.encode())]).poisson(1.0, n_resamples)
        for shopper_id in shopper_ids
    ]
    once_U1 = np.ones((len(shopper_ids), 1))
    drawn = np.array(drawn_UB, np.float64).reshape(len(shopper_ids), n_resamples)
    return np.asarray(np.hstack([once_U1, drawn]).T, np.float64)


def weighted_auc(
    scores_U: Floats, labels_U: Floats, weights_BU: Floats, fold_U: Ints | None = None
) -> Floats:
    """Return the AUROC of each resample, ties counted half, (B,); NaN where a class is missing.

    Parameters
    ----------
    fold_U
        Only shoppers of one fold are compared: scores of networks that learnt from different shoppers have
        different zeros, and a label that is rare in a fold is frequent among those it was learnt from.

    Source
    ------
    Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 1982.

    Examples
    --------
    >>> scores, labels = np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.0, 0, 1, 1])
    >>> weighted_auc(scores, labels, np.array([[1.0, 1, 1, 1], [0, 1, 1, 0]])).tolist()
    [0.875, 0.5]
    """
    fold_U = np.zeros(len(scores_U), np.int64) if fold_U is None else fold_U
    won_B, n_pairs_B = np.zeros(len(weights_BU)), np.zeros(len(weights_BU))
    for fold in np.unique(fold_U):
        own = fold_U == fold
        won, n_pairs = _pairs(scores_U[own], labels_U[own] > 0, weights_BU[:, own])
        won_B += won
        n_pairs_B += n_pairs
    return _over(won_B, n_pairs_B)


def _pairs(scores_U: Floats, is_positive_U: NDArray[np.bool_], weights_BU: Floats) -> tuple[Floats, Floats]:
    """Return in how many pairs the positive scores higher, and how many pairs there are, (B,) each."""
    if is_positive_U.all() or not is_positive_U.any():
        return np.zeros(len(weights_BU)), np.zeros(len(weights_BU))
    negatives = np.flatnonzero(~is_positive_U)
    negatives = negatives[np.argsort(scores_U[negatives], kind="stable")]
    n_below_BN = np.zeros((len(weights_BU), len(negatives) + 1))
    np.cumsum(weights_BU[:, negatives], axis=1, out=n_below_BN[:, 1:])
    ordered, positives = scores_U[negatives], scores_U[is_positive_U]
    low, high = (np.searchsorted(ordered, positives, side=side) for side in SIDES)
    below_BP = (n_below_BN[:, low] + n_below_BN[:, high]) / 2
    positive_BP = weights_BU[:, is_positive_U]
    return (positive_BP * below_BP).sum(axis=1), positive_BP.sum(axis=1) * n_below_BN[:, -1]


def weighted_macro_auc(
    scores_UO: Floats, labels_UO: Floats, weights_BU: Floats, fold_U: Ints | None = None
) -> Floats:
    """Return the mean of the labels' AUROCs in each resample, (B,); labels with one class are left out."""
    has_both = np.flatnonzero(labels_UO.any(axis=0) & ~labels_UO.all(axis=0))
    of_labels = [weighted_auc(scores_UO[:, o], labels_UO[:, o], weights_BU, fold_U) for o in has_both]
    figures_OB = np.array(of_labels).reshape(len(has_both), len(weights_BU))
    is_known = ~np.isnan(figures_OB)
    n_known_B = is_known.sum(axis=0)
    return _over(np.where(is_known, figures_OB, 0).sum(axis=0), n_known_B.astype(np.float64))


def weighted_spearman(
    scores_U: Floats, amounts_U: Floats, weights_BU: Floats, fold_U: Ints | None = None
) -> Floats:
    """Return the rank correlation in each resample, ranks taken once over everybody of a fold, (B,).

    Over several folds it is their mean, by how many of their shoppers were drawn.

    Examples
    --------
    >>> weighted_spearman(np.array([1.0, 2, 3]), np.array([10.0, 30, 20]), np.ones((1, 3))).round(4).tolist()
    [0.5]
    """
    fold_U = np.zeros(len(scores_U), np.int64) if fold_U is None else fold_U
    parts = [np.flatnonzero(fold_U == fold) for fold in np.unique(fold_U)]
    figures = [_spearman(scores_U[own], amounts_U[own], weights_BU[:, own]) for own in parts]
    sizes = [weights_BU[:, own].sum(axis=1) for own in parts]
    return np.asarray(np.average(figures, axis=0, weights=sizes))


def _spearman(scores_U: Floats, amounts_U: Floats, weights_BU: Floats) -> Floats:
    a, b = average_ranks(scores_U), average_ranks(amounts_U)
    n_B1 = np.maximum(weights_BU.sum(axis=1, keepdims=True), 1)
    a_BU, b_BU = (ranks - weights_BU @ ranks[:, None] / n_B1 for ranks in (a, b))
    together_B = (weights_BU * a_BU * b_BU).sum(axis=1)
    apart_B = (weights_BU * a_BU**2).sum(axis=1) * (weights_BU * b_BU**2).sum(axis=1)
    return _over(together_B, np.sqrt(apart_B))


def diversity(logits_UO: Floats) -> Floats:
    """Return the entropy of each shopper's predictions over its highest possible value, 0 to 1, (U,).

    p = σ(logits) / Σ σ(logits); −Σ p log₂ p / log₂ O.

    Source
    ------
    Synerise, RecSys Challenge 2025, github.com/Synerise/recsys2025, README, Diversity; we divide by log₂ O as
    its code does.

    Examples
    --------
    >>> diversity(np.zeros((1, 4))).round(6).tolist()
    [1.0]
    """
    likely_UO = _sigmoid(logits_UO)
    shares_UO = likely_UO / likely_UO.sum(axis=1, keepdims=True)
    return np.asarray(-(shares_UO * np.log2(shares_UO + 1e-9)).sum(axis=1) / np.log2(logits_UO.shape[1]))


def popularity(logits_UO: Floats, popularity_O: Floats) -> Floats:
    """Return how popular what is predicted of each shopper is, 0 to 1, (U,).

    Σ over the ten likeliest labels of σ(logit) · purchases, over the purchases of the ten most bought.
    """
    n_top = min(TOP, len(popularity_O))
    shares_O = popularity_O / np.sort(popularity_O)[-n_top:].sum()
    top_UK = np.argpartition(-logits_UO, n_top - 1, axis=1)[:, :n_top]
    likely_UK = np.take_along_axis(_sigmoid(logits_UO), top_UK, axis=1)
    return np.asarray((likely_UK * shares_O[top_UK]).sum(axis=1))


def novelty(mean_popularity: float) -> float:
    """Return (1 − mean popularity)^100, 0 to 1: high where what is predicted is rarely bought.

    Source
    ------
    Synerise, RecSys Challenge 2025, github.com/Synerise/recsys2025, README, Novelty.

    Examples
    --------
    >>> novelty(0.0)
    1.0
    """
    return (1 - min(mean_popularity, 1.0)) ** NOVELTY_POWER


def _over(above_B: Floats, below_B: Floats) -> Floats:
    undefined = np.full(len(above_B), np.nan)
    return np.asarray(np.divide(above_B, below_B, out=undefined, where=below_B > 0))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -50, 50))))
