"""Items of a shop that has no file of them: what its events say about them."""

from __future__ import annotations

import polars as pl

from huaxiang.shop.cells import ids, stated
from huaxiang.shop.raw import FILE
from huaxiang.shop.tables import LINE, UNREADABLE


def items_from_events(raw: pl.DataFrame, events: pl.DataFrame, *, currency: str | None) -> pl.DataFrame:
    """Return raw items made from the raw lines that became `events`: the usual title, the median price.

    Row order is that in which items first appear.
    """
    described = [name for name in ("title", "category", "brand") if name in raw.columns]
    lines = events.select("item_row", "price_minor").with_columns(raw[name] for name in described)
    items = raw.select(ids("item_id"), FILE, LINE).with_columns(events["item_row"])
    items = items.filter(pl.col("item_row") >= 0).unique("item_row", keep="first").sort("item_row")
    price = lines.group_by("item_row").agg(
        pl.col("price_minor")
        .filter(pl.col("price_minor") > 0)
        .median()
        .round()
        .cast(pl.Int64)
        .cast(pl.String)
    )
    items = items.join(price, on="item_row", how="left", maintain_order="left")
    for name in described:
        usual = _most_frequent(lines.select("item_row", stated(name)), name)
        items = items.join(usual, on="item_row", how="left", maintain_order="left")
    return items.drop("item_row").with_columns(
        pl.lit(None, dtype=pl.String).alias(UNREADABLE), pl.lit(currency, dtype=pl.String).alias("currency")
    )


def _most_frequent(lines: pl.DataFrame, name: str) -> pl.DataFrame:
    counted = lines.drop_nulls().group_by("item_row", name, maintain_order=True).len()
    return (
        counted.sort("len", descending=True, maintain_order=True).unique("item_row", keep="first").drop("len")
    )
