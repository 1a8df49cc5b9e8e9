"""How often the next item is among the ten nearest to what a shopper had: by the items' vectors alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang import metrics
from huaxiang.records import Matrix

K = 10
DECAY = 0.8
_AT_ONCE = 512

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NextItems:
    """What shoppers had, and what they took next.

    Parameters
    ----------
    histories_UH
        Item rows, oldest first, filled with -1 at the front, int64 (U, H).
    offsets, item_rows
        Shopper `u` took `item_rows[offsets[u]:offsets[u + 1]]` next.
    """

    histories_UH: NDArray[np.int64]
    offsets: NDArray[np.int64]
    item_rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.histories_UH)

    def take(self, rows: NDArray[np.integer]) -> NextItems:
        """Return some of the shoppers."""
        parts = [self.item_rows[self.offsets[row] : self.offsets[row + 1]] for row in rows]
        return NextItems(
            histories_UH=self.histories_UH[rows],
            offsets=np.cumsum([0, *map(len, parts)]).astype(np.int64),
            item_rows=np.concatenate([np.zeros(0, np.int64), *parts]),
        )

    def only(self, is_wanted_I: NDArray[np.bool_]) -> NextItems:
        """Return the shoppers who took some of these items next, and only these of what they took."""
        wanted = is_wanted_I[self.item_rows]
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets))[wanted]
        n_left = np.bincount(owner, minlength=len(self))
        rows = np.flatnonzero(n_left)
        return NextItems(
            histories_UH=self.histories_UH[rows],
            offsets=np.concatenate([[0], np.cumsum(n_left[rows])]).astype(np.int64),
            item_rows=self.item_rows[wanted],
        )

    @property
    def rows(self) -> NDArray[np.int64]:
        """Every item in it, sorted."""
        found = np.unique(np.concatenate([self.histories_UH.ravel(), self.item_rows]))
        return found[found >= 0]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Recall@10 and NDCG@10 of each shopper, (U,)."""

    recall_U: Floats
    ndcg_U: Floats

    def means(self) -> dict[str, float]:
        """Return the means."""
        return {f"recall@{K}": float(self.recall_U.mean()), f"ndcg@{K}": float(self.ndcg_U.mean())}

    def figures(self, *, seed: int = 0) -> dict[str, float]:
        """Return the means, each with its 95 % interval over shoppers."""
        found: dict[str, float] = {}
        for name, values_U in ((f"recall@{K}", self.recall_U), (f"ndcg@{K}", self.ndcg_U)):
            low, high = metrics.bootstrap_interval(values_U, rng=np.random.default_rng(seed))
            found |= {name: float(values_U.mean()), f"{name}_low": low, f"{name}_high": high}
        return {**found, "shoppers": float(len(self.recall_U))}


def find_next(
    asked: NextItems, vectors_ID: Matrix, *, allowed_I: NDArray[np.bool_] | None = None, decay: float = DECAY
) -> Found:
    """Rank all items by their cosine to the decayed mean of what each shopper had, and look for the next one.

    Items that the shopper had, or that have no vector, are not listed.

    Parameters
    ----------
    allowed_I
        Items that may be listed; None for all.
    decay
        What an item counts beside the one after it; above 0, up to 1.

    Examples
    --------
    >>> one = {"offsets": np.array([0, 1]), "item_rows": np.array([2])}
    >>> asked = NextItems(histories_UH=np.array([[-1, 0]]), **one)
    >>> find_next(asked, np.array([[1, 0], [0, 1], [0.8, 0.6]], "f")).ndcg_U.tolist()
    [1.0]
    """
    is_listed_I = vectors_ID.any(axis=1) if allowed_I is None else vectors_ID.any(axis=1) & allowed_I
    n_width = asked.histories_UH.shape[1]
    weights_H = (decay ** np.arange(n_width - 1, -1, -1)).astype(np.float32)
    top_UK = np.full((len(asked), K), -1, np.int64)
    for start in range(0, len(asked), _AT_ONCE):
        histories = asked.histories_UH[start : start + _AT_ONCE]
        weights = weights_H * (histories >= 0)
        means = np.einsum("uh,uhd->ud", weights, vectors_ID[histories])
        scores = means @ vectors_ID.T
        scores[:, ~is_listed_I] = -np.inf
        users, places = np.nonzero(histories >= 0)
        scores[users, histories[users, places]] = -np.inf
        top_UK[start : start + _AT_ONCE] = _top(scores)
    hits_UK = metrics.hits(top_UK, asked.offsets, asked.item_rows)
    n_wanted = np.diff(asked.offsets)
    return Found(recall_U=metrics.recall(hits_UK, n_wanted), ndcg_U=metrics.ndcg(hits_UK, n_wanted))


def _top(scores_UI: Matrix) -> NDArray[np.int64]:
    k = min(K, scores_UI.shape[1])
    some = np.argpartition(-scores_UI, k - 1, axis=1)[:, :k]
    values = np.take_along_axis(scores_UI, some, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    top = np.where(np.take_along_axis(values, order, 1) > -np.inf, np.take_along_axis(some, order, 1), -1)
    return np.pad(top, ((0, 0), (0, K - k)), constant_values=-1)
