"""How well one way of scoring predicted what shoppers did next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang import metrics
from huaxiang.metrics import bootstrap_interval, paired_bootstrap_interval
from huaxiang.recommend.base import Histories, Targets
from huaxiang.recommend.top import Score, top_items

K = 10
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one model listed for every shopper of a split, and how good that was.

    Parameters
    ----------
    top_UK
        Item rows, best first, int32 (U, K); -1 where fewer could be listed.
    recall_U, ndcg_U, mrr_U, hit_U
        One figure per shopper, 0 to 1.
    rank_s
        Wall-clock seconds to score and rank everyone.
    """

    name: str
    uses: tuple[str, ...]
    top_UK: NDArray[np.int32]
    recall_U: Floats
    ndcg_U: Floats
    mrr_U: Floats
    hit_U: Floats
    rank_s: float

    def per_shopper(self) -> dict[str, Floats]:
        """Return the figures by name, as reports print them."""
        return {
            f"recall@{K}": self.recall_U,
            f"ndcg@{K}": self.ndcg_U,
            f"mrr@{K}": self.mrr_U,
            f"hit_rate@{K}": self.hit_U,
        }

    def figures(self, *, seed: int) -> dict[str, dict[str, float]]:
        """Return mean and 95 % bootstrap interval of each figure."""
        return {name: interval(values_U, seed=seed) for name, values_U in self.per_shopper().items()}


def interval(values_U: Floats, *, seed: int) -> dict[str, float]:
    """Return the mean of one figure per shopper, and its 95 % bootstrap interval."""
    low, high = bootstrap_interval(values_U, rng=np.random.default_rng(seed))
    return {"mean": float(values_U.mean()), "low": float(low), "high": float(high)}


def paired_gaps(
    ours: Measurement, others: Sequence[Measurement], *, seed: int
) -> dict[str, dict[str, float]]:
    """Return, by name of the other, our NDCG minus theirs with its paired 95 % interval."""
    gaps = {}
    for other in others:
        low, high = paired_bootstrap_interval(ours.ndcg_U, other.ndcg_U, rng=np.random.default_rng(seed))
        mean = float((ours.ndcg_U - other.ndcg_U).mean())
        gaps[other.name] = {"mean": mean, "low": float(low), "high": float(high)}
    return gaps


def measure(
    name: str,
    score: Score,
    targets: Targets,
    *,
    uses: tuple[str, ...] = (),
    exclude_had: bool,
    had: Histories | None = None,
    allowed_I: NDArray[np.bool_] | None = None,
) -> Measurement:
    """Rank the full catalogue for every shopper and compare with what came next.

    Parameters
    ----------
    exclude_had
        Leave out items that the shopper has had before ("masked").
    had
        What "had" is read from where the histories were cut short; None reads them.
    allowed_I
        Items that may be listed at all; None for every item.
    """
    started = time.perf_counter()
    top = top_items(score, targets.histories, k=K, exclude_had=exclude_had, had=had, allowed_I=allowed_I)
    rank_s = time.perf_counter() - started
    return measurement(name, top.item_rows, targets, uses=uses, rank_s=rank_s)


def measurement(
    name: str, top_UK: NDArray[np.int32], targets: Targets, *, uses: tuple[str, ...] = (), rank_s: float = 0.0
) -> Measurement:
    """Return the figures of lists that were made before."""
    hits_UK = metrics.hits(top_UK, targets.offsets, targets.item_rows)
    n_wanted_U = np.diff(targets.offsets)
    return Measurement(
        name=name,
        uses=uses,
        top_UK=top_UK,
        recall_U=metrics.recall(hits_UK, n_wanted_U),
        ndcg_U=metrics.ndcg(hits_UK, n_wanted_U),
        mrr_U=metrics.mrr(hits_UK, n_wanted_U),
        hit_U=metrics.hit_rate(hits_UK, n_wanted_U),
        rank_s=rank_s,
    )
