"""Statements that are written once and read by both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection


def is_postgresql(tx: Connection) -> bool:
    """Return whether the store is PostgreSQL, else it is SQLite."""
    return tx.dialect.name == "postgresql"


def fill(tx: Connection, statement: str) -> str:
    """Return a statement with the placeholders of the driver; it is written with `?`."""
    return statement.replace("?", "%s") if is_postgresql(tx) else statement


def rows_of(tx: Connection, statement: str, *values: Any) -> list[Any]:
    """Return the rows that a statement finds."""
    return list(tx.exec_driver_sql(fill(tx, statement), values))
