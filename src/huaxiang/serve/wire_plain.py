"""The short way of events that are written in the plainest way, which is how most are.

JSON is read into records in C, and an event is taken as it is where nothing in it needs a closer look. All
others go the long way, `wire.take`, which says what is wrong. Both ways give the same events.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from huaxiang.records import Event, EventType, Value
from huaxiang.serve.wire_fields import (
    MOST_MINOR,
    MOST_QUANTITY,
    NO_VALUE,
    Reading,
    RefusedError,
    read_context,
    read_moment,
)
from huaxiang.shop.cells import minor_units

_KINDS = {
    kind.value: kind
    for kind in (
        EventType.VIEW_ITEM,
        EventType.VIEW_ITEM_LIST,
        EventType.SELECT_ITEM,
        EventType.ADD_TO_CART,
        EventType.REMOVE_FROM_CART,
        EventType.ADD_TO_WISHLIST,
        EventType.PURCHASE,
        EventType.REFUND,
    )
}
"""The commonest of those that are about an item and need nothing else."""

_is_plain_id = re.compile(r"(?=\D*\d)[\w:@+-]+").fullmatch
"""An id with a digit in it, so that it is no word for nothing, and with nothing to strip or to round.

It takes a time in proportion to the id's length, whatever is written.
"""


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    quantity: int | float | None = None
    price: int | float | None = None
    price_minor: int | float | None = None
    currency: str | None = None
    rating: int | float | None = None


class _Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    event_id: str
    shopper_id: str
    type: str
    item_id: str | None = None
    query: str | None = None
    text: str | None = None
    image: str | None = None
    occurred_at: str | None = None
    value: _Value | None = None
    session_id: str | None = None
    order_id: str | None = None
    context: dict[str, Any] | None = None


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: list[_Stated]


_BODY = msgspec.json.Decoder(_Body)


def plain_events(body: bytes, reading: Reading) -> list[Event | None]:
    """Return the events of a body of `POST /v1/events`: None for each that must go the long way.

    Nothing where the whole body must.
    """
    try:
        given = _BODY.decode(body).events
    except (msgspec.MsgspecError, RecursionError):
        return []
    if len(given) > reading.limits.batch_events:
        return []
    own = reading.currency
    return [_event(stated, reading, own, minor_units(own)) for stated in given]


def _event(stated: _Stated, reading: Reading, own: str | None, n_minor: int) -> Event | None:
    kind, longest = _KINDS.get(stated.type), reading.limits.id_characters
    event_id, shopper_id, item_id = stated.event_id, stated.shopper_id, stated.item_id
    session_id, order_id = stated.session_id, stated.order_id
    if (
        kind is None
        or item_id is None
        or stated.query is not None
        or stated.text is not None
        or stated.image is not None
        or not (len(event_id) <= longest and _is_plain_id(event_id))
        or not (len(shopper_id) <= longest and _is_plain_id(shopper_id))
        or not (len(item_id) <= longest and _is_plain_id(item_id))
        or not (session_id is None or (len(session_id) <= longest and _is_plain_id(session_id)))
        or not (order_id is None or (len(order_id) <= longest and _is_plain_id(order_id)))
        or not reading.has_item(item_id)
        or (value := NO_VALUE if stated.value is None else _value(stated.value, own, n_minor)) is None
    ):
        return None
    try:
        occurred_at, offset, was_ahead = read_moment(stated.occurred_at, reading)
        if was_ahead:
            return None
        return Event(
            event_id=event_id,
            shopper_id=reading.shopper(shopper_id),
            type=kind,
            occurred_at=occurred_at,
            received_at=reading.now,
            item_id=item_id,
            value=value,
            session_id=session_id,
            order_id=order_id,
            utc_offset_minutes=offset,
            context={} if stated.context is None else read_context(stated.context, reading.limits),
            shop_id=reading.shop_id,
        )
    except RefusedError:
        return None


def _value(stated: _Value, own: str | None, n_minor: int) -> Value | None:
    """Return a quantity and a price in the shop's own currency; None where anything else is said."""
    quantity, price, currency = stated.quantity, stated.price, stated.currency
    if stated.rating is not None or stated.price_minor is not None or own is None:
        return None
    if currency is not None and currency != own:
        return None
    if quantity is None:
        quantity = 1.0
    elif not 0 < quantity <= MOST_QUANTITY:
        return None
    if price is None:
        return Value(quantity=float(quantity))
    units = price * n_minor
    if not 0 <= units <= MOST_MINOR:
        return None
    return Value(quantity=float(quantity), price_minor=round(units), currency=own)
