"""What people said of similar products for similar queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.records import Matrix, Vector
from huaxiang.search.learnt.features import Columns

N_QUERIES = 40
"""Similar queries that are asked."""
SHARPNESS = {"near": (12.0, 10.0), "wide": (16.0, 5.0)}
"""How fast a judgement counts less as its query, and its product, are less alike."""
DOUBT = 0.05
"""Weight of knowing nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbours:
    """Judged pairs by the vectors of their texts.

    Parameters
    ----------
    queries_QD, products_PD
        Rows of unit length, float16.
    starts_Q, product_N
        The pairs of query q are `product_N[starts_Q[q]:starts_Q[q + 1]]`.
    gain_N, gain_over_N
        What each pair was judged, over the mean of all pairs and over that of its query.
    """

    queries_QD: NDArray[np.float16]
    products_PD: NDArray[np.float16]
    starts_Q: NDArray[np.int64]
    product_N: NDArray[np.int64]
    gain_N: Vector
    gain_over_N: Vector

    @classmethod
    def of(cls, judged: Judged, queries_QD: Matrix, products_PD: Matrix) -> Self:
        """Return the pairs that were judged."""
        order = np.argsort(judged.query_N, kind="stable")
        query_N, gain_N = judged.query_N[order], gains(judged.relevance_N[order])
        n_Q = np.bincount(query_N, minlength=len(judged.queries))
        mean = float(gain_N.mean())
        mean_Q = (np.bincount(query_N, gain_N, minlength=len(n_Q)) + 3 * mean) / (n_Q + 3)
        return cls(
            queries_QD=queries_QD.astype(np.float16),
            products_PD=products_PD.astype(np.float16),
            starts_Q=np.concatenate([[0], np.cumsum(n_Q)]),
            product_N=judged.product_N[order],
            gain_N=(gain_N - mean).astype(np.float32),
            gain_over_N=(gain_N - mean_Q[query_N]).astype(np.float32),
        )

    @cached_property
    def _queries(self) -> Matrix:
        return self.queries_QD.astype(np.float32)

    @cached_property
    def _products(self) -> Matrix:
        return self.products_PD.astype(np.float32)

    def columns(self, query_D: Vector, vectors_CD: Matrix, *, but: int | None = None) -> Columns:
        """Return what was said: name → a value for each candidate, (C,).

        Parameters
        ----------
        but
            Number of a query that is not asked: the one that is learnt from.
        """
        alike_Q = self._queries @ query_D
        if but is not None:
            alike_Q[but] = -1
        n = min(N_QUERIES, len(alike_Q))
        nearest = np.argpartition(-alike_Q, n - 1)[:n]
        pairs = np.concatenate([np.arange(self.starts_Q[q], self.starts_Q[q + 1]) for q in nearest])
        alike_N = np.repeat(alike_Q[nearest], np.diff(self.starts_Q)[nearest])
        alike_CN = vectors_CD @ self._products[self.product_N[pairs]].T
        found: Columns = {"nearest_query": np.full(len(vectors_CD), alike_Q[nearest].max())}
        for name, (of_query, of_product) in SHARPNESS.items():
            weight_CN = np.exp(of_product * (alike_CN - 1)) * np.exp(of_query * (alike_N - 1))
            total_C = weight_CN.sum(1)
            found[f"said_{name}"] = weight_CN @ self.gain_N[pairs] / (total_C + DOUBT)
            found[f"said_{name}_over"] = weight_CN @ self.gain_over_N[pairs] / (total_C + DOUBT)
            found[f"said_{name}_weight"] = np.log(total_C + 1e-9)
        return found


def gains(relevance_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a listed product of a relevance is worth.

    Examples
    --------
    >>> gains(np.array([0.0, 1, 3])).tolist()
    [0.0, 1.0, 7.0]
    """
    return np.asarray(2.0**relevance_N - 1, np.float64)
