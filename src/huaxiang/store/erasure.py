"""Forgetting somebody: every row of theirs in every table, and then the bytes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from huaxiang.store.connect import Store
from huaxiang.store.contents import events_saying
from huaxiang.store.shoppers import regroup
from huaxiang.store.sql import fill, rows_of

_OWNED = ("events", "shoppers", "slates", "dead_letters")
"""Tables whose rows belong to one shopper."""


def erase(
    tx: Connection, shop_id: str, shopper_ids: Sequence[str], *, subjects: Sequence[str], at_ms: int
) -> dict[str, int]:
    """Delete everything of some ids; return how many rows of each table are gone.

    Parameters
    ----------
    subjects
        A keyed hash of each id: all that is kept, so that events from before do not come back.
    """
    said = _said_by(tx, shop_id, shopper_ids)
    neighbours = _linked_with(tx, shop_id, shopper_ids)
    gone = {table: _deleted(tx, table, "shopper_id", shop_id, shopper_ids) for table in _OWNED}
    gone["links"] = sum(
        _deleted(tx, "links", column, shop_id, shopper_ids) for column in ("low_id", "high_id")
    )
    regroup(tx, shop_id, neighbours - set(shopper_ids))
    gone["contents"] = _deleted_contents(tx, shop_id, said)
    mark = (
        "INSERT INTO tombstones (shop_id, subject, erased_ms) VALUES (?, ?, ?) "
        "ON CONFLICT (shop_id, subject) DO UPDATE SET erased_ms = excluded.erased_ms"
    )
    tx.exec_driver_sql(fill(tx, mark), [(shop_id, subject, at_ms) for subject in subjects])
    return gone


def erased_at(tx: Connection, shop_id: str) -> dict[str, int]:
    """Return the keyed hash of everybody who was erased, and when, in milliseconds."""
    return dict(rows_of(tx, "SELECT subject, erased_ms FROM tombstones WHERE shop_id = ?", shop_id))


def scrub(store: Store) -> None:
    """Let nothing of deleted rows be left in the files of the database.

    SQLite: what was deleted is overwritten (`secure_delete`), the write-ahead log is emptied, and the file is
    written anew. PostgreSQL: the tables are written anew; its own write-ahead log keeps the bytes until it
    is recycled, and backups until they expire.
    """
    with store.raw() as connection:
        if store.is_shared:
            for table in (*_OWNED, "links", "contents"):
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")
            connection.exec_driver_sql("CHECKPOINT")
            return
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _said_by(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> set[int]:
    query = "SELECT DISTINCT content FROM events WHERE shop_id = ? AND shopper_id = ? AND content <> 0"
    return {row[0] for shopper_id in shopper_ids for row in rows_of(tx, query, shop_id, shopper_id)}


def _linked_with(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> set[str]:
    query = (
        "SELECT high_id FROM links WHERE shop_id = ? AND low_id = ? "
        "UNION SELECT low_id FROM links WHERE shop_id = ? AND high_id = ?"
    )
    return {
        row[0]
        for shopper_id in shopper_ids
        for row in rows_of(tx, query, shop_id, shopper_id, shop_id, shopper_id)
    }


def _deleted(tx: Connection, table: str, column: str, shop_id: str, shopper_ids: Sequence[str]) -> int:
    query = fill(tx, f"DELETE FROM {table} WHERE shop_id = ? AND {column} = ?")
    return sum(tx.exec_driver_sql(query, (shop_id, shopper_id)).rowcount for shopper_id in shopper_ids)


def _deleted_contents(tx: Connection, shop_id: str, said: set[int]) -> int:
    """Delete what nobody else said either."""
    used = f"SELECT 1 FROM {events_saying(tx)} LIMIT 1"
    query = fill(tx, "DELETE FROM contents WHERE shop_id = ? AND content = ?")
    return sum(
        tx.exec_driver_sql(query, (shop_id, content)).rowcount
        for content in sorted(said)
        if not rows_of(tx, used, shop_id, content)
    )
