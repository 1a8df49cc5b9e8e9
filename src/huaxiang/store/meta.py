"""A few facts about the store itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection

from huaxiang.store.sql import fill, rows_of


def read_meta(tx: Connection, name: str) -> str | None:
    """Return a fact, None where it was never written."""
    found = rows_of(tx, "SELECT value FROM meta WHERE name = ?", name)
    return str(found[0][0]) if found else None


def write_meta(tx: Connection, name: str, value: str) -> None:
    """Write a fact; the former one is replaced."""
    query = (
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    tx.exec_driver_sql(fill(tx, query), (name, value))
