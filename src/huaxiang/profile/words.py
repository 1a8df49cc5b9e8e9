"""Finds the catalogue's values in a text, by their own names and by the lexicon's synonyms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.lexicon import NOTHING, Lexicon

NOT_SPOKEN = frozenset({"price_band"})
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Found:
    """Values that one span of a text names, of the dimensions `kinds`; several where they share a name."""

    values: tuple[int, ...]
    kinds: frozenset[str]
    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """Names and synonyms of a catalogue's values.

    Parameters
    ----------
    by_name
        Lower-case name → values.
    by_mention
        (dimension, value) of the lexicon → values.
    kind_of, meaning_of
        Value → its dimension, and the value of the lexicon that is another name for it.
    """

    lexicon: Lexicon
    by_name: Mapping[str, tuple[int, ...]]
    by_mention: Mapping[tuple[str, str], tuple[int, ...]]
    kind_of: Mapping[int, str]
    meaning_of: Mapping[int, str]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, lexicon: Lexicon, row_of: Mapping[tuple[str, str], int]) -> Words:
        """Index a catalogue. `row_of` numbers (dimension, value), the lexicon's own words included."""
        by_name: dict[str, list[int]] = defaultdict(list)
        heads: dict[tuple[str, str], list[int]] = defaultdict(list)
        exact: dict[tuple[str, str], list[int]] = defaultdict(list)
        for dimension, value, names in _spoken(catalogue):
            row = row_of[dimension, value]
            for name in names:
                by_name[name].append(row)
                for mention in lexicon.find(name):
                    if mention.dimension == dimension and mention.end == len(name):
                        (heads if mention.start else exact)[dimension, mention.value].append(row)
        by_mention = {}
        for dimension in spoken_dimensions(lexicon):
            for value in lexicon.values(dimension):
                key = (dimension, value)
                rows = (
                    exact.get(key) or (heads.get(key) if dimension == "category" else None) or [row_of[key]]
                )
                by_mention[key] = tuple(dict.fromkeys(rows))
        lengths = tuple(sorted({len(name) for name in by_name}, reverse=True))
        named = {name: tuple(dict.fromkeys(rows)) for name, rows in by_name.items()}
        kind_of = {row: dimension for (dimension, _), row in row_of.items()}
        meaning_of = {row: value for (_, value), rows in exact.items() for row in rows}
        return cls(lexicon, named, by_mention, kind_of, meaning_of, lengths)

    def find(self, text: str) -> tuple[Found, ...]:
        """Return what the text names, in order, longest names first where they overlap."""
        lowered = lower(text)
        named = [*self._named(lowered), *self._mentioned(text)]
        taken = [False] * len(text)
        kept = []
        for found in sorted(named, key=lambda found: (found.start - found.end, found.start)):
            if not any(taken[found.start : found.end]):
                taken[found.start : found.end] = [True] * (found.end - found.start)
                kept.append(found)
        return tuple(sorted(kept, key=lambda found: found.start))

    def _named(self, text: str) -> Iterable[Found]:
        for start in range(len(text)):
            if not _is_edge(text, start):
                continue
            for length in self.lengths:
                end = start + length
                rows = self.by_name.get(text[start:end]) if end <= len(text) else None
                if rows and _is_edge(text, end):
                    yield self._found(rows, start, end)

    def _mentioned(self, text: str) -> Iterable[Found]:
        for mention in self.lexicon.find(text):
            rows = self.by_mention[mention.dimension, mention.value]
            yield self._found(rows, mention.start, mention.end)

    def _found(self, rows: tuple[int, ...], start: int, end: int) -> Found:
        return Found(rows, frozenset(self.kind_of[row] for row in rows), start, end)


def spoken_dimensions(lexicon: Lexicon) -> tuple[str, ...]:
    """Return the dimensions whose values the lexicon names."""
    return tuple(dimension for dimension in lexicon.names if dimension != NOTHING)


def lower(text: str) -> str:
    """Return the text in lower case and half width, character by character, so that spans stay true.

    Examples
    --------
    >>> lower("Ｎike ５００")
    'nike 500'
    """
    return text.lower() if text.isascii() else text.translate(_LOWERED)


class _Lowered(dict[int, str]):
    """Characters' numbers to lower case and half width, each worked out once."""

    def __missing__(self, number: int) -> str:
        self[number] = _lowered(chr(number))
        return self[number]


_LOWERED = _Lowered()


def _lowered(character: str) -> str:
    if "！" <= character <= "～":
        character = chr(ord(character) - 0xFEE0)
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def _is_edge(text: str, at: int) -> bool:
    """Whether a word may begin or end here: not between two letters or digits of the Latin script."""
    return at in (0, len(text)) or not (_is_latin(text[at - 1]) and _is_latin(text[at]))


def _is_latin(character: str) -> bool:
    return character.isalnum() and ord(character) < 0x250


def _spoken(catalogue: Catalogue) -> Iterable[tuple[str, str, set[str]]]:
    for dimension in catalogue.dimensions.values():
        if dimension.name in NOT_SPOKEN:
            continue
        for row, value in enumerate(dimension.values):
            labels = [dimension.label(row, language=language) for language in dimension.labels]
            names = {name for label in (value, *labels) for name in _forms(label)}
            yield dimension.name, value, names


def _forms(label: str) -> Iterable[str]:
    """Return the ways a name is said: whole, the last part of a path, in the singular and the plural."""
    for part in {label, label.rsplit(" > ", 1)[-1]}:
        name = lower(part).strip()
        if not 2 <= len(name) <= LONGEST_NAME or name.isdecimal():
            continue
        yield name
        if name.isascii() and name[-1].isalpha():
            yield name[:-1] if name.endswith("s") and not name.endswith("ss") else f"{name}s"
