"""What a candidate is among all that a catalogue has for a query: how near in meaning, and how usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from huaxiang.records import Matrix, Vector
from huaxiang.search.learnt.features import K1, Asked, B, Columns
from huaxiang.search.learnt.titles import NOTHING, Lexicon, Titles

N_FOUND, N_FIRST = 100, 20
"""What is found first and looked at; and the part of it that says what is meant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Offered:
    """A catalogue that is searched.

    Parameters
    ----------
    vectors_ID
        Of the titles, rows of unit length, in the space of the queries' vectors.
    """

    titles: Titles
    vectors_ID: Matrix
    lexicon: Lexicon

    @classmethod
    def of(cls, titles: Sequence[str], vectors_ID: Matrix, lexicon: Lexicon) -> Self:
        """Return the catalogue of these titles."""
        return cls(titles=Titles.of(titles, lexicon), vectors_ID=vectors_ID, lexicon=lexicon)

    def bm25(self, asked: Asked) -> Vector:
        """Return how well the words of each title answer a query, (I,)."""
        known = asked.numbers_Q[(asked.numbers_Q < len(self.lexicon.stems)) & asked.tells]
        return np.asarray(self._weights_WI[known].sum(0), np.float32).ravel()

    def cosines(self, query_D: Vector) -> Vector:
        """Return how near each title is in meaning, (I,)."""
        return np.asarray(self.vectors_ID @ query_D, np.float32)

    def find(self, asked: Asked, query_D: Vector, *, n: int = N_FOUND) -> NDArray[np.int64]:
        """Return the first `n` by words and meaning together, each over its best, best first."""
        bm25_I, cosine_I = self.bm25(asked), self.cosines(query_D)
        both_I = bm25_I / max(float(bm25_I.max(initial=0)), 1e-6)
        both_I += cosine_I / max(float(cosine_I.max(initial=0)), 1e-6)
        return first_of(both_I, n)

    @cached_property
    def _weights_WI(self) -> sparse.csr_matrix:  # noqa: N802 - an array's shape
        stems_IL = self.titles.stems_IL
        rows, _ = (known := (stems_IL >= 0) & (stems_IL < len(self.lexicon.stems))).nonzero()
        shape = (len(self.lexicon.stems), len(self.titles))
        counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (stems_IL[known], rows)), shape=shape)
        counts.sum_duplicates()
        words, items = counts.nonzero()
        held_back = K1 * (1 - B + B * self.titles.lengths_I[items] / self.lexicon.mean_length)
        counts.data = self.lexicon.rarity[words] * counts.data * (K1 + 1) / (counts.data + held_back)
        return counts.astype(np.float32)


def first_of(scores_I: Vector, n: int) -> NDArray[np.int64]:
    """Return the rows of the `n` highest scores, best first.

    Examples
    --------
    >>> first_of(np.array([0.1, 0.9, 0.5]), 2).tolist()
    [1, 2]
    """
    n = min(n, len(scores_I))
    rows = np.argpartition(-scores_I, n - 1)[:n] if n else np.zeros(0, np.int64)
    return rows[np.argsort(-scores_I[rows], kind="stable")]


def surrounding_columns(
    offered: Offered, query_D: Vector, rows: NDArray[np.integer], found: NDArray[np.integer]
) -> Columns:
    """Return how candidates lie to a query and to what was found for it: name → a value for each, (C,).

    Parameters
    ----------
    found
        Rows that a search finds first, best first; not only candidates.
    """
    vectors_CD = np.asarray(offered.vectors_ID[rows], np.float32)
    found_FD = np.asarray(offered.vectors_ID[found[:N_FIRST]], np.float32)
    middle_D = found_FD.mean(0) if len(found_FD) else query_D
    middle_D = middle_D / max(float(np.linalg.norm(middle_D)), 1e-9)
    cosine_C = vectors_CD @ query_D
    usual = float(np.sort(found_FD @ query_D)[::-1][:10].mean()) if len(found_FD) else 0.0
    place_of = {int(row): place for place, row in enumerate(found.tolist())}
    place_C = np.array([place_of.get(int(row), len(found)) for row in rows], np.float32)
    heads_I, firsts_I = offered.titles.heads_I, offered.titles.stems_IL[:, 0]
    return {
        "cosine": cosine_C,
        "cosine_to_found": vectors_CD @ middle_D,
        "cosine_over_usual": cosine_C - usual,
        "place_found": np.log1p(place_C),
        "head_usual": _usual(heads_I, rows, found),
        "head_usual_first": _usual(heads_I, rows, found[:N_FIRST]),
        "start_usual": _usual(firsts_I, rows, found),
    }


def _usual(
    what_I: NDArray[np.int32], rows: NDArray[np.integer], found: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Return the share of what was found that is the same as each candidate in one regard."""
    here_C, there_F = what_I[rows], what_I[found]
    if not len(there_F):
        return np.zeros(len(here_C))
    same_CF = np.asarray(here_C[:, None] == there_F)
    return np.asarray(same_CF.mean(1) * (here_C != NOTHING))
