"""How well scores order what was judged for each query, beside what any order would reach by luck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.metrics import bootstrap_statistic
from huaxiang.records import Matrix

FEWEST_JUDGED = 5
K = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """NDCG of each query that has enough judged products, and what a random order has on average, (Q,)."""

    ndcg_Q: Floats
    random_Q: Floats

    def figures(self, *, seed: int = 0) -> dict[str, float]:
        """Return the mean NDCG, random's, and the share of the possible gain with its 95 % interval."""
        low, high = bootstrap_statistic(
            share_of_gain, self.ndcg_Q, self.random_Q, rng=np.random.default_rng(seed)
        )
        return {**self.quick(), "share_low": low, "share_high": high}

    def quick(self) -> dict[str, float]:
        """Return the figures without an interval."""
        return {
            f"ndcg@{K}": float(self.ndcg_Q.mean()),
            f"random_ndcg@{K}": float(self.random_Q.mean()),
            "share": share_of_gain(self.ndcg_Q, self.random_Q),
            "queries": float(len(self.ndcg_Q)),
        }


def share_of_gain(ndcg_Q: Floats, random_Q: Floats) -> float:
    """Return how far the mean lies between a random order, 0, and the best one, 1.

    Examples
    --------
    >>> share_of_gain(np.array([0.95]), np.array([0.9])).__round__(3)
    0.5
    """
    luck = float(random_Q.mean())
    return (float(ndcg_Q.mean()) - luck) / (1 - luck) if luck < 1 else float("nan")


def ranked(
    query_N: NDArray[np.int64],
    relevance_N: Floats,
    scores_N: Matrix | Floats,
    *,
    fewest: int = FEWEST_JUDGED,
) -> Ranked:
    """Return NDCG@10 of each query that has at least `fewest` judged products, not all of one relevance.

    Gains are 2^relevance − 1. Products with equal scores share their places.

    Examples
    --------
    >>> queries, relevance = np.zeros(5, int), np.array([3.0, 1, 1, 1, 1])
    >>> best = ranked(queries, relevance, relevance)
    >>> best.ndcg_Q.tolist(), best.random_Q.round(3).tolist()
    ([1.0], [0.725])
    """
    order = np.argsort(query_N, kind="stable")
    starts = np.flatnonzero(np.diff(query_N[order], prepend=-1))
    ndcg, luck = [], []
    for rows in np.split(order, starts[1:]):
        gains = 2.0 ** relevance_N[rows] - 1
        if len(rows) >= fewest and gains.min() < gains.max():
            ideal = discounted_gain(gains, gains)
            ndcg.append(discounted_gain(gains, np.asarray(scores_N[rows], np.float64)) / ideal)
            luck.append(discounted_gain(gains, np.zeros(len(rows))) / ideal)
    return Ranked(ndcg_Q=np.array(ndcg, np.float64), random_Q=np.array(luck, np.float64))


def discounted_gain(gains: Floats, scores: Floats) -> float:
    """Return the discounted gain of the first ten; what has the same score has the mean of its gains.

    Source
    ------
    McSherry and Najork, Computing information retrieval performance measures efficiently in the presence of
    tied scores, ECIR 2008.

    Examples
    --------
    >>> discounted_gain(np.array([1.0, 7.0]), np.array([0.2, 0.1])).__round__(4)
    5.4165
    >>> discounted_gain(np.array([1.0, 7.0]), np.array([0.0, 0.0])).__round__(4)
    6.5237
    """
    _, group, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    shared = (np.bincount(group, weights=gains) / counts)[np.sort(group)]
    places = np.arange(2, min(len(gains), K) + 2)
    return float((shared[:K] / np.log2(places)).sum())
