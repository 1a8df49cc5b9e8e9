"""Texts → the terms that are searched: stems in English, jieba's words in Chinese, numbers with their units.

Source
------
Porter, Snowball: a language for stemming algorithms, 2001 (by PyStemmer); jieba's cut for search engines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from huaxiang.profile.words import lower

_RUN = re.compile(
    r"(?P<chinese>[\u3400-\u9fff]+)"
    r"|(?P<number>\d+(?:[.,/]\d+)*)(?P<mark>[\"″”]|['′’](?![a-z]))?"
    r"|(?P<word>[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_\u3400-\u9fff]+)*)"
)
_UNITS: Mapping[str, str] = {
    form: f"{unit}."  # so that 12 in is no word of English
    for unit, forms in {
        "in": ("in", "inch", "inches", "英寸"),
        "ft": ("ft", "foot", "feet", "英尺"),
        "yd": ("yd", "yard", "yards"),
        "mm": ("mm", "millimeter", "millimeters", "millimetre", "millimetres", "毫米"),
        "cm": ("cm", "centimeter", "centimeters", "centimetre", "centimetres", "厘米", "公分"),
        "m": ("m", "meter", "meters", "metre", "metres"),
        "g": ("g", "gram", "grams", "gramme", "克"),
        "kg": ("kg", "kilo", "kilos", "kilogram", "kilograms", "公斤", "千克"),
        "lb": ("lb", "lbs", "pound", "pounds", "磅"),
        "oz": ("oz", "ounce", "ounces", "盎司"),
        "ml": ("ml", "milliliter", "milliliters", "millilitre", "millilitres", "毫升"),
        "l": ("l", "liter", "liters", "litre", "litres"),
        "gal": ("gal", "gallon", "gallons", "加仑"),
        "sqft": ("sqft",),
        "v": ("v", "volt", "volts", "伏"),
        "w": ("w", "watt", "watts", "瓦"),
    }.items()
    for form in forms
}
_LONGEST_TERM = 64
_STOP = frozenset(
    "a an and are as at by for from in is it of on or that the this to with 的 了 和 与 及 在".split()
)


class Token(NamedTuple):
    """A word of a text as it stands there, `text[start:end]`, and the term it is searched by."""

    term: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text with their terms, in order; Chinese words may lie inside longer ones.

    Examples
    --------
    >>> [token.term for token in tokens('Running Shoes, 12" x 3 feet')]
    ['run', 'shoe', '12', 'in.', 'x', '3', 'ft.']
    >>> [token.term for token in tokens("红色连衣裙 500毫升")]
    ['红色', '连衣裙', '连衣', '衣裙', '500', 'ml.']
    """
    lowered = lower(text)
    after_number = False
    for run in _RUN.finditer(lowered):
        if run["chinese"]:
            yield from _chinese(run["chinese"], run.start())
            after_number = False
        elif run["number"]:
            yield Token(run["number"].replace(",", "."), run.start("number"), run.end("number"))
            if run["mark"]:
                yield Token("in." if run["mark"] in '"″”' else "ft.", run.start("mark"), run.end("mark"))
            after_number = not run["mark"]
        else:
            word = run["word"]
            unit = _UNITS.get(word) if after_number else None
            yield Token(unit or term_of(word), run.start(), run.end())
            after_number = False


def terms(text: str) -> list[str]:
    """Return the terms of a text, without words that are in nearly every text.

    Examples
    --------
    >>> terms("The shoes of my dreams"), terms("It is on")
    (['shoe', 'my', 'dream'], ['it', 'is', 'on'])
    """
    found = list(tokens(text))
    lowered = lower(text)
    kept = [
        token.term
        for token in found
        if token.term.endswith(".") or lowered[token.start : token.end] not in _STOP
    ]
    return kept or [token.term for token in found]


@lru_cache(maxsize=262_144)
def term_of(word: str) -> str:
    """Return the term of one lower-case word: without accents, and its stem where it is English.

    Examples
    --------
    >>> term_of("dresses"), term_of("crème"), term_of("levi's")
    ('dress', 'creme', 'levi')
    """
    plain = word.replace("’", "'")
    if not plain.isascii():
        parts = unicodedata.normalize("NFD", plain)
        plain = "".join(part for part in parts if not unicodedata.combining(part))
    plain = plain[:_LONGEST_TERM]
    return str(_stemmer().stemWord(plain)).replace("'", "") or plain


def _chinese(run: str, start: int) -> Iterator[Token]:
    for word, first, last in _cut(run):
        yield Token(_UNITS.get(word, word), start + first, start + last)


@lru_cache(maxsize=65_536)
def _cut(run: str) -> tuple[tuple[str, int, int], ...]:
    found = sorted(_segmenter().tokenize(run, mode="search"), key=lambda word: (word[1], -word[2]))
    return tuple(found)


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@cache
def _segmenter() -> Any:
    import jieba

    jieba.setLogLevel("ERROR")
    return jieba
