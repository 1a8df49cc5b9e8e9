"""The fields of an event as JSON has them → what a record has, or why not.

Hand-written, since every event of a shop passes here: a check is a comparison, not a framework. The cheap
question comes first; what is rare is looked at closely only where that question says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cached_property, lru_cache
from math import inf, isfinite
from typing import Any

import orjson

from huaxiang.records import Value
from huaxiang.serve.settings import Limits
from huaxiang.shop.cells import minor_units

VALUE_KEYS = frozenset(("quantity", "price", "price_minor", "currency", "rating"))
NO_VALUE = Value()
_NO_ID = frozenset(("nan", "null", "none", "n/a", "undefined"))
"""What clients make of an absent id: taken as ids, they would join strangers into one shopper."""
_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_SCIENTIFIC = re.compile(r"\d\.\d+[eE]\+\d+")
_EXACT = 2**53
_MOST_INTEGER = 2**63
_MOST_NUMBER = {int: _MOST_INTEGER, float: inf}
MOST_MINOR = 10**12
MOST_QUANTITY = 1_000_000
_MOST_DAYS = 100_000.0
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSETS = (-12 * 60, 14 * 60)
_SHOWN = 40
_CONTEXT_TEXTS = ("channel", "device", "placement", "slate_id")


class RefusedError(Exception):
    """One event can't be taken.

    Parameters
    ----------
    field
        Which field is wrong, as `value.price`; None where it is the event as a whole.
    code
        Stable: programs may compare it.
    message
        For people. It never repeats what a shopper said.
    """

    def __init__(self, field: str | None, code: str, message: str) -> None:
        self.field, self.code, self.message = field, code, message
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What events are read with.

    Parameters
    ----------
    now
        When they arrived, UTC.
    shopper
        Turns the id of a shopper into the one that the log has; raises `RefusedError` where it may not be
        written of.
    linked
        The same for the other id of an `alias`; None is `shopper`.
    has_item
        Whether the catalogue has an item.
    currency
        Prices are kept in it; events with others are kept without their price, and counted.
    future
        How far a clock may be ahead.
    """

    now: datetime
    shopper: Callable[[str], str] = str
    linked: Callable[[str], str] | None = None
    has_item: Callable[[str], bool] = bool
    currency: str | None = None
    shop_id: str = "default"
    future: timedelta = timedelta(seconds=300)
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def newest(self) -> datetime:
        """The latest moment that a clock may say."""
        return self.now + self.future

    @cached_property
    def oldest(self) -> datetime:
        """The earliest moment that an event may be of."""
        return max(_1970, self.now - timedelta(days=min(self.limits.event_days, _MOST_DAYS)))


def read_id(stated: object, name: str, *, longest: int) -> str:
    """Return an id as shop folders have it: text without spaces around it, `17850.0` is `17850`.

    Raises
    ------
    RefusedError
        It is missing, no id, or too long.

    Examples
    --------
    >>> read_id(17850.0, "shopper_id", longest=200), read_id(" A1 ", "item_id", longest=200)
    ('17850', 'A1')
    """
    if type(stated) is not str:
        return _number_as_id(stated, name)
    written = stated.strip()
    if not written:
        raise RefusedError(name, "missing", "an id is a text that is not empty")
    if len(written) > longest:
        raise RefusedError(name, "too_long", f"an id has at most {longest} characters")
    if "\0" in written or (len(written) < 10 and written.lower() in _NO_ID):
        raise RefusedError(name, "not_an_id", "an id has no NUL and isn't a word for nothing")
    return _without_fraction(written) if "." in written else written


def plain_id(written: str) -> str:
    """Return an id, as a path or a body may write it, the way that shop folders have it.

    Examples
    --------
    >>> plain_id("17850.0"), plain_id(" A1"), plain_id("1.5"), plain_id("4.0128e+10")
    ('17850', 'A1', '1.5', '40128000000')
    """
    written = written.strip()
    return _without_fraction(written) if "." in written else written


def _number_as_id(stated: object, name: str) -> str:
    if stated is None:
        raise RefusedError(name, "missing", "an id is needed")
    if type(stated) is float and stated.is_integer() and abs(stated) < _EXACT:
        return str(int(stated))
    if type(stated) is int and abs(stated) < _MOST_INTEGER:
        return str(stated)
    raise RefusedError(name, "not_an_id", "an id is a text or a whole number")


def _without_fraction(written: str) -> str:
    whole = _WHOLE.fullmatch(written)
    if whole:
        return whole[1]
    return str(int(float(written))) if _SCIENTIFIC.fullmatch(written) and len(written) < 30 else written


