"""Statements that are written once and read by both databases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Connection, Float, Table

_MOST_VALUES = 16_000
"""In one statement of SQLite, which takes 32,766."""


def is_postgresql(tx: Connection) -> bool:
    """Return whether the store is PostgreSQL, else it is SQLite."""
    return tx.dialect.name == "postgresql"


def fill(tx: Connection, statement: str) -> str:
    """Return a statement with the placeholders of the driver; it is written with `?`."""
    return statement.replace("?", "%s") if is_postgresql(tx) else statement


def rows_of(tx: Connection, statement: str, *values: Any) -> list[Any]:
    """Return the rows that a statement finds, as tuples.

    SQLite is in the process, so most small queries would take less time than what is built around them: its
    driver is asked directly, within the same transaction.
    """
    if is_postgresql(tx):
        return tx.exec_driver_sql(fill(tx, statement), values).fetchall()  # type: ignore[return-value]
    if not tx.in_transaction():
        tx.begin()
    found: list[Any] = driver_of(tx).execute(statement, values).fetchall()
    return found


def driver_of(tx: Connection) -> Any:
    """Return the connection that the database's own driver has."""
    return tx.connection.driver_connection


def insert_rows(
    tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, then: str = ""
) -> int:
    """Insert rows, as many in one statement as it takes; return how many were inserted or changed.

    A driver that is given rows one by one gives way to other threads after each of them, and waits up to 5 ms
    to go on: beside a busy thread most of the time is lost with that.

    Parameters
    ----------
    then
        What follows the rows, such as `ON CONFLICT …`.
    """
    if not rows:
        return 0
    insert = _insert_columns if is_postgresql(tx) else _insert_rows
    return insert(tx, table, columns, rows, then=then)


def _insert_columns(
    tx: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    then: str,
) -> int:
    """Insert one array for each column: PostgreSQL's driver takes long over thousands of placeholders."""
    arrays = ", ".join(f"%s::{table.c[name].type.compile(dialect=tx.dialect)}[]" for name in columns)
    values = tuple(
        [None if value is None else float(value) for value in column]  # an array has one type
        if isinstance(table.c[name].type, Float)
        else list(column)
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    )
    into = f"INSERT INTO {table.name} ({', '.join(columns)})"
    return tx.exec_driver_sql(f"{into} SELECT * FROM unnest({arrays}) {then}", values).rowcount


def _insert_rows(
    tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, then: str
) -> int:
    """Insert as many rows at once as SQLite takes, in powers of two: so a few statements stay prepared.

    Its driver takes fifteen times as long over None and truths as over numbers. So truths are given as
    numbers, and columns that say nothing are left out: what is left out is NULL.
    """
    truths = {place for place, name in enumerate(columns) if isinstance(table.c[name].type, Boolean)}
    done, n_changed, length = 0, 0, 1 << ((_MOST_VALUES // len(rows[0])).bit_length() - 1)
    while done < len(rows):
        while length > len(rows) - done:
            length //= 2
        given = [
            (columns[place], [None if value is None else int(value) for value in column])
            if place in truths
            else (columns[place], column)
            for place, column in enumerate(zip(*rows[done : done + length], strict=True))
            if column[0] is not None or column.count(None) < length
        ]
        names, values = zip(*given, strict=True)
        one_row = f"({', '.join('?' * len(names))})"
        into = f"INSERT INTO {table.name} ({', '.join(names)})"
        statement = f"{into} VALUES {', '.join([one_row] * length)} {then}"
        flat = tuple(chain.from_iterable(zip(*values, strict=True)))
        n_changed += driver_of(tx).execute(statement, flat).rowcount
        done += length
    return n_changed
