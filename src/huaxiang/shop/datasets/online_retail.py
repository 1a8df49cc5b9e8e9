"""Online Retail: every invoice line of one UK gift shop, 2010-12 to 2011-12."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from huaxiang.shop.cells import ids, numbers
from huaxiang.shop.datasets.base import Adapter, has_columns
from huaxiang.shop.raw import SET_ASIDE, RawShop, renamed
from huaxiang.shop.tables import LINE, UNREADABLE, read_table

_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
_NOT_SOLD = ("POST", "DOT", "C2", "M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK")

CHARGE = "postage, fee, discount or adjustment, not a product"
STOCK = "stock adjustment: a negative quantity that is no cancellation"
FREE = "not sold: the price is zero or below"
ORPHAN = "cancellation of a purchase that is not in the file"


def _file(folder: Path) -> Path | None:
    """Return the CSV file with the set's columns."""
    files = sorted((*folder.glob("*.csv"), *folder.glob("*.csv.gz")))
    return next((path for path in files if has_columns(path, *_COLUMNS)), None)


def read(folder: Path) -> RawShop:
    """Return the invoice lines: purchases, and cancellations as refunds of the purchase they undo.

    A line without a customer belongs to the anonymous session of its invoice. Codes that differ in case
    only are one product; its title is the description most often given.
    """
    path = _file(folder) or folder / "online_retail.csv"
    table = read_table(path)
    is_cancelled = pl.col("InvoiceNo").str.strip_chars().str.to_uppercase().str.starts_with("C")
    columns = {
        "shopper_id": "CustomerID",
        "price": "UnitPrice",
        "occurred_at": "InvoiceDate",
        "title": "Description",
    }
    lines = renamed(
        table,
        columns,
        pl.col("InvoiceNo").alias("order_id"),
        ids("StockCode").str.to_uppercase().alias("item_id"),
        pl.when(is_cancelled).then(pl.lit("refund")).otherwise(pl.lit("purchase")).alias("type"),
        pl.when(is_cancelled)
        .then(pl.col("Quantity").str.strip_prefix("-"))
        .otherwise("Quantity")
        .alias("quantity"),
    )
    lines = lines.with_columns(_set_aside(numbers("quantity"), numbers("price")).alias(SET_ASIDE))
    return RawShop(
        events=_with_purchases_named(lines),
        files=(path,),
        name="Online Retail",
        currency="GBP",
        timezone="Europe/London",
        languages=("en",),
    )


def _set_aside(quantity: pl.Expr, price: pl.Expr) -> pl.Expr:
    is_purchase = pl.col("type") == "purchase"
    return (
        pl.when(pl.col(UNREADABLE).is_not_null())
        .then(None)
        .when(pl.col("item_id").is_in(_NOT_SOLD))
        .then(pl.lit(CHARGE))
        .when(is_purchase & (quantity <= 0))
        .then(pl.lit(STOCK))
        .when(price <= 0)
        .then(pl.lit(FREE))
    )


def _with_purchases_named(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with each refund under the order of the customer's latest purchase of that product.

    Invoice numbers rise with time, and so do lines: the latest line before the cancellation is meant.
    """
    is_refund = (pl.col("type") == "refund") & pl.col(SET_ASIDE).is_null()
    by = ["shopper_id", "item_id"]
    bought = lines.filter((pl.col("type") == "purchase") & pl.col(SET_ASIDE).is_null())
    latest = bought.select(*by, LINE, pl.col("order_id").alias("bought_in")).drop_nulls("shopper_id")
    refunds = lines.filter(is_refund).select(*by, LINE).drop_nulls("shopper_id")
    undone = refunds.join_asof(latest, on=LINE, by=by, strategy="backward", check_sortedness=False)
    lines = lines.join(undone.select(LINE, "bought_in"), on=LINE, how="left", maintain_order="left")
    is_orphan = is_refund & pl.col("bought_in").is_null()
    return lines.with_columns(
        pl.coalesce("bought_in", "order_id").alias("order_id"),
        pl.when(is_orphan).then(pl.lit(ORPHAN)).otherwise(SET_ASIDE).alias(SET_ASIDE),
    ).drop("bought_in")


ONLINE_RETAIL = Adapter(
    name="online_retail", title="Online Retail", matches=lambda folder: _file(folder) is not None, read=read
)
