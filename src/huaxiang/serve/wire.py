"""Events as they come over the wire: bytes in; events, and what was refused and why, out.

`Event.as_json` is the way back. What single fields must be is in `wire_fields`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import orjson

from huaxiang.errors import InputError, LimitError
from huaxiang.records import Event, EventType
from huaxiang.serve.settings import PURPOSES
from huaxiang.serve.wire_fields import Reading as Reading
from huaxiang.serve.wire_fields import RefusedError as RefusedError
from huaxiang.serve.wire_fields import (
    check_plain,
    nearest,
    read_context,
    read_id,
    read_moment,
    read_value,
    read_words,
    refuse_unknown,
)
from huaxiang.serve.wire_plain import plain_events
from huaxiang.store.letters import Letter

KEYS = frozenset(
    "event_id shopper_id type item_id query text image occurred_at value session_id order_id context".split()
)
ABOUT = ("item_id", "query", "text", "image")
_ITEM, _QUERY, _TEXT, _IMAGE = 1, 2, 4, 8
_TYPES = {kind.value: kind for kind in EventType}
_OF_ITEM = (_ITEM,)
_MAY_BE_ABOUT: dict[EventType, tuple[int, ...]] = {
    **dict.fromkeys(EventType, _OF_ITEM),
    EventType.SEARCH: (_QUERY, _IMAGE),
    EventType.STATE: (_TEXT, _IMAGE),
    EventType.REVIEW: (_ITEM | _TEXT, _ITEM, _TEXT, _IMAGE),
    EventType.BEGIN_CHECKOUT: (0, _ITEM),
    EventType.CORRECT: (0,),
    EventType.CONSENT: (0,),
    EventType.ALIAS: (0,),
}
"""Which of item, query, text and photo an event may state together, as sums of their bits."""

_ALIAS_KEYS = frozenset(("other", "linked", "traits", "source", "channel", "device"))
_SAYS_MORE = frozenset((EventType.ALIAS, EventType.CONSENT, EventType.CORRECT))
"""What such an event is about stands in its context."""
_SIDES = ("liked", "disliked", "withdrawn")
event_json = Event.as_json
"""The inverse of reading: an event as the wire has it."""

UNKNOWN_ITEM = "unknown_item"
_NOT_QUITE_JSON = re.compile(rb"\\u[dD][89a-fA-F]|NaN|Infinity|\d[eE]\+?\d{3}")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one event of a request was refused; `code` is stable.

    Parameters
    ----------
    is_kept
        It waits among the dead letters, since the reason may pass.
    """

    index: int
    event_id: str | None
    field: str | None
    code: str
    message: str
    is_kept: bool = False

    def as_json(self) -> dict[str, object]:
        """Return it as the answer shows it."""
        return {
            "index": self.index,
            "event_id": self.event_id,
            "field": self.field,
            "code": self.code,
            "message": self.message,
            "kept": self.is_kept,
        }


