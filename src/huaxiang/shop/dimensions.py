"""The attributes of a shop as sparse matrices, and price bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Dimension
from huaxiang.shop.labels import distinct_labels

PRICE_BANDS: Mapping[str, Mapping[str, str]] = {
    "low": {"en": "low", "zh": "低价"},
    "medium": {"en": "medium", "zh": "中等价位"},
    "high": {"en": "high", "zh": "较高价位"},
    "premium": {"en": "premium", "zh": "高端"},
}
PLACES = "taxonomy"
"""The dimension of places in a public taxonomy: they are no tastes, so the catalogue keeps them apart."""
LANGUAGES = ("en", "zh")
_FEWEST_PRICES = 8
"""Priced items that a category needs for bands of its own; smaller ones share the shop's."""


def dimensions_of(shop: Shop) -> dict[str, Dimension]:
    """Return every dimension that some item has, and `price_band` where there are prices."""
    found = {
        name: _dimension(name, rows, shop)
        for (name,), rows in sorted(shop.attributes.partition_by("dimension", as_dict=True).items())
    }
    return found | price_bands_of(shop)


def price_bands_of(shop: Shop) -> dict[str, Dimension]:
    """Return the dimension `price_band`; nothing where no item has a price."""
    bands = price_bands(shop)
    if bands.is_empty():
        return {}
    return {"price_band": _dimension("price_band", bands, shop, values=tuple(PRICE_BANDS))}


def price_bands(shop: Shop) -> pl.DataFrame:
    """Return the band of each priced item, by its rank among the prices of its category.

    A quarter of the category's items is in each band; equal prices are in one band.
    """
    leaves = shop.attributes.filter(dimension="category").sort(
        "confidence", descending=True, maintain_order=True
    )
    leaves = leaves.unique("item_row", keep="first").select("item_row", pl.col("value").alias("leaf"))
    priced = (
        shop.items.select("price_minor")
        .with_row_index("item_row")
        .with_columns(pl.col("item_row").cast(pl.Int32))
        .drop_nulls()
        .join(leaves, on="item_row", how="left", maintain_order="left")
    )
    is_small = pl.len().over("leaf") < _FEWEST_PRICES
    priced = priced.with_columns(pl.when(is_small).then(None).otherwise("leaf").alias("among"))
    own = pl.col("price_minor").rank("average").over("among") / pl.len().over("among")
    everywhere = pl.col("price_minor").rank("average") / pl.len()
    rank = pl.when(pl.col("among").is_null()).then(everywhere).otherwise(own)
    band = ((rank * len(PRICE_BANDS)).ceil() - 1).clip(0, len(PRICE_BANDS) - 1).cast(pl.UInt8)
    return priced.select(
        "item_row",
        pl.lit("price_band").alias("dimension"),
        band.replace_strict(dict(enumerate(PRICE_BANDS)), return_dtype=pl.String).alias("value"),
        pl.lit("stated").alias("source"),
        pl.lit(1.0, dtype=pl.Float32).alias("confidence"),
    )


def _dimension(
    name: str, rows: pl.DataFrame, shop: Shop, *, values: Sequence[str] | None = None
) -> Dimension:
    values = values or rows["value"].unique().sort().to_list()
    order = np.argsort(rows["item_row"].to_numpy(), kind="stable")
    entries = rows[order]
    item_rows = entries["item_row"].to_numpy()
    counts_I = np.bincount(item_rows, minlength=len(shop.items))
    return Dimension(
        name=name,
        values=tuple(values),
        offsets=np.concatenate([[0], np.cumsum(counts_I)]).astype(np.int64),
        value_rows=entries["value"].cast(pl.Enum(values)).to_physical().to_numpy().astype(np.int32),
        weights=(1.0 / counts_I[item_rows]).astype(np.float32),
        confidence=entries["confidence"].to_numpy().astype(np.float32),
        is_inferred=(entries["source"] == "inferred").to_numpy(),
        paths=_paths(rows, shop, values) if name == "category" else (),
        labels={language: _labels(name, values, language, shop) for language in _languages(shop)},
    )


def _paths(rows: pl.DataFrame, shop: Shop, values: Sequence[str]) -> tuple[str, ...]:
    """Return the path that items state whose category each value is; "" where none does."""
    stated = rows.filter(pl.col("source") == "stated")
    paths = stated.select("value", shop.items["category"].gather(stated["item_row"]).alias("path"))
    path_of = dict(paths.drop_nulls("path").unique("value", keep="first", maintain_order=True).iter_rows())
    return tuple(path_of.get(value, "") for value in values)


def _languages(shop: Shop) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*shop.languages, *LANGUAGES]))


def _labels(dimension: str, values: Sequence[str], language: str, shop: Shop) -> tuple[str, ...]:
    if dimension == "price_band":
        return tuple(PRICE_BANDS[value].get(language, value) for value in values)
    return distinct_labels(dimension, values, language=language, labels=shop.labels)
