"""Who read and changed what: a log that is only ever added to.

Nobody can be recognised in it: a person is a keyed hash, so that it may outlive their erasure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection

from huaxiang.store.sql import fill, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One thing that a key did."""

    line: str
    at_ms: int
    key_id: str
    action: str
    subject: str | None
    purpose: str | None
    outcome: str


def add_lines(tx: Connection, shop_id: str, lines: Sequence[AuditLine]) -> None:
    """Add lines."""
    query = (
        "INSERT INTO audit (shop_id, line, at_ms, key_id, action, subject, purpose, outcome) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    tx.exec_driver_sql(fill(tx, query), [(shop_id, *astuple(line)) for line in lines])


def read_lines(tx: Connection, shop_id: str, *, since_ms: int = 0, limit: int = 1000) -> list[AuditLine]:
    """Return the lines from a moment on, the oldest first."""
    query = (
        "SELECT line, at_ms, key_id, action, subject, purpose, outcome FROM audit "
        "WHERE shop_id = ? AND at_ms >= ? ORDER BY at_ms, line LIMIT ?"
    )
    names = ("line", "at_ms", "key_id", "action", "subject", "purpose", "outcome")
    return [
        AuditLine(**dict(zip(names, row, strict=True)))
        for row in rows_of(tx, query, shop_id, since_ms, limit)
    ]
