"""Segment's wire format → our events: what its libraries send is understood as it is.

A message becomes the events that it tells of, written as `POST /v1/events` takes them, and passes the same
checks. `track` is read in `segment_tracks`; `identify` and `alias` become `alias` events; `page`, `screen`
and `group` are accepted, counted, and no events of ours. The sender's IP address is never read.

Source
------
Twilio Segment, HTTP tracking API source, and Spec: identify, alias, common fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from huaxiang.errors import InputError, LimitError
from huaxiang.serve.segment_around import around, occurred
from huaxiang.serve.segment_tracks import USUAL_NAMES, tracked
from huaxiang.serve.wire import Parsed, check_length, read_json, reject, take
from huaxiang.serve.wire_fields import Reading, RefusedError, nearest, read_id
from huaxiang.shop.events import ANONYMOUS

KINDS = ("track", "identify", "alias", "page", "screen", "group")
_IGNORED = frozenset(("page", "screen", "group"))
_MOST_EVENTS_PER_MESSAGE = 20
_UUID = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")

IDENTIFYING = frozenset(
    "address avatar birthday description email firstname id lastname middlename name phone username website "
    "company".split()
)
"""Traits that say who somebody is: they are not kept, since a shopper here is the hash of an id."""

Stated = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The messages of one request.

    Parameters
    ----------
    write_key
        The key that came in the body; None where there is none, as where it came as a header.
    """

    messages: list[Any]
    sent_at: object = None
    write_key: str | None = None
    is_plain: bool = True


def parse_segment(
    body: bytes,
    reading: Reading,
    *,
    kind: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Parsed:
    """Return the events of one of Segment's messages, or of a batch of them.

    Parameters
    ----------
    kind
        Which call it is, by its path; None is a batch, in which each message says its own.
    names
        The shop's own track names → our types, beside those of Segment's e-commerce spec.

    Raises
    ------
    InputError
        The body as a whole is no such request.
    LimitError
        There are more messages, or events in them, than one request may have.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> sent = b'''{"event": "Product Viewed", "userId": "s-17", "messageId": "m-1",
    ...             "properties": {"product_id": "i-4", "price": 9.5, "currency": "USD"}}'''
    >>> reading = Reading(now=datetime(2026, 1, 2, tzinfo=UTC), currency="USD")
    >>> (event,) = parse_segment(sent, reading, kind="track").events
    >>> event.event_id, event.type.value, event.item_id, event.value.price_minor
    ('m-1', 'view_item', 'i-4', 950)
    """
    return events_of(read_envelope(body, kind=kind), reading, names=names)


def read_envelope(body: bytes, *, kind: str | None = None) -> Envelope:
    """Return the messages of a request, not yet looked at.

    Raises
    ------
    InputError
        The body as a whole is no such request.
    """
    whole, is_plain = read_json(body)
    if type(whole) is not dict:
        raise InputError("the body is no JSON object", column="body", remedy="send one message, or a batch")
    messages = whole.get("batch") if kind is None else [{**whole, "type": kind}]
    if type(messages) is not list or not messages:
        raise InputError("there are no messages", column="batch", remedy='send {"batch": [{…}, …]}')
    key = whole.get("writeKey")
    return Envelope(
        messages=messages,
        sent_at=whole.get("sentAt"),
        write_key=key if type(key) is str else None,
        is_plain=is_plain,
    )


def events_of(envelope: Envelope, reading: Reading, *, names: Mapping[str, str] | None = None) -> Parsed:
    """Return the events of the messages.

    Raises
    ------
    LimitError
        There are more than one request may have.
    """
    check_length(envelope.messages, reading.limits.batch_events, "batch")
    most = reading.limits.batch_events * _MOST_EVENTS_PER_MESSAGE
    known = {**USUAL_NAMES, **{_plain(name): kind for name, kind in (names or {}).items()}}
    parsed = Parsed()
    for index, message in enumerate(envelope.messages):
        try:
            for stated in _stated(parsed, message, envelope, reading, known):
                take(parsed, index, stated, reading, is_plain=envelope.is_plain)
                if len(parsed.events) + len(parsed.rejected) > most:
                    raise LimitError("too many events at once", column="batch", remedy=f"send up to {most}")
        except RefusedError as refused:
            reject(parsed, index, message.get("messageId") if type(message) is dict else None, refused)
    return parsed


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())


