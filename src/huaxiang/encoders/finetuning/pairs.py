"""Judged pairs of a file: a query, a product, and how well the product answers it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.tables import FEWEST, drawn
from huaxiang.errors import InputError
from huaxiang.shop.clean import clean_text, has_words
from huaxiang.shop.quality.given import read_own_table
from huaxiang.shop.tables import LINE, UNREADABLE

MOST_RELEVANT = 10.0
"""Relevance counts as 2^relevance − 1: beyond this, one product would outweigh all others."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Queries, products and relevance, (N,) each.

    Parameters
    ----------
    queries, products
        Cleaned; the same text is the same query or product, however its letters are capitalised.
    relevance_N
        0 to 10; higher is better.
    lines
        Line of the file, from 1 with the header.
    n_left_out
        Rows without a readable query, product or label.
    """

    file: str
    queries: tuple[str, ...]
    products: tuple[str, ...]
    relevance_N: NDArray[np.float64]
    lines: NDArray[np.int64]
    n_left_out: int = 0

    def __len__(self) -> int:
        return len(self.queries)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> Pairs:
        """Return some rows."""
        chosen = [int(row) for row in rows]
        return Pairs(
            file=self.file,
            queries=tuple(self.queries[row] for row in chosen),
            products=tuple(self.products[row] for row in chosen),
            relevance_N=self.relevance_N[chosen],
            lines=self.lines[chosen],
        )

    @cached_property
    def query_numbers(self) -> NDArray[np.int64]:
        """Number of each row's query, from 0 in order of first appearance."""
        return numbered([query.lower() for query in self.queries])

    @property
    def fingerprint(self) -> str:
        """A hash of what is learnt from."""
        total = hashlib.blake2b(digest_size=8)
        for query, product, value in zip(self.queries, self.products, self.relevance_N, strict=True):
            total.update("\0".join((query, product, repr(float(value)))).encode() + b"\1")
        return total.hexdigest()


def read_pairs(path: Path, *, query: str, product: str, label: str) -> Pairs:
    """Return the judged pairs of a file; rows without a query, a product or a label are left out.

    Raises
    ------
    InputError
        A column is missing, a label is no number from 0 to 10, or too few rows are left.
    """
    table = read_own_table(path, option="--train, --valid, --test")
    for column in (query, product, label):
        if column not in table.columns:
            remedy = f"choose of {', '.join(table.columns)}"
            raise InputError("no such column", file=path.name, column=column, remedy=remedy)
    frame = table.frame.filter(pl.col(UNREADABLE).is_null())
    queries, products = ([clean_text(cell) for cell in frame[name]] for name in (query, product))
    labels = [(cell or "").strip() for cell in frame[label]]
    is_kept = [
        has_words(q) and has_words(p) and bool(v) for q, p, v in zip(queries, products, labels, strict=True)
    ]
    kept = [row for row, is_whole in enumerate(is_kept) if is_whole]
    if len(kept) < FEWEST:
        remedy = f"at least {FEWEST} rows with a query, a product and a label are needed"
        raise InputError("too few rows", file=path.name, column=label, value=str(len(kept)), remedy=remedy)
    lines = frame[LINE].to_numpy().astype(np.int64)[kept]
    found = Pairs(
        file=path.name,
        queries=tuple(queries[row] for row in kept),
        products=tuple(products[row] for row in kept),
        relevance_N=_relevance([labels[row] for row in kept], lines, file=path.name, column=label),
        lines=lines,
    )
    return replace(found, n_left_out=len(table.frame) - len(kept))


def split_pairs(pairs: Pairs, *, share: float, salt: str) -> tuple[Pairs, Pairs]:
    """Return the pairs to keep and those of about `share` of the queries; no query is on both sides.

    Examples
    --------
    >>> queries = tuple(f"query {n // 2}" for n in range(40))
    >>> said = {"queries": queries, "products": queries}
    >>> pairs = Pairs(file="f", **said, relevance_N=np.ones(40), lines=np.arange(40))
    >>> left, held_out = split_pairs(pairs, share=0.3, salt="test")
    >>> len(left) + len(held_out), set(left.queries) & set(held_out.queries)
    (40, set())
    """
    is_held = np.array([drawn(query.lower(), salt) < share for query in pairs.queries], np.bool_)
    return pairs.take(np.flatnonzero(~is_held)), pairs.take(np.flatnonzero(is_held))


def without_queries(pairs: Pairs, others: Sequence[Pairs]) -> Pairs:
    """Return the pairs whose query is in none of the others."""
    asked = {query.lower() for other in others for query in other.queries}
    kept = [row for row, query in enumerate(pairs.queries) if query.lower() not in asked]
    return replace(pairs.take(kept), n_left_out=pairs.n_left_out + len(pairs) - len(kept))


def numbered(words: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each word, from 0 in order of first appearance.

    Examples
    --------
    >>> numbered(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    known: dict[str, int] = {}
    return np.array([known.setdefault(word, len(known)) for word in words], np.int64)


def _relevance(
    labels: Sequence[str], lines: NDArray[np.int64], *, file: str, column: str
) -> NDArray[np.float64]:
    values = np.empty(len(labels), np.float64)
    for row, label in enumerate(labels):
        try:
            values[row] = float(label)
        except ValueError:
            values[row] = np.nan
        if not 0 <= values[row] <= MOST_RELEVANT:  # false for what is no number, too
            raise InputError(
                "relevance is not a number from 0 to 10",
                file=file,
                line=int(lines[row]),
                column=column,
                value=label,
                remedy="grade it, say from 0 (no answer) to 3 (perfect), or leave it empty",
            )
    return values
