"""The versions of a shop's model: where each lies, how it did, which one is served, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from sqlalchemy import Connection

from huaxiang.errors import InputError
from huaxiang.store.sql import fill, rows_of

Status = Literal["serving", "ready", "retired", "failed"]
_COLUMNS = "name, folder, status, metrics, decision, created_ms, change"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One version.

    Parameters
    ----------
    folder
        Of its run.
    status
        serving: the one; ready: may be; retired: was; failed: can't be read.
    decision
        What it was compared with and what came of it; None for one that was built and not retrained.
    change
        Number of the newest change to this row; a reader that has seen it has seen all before.
    """

    name: str
    folder: str
    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    decision: Mapping[str, Any] | None = None
    created_ms: int = 0
    change: int = 0


def put_model(tx: Connection, shop_id: str, row: ModelRow) -> None:
    """Write a version, new or again; to let it be the one that is served, use `promote_model`."""
    query = (
        f"INSERT INTO models (shop_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (shop_id, name) DO UPDATE SET folder = excluded.folder, status = excluded.status, "
        "metrics = excluded.metrics, decision = excluded.decision, change = excluded.change"
    )
    metrics = orjson.dumps(dict(row.metrics)).decode()
    decision = None if row.decision is None else orjson.dumps(dict(row.decision)).decode()
    change = newest_model_change(tx, shop_id) + 1
    values = (shop_id, row.name, row.folder, row.status, metrics, decision, row.created_ms, change)
    tx.exec_driver_sql(fill(tx, query), values)


def promote_model(tx: Connection, shop_id: str, name: str) -> None:
    """Let a version be the one that is served; the one before is retired, and can be promoted again.

    Raises
    ------
    InputError
        There is no such version, or it has failed.
    """
    found = {row.name: row for row in models_of(tx, shop_id)}
    if name not in found or found[name].status == "failed":
        known = ", ".join(row.name for row in found.values() if row.status != "failed") or "none"
        raise InputError("no version that could be served", value=name, remedy=f"there is {known}")
    retire = "UPDATE models SET status = 'retired', change = ? WHERE shop_id = ? AND status = 'serving'"
    serve = "UPDATE models SET status = 'serving', change = ? WHERE shop_id = ? AND name = ?"
    change = newest_model_change(tx, shop_id) + 1
    tx.exec_driver_sql(fill(tx, retire), (change, shop_id))
    tx.exec_driver_sql(fill(tx, serve), (change, shop_id, name))


def remove_model(tx: Connection, shop_id: str, name: str) -> None:
    """Forget a version. Write its successor first: watchers follow the number of the newest change."""
    tx.exec_driver_sql(fill(tx, "DELETE FROM models WHERE shop_id = ? AND name = ?"), (shop_id, name))


def models_of(tx: Connection, shop_id: str) -> list[ModelRow]:
    """Return every version, the newest first."""
    query = f"SELECT {_COLUMNS} FROM models WHERE shop_id = ? ORDER BY created_ms DESC, name"
    return [
        ModelRow(
            name=name,
            folder=folder,
            status=status,
            metrics=orjson.loads(metrics),
            decision=None if decision is None else orjson.loads(decision),
            created_ms=created_ms,
            change=change,
        )
        for name, folder, status, metrics, decision, created_ms, change in rows_of(tx, query, shop_id)
    ]


def serving_model(tx: Connection, shop_id: str) -> ModelRow | None:
    """Return the version that is to be served, None where none was ever promoted."""
    return next((row for row in models_of(tx, shop_id) if row.status == "serving"), None)


def newest_model_change(tx: Connection, shop_id: str) -> int:
    """Return the number of the newest change to any version, 0 where there was none."""
    found = rows_of(tx, "SELECT max(change) FROM models WHERE shop_id = ?", shop_id)[0][0]
    return int(found or 0)
