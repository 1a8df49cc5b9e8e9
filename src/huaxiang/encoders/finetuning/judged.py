"""Judged pairs by number, and how well an encoder orders those that are held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.pairs import Pairs, numbered
from huaxiang.encoders.finetuning.relevance import Ranked, ranked
from huaxiang.errors import InputError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.bi_encoder import BiEncoder


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Pairs by the numbers of their queries and products, each pair once.

    Parameters
    ----------
    queries, products
        The different texts.
    query_N, product_N, relevance_N
        Of each pair; the mean relevance where a pair was judged more than once.
    """

    queries: tuple[str, ...]
    products: tuple[str, ...]
    query_N: NDArray[np.int64]
    product_N: NDArray[np.int64]
    relevance_N: NDArray[np.float64]
    file: str = ""

    @classmethod
    def of(cls, pairs: Pairs) -> Judged:
        """Return the pairs by number."""
        product_N = numbered([product.lower() for product in pairs.products])
        n_products = int(product_N.max(initial=-1)) + 1
        keys, which, counts = np.unique(
            pairs.query_numbers * n_products + product_N, return_inverse=True, return_counts=True
        )
        return cls(
            queries=_first_of_each(pairs.queries, pairs.query_numbers),
            products=_first_of_each(pairs.products, product_N),
            query_N=keys // max(n_products, 1),
            product_N=keys % max(n_products, 1),
            relevance_N=np.bincount(which, weights=pairs.relevance_N) / counts,
            file=pairs.file,
        )

    @property
    def query_texts(self) -> list[str]:
        """The query of each pair."""
        return [self.queries[number] for number in self.query_N]

    @property
    def product_texts(self) -> list[str]:
        """The product of each pair."""
        return [self.products[number] for number in self.product_N]

    @property
    def gains(self) -> NDArray[np.float32]:
        """Relevance as 2^relevance, from 0 for the least to 1 for the most; 1 where all are alike."""
        gains = 2.0**self.relevance_N
        spread = float(gains.max() - gains.min())
        found = (gains - gains.min()) / spread if spread else np.ones(len(gains))
        return np.asarray(found, np.float32)

    def check_relevant(self) -> None:
        """Raise `InputError` where nothing is relevant, so that there is nothing to learn."""
        if self.relevance_N.max() <= 0:
            remedy = "give a label column in which matches have more than 0"
            raise InputError("no product is relevant", file=self.file, value="0", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Texts:
    """All texts once, and where those of each part are: its products first, then its queries."""

    texts: list[str]
    rows: Mapping[str, NDArray[np.int64]]

    @classmethod
    def of(cls, tables: Mapping[str, Judged]) -> Texts:
        """Return the texts of the parts, those of the first at the start of the table."""
        texts = [text for table in tables.values() for text in (*table.products, *table.queries)]
        rows, start = {}, 0
        for name, table in tables.items():
            end = start + len(table.products) + len(table.queries)
            rows[name] = np.arange(start, end)
            start = end
        return cls(texts=texts, rows=rows)


def figures_of(judged: Judged, scores_N: NDArray[np.float64], *, seed: int = 0) -> dict[str, float]:
    """Return the figures of any scores of the pairs; none where no query has products that differ."""
    found = _ranked(judged, scores_N)
    return found.figures(seed=seed) if found.ndcg_Q.size else {}


def _ranked(judged: Judged, scores_N: NDArray[np.float64]) -> Ranked:
    """Return the figures of queries with enough judged products, or of all where none has enough."""
    numbers = (judged.query_N, judged.relevance_N, scores_N)
    found = ranked(*numbers)
    return found if found.ndcg_Q.size else ranked(*numbers, fewest=2)


class Asked:
    """Held-out pairs, and how well an encoder orders them."""

    def __init__(self, judged: Judged, rows: NDArray[np.int64]) -> None:
        self.judged = judged
        self.rows = rows
        self.is_ranked = bool(_ranked(judged, np.zeros(len(judged.query_N))).ndcg_Q.size)
        self.best = "share" if self.is_ranked else "recall@10"

    def scores(self, encoder: BiEncoder) -> NDArray[np.float64]:
        """Return the cosine of each pair, (N,)."""
        queries_QD, products_PD = self._vectors(encoder)
        pairs = (queries_QD[self.judged.query_N], products_PD[self.judged.product_N])
        return np.asarray((pairs[0] * pairs[1]).sum(1), np.float64)

    def quick(self, encoder: BiEncoder) -> dict[str, float]:
        """Return the figures without an interval."""
        if self.is_ranked:
            return _ranked(self.judged, self.scores(encoder)).quick()
        return self._found(encoder)

    def figures(self, encoder: BiEncoder, *, seed: int) -> dict[str, float]:
        """Return the figures, with an interval over queries where their products differ in relevance."""
        if self.is_ranked:
            return figures_of(self.judged, self.scores(encoder), seed=seed)
        return self._found(encoder)

    def _vectors(self, encoder: BiEncoder) -> tuple[Matrix, Matrix]:
        vectors = encoder.encode(self.rows)
        n_products = len(self.judged.products)
        return vectors[n_products:], vectors[:n_products]

    def _found(self, encoder: BiEncoder) -> dict[str, float]:
        """Return how often a match of the query is among the ten nearest of all held-out products."""
        queries_QD, products_PD = self._vectors(encoder)
        scores_QP = queries_QD @ products_PD.T
        own_N = scores_QP[self.judged.query_N, self.judged.product_N]
        place_N = (scores_QP[self.judged.query_N] > own_N[:, None]).sum(1)
        is_match = self.judged.relevance_N > 0
        found_Q = np.zeros(len(queries_QD), np.bool_)
        found_Q[self.judged.query_N[is_match & (place_N < 10)]] = True
        asked = np.unique(self.judged.query_N[is_match])
        return {"recall@10": float(found_Q[asked].mean()), "queries": float(len(asked))}


def _first_of_each(texts: tuple[str, ...], numbers: NDArray[np.int64]) -> tuple[str, ...]:
    _, first = np.unique(numbers, return_index=True)
    return tuple(texts[row] for row in first)
