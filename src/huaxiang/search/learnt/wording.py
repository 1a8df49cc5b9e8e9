"""A query or a title as comparable words: numbers beside units, `4x8` as `4 x 8`, stems, and the head."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

_UNITS: Mapping[str, str] = {
    "in": r"inches|inch|in\b\.?|''|\"|”|″",
    "ft": r"feet|foot|ft\b\.?|['’](?!\w)|′",
    "yd": r"yards?|yds?\b\.?",
    "mm": r"millimeters?|mm\b\.?",
    "cm": r"centimeters?|cm\b\.?",
    "gal": r"gallons?|gals?\b\.?",
    "qt": r"quarts?|qts?\b\.?",
    "lb": r"pounds?|lbs?\b\.?",
    "oz": r"ounces?|oz\b\.?",
    "kg": r"kilograms?|kg\b\.?",
    "watt": r"watts?|w\b",
    "volt": r"volts?|v\b",
    "amp": r"amperes?|amps?\b\.?",
    "gauge": r"gauge|ga\b\.?",
    "btu": r"btus?",
    "pack": r"packs?|pk\b|pc\b|pieces?",
    "ton": r"tons?\b",
    "degree": r"degrees?|deg\b",
    "sq": r"square|sq\b\.?",
    "cu": r"cubic|cu\b\.?",
}
UNITS = frozenset(_UNITS)
_AFTER_NUMBER = re.compile(
    r"(?<=\d)[\s-]*(?:" + "|".join(f"(?P<{unit}>{forms})" for unit, forms in _UNITS.items()) + r")(?![a-z])"
)
_SPELT = {
    "inches": "in",
    "inch": "in",
    "feet": "ft",
    "foot": "ft",
    "gallon": "gal",
    "gallons": "gal",
    "pounds": "lb",
    "pound": "lb",
    "lbs": "lb",
    "ounce": "oz",
    "ounces": "oz",
    "watts": "watt",
    "volts": "volt",
    "amps": "amp",
    "square": "sq",
    "cubic": "cu",
    "&": "and",
}
_FRACTIONS = str.maketrans({"½": " 1/2", "¼": " 1/4", "¾": " 3/4"})
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)\s*(?:x|\*|by)\s*(?=\.?\d)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_MARKS = re.compile(r"(?<!\d)[/.]|[/.](?!\d)")
_WHOLE_AND_PART = re.compile(r"(?<![\d/])(\d+)-(?=\d+/\d)")
_POSSESSIVE = re.compile(r"(?<=[a-z])['’](?=s\b)")
_NO_WORD = re.compile(r"[^\w./&]+|_")
_NUMBER = re.compile(r"\d[\d./]*\Z")

STOP = frozenset("a an and at by for from how i in is it my of on or the to what with x".split())
"""Words that say little of what is meant."""
_ENDS_HEAD = frozenset("with for without includes including featuring in".split())
COLOURS = frozenset(
    "almond antique beige biscuit bisque black blue brass bronze brown brushed cherry chrome clear copper "
    "cream espresso gold gray green grey ivory maple natural nickel oak oil orange pewter pink polished "
    "purple red rubbed satin silver stainless steel tan walnut white yellow".split()
)


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, units in one form and apart from their numbers.

    Examples
    --------
    >>> words_of('Simpson 12-Gauge 4x8 1-1/2 in. Angle, 5-gal &amp; 3"')
    ['simpson', '12', 'gauge', '4', 'x', '8', '1', '1/2', 'in', 'angle', '5', 'gal', 'and', '3', 'in']
    """
    said = html.unescape(html.unescape(text)).lower().translate(_FRACTIONS)
    said = _BETWEEN_NUMBERS.sub(" x ", _THOUSANDS.sub("", said))
    said = _AFTER_NUMBER.sub(lambda found: f" {found.lastgroup} ", said)
    said = _WHOLE_AND_PART.sub(r"\1 ", _POSSESSIVE.sub("", said))
    said = _NO_WORD.sub(" ", _MARKS.sub(" ", said))
    return [_SPELT.get(word, word) for word in said.split()]


@lru_cache(maxsize=262_144)
def stem(word: str) -> str:
    """Return the stem of a lower-case word.

    Examples
    --------
    >>> stem("brackets"), stem("1/2")
    ('bracket', '1/2')
    """
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=262_144)
def is_number(word: str) -> bool:
    """Return whether a word is a number, `1/2` and `2.5` among them."""
    return _NUMBER.match(word) is not None


def head_of(words: Sequence[str]) -> str:
    """Return the word that says what a thing is: the last one before what it has, is for, or is coloured.

    Examples
    --------
    >>> head_of(words_of("Delta Vero 1-Handle Shower Faucet Trim Kit in Chrome (Valve Not Included)"))
    'kit'
    >>> head_of(words_of("brush for oil paint")), head_of(["12", "in"])
    ('brush', '')
    """
    named = []
    for at, word in enumerate(words):
        if at and word in _ENDS_HEAD and not is_number(words[at - 1]):
            break
        named.append(word)
    while named and not _is_thing(named[-1]):
        named.pop()
    return named[-1] if named else ""


def _is_thing(word: str) -> bool:
    has_digit = any(letter.isdigit() for letter in word)
    return not (has_digit or word in UNITS or word in STOP or word in COLOURS)
