"""The log's reviews and ratings alone, found without reading anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from huaxiang.records import EventType
from huaxiang.store.base import LoggedEvent
from huaxiang.store.log import N_PARTITIONS, logged_rows
from huaxiang.store.sql import rows_of

IS_REVIEW = (
    f"type IN ({EventType.REVIEW.code}, {EventType.RATE.code}) AND item_no IS NOT NULL AND NOT excluded"
)
"""What the index `events_reviews` holds; a query says it word for word, or the index is not used."""
INDEX = (
    f"CREATE INDEX IF NOT EXISTS events_reviews ON events (shop_id, partition, position) WHERE {IS_REVIEW}"
)


def reviews_after(tx: Connection, shop_id: str, after: Mapping[int, int], *, limit: int) -> list[LoggedEvent]:
    """Return the next reviews and ratings of each partition; see `read_after`."""
    found: list[LoggedEvent] = []
    for part in range(N_PARTITIONS[tx.dialect.name]):
        where = (
            f"WHERE shop_id = ? AND partition = ? AND position > ? AND {IS_REVIEW} ORDER BY position LIMIT ?"
        )
        found += logged_rows(tx, where, shop_id, part, after.get(part, -1), limit)
    return found


def count_reviews(tx: Connection, shop_id: str) -> int:
    """Return how many reviews and ratings the log has now: fewer than before when somebody was erased."""
    query = f"SELECT COUNT(*) FROM events WHERE shop_id = ? AND {_each(tx)} AND {IS_REVIEW}"
    return int(rows_of(tx, query, shop_id)[0][0])


def review_positions(tx: Connection, shop_id: str) -> list[int]:
    """Return where they stand in the log."""
    query = f"SELECT position FROM events WHERE shop_id = ? AND {_each(tx)} AND {IS_REVIEW}"
    return [position for (position,) in rows_of(tx, query, shop_id)]


def _each(tx: Connection) -> str:
    parts = ", ".join(map(str, range(N_PARTITIONS[tx.dialect.name])))
    return f"partition IN ({parts})"


def bought(tx: Connection, shop_id: str, pairs: Sequence[tuple[str, int]]) -> list[bool]:
    """Return whether each shopper bought each item, by its number."""
    query = "SELECT 1 FROM events WHERE shop_id = ? AND shopper_id = ? AND type = ? AND item_no = ? LIMIT 1"
    kind = EventType.PURCHASE.code
    values: list[tuple[Any, ...]] = [(shop_id, shopper_id, kind, item_no) for shopper_id, item_no in pairs]
    return [bool(rows_of(tx, query, *one)) for one in values]
