"""What a catalogue's titles say: their words by number, how rare each is, and which words stand alike.

A `Lexicon` is learnt once from titles and kept; `Titles` are any titles read with it, later ones too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from huaxiang.records import Matrix, Vector
from huaxiang.search.learnt.spelling import Speller
from huaxiang.search.learnt.wording import head_of, is_number, stem, words_of

LONGEST = 40
"""Words of a title that are read."""
NOTHING = -1
"""Where a title has no more words."""
GRAM = 3
_RARE_WORD, _BRAND_TITLES, _BRAND_FIRST = 3, 5, 0.5

Ids = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lexicon:
    """The stems of a catalogue and what is known of each, (W,).

    Parameters
    ----------
    stems
        In the order of their numbers.
    n_titles_W, n_heads_W, n_first_W
        Titles that have a stem, of which it is the head, and that begin with it.
    senses_WD
        Vectors that are close where stems stand in the same titles as the same others; zeros for rare stems.
    words
        Word as it is written → titles that have it: what misspelt words are mended by.
    """

    stems: tuple[str, ...]
    n_titles_W: NDArray[np.int64]
    n_heads_W: NDArray[np.int64]
    n_first_W: NDArray[np.int64]
    senses_WD: Matrix
    words: dict[str, int]
    n_titles: int
    mean_length: float

    @classmethod
    def of(cls, titles: Sequence[str], *, dimensions: int = 100, seed: int = 0) -> Self:
        """Return what the titles of a catalogue say."""
        read = [words_of(title)[:LONGEST] for title in titles]
        stemmed = [[stem(word) for word in words] for words in read]
        n_with = Counter(one for words in stemmed for one in set(words))
        stems = tuple(sorted(n_with))
        heads = Counter(stem(head_of(words)) for words in read)
        firsts = Counter(words[0] for words in stemmed if words)
        counts = {
            name: np.array([counted.get(one, 0) for one in stems], np.int64)
            for name, counted in (("n_titles_W", n_with), ("n_heads_W", heads), ("n_first_W", firsts))
        }
        return cls(
            stems=stems,
            **counts,
            senses_WD=_senses(stemmed, stems, dimensions=dimensions, seed=seed),
            words=dict(Counter(word for words in read for word in set(words))),
            n_titles=len(titles),
            mean_length=max(1.0, float(np.mean([len(words) for words in read])) if read else 1.0),
        )

    @cached_property
    def number_of(self) -> dict[str, int]:
        """Stem → its number."""
        return {one: number for number, one in enumerate(self.stems)}

    @cached_property
    def rarity(self) -> Vector:
        """How telling each stem is, (W + 1,): much where few titles have it; the last is any other stem."""
        n_with = np.append(self.n_titles_W, 0)
        return np.log1p((self.n_titles - n_with + 0.5) / (n_with + 0.5)).astype(np.float32)

    @cached_property
    def are_brands(self) -> NDArray[np.bool_]:
        """Which stems begin titles far oftener than they stand elsewhere, (W + 1,)."""
        often = self.n_first_W >= _BRAND_TITLES
        found = often & (self.n_first_W > _BRAND_FIRST * self.n_titles_W)
        is_word = np.array([not is_number(one) for one in self.stems], np.bool_)
        return np.append(found & is_word, False)

    @cached_property
    def are_numbers(self) -> NDArray[np.bool_]:
        """Which stems are numbers, (W + 1,)."""
        return np.array([*map(is_number, self.stems), False], np.bool_)

    @cached_property
    def headness(self) -> Vector:
        """How often a stem is what a title names, of the titles that have it, (W + 1,)."""
        return np.append(self.n_heads_W / (self.n_titles_W + 1), 0).astype(np.float32)

    @cached_property
    def speller(self) -> Speller:
        """What mends queries."""
        return Speller(self.words)

    @cached_property
    def grams(self) -> tuple[dict[str, int], sparse.csr_matrix]:
        """Runs of letters by number, and which of them each stem has: rows of unit length, (W, G)."""
        number_of: dict[str, int] = {}
        rows, columns = [], []
        for row, one in enumerate(self.stems):
            for gram in grams_of(one):
                rows.append(row)
                columns.append(number_of.setdefault(gram, len(number_of)))
        shape = (len(self.stems), max(1, len(number_of)))
        has_WG = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        lengths = np.sqrt(np.asarray(has_WG.multiply(has_WG).sum(1)).ravel())
        return number_of, sparse.csr_matrix(sparse.diags(1 / np.maximum(lengths, 1e-9)) @ has_WG).astype("f4")

    def written_alike(self, stems: Sequence[str], known_K: NDArray[np.int64]) -> Matrix:
        """Return how much of their letters some stems and known ones, by number, share, (Q, K)."""
        number_of, has_WG = self.grams
        asked_GQ = np.zeros((has_WG.shape[1], len(stems)), np.float32)
        for column, one in enumerate(stems):
            grams = grams_of(one)
            shared = [number_of[gram] for gram in grams if gram in number_of]
            np.add.at(asked_GQ[:, column], shared, 1 / np.sqrt(len(grams)))
        return np.asarray((has_WG[known_K] @ asked_GQ).T, np.float32)

    def meant_alike(self, numbers_Q: NDArray[np.int64], known_K: NDArray[np.int64]) -> Matrix:
        """Return how alike a query's stems and known ones are used, (Q, K); 0 for stems that are unknown."""
        senses_QD = np.zeros((len(numbers_Q), self.senses_WD.shape[1]), np.float32)
        is_known = numbers_Q < len(self.stems)
        senses_QD[is_known] = self.senses_WD[numbers_Q[is_known]]
        return senses_QD @ self.senses_WD[known_K].T


