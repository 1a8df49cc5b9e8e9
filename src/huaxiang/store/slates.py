"""The lists that were shown, to learn what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from huaxiang.store.base import SlateRow
from huaxiang.store.sql import fill, rows_of

_COLUMNS = "slate_id, shopper_id, model, placement, shown_ms, of, items, n_candidates"


def add_slates(tx: Connection, shop_id: str, slates: Sequence[SlateRow]) -> None:
    """Write lists that were shown."""
    quoted = _COLUMNS.replace(" of,", ' "of",')
    query = (
        f"INSERT INTO slates (shop_id, {quoted}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    )
    rows = [
        (
            shop_id,
            one.slate_id,
            one.shopper_id,
            one.model,
            one.placement,
            one.shown_ms,
            one.of,
            orjson.dumps(one.items).decode(),
            one.n_candidates,
        )
        for one in slates
    ]
    if rows:
        tx.exec_driver_sql(fill(tx, query), rows)


def slates_since(tx: Connection, shop_id: str, since_ms: int) -> list[SlateRow]:
    """Return the lists shown from a moment on, the oldest first."""
    quoted = _COLUMNS.replace(" of,", ' "of",')
    query = f"SELECT {quoted} FROM slates WHERE shop_id = ? AND shown_ms >= ? ORDER BY shown_ms, slate_id"
    return [_slate(row) for row in rows_of(tx, query, shop_id, since_ms)]


def newest_scores(tx: Connection, shop_id: str, *, since_ms: int, limit: int) -> list[float]:
    """Return the scores in the newest lists of items since a moment, of `limit` lists at most."""
    query = (
        'SELECT items FROM slates WHERE shop_id = ? AND shown_ms >= ? AND "of" = ? '
        "ORDER BY shown_ms DESC LIMIT ?"
    )
    lists = rows_of(tx, query, shop_id, since_ms, "item", limit)
    return [score for (items,) in lists for _, score, _ in orjson.loads(items)]


def slates_of_shopper(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> list[SlateRow]:
    """Return the lists that some ids were shown."""
    quoted = _COLUMNS.replace(" of,", ' "of",')
    query = f"SELECT {quoted} FROM slates WHERE shop_id = ? AND shopper_id = ? ORDER BY shown_ms"
    return [_slate(row) for shopper_id in shopper_ids for row in rows_of(tx, query, shop_id, shopper_id)]


def _slate(row: Sequence[Any]) -> SlateRow:
    items = [(item_id, score, propensity) for item_id, score, propensity in orjson.loads(row[6])]
    slate_id, shopper_id, model, placement, shown_ms, of, _, n_candidates = row
    return SlateRow(slate_id, shopper_id, model, placement, shown_ms, of, items, n_candidates)