@dataclass(slots=True)
class Parsed:
    """The events of a request that can be taken, and the others.

    Parameters
    ----------
    indices
        Where in the request each event stood.
    letters
        Those of the rejected that may be taken later.
    n_clamped
        Events whose clock was ahead: they count as of their arrival.
    n_unpriced
        Events whose price was in another currency than the shop's, and was left out.
    ignored
        What → how many: accepted, and no event of ours.
    """

    events: list[Event] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    n_clamped: int = 0
    n_unpriced: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


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
    >>> from datetime import UTC, datetime
    >>> moment = datetime(2026, 1, 2, tzinfo=UTC)
    >>> sent = b'{"events": [{"event_id": "1", "shopper_id": 17850.0, "type": "view_item", "item_id": "a"}]}'
    >>> parse_events(sent, Reading(now=moment)).events[0].shopper_id
    '17850'
    """
    parsed = Parsed()
    plain = plain_events(body, reading)
    given, is_plain = ([], True) if plain and None not in plain else _given(body, reading)
    for index, event in enumerate(plain or repeat(None, len(given))):
        if event is None:
            take(parsed, index, given[index], reading, is_plain=is_plain)
        else:
            parsed.events.append(event)
            parsed.indices.append(index)
    return parsed


def _given(body: bytes, reading: Reading) -> tuple[list[Any], bool]:
    """Return what a body states as its events, and whether that is plain JSON."""
    whole, is_plain = read_json(body)
    if type(whole) is dict and whole.keys() - {"events"}:
        known = f'the only key is "events", not {sorted(whole.keys() - {"events"})[0][:40]!r}'
        raise InputError("the body has an unknown key", column="body", remedy=known)
    given = whole.get("events") if type(whole) is dict else None
    if type(given) is not list or not given:
        raise InputError("there are no events", column="events", remedy='send {"events": [{…}, …]}')
    check_length(given, reading.limits.batch_events, "events")
    return given, is_plain


def read_json(body: bytes) -> tuple[Any, bool]:
    """Return what a body says, and whether its texts and numbers are as JSON has them.

    Clients whose JSON has NaN, or half of a surrogate pair, in one event don't lose the others: such a body
    is read too, and each of its events must then pass `check_plain`.

    Raises
    ------
    InputError
        It is no JSON.
    """
    try:
        return orjson.loads(body), True
    except orjson.JSONDecodeError as error:
        if _NOT_QUITE_JSON.search(body):
            try:
                return json.loads(body), False
            except (ValueError, RecursionError):
                pass
        where = f"mend line {error.lineno}, column {error.colno}"
        raise InputError("the body is no JSON", column="body", remedy=where) from error


def check_length(given: list[Any], most: int, name: str) -> None:
    """Raise `LimitError` where a list is longer than one request may have."""
    if len(given) > most:
        remedy = f"send up to {most} at once"
        raise LimitError("too many at once", column=name, value=str(len(given)), remedy=remedy)


def take(parsed: Parsed, index: int, stated: object, reading: Reading, *, is_plain: bool = True) -> None:
    """Add one event to what is parsed, or why it is refused."""
    try:
        if not is_plain:
            check_plain(stated, "", deepest=_DEEPEST)
        event = _add_event(parsed, stated, reading)
        if event.item_id is not None and not reading.has_item(event.item_id):
            letter = Letter(event=parsed.events.pop(), reason=UNKNOWN_ITEM)
            reject(parsed, index, event.event_id, _no_such_item(), letter=letter)
            return
    except RefusedError as refused:
        reject(parsed, index, stated.get("event_id") if type(stated) is dict else None, refused)
        return
    parsed.indices.append(index)


def reject(
    parsed: Parsed, index: int, event_id: object, refused: RefusedError, *, letter: Letter | None = None
) -> None:
    """Add why an event is refused, and the event itself where that may pass."""
    shown = event_id[:200] if type(event_id) is str and _is_sendable(event_id) else None
    parsed.rejected.append(
        Rejection(
            index, shown, refused.field or None, refused.code, refused.message, is_kept=letter is not None
        )
    )
    if letter is not None:
        parsed.letters.append(letter)


def _is_sendable(written: str) -> bool:
    return written.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in written)


def _no_such_item() -> RefusedError:
    message = "the catalogue has no such item; send it to /v1/items, and the event is taken"
    return RefusedError("item_id", UNKNOWN_ITEM, message)


def _add_event(parsed: Parsed, stated: object, reading: Reading) -> Event:
    if type(stated) is not dict:
        raise RefusedError(None, "not_an_object", "an event is a JSON object")
    if not stated.keys() <= KEYS:
        refuse_unknown(stated, KEYS, "")
    get, longest, longest_words = stated.get, reading.limits.id_characters, reading.limits.text_characters
    kind = _type(get("type"))
    occurred_at, offset, was_ahead = read_moment(get("occurred_at"), reading)
    item_id = get("item_id")
    if item_id is not None:
        item_id = read_id(item_id, "item_id", longest=longest)
    query, text, image = get("query"), get("text"), get("image")
    if query is not None or text is not None or image is not None:
        query = read_words(query, "query", longest=longest_words)
        text = read_words(text, "text", longest=longest_words)
        image = read_words(image, "image", longest=longest_words)
    _check_about(kind, item_id, query, text, image)
    value, is_foreign = read_value(get("value"), reading)
    if kind is EventType.RATE and value.rating is None:
        raise RefusedError("value.rating", "missing", "a rating of 1 to 5 is needed")
    session_id, order_id, context = get("session_id"), get("order_id"), get("context")
    event = Event(
        event_id=read_id(get("event_id"), "event_id", longest=longest),
        shopper_id=reading.shopper(read_id(get("shopper_id"), "shopper_id", longest=longest)),
        type=kind,
        occurred_at=occurred_at,
        received_at=reading.now,
        item_id=item_id,
        query=query,
        text=text,
        image=image,
        value=value,
        session_id=None if session_id is None else read_id(session_id, "session_id", longest=longest),
        order_id=None if order_id is None else read_id(order_id, "order_id", longest=longest),
        utc_offset_minutes=offset,
        context={} if context is None and kind not in _SAYS_MORE else _context(kind, context, reading),
        shop_id=reading.shop_id,
    )
    parsed.events.append(event)
    parsed.n_clamped += was_ahead
    parsed.n_unpriced += is_foreign
    return event


def _type(stated: object) -> EventType:
    if type(stated) is not str:
        raise RefusedError("type", "missing", f"one of {', '.join(_TYPES)} is needed")
    kind = _TYPES.get(stated)
    if kind is None:
        raise RefusedError("type", "unknown_type", nearest(stated, _TYPES))
    return kind


def _check_about(
    kind: EventType, item_id: str | None, query: str | None, text: str | None, image: str | None
) -> None:
    stated = _ITEM if item_id is not None else 0
    if query is not None:
        stated |= _QUERY
    if text is not None:
        stated |= _TEXT
    if image is not None:
        stated |= _IMAGE
    allowed = _MAY_BE_ABOUT[kind]
    if stated not in allowed:
        _refuse_about(kind, stated, allowed)


def _refuse_about(kind: EventType, stated: int, allowed: tuple[int, ...]) -> None:
    ways = " or ".join(" with ".join(_names(one)) or "nothing" for one in allowed)
    message = f"{kind} is about {ways}"
    if not stated:
        raise RefusedError(_names(allowed[0])[0], "missing", message)
    extra = [name for name in _names(stated) if name not in {n for one in allowed for n in _names(one)}]
    raise RefusedError((extra or _names(stated))[-1], "not_expected", message)


def _names(stated: int) -> list[str]:
    return [name for bit, name in enumerate(ABOUT) if stated & 1 << bit]


def _context(kind: EventType, stated: object, reading: Reading) -> dict[str, Any]:
    context = read_context(stated, reading.limits)
    if kind is EventType.ALIAS:
        return _alias(context, reading)
    if kind is EventType.CONSENT:
        _check_consent(context)
    elif kind is EventType.CORRECT:
        _check_correction(context)
    return context


def _alias(context: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """Return who is joined with whom, the other id as the log has it, and what is stated of a shopper."""
    if not context.keys() <= _ALIAS_KEYS:
        refuse_unknown(context, _ALIAS_KEYS, "context.")
    if type(context.get("linked", True)) is not bool:
        raise RefusedError("context.linked", "not_a_truth", "true joins, false parts")
    _check_traits(context.get("traits"))
    if context.get("other") is None:
        if not context.get("traits"):
            raise RefusedError("context.other", "missing", "an alias names another id, or traits")
        return context
    other = read_id(context["other"], "context.other", longest=reading.limits.id_characters)
    return {**context, "other": (reading.linked or reading.shopper)(other)}


def _check_traits(traits: object) -> None:
    if traits is None:
        return
    if type(traits) is not dict:
        raise RefusedError("context.traits", "not_an_object", "traits are a JSON object")
    for trait in traits.values():
        if type(trait) in (dict, list):
            raise RefusedError("context.traits", "too_deep", "a trait is a text, a number or a truth")


def _check_consent(context: Mapping[str, Any]) -> None:
    answers = context.get("consent")
    if type(answers) is not dict or not answers:
        example = 'say {"consent": {"ads": false}}'
        raise RefusedError("context.consent", "missing", example)
    for purpose, is_allowed in answers.items():
        if purpose not in PURPOSES:
            raise RefusedError("context.consent", "unknown_purpose", nearest(purpose, PURPOSES))
        if type(is_allowed) is not bool:
            raise RefusedError(f"context.consent.{purpose}", "not_a_truth", "true allows, false refuses")


def _check_correction(context: Mapping[str, Any]) -> None:
    for name in ("dimension", "value"):
        if type(context.get(name)) is not str or not context[name].strip():
            raise RefusedError(f"context.{name}", "missing", f"a correction has a {name}")
    if context.get("side") not in _SIDES:
        raise RefusedError("context.side", "out_of_range", f"one of {', '.join(_SIDES)}")
