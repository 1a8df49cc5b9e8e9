"""An item as the service shows it: as it was sent, what was inferred of it, and whether lists have it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import polars as pl

from huaxiang.records import Item
from huaxiang.serve.serving import Serving
from huaxiang.serve.wire_items import OWN_DIMENSIONS
from huaxiang.shop.base import Shop
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.item_records import is_silent
from huaxiang.store import StoredItem


def shown_item(stored: StoredItem, serving: Serving) -> dict[str, Any]:
    """Return what is kept of an item.

    `item` is the body that would make it the same again. An item of the run of which nothing else was ever
    sent states what the run states.
    """
    model = serving.model
    row = model.catalogue.row_of.get(stored.item.item_id)
    item = stored.item
    if row is not None and is_silent(item):
        item = _as_in_the_run(item, model.shop, row)
    return {
        "item": item.as_json(),
        "inferred": {} if row is None else _inferred(model.shop, row),
        "is_deleted": stored.is_deleted,
        "is_listed": row is not None and not stored.is_deleted and item.in_stock,
        "change": stored.change,
        "is_served": serving.has(stored.item_no, stored.change),
    }


def _as_in_the_run(item: Item, shop: Shop, row: int) -> Item:
    stated: dict[str, list[str]] = defaultdict(list)
    for dimension, value in _values(shop, row, "stated").select("dimension", "value").iter_rows():
        if dimension not in OWN_DIMENSIONS:
            stated[dimension].append(value)
    path = shop.items["category"][row]
    return replace(
        item,
        category=tuple(path.split(DIVIDER)) if path else (),
        brand=shop.items["brand"][row],
        attributes={dimension: tuple(values) for dimension, values in stated.items()},
    )


def _inferred(shop: Shop, row: int) -> dict[str, list[dict[str, object]]]:
    """Return dimension → values that were read from words, photo or the nearest items, with confidence."""
    inferred: dict[str, list[dict[str, object]]] = defaultdict(list)
    found = _values(shop, row, "inferred").select("dimension", "value", "confidence")
    for dimension, value, confidence in found.iter_rows():
        inferred[dimension].append({"value": value, "confidence": round(confidence, 3)})
    return dict(inferred)


def _values(shop: Shop, row: int, source: str) -> pl.DataFrame:
    return shop.attributes.filter((pl.col("item_row") == row) & (pl.col("source") == source))
