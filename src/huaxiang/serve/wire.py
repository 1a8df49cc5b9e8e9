"""Events as they come over the wire: bytes in; events, and what was refused and why, out.

Hand-written, since every event of a shop passes here: a check is a comparison, not a framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from math import isfinite
from typing import Any

import orjson

from huaxiang.errors import InputError, LimitError
from huaxiang.records import Event, EventType, Value
from huaxiang.serve.settings import Limits

KEYS = frozenset(
    "event_id shopper_id type item_id query text image occurred_at value session_id order_id context".split()
)
VALUE_KEYS = frozenset(("quantity", "price", "price_minor", "currency", "rating"))
ABOUT = ("item_id", "query", "text", "image")
_TYPES = {str(kind): kind for kind in EventType}
_ABOUT_NOTHING = frozenset({EventType.BEGIN_CHECKOUT, EventType.CONSENT, EventType.ALIAS, EventType.CORRECT})
_NOT_OF_ITEMS = _ABOUT_NOTHING | {EventType.SEARCH, EventType.STATE}
_ITEM_ALONE = ["item_id"]
_NEEDS_WORDS = {EventType.SEARCH: "query", EventType.STATE: "text"}
_NO_CENTS = frozenset(("JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "UGX", "PYG", "RWF"))
_LONGEST_ID = 200
_LONGEST_CONTEXT = 4000
_DEEPEST_CONTEXT = 6
_MOST = 10**12
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


class RefusedError(Exception):
    """One event can't be taken."""

    def __init__(self, field: str | None, code: str, message: str) -> None:
        self.field, self.code, self.message = field, code, message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one event of a request was refused; `code` is stable."""

    index: int
    event_id: str | None
    field: str | None
    code: str
    message: str

    def as_json(self) -> dict[str, object]:
        """Return it as the answer shows it."""
        return {
            "index": self.index,
            "event_id": self.event_id,
            "field": self.field,
            "code": self.code,
            "message": self.message,
        }


@dataclass(slots=True)
class Parsed:
    """The events of a request that can be taken, and the others.

    Parameters
    ----------
    n_clamped
        Events whose clock was ahead: they count as of their arrival.
    """

    events: list[Event] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    n_clamped: int = 0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What events are read with.

    Parameters
    ----------
    shopper
        Turns the id of a shopper into the one that the log has; raises `RefusedError` where it may not be
        written of.
    has_item
        Whether the catalogue has an item.
    currency
        Prices are kept in it; others are kept without a price.
    future
        How far a clock may be ahead.
    """

    now: datetime
    shopper: Callable[[str], str] = str
    has_item: Callable[[str], bool] = bool
    currency: str | None = None
    shop_id: str = "default"
    future: timedelta = timedelta(seconds=300)
    limits: Limits = field(default_factory=Limits)


def parse_events(body: bytes, reading: Reading) -> Parsed:
    """Return the events of a body of `POST /v1/events`.

    Raises
    ------
    InputError
        The body as a whole is no such request.
    LimitError
        There are more events than one request may have.

    Examples
    --------
    >>> moment = datetime(2026, 1, 2, tzinfo=UTC)
    >>> sent = b'{"events": [{"event_id": "1", "shopper_id": 17850.0, "type": "view_item", "item_id": "a"}]}'
    >>> parse_events(sent, Reading(now=moment)).events[0].shopper_id
    '17850'
    """
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError("the body is no JSON", column="body", remedy=f"mend it ({error})") from error
    given = whole.get("events") if isinstance(whole, dict) else None
    if not isinstance(given, list) or not given:
        raise InputError("there are no events", column="events", remedy='send {"events": [{…}, …]}')
    if len(given) > reading.limits.batch_events:
        raise LimitError(
            "too many events at once",
            column="events",
            value=str(len(given)),
            remedy=f"send up to {reading.limits.batch_events}",
        )
    parsed = Parsed()
    for index, stated in enumerate(given):
        take(parsed, index, stated, reading)
    return parsed


def take(parsed: Parsed, index: int, stated: object, reading: Reading) -> None:
    """Add one event to what is parsed, or why it is refused."""
    try:
        event, was_ahead = parse_event(stated, reading)
    except RefusedError as refused:
        name = stated.get("event_id") if isinstance(stated, dict) else None
        shown = name[:_LONGEST_ID] if isinstance(name, str) else None
        parsed.rejected.append(Rejection(index, shown, refused.field, refused.code, refused.message))
        return
    parsed.events.append(event)
    parsed.indices.append(index)
    parsed.n_clamped += was_ahead


