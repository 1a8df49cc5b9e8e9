"""A shop of six items and five shoppers, written out, for the tests of the product graph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from huaxiang.records import EventType, Item, Text
from huaxiang.shop.base import (
    ATTRIBUTE_COLUMNS,
    EVENT_COLUMNS,
    QUARANTINE_COLUMNS,
    Accounting,
    Shop,
    in_shape,
)
from huaxiang.shop.categories import path_attributes
from huaxiang.shop.item_records import item_table

PATHS: tuple[tuple[str, ...], ...] = (
    ("Home", "Shoes", "Boots"),
    ("Home", "Shoes", "Sandals"),
    ("Home", "Tents"),
    ("Home", "Tents"),
    ("Home", "Shoes", "Boots"),
    (),
)


def shop_of(
    paths: Sequence[tuple[str, ...]] = PATHS,
    baskets: Sequence[tuple[str, Sequence[int]]] = (),
    *,
    places: Sequence[str | None] = (),
    order_only: bool = False,
) -> Shop:
    """Return a shop of items with these category paths, baskets of (shopper, item rows), and places."""
    items = [
        Item(item_id=f"i-{row}", texts={"en": Text(title=f"item {row}")}, category=path)
        for row, path in enumerate(paths)
    ]
    table = item_table(items, ["en"])
    stated = path_attributes(table.with_row_index("item_row").cast({"item_row": pl.Int32}))
    placed = pl.DataFrame(
        [(row, "taxonomy", place) for row, place in enumerate(places) if place],
        schema={"item_row": pl.Int32, "dimension": pl.String, "value": pl.String},
        orient="row",
    ).with_columns(source=pl.lit("inferred"), confidence=pl.lit(0.8))
    stated = stated.with_columns(source=pl.lit("stated"), confidence=pl.lit(1.0))
    return Shop(
        name="small",
        languages=("en",),
        currency="USD",
        timezone="UTC",
        items=table,
        events=events_of(baskets, order_only=order_only),
        attributes=pl.concat([in_shape(one, ATTRIBUTE_COLUMNS) for one in (stated, placed)]),
        quarantine=pl.DataFrame(schema=dict(QUARANTINE_COLUMNS)),
        accounting=Accounting(lines_read=0, n_events=0, set_aside={}, quarantined={}),
        order_only=order_only,
    )


def events_of(baskets: Sequence[tuple[str, Sequence[int]]], *, order_only: bool) -> pl.DataFrame:
    """Return the lines of baskets as purchases."""
    lines = [
        {
            "event_id": f"e-{number}-{line}",
            "shopper_id": shopper_id,
            "anonymous": shopper_id.startswith("anonymous:"),
            "type": EventType.PURCHASE.code,
            "item_row": row,
            "order_id": None if order_only else f"o-{number}",
            "occurred_at": None if order_only else datetime(2026, 1, 1 + number % 28, tzinfo=UTC),
        }
        for number, (shopper_id, rows) in enumerate(baskets)
        for line, row in enumerate(rows)
    ]
    return pl.DataFrame(lines, schema=dict(EVENT_COLUMNS))
