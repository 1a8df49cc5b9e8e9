"""What published counts may still give away today, and what was published: kept with the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection

from huaxiang.store.meta import read_meta, write_meta
from huaxiang.store.sql import fill, rows_of

ROUNDING = 1e-9
"""Sums of decimal fractions differ by this little from what they should be."""


def spent(tx: Connection, shop_id: str, day: str) -> float:
    """Return the ε that was spent on a day (YYYY-MM-DD)."""
    found = rows_of(tx, "SELECT epsilon FROM budget WHERE shop_id = ? AND day = ?", shop_id, day)
    return float(found[0][0]) if found else 0.0


def spend(tx: Connection, shop_id: str, day: str, epsilon: float, *, most: float) -> bool:
    """Return whether there was enough left, which is spent then; of several processes one goes first."""
    begin = "INSERT INTO budget (shop_id, day, epsilon) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"
    tx.exec_driver_sql(fill(tx, begin), (shop_id, day))
    query = "UPDATE budget SET epsilon = epsilon + ? WHERE shop_id = ? AND day = ? AND epsilon + ? <= ?"
    values = (epsilon, shop_id, day, epsilon, most + ROUNDING)
    return tx.exec_driver_sql(fill(tx, query), values).rowcount == 1


def published(tx: Connection, shop_id: str, day: str, question: str) -> dict[str, Any] | None:
    """Return what a question was answered on a day, None where it was not asked."""
    found = read_meta(tx, _name(shop_id, day, question))
    return None if found is None else dict(orjson.loads(found))


def publish(tx: Connection, shop_id: str, day: str, question: str, answer: Mapping[str, Any]) -> None:
    """Keep an answer."""
    write_meta(tx, _name(shop_id, day, question), orjson.dumps(dict(answer)).decode())


def _name(shop_id: str, day: str, question: str) -> str:
    return f"published:{shop_id}:{day}:{question}"
