"""Finds a price limit in a text: "under 100", "between 50 and 80", "500元以内", "不超过三百"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from huaxiang.profile.words import lower

PRICE_LIMIT = "price_limit"
"""The facet dimension in which a stated price limit stands."""

AROUND = 0.2
"""How far "around 100" reaches to either side."""

_NO_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})

_CURRENCIES = {
    "usd": "USD", "us$": "USD", "美元": "USD", "美金": "USD", "dollars": "", "dollar": "", "bucks": "",
    "eur": "EUR", "euros": "EUR", "euro": "EUR", "€": "EUR", "欧元": "EUR",
    "gbp": "GBP", "pounds": "GBP", "pound": "GBP", "quid": "GBP", "£": "GBP", "英镑": "GBP",
    "$": "", "cny": "CNY", "rmb": "CNY", "yuan": "CNY", "人民币": "CNY", "¥": "",
    "元": "", "块钱": "", "块": "",
    "jpy": "JPY", "yen": "JPY", "日元": "JPY", "港币": "HKD", "港元": "HKD",
}  # fmt: skip
"""Words for money. "" is of no named country: 元 and $ are said of many, so they mean the shop's own."""

_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}

_MONEY = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s?(?:k\b|千|万)?|[零〇一二两三四五六七八九十百千万]+"
_NOT_MONEY = (
    r"(?!\s?(?:cm|mm|ml|kg|km|inch|inches|gb|tb|days?|weeks?|years?|months?|hours?|minutes?|pieces?|pairs?|items?|"
    r"sizes?|percent|colou?rs?|people|miles?|litres?|liters?|watts?)\b|\s?[%％件双个岁天年月码寸号种台杯])"
)


def _amount(name: str) -> str:
    number = rf"(?P<{name}>{_NUMBER})(?![\d.]*\d)"
    return rf"(?P<{name}_before>{_MONEY})?\s?{number}\s?(?P<{name}_after>{_MONEY})?{_NOT_MONEY}"


_UPPER = (
    r"\b(?:under|below|less than|cheaper than|lower than|up to|at most|no more than|not more than|not over|"
    r"no higher than|within|max(?:imum)?(?: of)?|budget(?: is| of|:)?|(?:spend|pay) (?:over|more than|above))"
    r"|[<≤]=?|不超过|不高于|不大于|不多于|低于|少于|小于|最多|至多|顶多|控制在|预算(?:是|为|在|大概|大约|:|：)?|别超过|不要超过"
)
_LOWER = (
    r"\b(?:over|above|more than|at least|from|starting at|min(?:imum)?(?: of)?|no less than|not less than|"
    r"not under)"
    r"|[>≥]=?|不低于|不少于|不小于|高于|超过|大于|至少|最少"
)
_AROUND = r"\b(?:around|about|roughly|approximately|circa)|大约|大概|约|差不多"
_TO = r"\s?(?:-|–|—|~|～|to|and|到|至)\s?"

