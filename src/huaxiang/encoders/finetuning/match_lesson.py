"""What a matching encoder is taught: queries with their judged products, and where negatives are mined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.encoders.learning.base import TrainerConfig, in_range

if TYPE_CHECKING:
    from torch import Tensor

    from huaxiang.encoders.finetuning.match_network import MatchNetwork

IRRELEVANT = 0.1
"""Gain, 0 to 1, up to which a judged product is a hard negative of its query."""


@dataclass(frozen=True, kw_only=True)
class MatchConfig:
    """How an encoder learns to match.

    Parameters
    ----------
    max_tokens
        Longer texts are cut, marks included; ≥ 8.
    list_size
        Judged products of a query in a batch; more are drawn from; ≥ 1.
    mined
        Negatives mined for each query of which no product was judged irrelevant; ≥ 0.
    mining_pool
        Products among which they are looked for, anew at each validation; ≥ 1.
    sharpness
        What cosines are multiplied by; > 0.
    graded
        Weight of the order of a query's judged products; ≥ 0.
    """

    max_tokens: int = 48
    list_size: int = 6
    mined: int = 1
    mining_pool: int = 2048
    sharpness: float = 20.0
    graded: float = 1.0
    training: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(
            epochs=3, batch_rows=32, batch_tokens=16384, learning_rate=5e-5, validations=6, patience=3
        )
    )

    def __post_init__(self) -> None:
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 8, "8 or more")
        in_range("list_size", self.list_size, self.list_size >= 1, "1 or more")
        in_range("mined", self.mined, self.mined >= 0, "0 or more")
        in_range("mining_pool", self.mining_pool, self.mining_pool >= 1, "1 or more")
        in_range("sharpness", self.sharpness, self.sharpness > 0, "a number above 0")
        in_range("graded", self.graded, self.graded >= 0, "0 or more")


class MatchLesson:
    """Queries with some of the products that were judged for them."""

    def __init__(self, judged: Judged, lengths: NDArray[np.int64], config: MatchConfig) -> None:
        self.judged = judged
        self.config = config
        gains_N = judged.gains
        best_Q = np.zeros(len(judged.queries), np.float32)
        np.maximum.at(best_Q, judged.query_N, gains_N)
        self.gains_N = gains_N
        self.taught = np.flatnonzero(best_Q > IRRELEVANT)
        self.starts = np.searchsorted(judged.query_N, np.arange(len(judged.queries) + 1))
        n_products = len(judged.products)
        totals = np.bincount(judged.query_N, weights=lengths[judged.product_N], minlength=len(judged.queries))
        n_judged = np.diff(self.starts)
        n_shown = np.minimum(n_judged, config.list_size)
        shown = totals / np.maximum(n_judged, 1) * n_shown
        self.lengths_N = np.ceil(lengths[n_products:] + shown)[self.taught].astype(np.int64)

    @property
    def known(self) -> NDArray[np.int64]:
        """Sorted keys of the judged pairs."""
        keys: NDArray[np.int64] = self.judged.query_N * len(self.judged.products) + self.judged.product_N
        return keys

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return queries, their products and gains."""
        import torch

        queries = self.taught[rows_B]
        n_shown = self.config.list_size
        products = np.full((len(rows_B), n_shown), -1, np.int64)
        gains = np.zeros((len(rows_B), n_shown), np.float32)
        for at, query in enumerate(queries):
            own = self._some(int(query), rng)
            products[at, : len(own)] = self.judged.product_N[own]
            gains[at, : len(own)] = self.gains_N[own]
        arrays = {"query_rows": queries, "product_rows": products, "gains": gains}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _some(self, query: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return some of a query's pairs, a relevant one among them."""
        own = np.arange(self.starts[query], self.starts[query + 1])
        if len(own) <= self.config.list_size:
            return own
        relevant = own[self.gains_N[own] > IRRELEVANT]
        first = rng.choice(relevant)
        rest = rng.permutation(own[own != first])[: self.config.list_size - 1]
        return np.concatenate([[first], rest])

    def without_hard(self) -> NDArray[np.int64]:
        """Return the taught queries of which no product was judged irrelevant."""
        has_hard = np.zeros(len(self.judged.queries), np.bool_)
        has_hard[self.judged.query_N[self.gains_N <= IRRELEVANT]] = True
        return self.taught[~has_hard[self.taught]]

    def best_of(self, query: int) -> NDArray[np.int64]:
        """Return the most relevant products of a query."""
        own = np.arange(self.starts[query], self.starts[query + 1])
        best: NDArray[np.int64] = self.judged.product_N[own[self.gains_N[own] >= self.gains_N[own].max()]]
        return best


class Miner:
    """Which queries get mined negatives, and among which products they are looked for."""

    def __init__(self, lesson: MatchLesson, config: MatchConfig, *, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self.queries = lesson.without_hard() if config.mined else np.zeros(0, np.int64)
        self.pool = np.sort(rng.permutation(len(lesson.judged.products))[: config.mining_pool])
        self.best_of = [lesson.best_of(int(query)) for query in self.queries]

    def mine(self, network: MatchNetwork) -> None:
        """Look for the nearest products that do not match, as the encoder is now."""
        network.mine(self.queries, self.pool, self.best_of)
