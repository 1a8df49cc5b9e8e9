"""Which items have the words of a query, and how telling those words are: BM25 over the items' terms.

The index is made at once and never changed; items that changed since lie beside it with the same statistics,
until they are enough for a new one. So a changed item can be found at once, and nobody waits for an index.

Source
------
Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, with the idf of Lucene;
Lù, BM25S: Orders of magnitude faster lexical search via eager sparse scoring, 2024, whose library this uses.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import ArtefactError
from huaxiang.records import Vector

VERSION = 1
K1, B = 1.5, 0.75
"""How soon a repeated word adds no more, and how much a long text counts against an item."""
FEWEST_BESIDE, MOST_BESIDE = 1_000, 0.02
"""Changed items that lie beside the index before it is made anew: so many, or this share of it."""
_STATISTICS = "huaxiang.json"

Postings = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Item rows, and the weight of a term in each."""
_NOTHING: Postings = (np.zeros(0, np.int32), np.zeros(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class LexicalIndex:
    """The terms of items, ready to be scored.

    Parameters
    ----------
    base
        bm25s's index of the first `n_base` items.
    mean_length
        Mean number of terms of an item.
    beside
        Item row → term → its weight, for items that are not in the index as they are now.
    n_items
        How many there are, those beside included.

    Examples
    --------
    >>> index = LexicalIndex.of([["red", "dress"], ["blue", "dress"], ["mug"]])
    >>> index.scores(["red", "dress"]).astype(float).round(2).tolist()
    [0.37, 0.12, 0.0]
    >>> index.with_items({3: ["red", "mug"]}).scores(["red", "mug"]).astype(float).round(2).tolist()
    [0.18, 0.0, 0.24, 0.37]
    """

    base: Any = field(repr=False)
    n_base: int
    mean_length: float
    n_items: int
    beside: Mapping[int, Mapping[str, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> Self:
        """Return the index of items, each the list of its terms."""
        lengths = [len(terms) for terms in documents]
        base = _bm25s().BM25(k1=K1, b=B, method="lucene")
        if sum(lengths):
            base.index([list(terms) for terms in documents], show_progress=False, leave_progress=False)
        return cls(
            base=base if sum(lengths) else None,
            n_base=len(documents),
            mean_length=sum(lengths) / max(len(documents), 1),
            n_items=len(documents),
        )

    def with_items(self, documents: Mapping[int, Sequence[str]]) -> LexicalIndex:
        """Return the index with these items as they are now; new ones have the rows after the last."""
        weights = {row: self._weights(terms) for row, terms in documents.items()}
        n_items = max([self.n_items, *(row + 1 for row in documents)])
        return replace(self, beside={**self.beside, **weights}, n_items=n_items)

    @property
    def is_outgrown(self) -> bool:
        """Whether so much lies beside the index that it is worth a new one."""
        return len(self.beside) > max(FEWEST_BESIDE, MOST_BESIDE * self.n_base)

    def scores(self, terms: Sequence[str], weights: Sequence[float] | None = None) -> Vector:
        """Return how much of what the terms tell each item has, 0 to 1, (I,).

        1 would be every term repeated for ever: an item that has all of them once lies around a half.

        Parameters
        ----------
        weights
            How much each term counts; all alike where None.
        """
        weights = [1.0] * len(terms) if weights is None else weights
        most = sum(weight * self.idf(term) for term, weight in zip(terms, weights, strict=True))
        scores_I = np.zeros(self.n_items, dtype=np.float32)
        if not most:
            return scores_I
        for term, weight in zip(terms, weights, strict=True):
            rows, values = self.postings(term)
            scores_I[rows] += weight * values
        if self.beside:
            scores_I[self._rows_beside] = 0
            for term, weight in zip(terms, weights, strict=True):
                rows, values = self._beside_with.get(term, _NOTHING)
                scores_I[rows] += weight * values
        return scores_I / np.float32(most)

    def covered(self, terms: Sequence[str]) -> Vector:
        """Return how much of the terms each item has, 0 to 1, (I,): telling ones count more, each once.

        A term that no item has is left out of account.

        Examples
        --------
        >>> index = LexicalIndex.of([["red", "red", "dress"], ["blue", "dress"], ["mug"]])
        >>> index.covered(["red", "dress", "sequins"]).astype(float).round(2).tolist()
        [1.0, 0.32, 0.0]
        """
        idf_of = {term: self.idf(term) for term in terms if self.has(term)}
        covered_I = np.zeros(self.n_items, dtype=np.float32)
        for term, idf in idf_of.items():
            covered_I[self.postings(term)[0]] += idf
        if self.beside and idf_of:
            covered_I[self._rows_beside] = 0
            for term, idf in idf_of.items():
                covered_I[self._beside_with.get(term, _NOTHING)[0]] += idf
        return covered_I / np.float32(sum(idf_of.values()) or 1.0)

    def postings(self, term: str) -> Postings:
        """Return the items of the index that have a term, and its weight in each; not those beside."""
        number = self._numbers.get(term)
        if number is None:
            return _NOTHING
        first, last = self._starts[number], self._starts[number + 1]
        return self.base.scores["indices"][first:last], self.base.scores["data"][first:last]

    def has(self, term: str) -> bool:
        """Return whether any item has the term."""
        return term in self._numbers or term in self._beside_with

    def has_all(self, terms: Sequence[str], row: int) -> bool:
        """Return whether an item has each of the terms."""
        if row in self.beside:
            return all(term in self.beside[row] for term in terms)
        return all(_is_in(self.postings(term)[0], row) for term in terms)

    def n_with_all(self, terms: Sequence[str]) -> int:
        """Return how many items have every one of the terms."""
        wanted = list(dict.fromkeys(terms))
        if not wanted:
            return 0
        first, *others = sorted((self.postings(term)[0] for term in wanted), key=len)
        for rows in others:
            if not len(first):
                break
            first = np.intersect1d(first, rows, assume_unique=True)
        if self.beside:
            first = np.setdiff1d(first, list(self.beside), assume_unique=True)
        return len(first) + sum(all(term in known for term in wanted) for known in self.beside.values())

    def idf(self, term: str) -> float:
        """Return how telling a term is: much if few items have it."""
        number = self._numbers.get(term)
        n_with = 0 if number is None else int(self._starts[number + 1] - self._starts[number])
        return float(np.log(1 + (self.n_base - n_with + 0.5) / (n_with + 0.5)))

    def save(self, folder: Path) -> None:
        """Write the index as bm25s writes it, and what lies beside."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.base is not None:
            self.base.save(str(folder), show_progress=False)
        said = {
            "version": VERSION,
            "is_empty": self.base is None,
            "n_base": self.n_base,
            "n_items": self.n_items,
            "mean_length": self.mean_length,
            "beside": {str(row): dict(known) for row, known in self.beside.items()},
        }
        (folder / _STATISTICS).write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote.

        Raises
        ------
        ArtefactError
            It is missing, damaged, or of a newer version.
        """
        try:
            said = json.loads((folder / _STATISTICS).read_text(encoding="utf-8"))
            if said["version"] > VERSION:
                raise ArtefactError("made by a newer version", file=str(folder), remedy="update huaxiang")
            base = None if said["is_empty"] else _bm25s().BM25.load(str(folder), load_corpus=False)
            beside = {int(row): known for row, known in said["beside"].items()}
            return cls(
                base=base,
                n_base=said["n_base"],
                mean_length=said["mean_length"],
                n_items=said["n_items"],
                beside=beside,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError(
                "the index of words can't be read", file=str(folder), remedy="build the run again"
            ) from error

    def _weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return the weights of an item's terms as the index would have them by its own statistics."""
        length = K1 * (1 - B + B * len(terms) / max(self.mean_length, 1e-9))
        return {term: self.idf(term) * n / (n + length) for term, n in Counter(terms).items()}

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        known = {} if self.base is None else self.base.vocab_dict
        return {term: number for term, number in known.items() if term}

    @cached_property
    def _rows_beside(self) -> NDArray[np.int64]:
        return np.array(sorted(self.beside), dtype=np.int64)

    @cached_property
    def _beside_with(self) -> Mapping[str, Postings]:
        """Term → what lies beside that has it."""
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for row, known in self.beside.items():
            for term, weight in known.items():
                found[term].append((row, weight))
        return {
            term: (
                np.array([row for row, _ in pairs], np.int32),
                np.array([one for _, one in pairs], np.float32),
            )
            for term, pairs in found.items()
        }

    @cached_property
    def _starts(self) -> NDArray[np.integer]:
        return np.zeros(1, np.int64) if self.base is None else np.asarray(self.base.scores["indptr"])


def _is_in(rows: NDArray[np.int32], row: int) -> bool:
    at = int(np.searchsorted(rows, row))
    return at < len(rows) and int(rows[at]) == row


def _postings(pairs: Sequence[tuple[int, float]]) -> Postings:
    rows, weights = zip(*pairs, strict=True)
    return np.array(rows, np.int32), np.array(weights, np.float32)


def _bm25s() -> Any:
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it would say all that it does
    return bm25s