def parse_event(stated: object, reading: Reading) -> tuple[Event, bool]:
    """Return one event, and whether its clock was ahead.

    Raises
    ------
    RefusedError
        It can't be taken.
    """
    if type(stated) is not dict:
        raise RefusedError(None, "not_an_object", "an event is a JSON object")
    if not stated.keys() <= KEYS:
        _refuse_unknown(stated, KEYS, "")
    kind = _TYPES.get(stated.get("type"))  # type: ignore[arg-type]
    if kind is None:
        raise RefusedError("type", "unknown_type", _nearest(str(stated.get("type"))[:40], _TYPES))
    occurred_at, offset, was_ahead = _occurred(stated.get("occurred_at"), reading)
    limit = reading.limits.text_characters
    about = [name for name in ABOUT if stated.get(name) is not None]
    item_id = _id(stated["item_id"], "item_id") if "item_id" in about else None
    if about != _ITEM_ALONE or kind in _NOT_OF_ITEMS:
        _check_about(kind, about)
    if item_id is not None and not reading.has_item(item_id):
        raise RefusedError(
            "item_id", "unknown_item", "the catalogue has no such item; send it to /v1/items first"
        )
    context = stated.get("context")
    session_id, order_id = stated.get("session_id"), stated.get("order_id")
    return (
        Event(
            event_id=_id(stated.get("event_id"), "event_id"),
            shopper_id=reading.shopper(_id(stated.get("shopper_id"), "shopper_id")),
            type=kind,
            occurred_at=occurred_at,
            received_at=reading.now,
            item_id=item_id,
            query=_words(stated.get("query"), "query", limit),
            text=_words(stated.get("text"), "text", limit),
            image=_words(stated.get("image"), "image", limit),
            value=_value(stated["value"], kind, reading)
            if stated.get("value") is not None
            else _none_of(kind),
            session_id=None if session_id is None else _id(session_id, "session_id"),
            order_id=None if order_id is None else _id(order_id, "order_id"),
            utc_offset_minutes=offset,
            context={} if context is None else _context(context),
            shop_id=reading.shop_id,
        ),
        was_ahead,
    )


def _none_of(kind: EventType) -> Value:
    if kind is EventType.RATE:
        raise RefusedError("value.rating", "missing", "a rating of 1 to 5 is needed")
    return _NO_VALUE


_NO_VALUE = Value()


def _id(stated: object, name: str) -> str:
    """Return an id: a text, or a number as a text."""
    if type(stated) is float and stated == int(stated) and abs(stated) < _MOST:
        stated = int(stated)
    if type(stated) is int:
        return str(stated)
    if type(stated) is not str or not stated:
        raise RefusedError(
            name, "missing" if stated in (None, "") else "not_an_id", "an id is a text that is not empty"
        )
    if len(stated) > _LONGEST_ID:
        raise RefusedError(name, "too_long", f"an id has at most {_LONGEST_ID} characters")
    if "\0" in stated:
        raise RefusedError(name, "not_an_id", "an id has no NUL in it")
    return stated


def _words(stated: object, name: str, longest: int) -> str | None:
    if stated is None:
        return None
    if type(stated) is not str or not stated.strip():
        raise RefusedError(name, "not_a_text", "a text that is not empty is needed")
    if len(stated) > longest:
        raise RefusedError(name, "too_long", f"at most {longest} characters")
    return stated.replace("\0", "") if "\0" in stated else stated


def _check_about(kind: EventType, about: Sequence[str]) -> None:
    if kind in _ABOUT_NOTHING:
        if about and kind is not EventType.BEGIN_CHECKOUT:
            raise RefusedError(about[0], "not_expected", f"{kind} is about none of {', '.join(ABOUT)}")
        return
    needed = _NEEDS_WORDS.get(kind)
    if kind is EventType.REVIEW:
        if not about or not set(about) <= {"item_id", "text"}:
            raise RefusedError("text", "missing", "a review has an item, a text, or both")
        return
    if kind in (EventType.SEARCH, EventType.STATE):
        if len(about) != 1 or not set(about) <= {needed, "text", "image"}:
            raise RefusedError(needed, "missing", f"{kind} needs exactly one of {needed} and image")
        return
    if set(about) != {"item_id"}:
        raise RefusedError(
            "item_id", "missing" if not about else "not_expected", f"{kind} needs item_id and nothing else"
        )


