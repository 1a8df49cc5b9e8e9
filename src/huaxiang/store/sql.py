"""Statements that are written once and read by both databases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection

_MOST_VALUES = 16_000
"""In one statement; SQLite takes 32,766, PostgreSQL 65,535."""


def is_postgresql(tx: Connection) -> bool:
    """Return whether the store is PostgreSQL, else it is SQLite."""
    return tx.dialect.name == "postgresql"


def fill(tx: Connection, statement: str) -> str:
    """Return a statement with the placeholders of the driver; it is written with `?`."""
    return statement.replace("?", "%s") if is_postgresql(tx) else statement


def rows_of(tx: Connection, statement: str, *values: Any) -> list[Any]:
    """Return the rows that a statement finds."""
    return list(tx.exec_driver_sql(fill(tx, statement), values))


def insert_rows(tx: Connection, into: str, rows: Sequence[Sequence[Any]], *, then: str = "") -> None:
    """Insert rows, as many in one statement as it takes.

    A driver that is given rows one by one gives way to other threads after each of them, and waits up to 5 ms
    to go on: beside a busy thread most of the time is lost with that. Lengths are powers of two, so that a
    few statements are enough and stay prepared.

    Parameters
    ----------
    into
        The statement up to `VALUES`, placeholders left out.
    then
        What follows the rows, such as `ON CONFLICT …`.
    """
    if not rows:
        return
    one_row = f"({', '.join('?' * len(rows[0]))})"
    done, length = 0, 1 << ((_MOST_VALUES // len(rows[0])).bit_length() - 1)
    while done < len(rows):
        while length > len(rows) - done:
            length //= 2
        statement = f"{into} VALUES {', '.join([one_row] * length)} {then}"
        values = tuple(chain.from_iterable(rows[done : done + length]))
        tx.exec_driver_sql(fill(tx, statement), values)
        done += length
