"""What a query and its candidates have in common, in numbers: words, order, heads, measures, brands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix, Vector
from huaxiang.search.learnt.titles import NOTHING, Ids, Lexicon, Titles
from huaxiang.search.learnt.wording import COLOURS, STOP, UNITS, head_of, is_number, stem, words_of

K1, B = 1.2, 0.75
"""How soon a repeated word adds no more, and how much a long title counts against it."""
LONGEST_QUERY = 16
"""Words of a query that are read."""

Bools = NDArray[np.bool_]
Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """A query as it is compared with titles.

    Parameters
    ----------
    words
        Misspelt ones mended.
    stems, numbers_Q
        The stems of the different words, and their numbers; unknown ones have those after all known.
    written
        The stems as they were written.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    written: frozenset[str]
    numbers_Q: NDArray[np.int64]
    lexicon: Lexicon

    @classmethod
    def of(cls, query: str, lexicon: Lexicon) -> Self:
        """Return the query as the lexicon reads it."""
        written = words_of(query)[:LONGEST_QUERY]
        words = lexicon.speller.mended(written)[:LONGEST_QUERY] or [""]
        stems = tuple(dict.fromkeys(stem(word) for word in words))
        unknown = len(lexicon.stems)
        numbers = [lexicon.number_of.get(one, unknown) for one in stems]
        return cls(
            words=tuple(words),
            stems=stems,
            written=frozenset(stem(word) for word in written),
            numbers_Q=np.array(numbers, np.int64),
            lexicon=lexicon,
        )

    @property
    def text(self) -> str:
        """The query with its misspelt words mended."""
        return " ".join(self.words)

    @cached_property
    def rarity(self) -> Vector:
        """How telling each stem is."""
        return self.lexicon.rarity[self.numbers_Q]

    @cached_property
    def tells(self) -> Bools:
        """Which stems say what is meant; all where none does."""
        tells = np.array([one not in STOP for one in self.stems], np.bool_)
        return tells if tells.any() else ~tells

    @cached_property
    def are_numbers(self) -> Bools:
        """Which stems are numbers."""
        return np.array([is_number(one) for one in self.stems], np.bool_)

    @cached_property
    def are_units(self) -> Bools:
        """Which stems are units of measure."""
        return np.array([one in UNITS for one in self.stems], np.bool_)

    @cached_property
    def names(self) -> Bools:
        """Which stems are words that say what is meant, measures aside."""
        names = self.tells & ~self.are_numbers & ~self.are_units
        return names if names.any() else self.tells

    @cached_property
    def head(self) -> int:
        """The place of the head among the stems; the last one where there is none."""
        head = stem(head_of(self.words))
        return self.stems.index(head) if head in self.stems else len(self.stems) - 1


