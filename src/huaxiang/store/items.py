"""The catalogue as the log numbers it: an item keeps its number for ever, also once it is deleted.

Every change has a number, too, given under a lock that is held until the commit: a reader that has seen a
change has seen all before it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection

from huaxiang.records import Item
from huaxiang.store.sql import fill, is_postgresql, rows_of

_ITEM = TypeAdapter(Item)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item, its number, and the number of the change that it got with."""

    item_no: int
    item: Item
    is_deleted: bool
    change: int


def lock_items(tx: Connection, shop_id: str) -> None:
    """Let nobody else change the items of a shop until this transaction ends; SQLite has one writer."""
    if is_postgresql(tx):
        rows_of(tx, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", f"items of {shop_id}")


def put_items(
    tx: Connection, shop_id: str, items: Sequence[Item], *, deleted: Collection[str] = ()
) -> dict[str, int]:
    """Write items, new or changed, those in `deleted` as deleted; return item id → number."""
    lock_items(tx, shop_id)
    known = _numbers_of(tx, shop_id, [item.item_id for item in items])
    change, next_no = newest_change(tx, shop_id) + 1, _next_number(tx, shop_id)
    rows, numbers = [], {}
    for item in items:
        number = known.setdefault(item.item_id, next_no)
        next_no += number == next_no
        numbers[item.item_id] = number
        rows.append((shop_id, number, item.item_id, _written(item), item.item_id in deleted, change))
    _put(tx, rows)
    return numbers


def delete_items(tx: Connection, shop_id: str, item_ids: Sequence[str]) -> list[str]:
    """Mark items as deleted; return those that were there."""
    lock_items(tx, shop_id)
    change = newest_change(tx, shop_id) + 1
    query = "UPDATE items SET is_deleted = ?, change = ? WHERE shop_id = ? AND item_id = ? AND NOT is_deleted"
    gone = []
    for item_id in item_ids:
        done = tx.exec_driver_sql(fill(tx, query), (True, change, shop_id, item_id))
        gone += [item_id] * done.rowcount
    return gone


def items_of(tx: Connection, shop_id: str, item_ids: Sequence[str]) -> dict[str, StoredItem]:
    """Return item id → item of those that the shop has, deleted ones too."""
    rows = _given(tx, shop_id, item_ids, "i.item_no, i.record, i.is_deleted, i.change")
    return {one.item.item_id: one for one in map(_stored, rows)}


def numbers_after(tx: Connection, shop_id: str, change: int) -> list[tuple[str, int, int]]:
    """Return id, number and change of the items that changed after a change."""
    query = "SELECT item_id, item_no, change FROM items WHERE shop_id = ? AND change > ?"
    return [(item_id, number, at) for item_id, number, at in rows_of(tx, query, shop_id, change)]


def item_numbers(tx: Connection, shop_id: str) -> dict[str, int]:
    """Return item id → number, of deleted ones too."""
    return dict(rows_of(tx, "SELECT item_id, item_no FROM items WHERE shop_id = ?", shop_id))


def items_after(tx: Connection, shop_id: str, change: int) -> list[StoredItem]:
    """Return the items that changed after a change, in the order of their numbers."""
    query = (
        "SELECT item_no, record, is_deleted, change FROM items "
        "WHERE shop_id = ? AND change > ? ORDER BY item_no"
    )
    return [_stored(row) for row in rows_of(tx, query, shop_id, change)]


def newest_change(tx: Connection, shop_id: str) -> int:
    """Return the number of the newest change, 0 where there was none."""
    found = rows_of(tx, "SELECT max(change) FROM items WHERE shop_id = ?", shop_id)[0][0]
    return int(found or 0)


def _stored(row: Sequence[Any]) -> StoredItem:
    number, record, is_deleted, change = row
    return StoredItem(number, _ITEM.validate_json(record), bool(is_deleted), change)


def _numbers_of(tx: Connection, shop_id: str, item_ids: Sequence[str]) -> dict[str, int]:
    return dict(_given(tx, shop_id, item_ids, "i.item_id, i.item_no"))


def _next_number(tx: Connection, shop_id: str) -> int:
    newest = rows_of(tx, "SELECT max(item_no) FROM items WHERE shop_id = ?", shop_id)[0][0]
    return 0 if newest is None else int(newest) + 1


def _given(tx: Connection, shop_id: str, item_ids: Sequence[str], columns: str) -> list[Any]:
    """Return columns of the items with some ids, given as one JSON array."""
    if is_postgresql(tx):
        given = "SELECT DISTINCT value AS item_id FROM jsonb_array_elements_text(?::jsonb)"
    else:
        given = "SELECT DISTINCT value AS item_id FROM json_each(?)"
    query = (
        f"WITH given AS ({given}) SELECT {columns} FROM given "
        "CROSS JOIN items i WHERE i.shop_id = ? AND i.item_id = given.item_id ORDER BY i.item_no"
    )
    return rows_of(tx, query, orjson.dumps(list(item_ids)).decode(), shop_id)


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