def _occurred(stated: object, reading: Reading) -> tuple[datetime, int, bool]:
    """Return when it occurred in UTC, the shopper's offset in minutes, and whether the clock was ahead."""
    if stated is None:
        return reading.now, 0, False
    if type(stated) is not str:
        raise RefusedError("occurred_at", "not_a_time", "a time is a text such as 2026-01-31T12:00:00+08:00")
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        raise RefusedError(
            "occurred_at", "not_a_time", "a time is written as 2026-01-31T12:00:00+08:00"
        ) from None
    offset = moment.utcoffset()
    if offset is None:
        raise RefusedError("occurred_at", "no_zone", "a time needs its zone, such as Z or +08:00")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise RefusedError("occurred_at", "not_a_time", "a time lies in the years 1970 to 9999") from None
    if moment < _OLDEST:
        raise RefusedError("occurred_at", "too_old", "nothing happened before 1970")
    is_ahead = moment > reading.now + reading.future
    minutes = int(offset.total_seconds() // 60)
    return (reading.now if is_ahead else moment), max(-720, min(840, minutes)), is_ahead


def _value(stated: object, kind: EventType, reading: Reading) -> Value:
    if type(stated) is not dict:
        raise RefusedError("value", "not_an_object", "value is a JSON object")
    if not stated.keys() <= VALUE_KEYS:
        _refuse_unknown(stated, VALUE_KEYS, "value.")
    currency = stated.get("currency", reading.currency)
    if currency is not None and (type(currency) is not str or len(currency) != 3):
        raise RefusedError("value.currency", "not_a_currency", "a currency is three letters, such as USD")
    rating = _number(stated.get("rating"), "value.rating")
    if rating is not None and not 1 <= rating <= 5:
        raise RefusedError("value.rating", "out_of_range", "a rating is 1 to 5")
    if rating is None and kind is EventType.RATE:
        raise RefusedError("value.rating", "missing", "a rating of 1 to 5 is needed")
    quantity = _number(stated.get("quantity"), "value.quantity")
    if quantity is not None and not 0 < quantity <= 1_000_000:
        raise RefusedError("value.quantity", "out_of_range", "a quantity is above 0 and at most a million")
    return Value(
        quantity=1.0 if quantity is None else quantity,
        price_minor=_price_minor(stated, currency, reading),
        currency=currency,
        rating=rating,
    )


def _price_minor(stated: Mapping[str, Any], currency: str | None, reading: Reading) -> int | None:
    price, minor = (
        _number(stated.get("price"), "value.price"),
        _number(stated.get("price_minor"), "value.price_minor"),
    )
    if price is None and minor is None:
        return None
    units = minor if minor is not None else (price or 0.0) * (1 if currency in _NO_CENTS else 100)
    if not 0 <= units <= _MOST:
        raise RefusedError("value.price", "out_of_range", "a price is at least 0")
    return round(units) if currency == reading.currency or reading.currency is None else None


def _number(stated: object, name: str) -> float | None:
    if stated is None:
        return None
    if type(stated) not in (int, float) or not isfinite(stated):  # type: ignore[arg-type]
        raise RefusedError(name, "not_a_number", "a number is needed")
    return float(stated)  # type: ignore[arg-type]


def _context(stated: object) -> dict[str, Any]:
    if type(stated) is not dict:
        raise RefusedError("context", "not_an_object", "context is a JSON object")
    if len(stated) and (len(orjson.dumps(stated)) > _LONGEST_CONTEXT or _depth(stated) > _DEEPEST_CONTEXT):
        raise RefusedError(
            "context", "too_long", f"context has at most {_LONGEST_CONTEXT} bytes, {_DEEPEST_CONTEXT} deep"
        )
    for key in ("channel", "slate_id", "placement"):
        if not isinstance(stated.get(key, ""), str):
            raise RefusedError(f"context.{key}", "not_a_text", "a text is needed")
    return stated


def _depth(stated: object) -> int:
    inner: Sequence[object] = ()
    if isinstance(stated, dict):
        inner = list(stated.values())
    elif isinstance(stated, list):
        inner = stated
    else:
        return 0
    return 1 + max((_depth(one) for one in inner), default=0)


def _refuse_unknown(stated: Mapping[str, object], known: frozenset[str], prefix: str) -> None:
    unknown = next(key for key in stated if key not in known)
    raise RefusedError(prefix + unknown[:40], "unknown_field", _nearest(unknown[:40], known))


def _nearest(stated: str, known: Sequence[str] | Mapping[str, object] | frozenset[str]) -> str:
    near = get_close_matches(stated, list(known), n=1, cutoff=0.4)
    return (
        f"not known; the nearest is {near[0]}" if near else f"not known; known are {', '.join(sorted(known))}"
    )
