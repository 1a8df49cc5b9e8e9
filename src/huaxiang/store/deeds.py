"""How often each shopper did one thing with each item, in a stretch of time."""

from __future__ import annotations

from sqlalchemy import Connection

from huaxiang.store.sql import rows_of


def items_by_shopper(
    tx: Connection, shop_id: str, kind: int, *, from_ms: int, to_ms: int
) -> list[tuple[str, int, int]]:
    """Return (shopper, item number, times) of all events of a type from one moment until before another."""
    query = (
        "SELECT shopper_id, item_no, count(*) FROM events WHERE shop_id = ? AND type = ? "
        "AND occurred_ms >= ? AND occurred_ms < ? AND item_no IS NOT NULL AND NOT excluded "
        "GROUP BY shopper_id, item_no"
    )
    return [
        (str(row[0]), int(row[1]), int(row[2])) for row in rows_of(tx, query, shop_id, kind, from_ms, to_ms)
    ]