def read_words(stated: object, name: str, *, longest: int) -> str | None:
    """Return words as they were said; None where there are none.

    Raises
    ------
    RefusedError
        They are no text, empty, too long, or have a NUL in them, which databases can't keep.
    """
    if stated is None:
        return None
    if type(stated) is not str or not stated.strip():
        raise RefusedError(name, "not_a_text", "a text that is not empty is needed")
    if len(stated) > longest:
        raise RefusedError(name, "too_long", f"at most {longest} characters")
    if "\0" in stated:
        raise RefusedError(name, "not_a_text", "a text has no NUL in it")
    return stated


def read_moment(stated: object, reading: Reading) -> tuple[datetime, int, bool]:
    """Return when it occurred in UTC, the shopper's offset in minutes, and whether the clock was ahead.

    What is stated is a date and time with its offset (RFC 3339); None is the moment of arrival. A clock that
    is ahead is set back to it.

    Raises
    ------
    RefusedError
        It is no such time, or lies before the limit.

    Examples
    --------
    >>> reading = Reading(now=datetime(2026, 3, 1, tzinfo=UTC))
    >>> moment, offset, was_ahead = read_moment("2026-01-31T12:00:00+08:00", reading)
    >>> moment.hour, offset, was_ahead
    (4, 480, False)
    """
    if stated is None:
        return reading.now, 0, False
    moment = _written_moment(stated)
    moment, minutes = (moment, 0) if moment.tzinfo is UTC else _in_utc(moment)
    if moment < reading.oldest:
        raise RefusedError("occurred_at", "too_old", f"nothing before {reading.oldest:%Y-%m-%d} is taken")
    is_ahead = moment > reading.newest
    return (reading.now if is_ahead else moment), minutes, is_ahead


def _in_utc(moment: datetime) -> tuple[datetime, int]:
    """Return a moment in UTC, and the offset in which it was written, minutes."""
    shift = moment.utcoffset()
    if shift is None:
        raise RefusedError("occurred_at", "no_zone", "a time needs its offset, such as Z or +08:00")
    minutes = int(shift.total_seconds()) // 60
    if not _OFFSETS[0] <= minutes <= _OFFSETS[1]:
        raise RefusedError("occurred_at", "not_a_time", "no clock is that far from UTC")
    try:
        return moment.astimezone(UTC), minutes
    except OverflowError:
        raise RefusedError("occurred_at", "not_a_time", "a time lies in the years 1970 to 9999") from None


def _written_moment(stated: object) -> datetime:
    if type(stated) is str and len(stated) > 18 and stated[10] in "Tt " and stated[4] == stated[7] == "-":
        try:
            return datetime.fromisoformat(stated[:-1] + "Z" if stated[-1] == "z" else stated)
        except ValueError:
            pass
    raise RefusedError("occurred_at", "not_a_time", "a time is written as 2026-01-31T12:00:00+08:00")


def read_value(stated: object, reading: Reading) -> tuple[Value, bool]:
    """Return what an event was worth, and whether a price was left out since it is in another currency.

    Raises
    ------
    RefusedError
        A number is none, or out of its range.

    Examples
    --------
    >>> reading = Reading(now=datetime(2026, 3, 1, tzinfo=UTC), currency="USD")
    >>> read_value({"price": 19.99, "quantity": 2}, reading)
    (Value(quantity=2.0, price_minor=1999, currency='USD', rating=None), False)
    """
    if stated is None:
        return NO_VALUE, False
    if type(stated) is not dict:
        raise RefusedError("value", "not_an_object", "value is a JSON object")
    if not stated.keys() <= VALUE_KEYS:
        refuse_unknown(stated, VALUE_KEYS, "value.")
    quantity, rating = stated.get("quantity"), stated.get("rating")
    if quantity is not None:
        quantity = _number(quantity, "value.quantity")
        if not 0 < quantity <= MOST_QUANTITY:
            message = "a quantity is above 0 and at most a million"
            raise RefusedError("value.quantity", "out_of_range", message)
    if rating is not None:
        rating = _number(rating, "value.rating")
        if not 1 <= rating <= 5:
            raise RefusedError("value.rating", "out_of_range", "a rating is 1 to 5")
    price_minor, currency, is_foreign = _price(stated, reading.currency)
    value = Value(
        quantity=1.0 if quantity is None else quantity,
        price_minor=price_minor,
        currency=currency,
        rating=rating,
    )
    return value, is_foreign


