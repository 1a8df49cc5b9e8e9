"""One more event: the whole life of a profile, one step at a time.

A state is a *set* of the newest events, so an event is inserted at its place in time and the oldest makes
room. That is all. Late events need no care, and a state grown event by event equals, byte for byte, the one
that `bulk` builds from the whole log at once.

    log ──► state_event ──► update ──► state ──► facets, interests, intent, … (derived when read)
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Mapping
from copy import copy
from ctypes import c_float
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import takewhile
from operator import itemgetter
from typing import Any

from huaxiang.errors import ClockError
from huaxiang.profile.state import (
    CHANNELS,
    LIGHT,
    N_BOUGHT,
    N_LIGHT,
    N_STRONG,
    NO_ITEM,
    PURCHASE,
    STRONG,
    ProfileState,
    StateEvent,
    Totals,
)
from huaxiang.records import Event, EventType

NOT_AS_DESCRIBED = "not_as_described"
DISLIKED_RATING = 10
"""What a refund of something not as described is rated, in tenths: it speaks against the item."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_QUARTER_MINUTES = 15
_OTHER_CHANNEL = CHANNELS.index("other")
_CHANNEL_CODE = {name: code for code, name in enumerate(CHANNELS)}
_CODES = {kind: kind.code for kind in EventType}
_SIGNS = {EventType.PURCHASE: 1, EventType.REFUND: -1}
_NO_SUMS = (0, 0, 0)
_BY_TIME = itemgetter(1)


def update(state: ProfileState, event: StateEvent, *, totals: Totals) -> ProfileState:
    """Return the state after one more event; the given one is left untouched.

    Any order of the same events gives the same state. Each event must come once: the log sees to that.
    Impressions, consent and aliases never enter a state, so they change nothing.

    Parameters
    ----------
    event, totals
        What `state_event` returned: the event, and what it adds to the lifetime sums.

    Examples
    --------
    >>> bought = StateEvent(2_000, key=1, type=PURCHASE, item_no=5)
    >>> earlier = StateEvent(1_000, key=2, type=PURCHASE, item_no=9)
    >>> state = update(ProfileState(), bought, totals=Totals(2_000, 2_000, 1, 1, 990, 1))
    >>> state = update(state, earlier, totals=Totals(1_000, 1_000, 1, 1, 500, 1))
    >>> [kept.item_no for kept in state.events()], state.totals.spend_minor
    ([9, 5], 1490)
    """
    strong, light, bought = state.strong, state.light, state.bought
    if event.type in STRONG:
        strong, left = _with(strong, event, room_for=N_STRONG)
        if left is not None and left.type == PURCHASE and left.item_no != NO_ITEM:
            bought = _remembering(bought, left.item_no, left.occurred_ms)
    elif event.type in LIGHT:
        light, _ = _with(light, event, room_for=N_LIGHT)
    else:
        return state
    return ProfileState(strong, light, bought, state.totals.plus(totals), state.order_only)


def _with(
    events: tuple[StateEvent, ...], event: StateEvent, *, room_for: int
) -> tuple[tuple[StateEvent, ...], StateEvent | None]:
    """Return the events with one more at its place in time, and the oldest if it had to leave."""
    place = bisect(events, event)
    grown = events[:place] + (event,) + events[place:]
    return (grown, None) if len(grown) <= room_for else (grown[1:], grown[0])


def _remembering(bought: dict[int, int], item_no: int, occurred_ms: int) -> dict[int, int]:
    """Return when items were last bought, with one more purchase and without the oldest beyond `N_BOUGHT`.

    The mapping is kept in the order of time, so that the oldest is found at its front.
    """
    if item_no in bought and bought[item_no] >= occurred_ms:
        return bought
    kept = copy(bought)
    kept.pop(item_no, None)
    is_late = bool(kept) and kept[next(reversed(kept))] > occurred_ms
    kept[item_no] = occurred_ms
    if is_late:
        kept = dict(sorted(kept.items(), key=_BY_TIME))
    if len(kept) > N_BOUGHT:
        del kept[_oldest(kept)]
    return kept


def _oldest(bought: Mapping[int, int]) -> int:
    """Return the item bought longest ago; of several at that moment, the lowest number."""
    oldest_ms = next(iter(bought.values()))
    return min(item_no for item_no, _ in takewhile(lambda pair: pair[1] == oldest_ms, bought.items()))


