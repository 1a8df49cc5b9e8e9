"""What each complaint costs an item in rating.

Ratings are explained by who complains of what: a ridge regression whose starting point is what the complaint
costs in the whole shop, so that three angry people don't make a finding. A complaint's cost is how much
the mean rating would rise if nobody had it: the share of reviews that have it times what it takes off one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.reviews.base import ReadReview
from huaxiang.reviews.tally import Tally

PRIOR_REVIEWS = 3.0
"""How many complaints the shop's own experience of a complaint weighs against the item's."""
USUAL_DROP = 1.0
"""Stars that a complaint takes off where the shop has too few to tell."""
ENOUGH = 20
"""Complaints from which the shop can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a complaint costs: `cost` stars of the item's mean, `drop` stars of each review that has it."""

    aspect: str
    n: int
    drop: float
    cost: float


def usual_drops(shop: Tally) -> dict[str, float]:
    """Return how many stars each complaint takes off a review in a whole shop, not below 0."""
    drops: dict[str, float] = {}
    for aspect, sums in shop.aspects.items():
        n, others = sums.n_negative, shop.n_starred - sums.n_negative
        if n >= ENOUGH and others > 0:
            rest = (shop.stars_sum - sums.stars_negative) / others
            drops[aspect] = max(0.0, rest - sums.stars_negative / n)
    return drops


def costs_of(reviews: Sequence[ReadReview], usual: Mapping[str, float]) -> list[Cost]:
    """Return what each complaint of an item's reviews costs, the dearest first."""
    starred = [(one, stars) for one in reviews if (stars := one.stars) is not None]
    aspects = sorted({a for one, _ in starred for a, polarity in one.judged.items() if polarity < 0})
    if not aspects:
        return []
    blamed_RA = np.array([[one.judged.get(a, 0) < 0 for a in aspects] for one, _ in starred], np.float64)
    stars_R = np.array([stars for _, stars in starred], np.float64)
    prior_A = np.array([usual.get(aspect, USUAL_DROP) for aspect in aspects])
    drop_A = drops(blamed_RA, stars_R, prior_A)
    share_A = blamed_RA.mean(axis=0)
    found = [
        Cost(aspect=aspect, n=int(n), drop=float(drop), cost=float(share * drop))
        for aspect, n, drop, share in zip(aspects, blamed_RA.sum(axis=0), drop_A, share_A, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.cost, -one.n, one.aspect))


def drops(
    blamed_RA: NDArray[np.float64], stars_R: NDArray[np.float64], prior_A: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many stars each complaint takes off a review, not below 0, (A,).

    Examples
    --------
    >>> blamed = np.array([[1.0], [1.0], [0.0], [0.0]])
    >>> drops(blamed, np.array([2.0, 2.0, 5.0, 5.0]), np.array([3.0])).round(2)
    array([3.])
    """
    n_reviews, n_aspects = blamed_RA.shape
    design = np.hstack([np.ones((n_reviews, 1)), -blamed_RA])
    weight = np.diag([1e-6, *np.full(n_aspects, PRIOR_REVIEWS)])
    start = np.concatenate([[0.0], prior_A])
    solved = np.linalg.solve(design.T @ design + weight, design.T @ stars_R + weight @ start)
    return np.asarray(np.maximum(solved[1:], 0.0))
