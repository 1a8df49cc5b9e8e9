"""A query's misspelt words, mended by the words of the catalogue.

Source
------
Damerau, A technique for computer detection and correction of spelling errors, 1964 (distance by RapidFuzz).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from huaxiang.search.learnt.wording import stem

SHORTEST = 4
"""Letters from which a word is long enough to be misspelt."""
TWO_FROM = 6
"""Letters from which two mistakes are mended."""
FEWEST_TITLES, FEWEST_PARTS, FEWEST_JOINED = 3, 5, 20
"""Titles with a word before others are taken for it, with each part of a compound, with two words as one."""
PER_MISTAKE = 3.5
"""What a mistake counts against a word, in logs of how many titles have it."""


class Speller:
    """Words to what they were meant to be.

    Parameters
    ----------
    counts
        Word → titles that have it.

    Examples
    --------
    >>> speller = Speller({"lawn": 40, "sprinkler": 9, "dishwasher": 30, "air": 25, "conditioner": 22})
    >>> speller.mended(["lawn", "sprkinler", "airconditioner", "dish", "washr"])
    ['lawn', 'sprinkler', 'air', 'conditioner', 'dish', 'washr']
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts
        self._meant: dict[str, list[str]] = {}

    def mended(self, words: Sequence[str]) -> list[str]:
        """Return the words, those that no title has replaced by what is closest."""
        found: list[str] = []
        at = 0
        while at < len(words):
            pair = "".join(words[at : at + 2])
            if at + 1 < len(words) and self._is_one(pair, words[at : at + 2]):
                found.append(pair)
                at += 2
            else:
                found += self._of(words[at])
                at += 1
        return found

    def _of(self, word: str) -> list[str]:
        if word not in self._meant:
            if len(self._meant) > 100_000:
                self._meant.clear()
            self._meant[word] = self._look_up(word)
        return self._meant[word]

    def _is_one(self, joined: str, parts: Sequence[str]) -> bool:
        is_often = self.counts.get(joined, 0) >= FEWEST_JOINED and joined.isalpha()
        return is_often and not all(self._is_known(part) for part in parts)

    def _is_known(self, word: str) -> bool:
        return self.counts.get(word, 0) >= 2 or self._stems.get(stem(word), 0) >= FEWEST_TITLES

    def _look_up(self, word: str) -> list[str]:
        if len(word) < SHORTEST or self._is_known(word) or not word.isalpha():
            return [word]
        n_with, parts = self._parted(word)
        if n_with >= FEWEST_JOINED:
            return parts
        nearest = self._nearest(word)
        return [nearest] if nearest else parts

    def _parted(self, word: str) -> tuple[int, list[str]]:
        """Return the two words of which one was made, and how many titles have the rarer one."""
        best, parts = 0, [word]
        for cut in range(3, len(word) - 2):
            halves = [word[:cut], word[cut:]]
            rarer = min(self.counts.get(half, 0) for half in halves)
            if rarer >= FEWEST_PARTS and rarer > best:
                best, parts = rarer, halves
        return best, parts

    def _nearest(self, word: str) -> str | None:
        most = 1 if len(word) < TWO_FROM else 2
        distance = _osa().distance
        found = []
        for known in self._by_length[len(word)]:
            away = distance(word, known, score_cutoff=most)
            if away <= most:
                same_start = 1.5 * (known[0] == word[0]) + 0.3 * (known[-1] == word[-1])
                found.append((math.log(self.counts[known]) - PER_MISTAKE * away + same_start, known))
        return max(found)[1] if found else None

    @cached_property
    def _stems(self) -> Mapping[str, int]:
        found: Counter[str] = Counter()
        for word, n_titles in self.counts.items():
            found[stem(word)] += n_titles
        return found

    @cached_property
    def _by_length(self) -> Mapping[int, list[str]]:
        """Length of a misspelt word → words that it may have been."""
        found: defaultdict[int, list[str]] = defaultdict(list)
        for word, n_titles in self.counts.items():
            if n_titles >= FEWEST_TITLES and word.isalpha() and len(word) >= 3:
                for length in range(len(word) - 2, len(word) + 3):
                    found[length].append(word)
        return found


def _osa() -> Any:
    from rapidfuzz.distance import OSA

    return OSA
