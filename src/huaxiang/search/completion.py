"""How the catalogue's own phrases finish what is being typed: kinds of things, brands, words of titles.

What other shoppers typed is not used: it is theirs, and it would have to be forgotten with them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.words import lower
from huaxiang.search.documents import UNSPOKEN
from huaxiang.search.tokens import tokens
from huaxiang.shop.catalogue import Catalogue

LONGEST_PHRASE = 3
"""Words of a title that are offered together."""
MOST_PHRASES = 100_000
FEWEST_TITLES = 2
"""Titles that must have a phrase: what only one has is its title."""


class Completion(NamedTuple):
    """What a query may become; `kind` is a dimension, or "phrase" for words of titles."""

    text: str
    kind: str
    n_items: int


@dataclass(frozen=True, kw_only=True)
class Completions:
    """Phrases in lower case, sorted, with what each is and how many items have it.

    Examples
    --------
    >>> known = Completions.of({"category": {"running shoes": 8, "rug": 2}}, ["Trail running shoes"] * 2)
    >>> [one.text for one in known.complete("ru", k=3)]
    ['running shoes', 'rug', 'running']
    >>> [one.text for one in known.complete("blue ru", k=1)]
    ['blue running shoes']
    """

    phrases: Sequence[str] = field(repr=False)
    kinds: Sequence[str] = field(repr=False)
    counts: Sequence[int] = field(repr=False)

    @classmethod
    def of(cls, values: Mapping[str, Mapping[str, int]], titles: Iterable[str]) -> Self:
        """Return the completions of titles and of values' names: dimension → name → how many items."""
        found: dict[str, tuple[str, int]] = {}
        for phrase, n_titles in _phrases(titles):
            found[phrase] = ("phrase", n_titles)
        for dimension, names in values.items():
            for name, n_items in names.items():
                found[lower(name)] = (dimension, n_items)
        phrases = sorted(found)
        return cls(
            phrases=phrases,
            kinds=[found[phrase][0] for phrase in phrases],
            counts=[found[phrase][1] for phrase in phrases],
        )

    def complete(self, typed: str, *, k: int) -> list[Completion]:
        """Return at most `k` ways to finish, the likeliest first: kinds of things, then what many items have.

        Where nothing begins like the whole, its last words are finished.
        """
        typed = lower(typed).lstrip()
        words = typed.split(" ")
        found: dict[str, Completion] = {}
        for at in range(len(words)):
            before, rest = " ".join(words[:at]), " ".join(words[at:])
            for one in self._beginning(rest, k=k) if rest else ():
                text = f"{before} {one.text}".lstrip()
                if text != typed.rstrip():
                    found.setdefault(text, one._replace(text=text))
            if len(found) >= k:
                break
        return list(found.values())[:k]

    def _beginning(self, start: str, *, k: int) -> list[Completion]:
        first = bisect_left(self.phrases, start)
        last = bisect_left(self.phrases, start + "\U0010ffff")
        places = self._places[first:last]
        best = np.arange(len(places)) if len(places) <= k else np.argpartition(places, k)[:k]
        best = first + best[np.argsort(places[best])]
        return [Completion(self.phrases[at], self.kinds[at], self.counts[at]) for at in best.tolist()]

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """Each phrase's place in the order in which they are offered: kinds of things, then the commonest."""
        orders = np.array([_ORDER.get(kind, 1) for kind in self.kinds], dtype=np.int64)
        order = np.lexsort((-np.asarray(self.counts, dtype=np.int64), orders))
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        return places

    @cached_property
    def n_phrases(self) -> int:
        """How many there are."""
        return len(self.phrases)


_ORDER = {"category": 0, "brand": 0, "phrase": 1}


def value_counts(catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """Return dimension → name of a value, in any language → how many items have it."""
    found: dict[str, dict[str, int]] = {}
    for dimension in catalogue.dimensions.values():
        if dimension.name in UNSPOKEN:
            continue
        counts = Counter(dimension.value_rows.tolist())
        names: dict[str, int] = {}
        for row in range(len(dimension.values)):
            for label in {dimension.values[row], *(said[row] for said in dimension.labels.values())}:
                names[label.rsplit(" > ", 1)[-1]] = counts.get(row, 0)
        found[dimension.name] = names
    return found


def _phrases(titles: Iterable[str]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for title in titles:
        lowered = lower(title)
        found = [token for token in tokens(title) if token.end - token.start > 1]
        seen = set()
        for at in range(len(found)):
            for last in range(at, min(at + LONGEST_PHRASE, len(found))):
                words = lowered[found[at].start : found[last].end]
                if any(mark in words for mark in ',;|/()[]–—“”"·'):
                    break
                seen.add(" ".join(words.split()))
        counts.update(seen)
    kept = [(phrase, n) for phrase, n in counts.items() if n >= FEWEST_TITLES and not phrase.isdecimal()]
    return sorted(kept, key=lambda one: (-one[1], one[0]))[:MOST_PHRASES]
