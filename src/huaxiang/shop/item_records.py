"""Items as records → the tables of a shop, so that a catalogue can grow while it is served."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from huaxiang.records import Item
from huaxiang.shop.base import ATTRIBUTE_COLUMNS, ITEM_COLUMNS, Shop, in_shape
from huaxiang.shop.categories import DIVIDER, path_attributes

_TEXTS = ("title", "description")


def with_items(shop: Shop, items: Sequence[Item], *, deleted: Collection[str] = ()) -> Shop:
    """Return the shop with these items in this order, and only what is stated about them.

    An item of the shop that keeps its row, and whose record says no category, brand or attribute, keeps those
    that the shop states. Deleted items keep their row and are out of stock for ever.

    Parameters
    ----------
    deleted
        Ids of the items that are no longer sold.
    """
    languages = languages_of(shop, items)
    table = item_table(items, languages, deleted=deleted)
    kept_rows = [row for row, item in enumerate(items) if is_silent(item) and _has_row(shop, item, row)]
    kept = shop.items.select("category", "brand").with_row_index("row").filter(pl.col("row").is_in(kept_rows))
    in_row = pl.int_range(pl.len()).is_in(kept_rows)
    own = {name: _gathered(kept, name, len(table)) for name in ("category", "brand")}
    table = table.with_columns(
        pl.when(in_row).then(own[name]).otherwise(pl.col(name)).alias(name) for name in own
    )
    attributes = _attributes(shop, table, items, kept_rows)
    return replace(shop, items=table, attributes=attributes, languages=languages)


def languages_of(shop: Shop, items: Sequence[Item]) -> tuple[str, ...]:
    """Return the shop's languages, and after them those that only these items speak."""
    return tuple(dict.fromkeys([*shop.languages, *(code for item in items for code in item.texts)]))


def item_table(
    items: Sequence[Item], languages: Sequence[str], *, deleted: Collection[str] = ()
) -> pl.DataFrame:
    """Return items as rows of `ITEM_COLUMNS` and their texts; deleted ones are out of stock."""
    texts = {f"{text}_{code}": pl.String for code in languages for text in _TEXTS}
    rows = [_row(item, languages, is_deleted=item.item_id in deleted) for item in items]
    table = pl.DataFrame(rows, schema={**ITEM_COLUMNS, **texts}, infer_schema_length=None)
    return in_shape(table, ITEM_COLUMNS, *texts)


def _row(item: Item, languages: Sequence[str], *, is_deleted: bool) -> dict[str, Any]:
    texts = {}
    for code in languages:
        said = item.texts.get(code)
        texts[f"title_{code}"] = (said.title or None) if said else None
        texts[f"description_{code}"] = (said.description or None) if said else None
    return {
        "item_id": item.item_id,
        "group_id": item.group_id or item.item_id,
        "category": DIVIDER.join(item.category) or None,
        "brand": item.brand,
        "price_minor": item.price_minor,
        "currency": item.currency,
        "in_stock": item.in_stock and not is_deleted,
        "valid_from": item.valid_from,
        "image": item.images[0] if item.images else None,
        **texts,
    }


def is_silent(item: Item) -> bool:
    """Whether a record says nothing about an item but its words, photo, price and stock."""
    return not item.category and item.brand is None and not item.attributes


def _has_row(shop: Shop, item: Item, row: int) -> bool:
    return row < len(shop.items) and shop.items["item_id"][row] == item.item_id


def _gathered(kept: pl.DataFrame, name: str, n_items: int) -> pl.Series:
    values: list[str | None] = [None] * n_items
    for row, value in kept.select("row", name).iter_rows():
        values[row] = value
    return pl.Series(name, values, dtype=pl.String)


def _attributes(
    shop: Shop, table: pl.DataFrame, items: Sequence[Item], kept_rows: Sequence[int]
) -> pl.DataFrame:
    """Return the stated values: those of the shop for rows that are kept, those of the records elsewhere."""
    is_stated = pl.col("source") == "stated"
    before = shop.attributes.filter(is_stated & pl.col("item_row").is_in(list(kept_rows)))
    paths = path_attributes(table.select("category").with_row_index("item_row"))
    paths = paths.filter(~pl.col("item_row").is_in(list(kept_rows)))
    schema = {"item_row": pl.Int32, "dimension": pl.String, "value": pl.String}
    said = pl.DataFrame(list(stated_values(items)), schema=schema, orient="row")
    new = pl.concat([paths.cast({"item_row": pl.Int32}), said]).with_columns(
        pl.lit("stated").alias("source"), pl.lit(1.0).alias("confidence")
    )
    return pl.concat([in_shape(before, ATTRIBUTE_COLUMNS), in_shape(new, ATTRIBUTE_COLUMNS)])


def stated_values(items: Sequence[Item]) -> Iterator[tuple[int, str, str]]:
    """Yield place, dimension and value of everything that records state beside a category path."""
    for row, item in enumerate(items):
        if item.brand is not None:
            yield row, "brand", item.brand
        for dimension, values in item.attributes.items():
            yield from ((row, dimension, value) for value in dict.fromkeys(values))