def _stated(
    parsed: Parsed, message: object, envelope: Envelope, reading: Reading, names: Mapping[str, str]
) -> Iterator[Stated]:
    """Yield the events of a message as JSON; one that is no event of ours is counted."""
    if type(message) is not dict:
        raise RefusedError(None, "not_an_object", "a message is a JSON object")
    kind = message.get("type")
    if kind not in KINDS:
        raise RefusedError("type", "unknown_type", nearest(str(kind), KINDS))
    name = _plain(message["event"]) if type(message.get("event")) is str else ""
    if kind in _IGNORED or (kind == "track" and name and name not in names):
        parsed.ignored[kind] = parsed.ignored.get(kind, 0) + 1
        return
    if kind == "track" and not name:
        raise RefusedError("event", "missing", "a track message names its event")
    longest = reading.limits.id_characters
    common: Stated = {
        "event_id": _message_id(message, reading),
        "shopper_id": _shopper(message, longest),
        **occurred(message, envelope.sent_at, reading.now),
    }
    if kind == "track":
        yield from tracked({**common, "context": around(message)}, names[name], message, reading)
    elif kind == "identify":
        yield from _identified(common, message, longest)
    else:
        yield from _aliased(common, message, longest)


def _shopper(message: Stated, longest: int) -> str:
    """Return who it is about: the known id where there is one, else the visitor's."""
    if message.get("userId") not in (None, ""):
        return read_id(message["userId"], "userId", longest=longest)
    if message.get("anonymousId") in (None, ""):
        raise RefusedError("userId", "missing", "a message has a userId or an anonymousId")
    return _visitor(message["anonymousId"], "anonymousId", longest)


def _visitor(stated: object, name: str, longest: int) -> str:
    visitor = read_id(stated, name, longest=longest)
    return visitor if visitor.startswith(ANONYMOUS) else ANONYMOUS + visitor


def _identified(common: Stated, message: Stated, longest: int) -> Iterator[Stated]:
    """Yield what joins the visitor with the shopper, and what the shopper states."""
    said: Stated = {}
    if message.get("userId") not in (None, "") and message.get("anonymousId") not in (None, ""):
        said |= {"other": _visitor(message["anonymousId"], "anonymousId", longest), "linked": True}
    traits = message.get("traits")
    if type(traits) is dict and (kept := _kept(traits)):
        said["traits"] = kept
    if said:
        yield {**common, "type": "alias", "context": said}


def _kept(traits: Stated) -> Stated:
    return {
        name: trait
        for name, trait in traits.items()
        if _plain(name) not in IDENTIFYING and type(trait) in (str, int, float, bool)
    }


def _aliased(common: Stated, message: Stated, longest: int) -> Iterator[Stated]:
    """Yield what joins two ids.

    Segment's `previousId` may be a visitor's id or a known one. What looks like a UUID is a visitor's: the
    libraries draw those. Otherwise both are joined; one that nobody has does no harm.
    """
    if message.get("userId") in (None, ""):
        raise RefusedError("userId", "missing", "an alias names the userId to join")
    previous = read_id(message.get("previousId"), "previousId", longest=longest)
    visitor = _visitor(previous, "previousId", longest)
    yield {**common, "type": "alias", "context": {"other": visitor, "linked": True}}
    if previous != visitor and not _UUID.fullmatch(previous):
        known = {"other": previous, "linked": True}
        yield {**common, "event_id": f"{common['event_id']}:known", "type": "alias", "context": known}


def _message_id(message: Stated, reading: Reading) -> object:
    """Return the message's own id, else one made of all it says, so that sending it again changes nothing."""
    if message.get("messageId") not in (None, ""):
        return message["messageId"]
    said = json.dumps({**message, "sentAt": None}, sort_keys=True)
    if message.get("timestamp") is None and message.get("originalTimestamp") is None:
        said += reading.now.isoformat()
    return "segment-" + blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
