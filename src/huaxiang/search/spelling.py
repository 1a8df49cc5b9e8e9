"""The catalogue's own words, and which of them a misspelt word was meant to be.

Source
------
Damerau, A technique for computer detection and correction of spelling errors, 1964 (distance by RapidFuzz).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

from huaxiang.profile.words import lower
from huaxiang.search.tokens import tokens

SHORTEST = 4
"""Letters from which a word is long enough to be misspelt rather than another word."""
ONE_UP_TO = 7
"""Letters up to which one mistake is corrected; two in longer words."""
_MOST_TRIED = 5
MOST_FOUND = 10_000


class Correction(NamedTuple):
    """A word of the query, `text[start:end]`, and what was taken for it."""

    start: int
    end: int
    written: str
    meant: str


IsWord = Callable[[str], bool]
"""Whether a word is one of its language, though the catalogue has it not: a sofa is no misspelt soda."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words as the catalogue writes them, in lower case, and how many titles have each.

    Examples
    --------
    >>> words = Vocabulary.of(["Running Shoes", "Trail running socks", "Raincoat"])
    >>> [one.meant for one in words.corrections("runing shoos", is_word=lambda word: False)]
    ['running', 'shoes']
    >>> words.nearest("trailrunning")
    'trail running'
    """

    counts: Mapping[str, int]
    added: Mapping[str, int] = field(default_factory=dict)
    _found: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was looked up before, at most `MOST_FOUND`: the same mistakes are made again and again."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Return the words of titles and of values' names."""
        return cls(counts=_counted(texts))

    def with_texts(self, texts: Iterable[str]) -> Vocabulary:
        """Return it with the words of further texts."""
        added = Counter(self.added)
        added.update(_counted(texts))
        return replace(self, added=dict(added))

    def count(self, word: str) -> int:
        """Return how many texts have a word."""
        return self.counts.get(word, 0) + self.added.get(word, 0)

    def corrections(self, text: str, *, is_word: IsWord) -> list[Correction]:
        """Return the words of a query that were taken for others: those that nobody writes so."""
        found = []
        for start, end, word in _words(text):
            if self.count(word) or is_word(word):
                continue
            meant = self.nearest(word)
            if meant is not None:
                found.append(Correction(start, end, text[start:end], meant))
        return found

    def nearest(self, word: str) -> str | None:
        """Return the word of the catalogue that a word was probably meant to be, None if none is near.

        Nearer is better; of words as near, the one with the same beginning, then the most frequent. A word
        that is two of the catalogue's run together is taken apart.
        """
        if len(word) < SHORTEST or not word.isalpha():
            return None
        if word not in self._found:
            if len(self._found) >= MOST_FOUND:
                self._found.clear()
            self._found[word] = self._looked_up(word)
        return self._found[word]

    def _looked_up(self, word: str) -> str | None:
        most = 1 if len(word) <= ONE_UP_TO else 2
        near = self._near(word, most)
        if near:
            ranked = sorted(near, key=lambda one: (one[1], one[0][0] != word[0], -self.count(one[0]), one[0]))
            return ranked[0][0]
        return self._apart(word)

    def _near(self, word: str, most: int) -> list[tuple[str, float]]:
        from rapidfuzz.distance import DamerauLevenshtein
        from rapidfuzz.process import extract

        near: list[tuple[str, float]] = []
        for length in range(len(word) - most, len(word) + most + 1):
            known = [*self._by_length.get(length, ()), *(one for one in self.added if len(one) == length)]
            found: list[Any] = extract(
                word,
                known,
                scorer=DamerauLevenshtein.distance,
                score_cutoff=most,
                limit=_MOST_TRIED,
                processor=None,
            )
            near += [(one, distance) for one, distance, _ in found]
        return near

    def _apart(self, word: str) -> str | None:
        halves = [(word[:at], word[at:]) for at in range(3, len(word) - 2)]
        known = [pair for pair in halves if all(self.count(half) for half in pair)]
        if not known:
            return None
        return " ".join(max(known, key=lambda pair: min(self.count(half) for half in pair)))

    @cached_property
    def _by_length(self) -> Mapping[int, list[str]]:
        by_length: dict[int, list[str]] = defaultdict(list)
        for word in self.counts:
            if word.isalpha():
                by_length[len(word)].append(word)
        return by_length


def corrected(text: str, corrections: Iterable[Correction]) -> str:
    """Return the text with its corrections.

    Examples
    --------
    >>> corrected("red shoos", [Correction(4, 9, "shoos", "shoes")])
    'red shoes'
    """
    parts, at = [], 0
    for one in corrections:
        parts += [text[at : one.start], one.meant]
        at = one.end
    return "".join([*parts, text[at:]])


def _counted(texts: Iterable[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({word for _, _, word in _words(text)})
    return dict(counts)


def _words(text: str) -> list[tuple[int, int, str]]:
    """Return the words in letters that are corrected at all: not Chinese, which has no misspelt letters."""
    lowered = lower(text)
    found = []
    for token in tokens(text):
        word = lowered[token.start : token.end]
        if word[:1] < "\u3400" and not word.isdecimal():
            found.append((token.start, token.end, word))
    return found