_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "between",
            rf"(?:\b(?:between|from)\s|在)?\s?{_amount('low')}{_TO}{_amount('high')}\s?(?:之间|以内|左右)?",
        ),
        ("at_most", rf"(?:{_UPPER})\s?{_amount('high')}\s?(?:以内|以下|之内|左右)?"),
        (
            "at_most",
            rf"{_amount('high')}\s?(?:以内|以下|之内|之下|内|封顶|"
            r"\b(?:or (?:less|under|below|cheaper)|max(?:imum)?|tops)\b)",
        ),
        ("at_least", rf"{_amount('low')}\s?(?:以上|之上|起|\b(?:or more|or above|and up|upwards)\b)"),
        ("at_least", rf"(?:{_LOWER})\s?{_amount('low')}"),
        ("around", rf"(?:{_AROUND})\s?{_amount('high')}"),
        ("around", rf"{_amount('high')}\s?(?:左右|上下)"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimit:
    """Prices the shopper accepts, in minor units of the shop's currency; None is without limit.

    `currency` is the one they named, None where they named none; `start` and `end` are their words.
    """

    min_minor: int | None
    max_minor: int | None
    currency: str | None = None
    start: int = 0
    end: int = 0

    def as_value(self) -> str:
        """Return the facet value.

        Examples
        --------
        >>> PriceLimit(min_minor=None, max_minor=50_000).as_value()
        '<=50000 minor'
        """
        if self.min_minor is None:
            return f"<={self.max_minor} minor"
        if self.max_minor is None:
            return f">={self.min_minor} minor"
        return f"{self.min_minor}-{self.max_minor} minor"


_VALUE = re.compile(r"(?:<=(\d+)|>=(\d+)|(\d+)-(\d+)) minor")


def price_limit_of(value: str) -> PriceLimit | None:
    """Return the limit that a facet value says, None where it says none.

    Examples
    --------
    >>> price_limit_of("5000-8000 minor").max_minor
    8000
    """
    match = _VALUE.fullmatch(value)
    if match is None:
        return None
    most, least, low, high = (int(part) if part else None for part in match.groups())
    return PriceLimit(min_minor=least if low is None else low, max_minor=most if high is None else high)


def minor_units(currency: str | None) -> int:
    """Return how many minor units make one of the currency.

    Examples
    --------
    >>> minor_units("GBP"), minor_units("JPY")
    (100, 1)
    """
    return 1 if currency in _NO_MINOR_UNITS else 100


def find_price_limit(text: str, *, currency: str | None = None) -> PriceLimit | None:
    """Return the first price limit in the text, None where there is none.

    A bare "more than 3" or "3 to 5" is about something else: without money named, ranges and lower limits
    need numbers of at least 10.

    Examples
    --------
    >>> find_price_limit("跑步鞋，五百元以内").max_minor
    50000
    >>> find_price_limit("between £50 and £80").as_value()
    '5000-8000 minor'
    """
    lowered = lower(text)
    found = []
    for order, (kind, pattern) in enumerate(_PATTERNS):
        for match in pattern.finditer(lowered):
            limit = _limit(kind, match, currency)
            if limit is not None:
                found.append((order, limit))
                break
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _limit(kind: str, match: re.Match[str], currency: str | None) -> PriceLimit | None:
    groups = match.groupdict()
    low, high = (_number(groups.get(name)) for name in ("low", "high"))
    money = [groups.get(f"{name}_{side}") for name in ("low", "high") for side in ("before", "after")]
    named = [_CURRENCIES[word] for word in money if word]
    smallest = min(number for number in (low, high) if number is not None)
    if smallest <= 0 or (not named and smallest < 10 and kind != "at_most"):
        return None
    spoken = next((word for word in named if word), None)
    unit = minor_units(spoken or currency)
    if kind == "around" and high is not None:
        low, high = high * (1 - AROUND), high * (1 + AROUND)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return PriceLimit(
        min_minor=None if low is None else round(low * unit),
        max_minor=None if high is None else round(high * unit),
        currency=spoken,
        start=match.start() + len(match.group()) - len(match.group().lstrip()),
        end=match.start() + len(match.group().rstrip()),
    )


def _number(written: str | None) -> float | None:
    if written is None:
        return None
    written = written.replace(",", "").strip()
    for ending, factor in (("k", 1e3), ("千", 1e3), ("万", 1e4)):
        if (
            written.endswith(ending)
            and written[:-1].strip().replace(".", "", 1).isdigit()
            and written[0].isascii()
        ):
            return float(written[:-1]) * factor
    return float(written) if written[0].isascii() else float(chinese_number(written))


def chinese_number(written: str) -> int:
    """Return the number that Chinese numerals say; a last digit without its place takes the next lower one.

    Examples
    --------
    >>> [chinese_number(written) for written in ("五百", "一百五", "两千零三十", "十二", "一万二")]
    [500, 150, 2030, 12, 12000]
    """
    total, section, digit, place = 0, 0, 0, 1
    for character in written:
        if character in _DIGITS:
            digit = _DIGITS[character]
            place = 1 if digit == 0 else place
        elif character == "万":
            total, section, digit, place = (total + section + digit) * 10_000, 0, 0, 1000
        else:
            unit = _TENS[character]
            section, digit, place = section + (digit or 1) * unit, 0, unit // 10
    return total + section + digit * place