def _price(stated: Mapping[str, Any], own: str | None) -> tuple[int | None, str | None, bool]:
    """Return a unit price in minor units and its currency, and whether it was in another currency."""
    currency = stated.get("currency")
    if currency is not None and currency != own and not is_currency(currency):
        raise RefusedError("value.currency", "not_a_currency", "a currency is three letters, such as USD")
    price, minor = stated.get("price"), stated.get("price_minor")
    if price is None and minor is None:
        return None, None, False
    if price is not None and minor is not None:
        raise RefusedError("value.price_minor", "not_expected", "say price or price_minor, not both")
    currency = currency or own
    if price is not None:
        units = _number(price, "value.price") * minor_units(currency)
    else:
        units = _number(minor, "value.price_minor")
    if not 0 <= units <= MOST_MINOR:
        raise RefusedError("value.price", "out_of_range", "a price is at least 0")
    if own is not None and currency != own:
        return None, None, True
    return round(units), currency, False


def is_currency(stated: object) -> bool:
    """Return whether this is a currency's code: three capital letters (ISO 4217)."""
    return type(stated) is str and len(stated) == 3 and stated.isascii() and stated.isupper()


def _number(stated: object, name: str) -> float:
    if type(stated) is float:
        if isfinite(stated):
            return stated
    elif type(stated) is int and abs(stated) < _EXACT:
        return float(stated)
    raise RefusedError(name, "not_a_number", "a number is needed")


def read_context(stated: object, limits: Limits) -> dict[str, Any]:
    """Return what is said around an event: any small JSON object, a few of its keys of known types.

    Raises
    ------
    RefusedError
        It is no object, too deep, too long, or one of the known keys is of another type.
    """
    if stated is None:
        return {}
    if type(stated) is not dict:
        raise RefusedError("context", "not_an_object", "context is a JSON object")
    if stated:
        check_plain(stated, "context", deepest=limits.context_depth)
        if len(orjson.dumps(stated)) > limits.context_bytes:
            raise RefusedError("context", "too_long", f"at most {limits.context_bytes} bytes of JSON")
        _check_known(stated)
    return stated


def _check_known(stated: Mapping[str, Any]) -> None:
    for key in _CONTEXT_TEXTS:
        if type(stated.get(key, "")) is not str:
            raise RefusedError(f"context.{key}", "not_a_text", "a text is needed")
    place = stated.get("position")
    if place is not None and (type(place) is not int or not 0 <= place < _EXACT):
        raise RefusedError("context.position", "not_a_number", "a place in a list is a whole number")
    propensity = stated.get("propensity")
    if propensity is not None and not 0 < _number(propensity, "context.propensity") <= 1:
        raise RefusedError("context.propensity", "out_of_range", "a propensity is above 0 and at most 1")


def check_plain(stated: object, name: str, *, deepest: int) -> None:
    """Raise `RefusedError` unless JSON is no deeper than this and every database can keep its texts.

    A NUL, half of a surrogate pair and a number that isn't finite are refused.
    """
    level, depth = [stated], 0
    while level:
        depth += 1
        inner: list[object] = []
        for one in level:
            if type(one) is dict:
                inner += one.keys()
                inner += one.values()
            elif type(one) is list:
                inner += one
            elif type(one) is str:
                _check_text(one, name)
            elif (type(one) is float and not isfinite(one)) or (
                type(one) is int and abs(one) >= _MOST_INTEGER
            ):
                raise RefusedError(name, "not_a_number", "numbers are finite, and integers have 64 bits")
        if inner and depth > deepest:
            raise RefusedError(name, "too_deep", f"at most {deepest} levels")
        level = inner


def _check_text(written: str, name: str) -> None:
    is_whole = written.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in written)
    if "\0" in written or not is_whole:
        raise RefusedError(name, "not_a_text", "a text has no NUL and no half of a surrogate pair in it")


def refuse_unknown(stated: Mapping[str, object], known: Iterable[str], prefix: str) -> None:
    """Raise `RefusedError` for the first key that isn't known, naming the nearest one that is."""
    unknown = next(key for key in stated if key not in frozenset(known))
    raise RefusedError(prefix + unknown[:_SHOWN], "unknown_field", nearest(unknown, known))


def nearest(stated: str, known: Iterable[str]) -> str:
    """Return what to say of a word that isn't known.

    Examples
    --------
    >>> nearest("purchased", ["purchase", "refund"])
    'not known; the nearest is purchase'
    """
    return _nearest(stated[:_SHOWN], tuple(sorted(known)))


@lru_cache(maxsize=1024)
def _nearest(stated: str, names: tuple[str, ...]) -> str:
    near = get_close_matches(stated, names, n=1, cutoff=0.4)
    return f"not known; the nearest is {near[0]}" if near else f"not known; known are {', '.join(names)}"