def state_event(
    event: Event,
    *,
    item_no: int = NO_ITEM,
    ordinal: int | None = None,
    new_order: bool = True,
    hashes: tuple[int, int] | None = None,
) -> tuple[StateEvent, Totals]:
    """Return an event as a state keeps it, and what it adds to the lifetime sums.

    Parameters
    ----------
    item_no
        The number of `event.item_id`; `NO_ITEM` where it has none.
    ordinal
        In a shop that knows only an order: how many events the shopper had before, `totals.n_events`.
        None reads `event.occurred_at`.
    new_order
        Whether a purchase is the first line of its order; the same as the log says of it.
    hashes
        The event's `event_key` and the `content_hash` of its `content_of`, where they are known already.

    Raises
    ------
    ClockError
        When the event has no time and no `ordinal` is given.
    """
    occurred_ms = milliseconds(event.occurred_at) if ordinal is None else ordinal
    key, content = hashes or (event_key(event.event_id), content_hash(content_of(event)))
    kept = StateEvent(*state_fields(event, occurred_ms, key=key, item_no=item_no, content=content))
    return kept, Totals(occurred_ms, occurred_ms, *sums_of(event, new_order=new_order), 1)


def state_fields(
    event: Event, occurred_ms: int, *, key: int, item_no: int, content: int
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """Return the fields of a `StateEvent`, in their order."""
    value, context = event.value, event.context
    return (
        occurred_ms,
        key,
        _CODES[event.type],
        item_no,
        _rating(event) if context or value.rating else 0,
        1 if value.quantity == 1.0 else whole_units(value.quantity),
        content,
        event.utc_offset_minutes // _QUARTER_MINUTES,
        channel_code(context.get("channel")) if context else 0,
    )


def sums_of(event: Event, *, new_order: bool) -> tuple[int, int, int]:
    """Return what one event adds of orders, units and spend: a purchase its own, a refund the opposite."""
    sign = _SIGNS.get(event.type, 0)
    if not sign:
        return _NO_SUMS
    value = event.value
    quantity = c_float(abs(value.quantity)).value  # tables keep 32 bits; the sums must agree
    return (
        int(new_order and sign > 0),
        sign * round(quantity),
        sign * round(quantity * (value.price_minor or 0)),
    )


def _rating(event: Event) -> int:
    """Return the rating in tenths, 0 where there is none."""
    if event.type is EventType.REFUND and event.context.get("reason") == NOT_AS_DESCRIBED:
        return DISLIKED_RATING
    return round(10 * c_float(event.value.rating).value) if event.value.rating else 0


def content_of(event: Event) -> str | None:
    """Return what the event says or shows: its words, a correction as JSON, else where its photo is."""
    if event.type is EventType.CORRECT:
        return correction_text(event.context)
    return event.query or event.text or event.image


def correction_text(context: Mapping[str, Any]) -> str | None:
    """Return a correction as canonical JSON, None where it names no dimension or value.

    Examples
    --------
    >>> correction_text({"value": "red", "dimension": "colour", "side": "disliked", "channel": "web"})
    '{"dimension":"colour","value":"red","side":"disliked"}'
    """
    if not context.get("dimension") or not context.get("value"):
        return None
    said = {
        "dimension": context["dimension"],
        "value": context["value"],
        "side": context.get("side", "liked"),
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def event_key(event_id: str) -> int:
    """Return the 40 bits that stand for an event id: enough among the few hundred events of one shopper."""
    return int.from_bytes(blake2b(event_id.encode()).digest()[:5], "big")


def content_hash(content: str | None) -> int:
    """Return the 63 bits that stand for a text or for a photo's name; 0 for none."""
    return int.from_bytes(blake2b(content.encode()).digest()[:8], "big") >> 1 if content else 0


def channel_code(name: str | None) -> int:
    """Return the row of a channel in `CHANNELS`; "other" for one that is not there."""
    return _CHANNEL_CODE.get((name or "").lower(), _OTHER_CHANNEL)


def whole_units(quantity: float) -> int:
    """Return a quantity as a state keeps it: whole, without its sign."""
    return round(abs(c_float(quantity).value))


def milliseconds(moment: datetime | None) -> int:
    """Return the milliseconds since 1970.

    Raises
    ------
    ClockError
        When there is no moment, or it names no time zone.
    """
    if moment is None or moment.tzinfo is None:
        raise ClockError(
            "an event has no time in UTC",
            column="occurred_at",
            remedy="give a time with its zone, or say that the shop knows only an order",
        )
    return (moment - _EPOCH) // _MILLISECOND
