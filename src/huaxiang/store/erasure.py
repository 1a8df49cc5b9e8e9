"""Forgetting somebody: every row of theirs in every table, and then the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from huaxiang.records import EventType
from huaxiang.store.connect import Store
from huaxiang.store.contents import events_saying
from huaxiang.store.shoppers import regroup
from huaxiang.store.sql import fill, rows_of

_OWNED = ("events", "shoppers", "slates", "dead_letters")
"""Tables whose rows belong to one shopper."""

_SUPERUSERS = ("VACUUM (FULL) pg_statistic", "SELECT pg_switch_wal()", "CHECKPOINT")
_MAY_CHECKPOINT = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_KEEPS_SEGMENTS = {"wal_recycle": "off", "archive_mode": "off", "wal_keep_size": "0"}
"""With these, a checkpoint deletes the segments of the write-ahead log that it no longer needs."""

_LEFT_IN_LOG = (
    "segments of PostgreSQL's write-ahead log from before the erasure, until the server writes over them: "
    "with wal_recycle = off, archive_mode = off, wal_keep_size = 0 and a superuser they go at once; archived "
    "segments, standbys and backups until they expire"
)


def erase(
    tx: Connection, shop_id: str, shopper_ids: Sequence[str], *, subjects: Sequence[str], at_ms: int
) -> dict[str, int]:
    """Delete everything of some ids; return how many rows of each table are gone.

    Parameters
    ----------
    subjects
        A keyed hash of each id: all that is kept, so that events from before do not come back.
    """
    said = said_by(tx, shop_id, shopper_ids)
    neighbours = _linked_with(tx, shop_id, shopper_ids)
    gone = {table: _deleted(tx, table, "shopper_id", shop_id, shopper_ids) for table in _OWNED}
    gone["links"] = sum(
        _deleted(tx, "links", column, shop_id, shopper_ids) for column in ("low_id", "high_id")
    )
    others = neighbours - set(shopper_ids)
    _unname(tx, shop_id, shopper_ids, others)
    regroup(tx, shop_id, others)
    gone["contents"] = _deleted_contents(tx, shop_id, said)
    mark = (
        "INSERT INTO tombstones (shop_id, subject, erased_ms) VALUES (?, ?, ?) "
        "ON CONFLICT (shop_id, subject) DO UPDATE SET erased_ms = excluded.erased_ms"
    )
    tx.exec_driver_sql(fill(tx, mark), [(shop_id, subject, at_ms) for subject in subjects])
    return gone


def erase_late(tx: Connection, shop_id: str, shopper_ids: Sequence[str], *, said: set[int]) -> dict[str, int]:
    """Delete what requests that were under way during an erasure wrote after it: lists, and vectors of words.

    Parameters
    ----------
    said
        What the shoppers had said, which the log no longer tells.
    """
    return {
        "slates": _deleted(tx, "slates", "shopper_id", shop_id, shopper_ids),
        "contents": _deleted_contents(tx, shop_id, said),
    }


def erased_at(tx: Connection, shop_id: str) -> dict[str, int]:
    """Return the keyed hash of everybody who was erased, and when, in milliseconds."""
    return dict(rows_of(tx, "SELECT subject, erased_ms FROM tombstones WHERE shop_id = ?", shop_id))


def scrub(store: Store) -> None:
    """Let nothing of deleted rows be left in the files of the database, as far as SQL reaches.

    SQLite: what was deleted is overwritten (`secure_delete`), the write-ahead log is emptied, and the file is
    written anew. PostgreSQL: the tables are written anew, and so are its samples of their values; then its
    write-ahead log goes on in a new segment and a checkpoint lets go of the old ones. See `left_in_files`.
    """
    with store.raw() as connection:
        if store.is_shared:
            for table in (*_OWNED, "links", "contents"):
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
            for statement in _SUPERUSERS:
                with suppress(ProgrammingError):  # not allowed to this user: `left_in_files` says so
                    connection.exec_driver_sql(statement)
            return
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def left_in_files(store: Store) -> str:
    """Return what `scrub` can't reach, and for how long it is there.

    Examples
    --------
    >>> import tempfile
    >>> from huaxiang.store import open_store
    >>> with tempfile.TemporaryDirectory() as home:
    ...     left_in_files(open_store(f"sqlite:///{home}/store.sqlite"))
    'nothing'
    """
    if not store.is_shared:
        return "nothing"
    with store.read() as tx:
        set_to = {name: str(tx.exec_driver_sql(f"SHOW {name}").scalar()) for name in _KEEPS_SEGMENTS}
        may = bool(tx.exec_driver_sql(_MAY_CHECKPOINT).scalar())
    if may and set_to == _KEEPS_SEGMENTS:
        return "nothing but what was copied elsewhere: standbys and backups, until they expire"
    return _LEFT_IN_LOG


def said_by(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> set[int]:
    """Return the numbers of all words and photos in the events of some ids."""
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


def _unname(tx: Connection, shop_id: str, shopper_ids: Sequence[str], others: AbstractSet[str]) -> None:
    """Let the events of others who were joined once, and came apart, name the erased ids no longer."""
    query = (
        "SELECT event_key, event_id, context FROM events WHERE shop_id = ? AND shopper_id = ? AND type = ?"
    )
    change = fill(
        tx,
        "UPDATE events SET context = '{}' "
        "WHERE shop_id = ? AND shopper_id = ? AND event_key = ? AND event_id = ?",
    )
    for other in sorted(others):
        for key, event_id, context in rows_of(tx, query, shop_id, other, EventType.ALIAS.code):
            if any(shopper_id in (context or "") for shopper_id in shopper_ids):
                tx.exec_driver_sql(change, (shop_id, other, key, event_id))


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
