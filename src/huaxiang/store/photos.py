"""Which kept photos somebody showed, and whether anything still names one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from huaxiang.store.contents import events_saying
from huaxiang.store.sql import rows_of


def photos_of_shoppers(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> set[str]:
    """Return the names of the photos in the events of some ids."""
    query = "SELECT DISTINCT image FROM events WHERE shop_id = ? AND shopper_id = ? AND image IS NOT NULL"
    return {row[0] for one in shopper_ids for row in rows_of(tx, query, shop_id, one)}


def is_named(tx: Connection, shop_id: str, name: str, content: int) -> bool:
    """Return whether an event or an item names a photo.

    Parameters
    ----------
    content
        The number by which events name it.
    """
    in_events = f"SELECT 1 FROM {events_saying(tx)} LIMIT 1"
    in_items = "SELECT 1 FROM items WHERE shop_id = ? AND record LIKE ? LIMIT 1"
    return bool(rows_of(tx, in_events, shop_id, content) or rows_of(tx, in_items, shop_id, f'%"{name}"%'))
