"""The catalogue as the log numbers it: an item keeps its number for ever, also once it is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection

from huaxiang.records import Item
from huaxiang.store.sql import fill, rows_of

_ITEM = TypeAdapter(Item)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item, its number, and the number of the change that it got with."""

    item_no: int
    item: Item
    is_deleted: bool
    change: int


def put_items(tx: Connection, shop_id: str, items: Sequence[Item]) -> dict[str, int]:
    """Write items, new or changed; return item id → number. A deleted one is back."""
    known = item_numbers(tx, shop_id)
    change = newest_change(tx, shop_id) + 1
    next_no = max(known.values(), default=-1) + 1
    rows, numbers = [], {}
    for item in items:
        number = known.setdefault(item.item_id, next_no)
        next_no += number == next_no
        numbers[item.item_id] = number
        rows.append((shop_id, number, item.item_id, _written(item), False, change))
    _put(tx, rows)
    return numbers


def delete_items(tx: Connection, shop_id: str, item_ids: Sequence[str]) -> list[str]:
    """Mark items as deleted; return those that were there."""
    change = newest_change(tx, shop_id) + 1
    query = "UPDATE items SET is_deleted = ?, change = ? WHERE shop_id = ? AND item_id = ? AND NOT is_deleted"
    gone = []
    for item_id in item_ids:
        done = tx.exec_driver_sql(fill(tx, query), (True, change, shop_id, item_id))
        gone += [item_id] * done.rowcount
    return gone


def item_numbers(tx: Connection, shop_id: str) -> dict[str, int]:
    """Return item id → number, of deleted ones too."""
    return dict(rows_of(tx, "SELECT item_id, item_no FROM items WHERE shop_id = ?", shop_id))


def items_after(tx: Connection, shop_id: str, change: int) -> list[StoredItem]:
    """Return the items that changed after a change, in the order of their numbers."""
    query = (
        "SELECT item_no, record, is_deleted, change FROM items "
        "WHERE shop_id = ? AND change > ? ORDER BY item_no"
    )
    return [
        StoredItem(number, _ITEM.validate_json(record), bool(is_deleted), at)
        for number, record, is_deleted, at in rows_of(tx, query, shop_id, change)
    ]


def newest_change(tx: Connection, shop_id: str) -> int:
    """Return the number of the newest change, 0 where there was none."""
    found = rows_of(tx, "SELECT max(change) FROM items WHERE shop_id = ?", shop_id)[0][0]
    return int(found or 0)


def _put(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    query = (
        "INSERT INTO items (shop_id, item_no, item_id, record, is_deleted, change) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (shop_id, item_no) DO UPDATE SET record = excluded.record, "
        "is_deleted = excluded.is_deleted, change = excluded.change"
    )
    if rows:
        tx.exec_driver_sql(fill(tx, query), list(rows))


def _written(item: Item) -> str:
    return orjson.dumps(asdict(item), default=_plain).decode()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