@dataclass(frozen=True, kw_only=True, eq=False)
class Titles:
    """Titles by the numbers of their stems.

    Parameters
    ----------
    stems_IL
        `NOTHING` after the end. Stems that the lexicon does not know have numbers beyond its own.
    lengths_I, heads_I
        Number of stems, and the number of the head; `NOTHING` where there is none.
    further
        Stems that the lexicon does not know → their numbers.
    """

    stems_IL: Ids
    lengths_I: NDArray[np.int64]
    heads_I: Ids
    further: dict[str, int]

    @classmethod
    def of(cls, titles: Sequence[str], lexicon: Lexicon) -> Self:
        """Return the titles as the lexicon reads them."""
        known = lexicon.number_of
        further: dict[str, int] = {}
        stems_IL = np.full((len(titles), LONGEST), NOTHING, np.int32)
        heads_I = np.full(len(titles), NOTHING, np.int32)
        for row, title in enumerate(titles):
            words = words_of(title)[:LONGEST]
            for place, word in enumerate(words):
                one = stem(word)
                if one not in known:
                    further.setdefault(one, len(known) + len(further))
                stems_IL[row, place] = known.get(one, further.get(one, NOTHING))
            head = stem(head_of(words))
            heads_I[row] = known.get(head, further.get(head, NOTHING))
        lengths_I = (stems_IL != NOTHING).sum(1)
        width = max(1, int(lengths_I.max(initial=1)))
        return cls(stems_IL=stems_IL[:, :width], lengths_I=lengths_I, heads_I=heads_I, further=further)

    def __len__(self) -> int:
        return len(self.lengths_I)


def grams_of(word: str) -> list[str]:
    """Return the runs of three letters of a word, its ends among them.

    Examples
    --------
    >>> grams_of("door")
    ['^do', 'doo', 'oor', 'or$']
    """
    marked = f"^{word}$"
    return [marked[at : at + GRAM] for at in range(max(1, len(marked) - GRAM + 1))]


def _senses(
    stemmed: Sequence[Sequence[str]], stems: tuple[str, ...], *, dimensions: int, seed: int
) -> Matrix:
    """Return the directions in which positive pointwise mutual information within titles differs most.

    Source
    ------
    Levy, Goldberg and Dagan, Improving distributional similarity with lessons learned from word embeddings,
    TACL 2015.
    """
    has_IW = _which_has(stemmed, stems)
    n_with = np.asarray(has_IW.sum(0)).ravel()
    often = np.flatnonzero(n_with >= _RARE_WORD)
    senses_WD = np.zeros((len(stems), dimensions), np.float32)
    if len(often) <= dimensions + 1:
        return senses_WD
    from sklearn.decomposition import TruncatedSVD

    together = (has_IW[:, often].T @ has_IW[:, often]).tocoo()
    n_often = n_with[often]
    by_chance = n_often[together.row] * n_often[together.col] + 5 * np.sqrt(len(stemmed)) * len(stemmed)
    strength = np.log(together.data * len(stemmed) / by_chance)
    kept = (strength > 0) & (together.row != together.col)
    if not kept.any():
        return senses_WD
    shape = (len(often), len(often))
    strength_WW = sparse.csr_matrix((strength[kept], (together.row[kept], together.col[kept])), shape=shape)
    found = TruncatedSVD(dimensions, random_state=seed, n_iter=3).fit_transform(strength_WW)
    senses_WD[often] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return senses_WD


def _which_has(stemmed: Sequence[Sequence[str]], stems: tuple[str, ...]) -> sparse.csr_matrix:
    number_of = {one: number for number, one in enumerate(stems)}
    pairs = [(row, number_of[one]) for row, words in enumerate(stemmed) for one in set(words)]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    shape = (len(stemmed), len(stems))
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
