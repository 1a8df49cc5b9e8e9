"""One event as a record and as a row of the table of events."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from huaxiang.records import EVENT_TYPES, Event, EventType, Value
from huaxiang.shop.base import Shop
from huaxiang.shop.events import ANONYMOUS

_NO_ITEM = -1


def event_record(shop: Shop, row: int) -> Event:
    """Return the event in a row of `shop.events`; `position` is the row.

    Examples
    --------
    The other way round, `event_row(event_record(shop, row), item_row=…)` is the row again, but for `line`.
    """
    return event_records(shop, row, row + 1)[0]


def event_records(
    shop: Shop,
    start: int,
    stop: int,
    *,
    shopper: Callable[[str], str] = lambda shopper_id: shopper_id,
    shop_id: str = "default",
) -> list[Event]:
    """Return the events in the rows from `start` up to `stop` of `shop.events`, in the order of the log.

    Parameters
    ----------
    shopper
        Turns the shop's own ids into those that the records get, such as their hashes.
    """
    rows = shop.events[start:stop]
    about_item = rows["item_row"].clip(lower_bound=0)
    has_items = len(shop.items) > 0
    item_ids = shop.items["item_id"].gather(about_item).to_list() if has_items else [None] * len(rows)
    return [
        _record(
            stated,
            item_id=item_id if stated["item_row"] >= 0 else None,
            position=row,
            currency=shop.currency,
            shopper_id=shopper(stated["shopper_id"]),
            shop_id=shop_id,
        )
        for row, item_id, stated in zip(
            range(start, stop), item_ids, rows.iter_rows(named=True), strict=False
        )
    ]


def _record(
    stated: dict[str, Any],
    *,
    item_id: str | None,
    position: int,
    currency: str | None,
    shopper_id: str,
    shop_id: str,
) -> Event:
    kind = EVENT_TYPES[stated["type"]]
    context = orjson.loads(stated["context"]) if stated["context"] else {}
    if stated["channel"] is not None:
        context["channel"] = stated["channel"]
    return Event(
        event_id=stated["event_id"],
        shopper_id=shopper_id,
        type=kind,
        occurred_at=_in_utc(stated["occurred_at"]),
        received_at=_in_utc(stated["received_at"]),
        item_id=item_id,
        query=stated["text"] if kind is EventType.SEARCH else None,
        text=None if kind is EventType.SEARCH else stated["text"],
        image=stated["image"],
        value=Value(
            quantity=stated["quantity"],
            price_minor=stated["price_minor"],
            currency=currency if stated["price_minor"] is not None else None,
            rating=stated["rating"],
        ),
        session_id=stated["session_id"],
        order_id=stated["order_id"],
        utc_offset_minutes=stated["utc_offset_minutes"],
        context=context,
        shop_id=shop_id,
        position=position,
    )


def event_row(event: Event, *, item_row: int | None, new_order: bool | None = None) -> dict[str, Any]:
    """Return the event as a row of `EVENT_COLUMNS`.

    Parameters
    ----------
    item_row
        Row of its item in the catalogue, `Catalogue.row_of[event.item_id]`; None where it names no item.
    new_order
        Whether it is the first line of its order; None takes every purchase as an order of its own.
    """
    context = dict(event.context)
    channel = context.pop("channel", None)
    is_purchase = event.type is EventType.PURCHASE
    return {
        "event_id": event.event_id,
        "shopper_id": event.shopper_id,
        "anonymous": event.shopper_id.startswith(ANONYMOUS),
        "type": event.type.code,
        "item_row": _NO_ITEM if item_row is None else item_row,
        "text": event.query if event.query is not None else event.text,
        "image": event.image,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "quantity": event.value.quantity,
        "price_minor": event.value.price_minor,
        "rating": event.value.rating,
        "session_id": event.session_id,
        "order_id": event.order_id,
        "new_order": is_purchase if new_order is None else new_order,
        "utc_offset_minutes": event.utc_offset_minutes,
        "channel": channel,
        "context": json.dumps(context, ensure_ascii=False, separators=(",", ":")) if context else None,
        "line": None,
    }


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