def word_columns(asked: Asked, titles: Titles, rows: NDArray[np.integer]) -> Columns:
    """Return what the words of a query and of some titles have in common: name → a value for each, (C,)."""
    common = Common.of(asked, titles, rows)
    return {
        **_cover(common),
        **_heads(common),
        **_order(common),
        **_measures(common),
        **_brands(common),
        **_likeness(common),
        **_lengths(common),
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Common:
    """Which stem of each title is which of the query's: same_CLQ, and what follows at once from it."""

    asked: Asked
    stems_CL: Ids
    length_C: Vector
    head_C: Ids
    same_CLQ: Bools
    has_CQ: Bools
    first_CQ: NDArray[np.int64]

    @classmethod
    def of(cls, asked: Asked, titles: Titles, rows: NDArray[np.integer]) -> Self:
        """Return it for some titles."""
        stems_CL = titles.stems_IL[rows]
        numbers = asked.numbers_Q.copy()
        unknown = len(asked.lexicon.stems)
        for place in np.flatnonzero(numbers == unknown):
            numbers[place] = titles.further.get(asked.stems[place], -2)
        same_CLQ = stems_CL[:, :, None] == numbers
        return cls(
            asked=asked,
            stems_CL=stems_CL,
            length_C=np.maximum(titles.lengths_I[rows], 1).astype(np.float32),
            head_C=titles.heads_I[rows],
            same_CLQ=same_CLQ,
            has_CQ=same_CLQ.any(1),
            first_CQ=same_CLQ.argmax(1),
        )

    @property
    def lexicon(self) -> Lexicon:
        """What the titles' stems are numbered by."""
        return self.asked.lexicon

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """Stems as rows of what is known of them; the last one where there is none, or none is known."""
        other = len(self.lexicon.stems)
        return np.where((self.stems_CL >= 0) & (self.stems_CL < other), self.stems_CL, other)

    @cached_property
    def known_heads(self) -> NDArray[np.int64]:
        """The heads in the same way."""
        other = len(self.lexicon.stems)
        return np.where((self.head_C >= 0) & (self.head_C < other), self.head_C, other)

    @cached_property
    def are_words(self) -> Bools:
        """Where titles have a word."""
        return np.asarray(self.stems_CL != NOTHING)

    @cached_property
    def likeness(self) -> Mapping[str, tuple[Matrix, Vector]]:
        """How alike each stem and the closest of the title are, (C, Q), and both heads, (C,)."""
        asked, lexicon, other = self.asked, self.lexicon, len(self.lexicon.stems)
        known, places = np.unique(
            np.concatenate([self.known, self.known_heads[:, None]], 1), return_inverse=True
        )
        places_CL = places.reshape(len(self.known), self.known.shape[1] + 1)
        is_known = known < other
        found = {}
        for name, alike_QK in (
            ("written", lexicon.written_alike(asked.stems, known[is_known])),
            ("meant", lexicon.meant_alike(asked.numbers_Q, known[is_known])),
        ):
            padded_KQ = np.zeros((len(known), len(asked.stems)), np.float32)
            padded_KQ[is_known] = alike_QK.T
            same = known[:, None] == np.where(asked.numbers_Q < other, asked.numbers_Q, -2)
            each_CLQ = np.where(same, 1, padded_KQ)[places_CL]
            found[name] = (each_CLQ[:, :-1].max(1), each_CLQ[:, -1, asked.head])
        return found


def _cover(common: Common) -> Columns:
    """How much of the query a title has."""
    asked, has_CQ = common.asked, common.has_CQ
    rarity_Q = asked.rarity
    n_CQ = common.same_CLQ.sum(1)
    held_back_C = K1 * (1 - B + B * common.length_C / common.lexicon.mean_length)
    gain_CQ = rarity_Q * n_CQ * (K1 + 1) / (n_CQ + held_back_C[:, None])
    tells, names = asked.tells, asked.names
    as_written = np.array([one in asked.written for one in asked.stems], np.bool_)
    total = max(float(rarity_Q[tells].sum()), 1e-6)
    missed_CQ = np.where(has_CQ, 0, rarity_Q)[:, tells]
    bm25_C = gain_CQ[:, tells].sum(1)
    return {
        "bm25": bm25_C,
        "bm25_as_written": gain_CQ[:, as_written].sum(1),
        "bm25_share": bm25_C / total,
        "words_had": has_CQ[:, tells].mean(1),
        "rarity_had": 1 - missed_CQ.sum(1) / total,
        "rarest_missed": missed_CQ.max(1),
        "words_missed": (~has_CQ[:, tells]).sum(1),
        "names_had": has_CQ[:, names].mean(1),
        "names_rarity_had": _share(np.where(has_CQ, rarity_Q, 0)[:, names].sum(1), rarity_Q[names].sum()),
        "query_rarity": np.full(len(has_CQ), total),
        "title_had": has_CQ[:, tells].sum(1) / common.length_C,
        "title_rarity_had": _share(
            np.where(has_CQ, rarity_Q, 0).sum(1),
            (common.lexicon.rarity[common.known] * common.are_words).sum(1),
        ),
    }


def _heads(common: Common) -> Columns:
    """Whether what is looked for is what the title names."""
    asked, lexicon, at = common.asked, common.lexicon, common.asked.head
    has_C = common.has_CQ[:, at]
    number = asked.numbers_Q[at]
    is_in_query_C = (common.head_C[:, None] == asked.numbers_Q).any(1)
    n_candidates = len(has_C)
    return {
        "has_query_head": has_C,
        "same_head": common.head_C == number,
        "title_head_asked": is_in_query_C,
        "query_head_place": np.where(has_C, common.first_CQ[:, at] / common.length_C, -1),
        "query_head_rarity": np.full(n_candidates, asked.rarity[at]),
        "title_head_rarity": lexicon.rarity[common.known_heads],
        "query_headness": np.full(n_candidates, lexicon.headness[number]),
        "title_headness": lexicon.headness[common.known_heads],
        "has_last_word": common.has_CQ[:, asked.tells][:, -1],
        "has_first_word": common.has_CQ[:, asked.tells][:, 0],
    }


def _order(common: Common) -> Columns:
    """Where in the title the query's words stand, and whether in the same order."""
    tells = common.asked.tells
    has, first = common.has_CQ[:, tells], common.first_CQ[:, tells]
    found_C = has.any(1)
    earliest = np.where(has, first, 10**6).min(1)
    latest = np.where(has, first, -1).max(1)
    length = common.length_C
    run_C, pairs_C = _runs(common.same_CLQ)
    n_words = common.same_CLQ.shape[2]
    return {
        "earliest": np.where(found_C, earliest / length, 1),
        "latest": np.where(found_C, latest / length, -1),
        "gaps": np.where(found_C, latest - earliest + 1 - has.sum(1), -1),
        "after_latest": np.where(found_C, length - 1 - latest, -1),
        "pairs_had": pairs_C / max(1, n_words - 1),
        "longest_run": run_C,
        "longest_run_share": run_C / n_words,
    }


def _runs(same_CLQ: Bools) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the most words in a row that a title shares with the query, and how many pairs of neighbours."""
    run_CL = same_CLQ[:, :, 0].astype(np.int64)
    longest, n_pairs = run_CL.max(1), np.zeros(len(same_CLQ), np.int64)
    for place in range(1, same_CLQ.shape[2]):
        before = np.zeros_like(run_CL)
        before[:, 1:] = run_CL[:, :-1]
        run_CL = np.where(same_CLQ[:, :, place], before + 1, 0)
        longest = np.maximum(longest, run_CL.max(1))
        n_pairs += (run_CL > 1).any(1)
    return longest, n_pairs


def _measures(common: Common) -> Columns:
    """Whether the title has the query's numbers, with the units that it gives them."""
    asked = common.asked
    numbers = asked.are_numbers
    next_is_unit = numbers[:-1] & asked.are_units[1:]
    here = common.same_CLQ[:, :-1, :-1][:, :, next_is_unit]
    after = common.same_CLQ[:, 1:, 1:][:, :, next_is_unit]
    with_unit = (here & after).any(1)
    title_number_CL = common.lexicon.are_numbers[common.known]
    other = (title_number_CL[:, :-1, None] & after).any(1) & ~with_unit
    n_candidates = len(common.has_CQ)
    coded = np.array(
        [any(letter.isdigit() for letter in one) and not is_number(one) for one in asked.stems], np.bool_
    )
    return {
        "query_numbers": np.full(n_candidates, numbers.sum()),
        "numbers_had": _mean_or(common.has_CQ[:, numbers]),
        "measures_had": _mean_or(np.asarray(with_unit)),
        "measures_against": other.sum(1),
        "title_numbers": title_number_CL.sum(1),
        "codes_had": _mean_or(common.has_CQ[:, coded]),
    }


def _brands(common: Common) -> Columns:
    """Whether the title is of the brand and the colour that the query names."""
    asked, lexicon = common.asked, common.lexicon
    named = lexicon.are_brands[asked.numbers_Q]
    colours = np.array([one in COLOURS for one in asked.stems], np.bool_)
    first_C = common.known[:, 0]
    is_branded = lexicon.are_brands[first_C]
    is_asked = common.same_CLQ[:, 0].any(1)
    return {
        "brands_had": _mean_or(common.has_CQ[:, named]),
        "brand_asked": np.where(is_branded, is_asked, -1),
        "other_brand": is_branded & ~is_asked & bool(named.any()),
        "brand_titles": np.append(lexicon.n_titles_W, 0)[first_C],
        "colours_had": _mean_or(common.has_CQ[:, colours]),
    }


def _likeness(common: Common) -> Columns:
    """How alike the words are written and meant, where they are not the same."""
    asked, names = common.asked, common.asked.names
    weights = asked.rarity[names] / max(float(asked.rarity[names].sum()), 1e-6)
    found: Columns = {}
    for name, (alike_CQ, head_C) in common.likeness.items():
        best_QC = np.where(common.has_CQ, 1, alike_CQ)[:, names].T
        found |= {
            f"{name}_mean": best_QC.mean(0),
            f"{name}_rarity": weights @ best_QC,
            f"{name}_least": best_QC.min(0),
            f"{name}_head": head_C,
        }
    return found


def _lengths(common: Common) -> Columns:
    asked, n_candidates = common.asked, len(common.has_CQ)
    said = {
        "query_words": len(asked.words),
        "query_letters": sum(map(len, asked.words)),
        "query_mended": sum(one not in asked.written for one in asked.stems),
    }
    return {
        **{name: np.full(n_candidates, value) for name, value in said.items()},
        "title_words": common.length_C,
    }


def _share(part: NDArray[np.floating], whole: NDArray[np.floating] | float) -> NDArray[np.floating]:
    return part / np.maximum(whole, 1e-6)


def _mean_or(has_CX: Bools, otherwise: float = -1.0) -> NDArray[np.floating]:
    """Return the mean of each row, or another number where there is nothing to have."""
    return has_CX.mean(1) if has_CX.shape[1] else np.full(len(has_CX), otherwise)
