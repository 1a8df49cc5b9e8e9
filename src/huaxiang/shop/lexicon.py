"""The shop's everyday words, English and Chinese, found in texts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

NOTHING = "nothing"
"""The dimension of words that only hide shorter ones: 明白 is not 白."""

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_JOINTS = frozenset({"", "-"})


class Mention(NamedTuple):
    """A value that a text names, and where: `text[start:end]`."""

    dimension: str
    value: str
    start: int
    end: int


Meaning = tuple[str, str]
"""(dimension, value)."""

Names = Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
"""dimension → value → language → words, the first being how that language says it."""


@dataclass(frozen=True)
class Lexicon:
    """Which words name which value.

    Parameters
    ----------
    names
        dimension → value → language → words; the first word is the label.

    Examples
    --------
    >>> lexicon = load_lexicon()
    >>> [(said.dimension, said.value) for said in lexicon.find("Navy-blue running shoes, 纯棉")]
    [('colour', 'blue'), ('category', 'running shoes'), ('material', 'cotton')]
    >>> lexicon.label("category", "running shoes", language="zh")
    '跑步鞋'
    """

    names: Names = field(repr=False)

    def find(self, text: str) -> tuple[Mention, ...]:
        """Return what `text` names, in order: the longest words first, none inside another.

        English counts from word boundary to word boundary, in any case, singular or plural;
        Chinese wherever it stands.
        """
        lowered = _lower_in_place(text)
        found = [*_english(lowered, self._english), *_chinese(lowered, self._chinese)]
        return tuple(
            sorted((said for said in found if said.dimension != NOTHING), key=lambda said: said.start)
        )

    def label(self, dimension: str, value: str, *, language: str) -> str:
        """Return how `language` says the value; the value itself if unknown."""
        words = self.names.get(dimension, {}).get(value, {}).get(language, ())
        return words[0] if words else value

    def values(self, dimension: str) -> tuple[str, ...]:
        """Return the values known in a dimension, in the order of the lexicon."""
        return tuple(self.names.get(dimension, {}))

    def with_values(self, dimension: str, values: Iterable[str], *, language: str = "en") -> Lexicon:
        """Return a lexicon that also finds these names, e.g. a shop's own brands and categories.

        Examples
        --------
        >>> load_lexicon().with_values("brand", ["Nike"]).find("nike cap")[0].value
        'Nike'
        """
        own = {value: {language: (value,)} for value in values if value}
        merged = {**own, **self.names.get(dimension, {})}
        return Lexicon({**self.names, dimension: merged})

    @cached_property
    def _english(self) -> Phrases:
        return _phrases(self.names, chinese=False)

    @cached_property
    def _chinese(self) -> Phrases:
        return _phrases(self.names, chinese=True)


@dataclass(frozen=True)
class Phrases:
    """Phrases of one script, and how long (in words or characters) those with a given beginning may be."""

    meanings: Mapping[str, Meaning]
    longest: Mapping[str, int]


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """Return the lexicon that ships with the package."""
    file = files("huaxiang.shop").joinpath("lexicon.toml")
    tree = tomllib.loads(file.read_text(encoding="utf-8"))
    return Lexicon(
        {
            dimension: {
                value: {language: tuple(words) for language, words in by_language.items()}
                for value, by_language in values.items()
            }
            for dimension, values in tree.items()
        }
    )


def _phrases(names: Names, *, chinese: bool) -> Phrases:
    meanings: dict[str, Meaning] = {}
    longest: dict[str, int] = {}
    for meaning, word in _words(names):
        if bool(_CHINESE.search(word)) is not chinese:
            continue
        parts: list[str] = list(word.lower()) if chinese else _WORD.findall(word.lower())
        if parts:
            meanings.setdefault(("" if chinese else " ").join(parts), meaning)
            longest[parts[0]] = max(longest.get(parts[0], 0), len(parts))
    return Phrases(meanings, longest)


def _words(names: Names) -> Iterator[tuple[Meaning, str]]:
    for dimension, values in names.items():
        for value, by_language in values.items():
            for words in by_language.values():
                for word in words:
                    yield (dimension, value), word


def _english(lowered: str, phrases: Phrases) -> Iterator[Mention]:
    words = list(_WORD.finditer(lowered))
    at = 0
    while at < len(words):
        n_words, meaning = _longest_phrase(lowered, words, at, phrases)
        if meaning is not None:
            yield Mention(*meaning, words[at].start(), words[at + n_words - 1].end())
        at += n_words


def _longest_phrase(
    lowered: str, words: list[re.Match[str]], at: int, phrases: Phrases
) -> tuple[int, Meaning | None]:
    first = words[at].group()
    most = max(phrases.longest.get(form, 0) for form in _singulars(first))
    for n_words in range(min(most, len(words) - at), 0, -1):
        run = words[at : at + n_words]
        if any(lowered[left.end() : right.start()].strip() not in _JOINTS for left, right in pairwise(run)):
            continue
        before = " ".join(word.group() for word in run[:-1])
        for last in _singulars(run[-1].group()):
            meaning = phrases.meanings.get(f"{before} {last}".lstrip())
            if meaning is not None:
                return n_words, meaning
    return 1, None


def _singulars(word: str) -> tuple[str, ...]:
    """Return the word as written and, for what may be a plural or a possessive, without its ending."""
    forms = [word]
    if word.endswith("'s"):
        forms.append(word[:-2])
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
        if word.endswith("es"):
            forms.append(word[:-2])
    return tuple(forms)


def _chinese(lowered: str, phrases: Phrases) -> Iterator[Mention]:
    if not _CHINESE.search(lowered):  # there is a Chinese character in each of the phrases
        return
    at = 0
    while at < len(lowered):
        most = phrases.longest.get(lowered[at], 0)
        for n_characters in range(min(most, len(lowered) - at), 0, -1):
            meaning = phrases.meanings.get(lowered[at : at + n_characters])
            if meaning is not None:
                yield Mention(*meaning, at, at + n_characters)
                at += n_characters - 1
                break
        at += 1


def _lower_in_place(text: str) -> str:
    """Return the text in lower case, of the same length: some letters grow when lowered."""
    lowered = text.lower()
    return (
        lowered
        if len(lowered) == len(text)
        else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    )
