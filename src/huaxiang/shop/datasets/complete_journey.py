"""The Complete Journey: a grocery chain's households and their baskets; a sample of lines."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from huaxiang.shop.cells import numbers
from huaxiang.shop.datasets.base import Adapter, existing, has_columns
from huaxiang.shop.raw import ATTRIBUTE, SET_ASIDE, RawShop, renamed
from huaxiang.shop.tables import UNREADABLE, read_table

_FILES = ("transactions_sample.csv", "transactions.csv")
RETURNED = "nothing was bought: the quantity is zero or below"
NO_PRODUCT = "no product on the line"


def _transactions(folder: Path) -> Path:
    found = (existing(folder, name) for name in _FILES)
    return next((path for path in found if path.exists()), folder / _FILES[0])


def read(folder: Path) -> RawShop:
    """Return the sampled lines as purchases, and the products with their three levels.

    The price is what was paid for one unit. Baskets are incomplete, since lines were sampled.
    """
    sold, made = _transactions(folder), existing(folder, "products.csv")
    return RawShop(
        events=_events(sold),
        items=_items(made),
        files=(sold, made),
        name="The Complete Journey",
        currency="USD",
        languages=("en",),
    )


def _events(path: Path) -> pl.DataFrame:
    table = read_table(path)
    columns = {
        "shopper_id": "household_id",
        "item_id": "product_id",
        "order_id": "basket_id",
        "quantity": "quantity",
    }
    unit_price = numbers("sales_value") / numbers("quantity")
    unreadable_price = pl.when(numbers("sales_value").is_null()).then("sales_value")
    lines = renamed(
        table,
        {**columns, "occurred_at": "transaction_timestamp"},
        pl.coalesce(unit_price.cast(pl.String), unreadable_price).alias("price"),
        pl.lit("purchase").alias("type"),
    )
    is_empty = pl.col("item_id").str.strip_chars().str.len_bytes().fill_null(0) == 0
    why = pl.when(is_empty).then(pl.lit(NO_PRODUCT)).when(numbers("quantity") <= 0).then(pl.lit(RETURNED))
    return lines.with_columns(pl.when(pl.col(UNREADABLE).is_null()).then(why).alias(SET_ASIDE))


def _items(path: Path) -> pl.DataFrame:
    """Return the products; a title is the product's type and its package."""
    table = read_table(path)
    levels = ["department", "product_category", "product_type"]
    named = pl.coalesce("product_type", "product_category", "department").str.to_titlecase()
    return renamed(
        table,
        {"item_id": "product_id", ATTRIBUTE + "maker": "manufacturer_id", ATTRIBUTE + "label": "brand"},
        pl.concat_str(
            named, pl.col("package_size").str.to_lowercase(), separator=", ", ignore_nulls=True
        ).alias("title"),
        pl.concat_str(
            [pl.col(level).str.to_titlecase() for level in levels], separator=" > ", ignore_nulls=True
        ).alias("category"),
    )


COMPLETE_JOURNEY = Adapter(
    name="complete_journey",
    title="The Complete Journey",
    matches=lambda folder: has_columns(_transactions(folder), "household_id", "basket_id", "product_id"),
    read=read,
)
