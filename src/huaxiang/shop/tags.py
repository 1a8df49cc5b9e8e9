"""Tags of items that a model gave → the shop's attributes, marked inferred, with confidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from huaxiang.errors import ShopError
from huaxiang.shop.base import ATTRIBUTE_COLUMNS, Shop, in_shape
from huaxiang.shop.tables import LINE, read_table

TAG_COLUMNS = ("item_id", "dimension", "value", "confidence")


def with_tags(shop: Shop, file: Path) -> Shop:
    """Return the shop with the tags of a file; what the shop states of an item in a dimension stays alone.

    Raises
    ------
    ShopError
        A column is missing, a confidence is no number in 0 to 1, or no tag is of an item of the shop.
    """
    table = read_table(file)
    for column in TAG_COLUMNS:
        if column not in table.columns:
            remedy = f"write {', '.join(TAG_COLUMNS)}; the file has {', '.join(table.columns)}"
            raise ShopError("column is missing", file=file.name, column=column, remedy=remedy)
    tags = table.frame.drop_nulls(["item_id", "dimension", "value"]).with_columns(
        pl.col("confidence").cast(pl.Float32, strict=False).alias("sure")
    )
    _check_confidence(tags, file)
    rows = shop.items.select("item_id").with_row_index("item_row").cast({"item_row": pl.Int32})
    known = tags.join(rows, on="item_id", how="inner", maintain_order="left")
    if known.is_empty():
        remedy = "are they of another shop?"
        raise ShopError("no tag is of an item of this shop", file=file.name, remedy=remedy)
    stated = shop.attributes.filter(source="stated").select("item_row", "dimension").unique()
    fresh = known.join(stated, on=["item_row", "dimension"], how="anti", maintain_order="left")
    fresh = fresh.unique(["item_row", "dimension", "value"], keep="first", maintain_order=True)
    added = in_shape(
        fresh.with_columns(source=pl.lit("inferred"), confidence=pl.col("sure")), ATTRIBUTE_COLUMNS
    )
    said = f"{file.name}: {len(added):,} tags of items, marked inferred"
    left = len(tags) - len(known)
    strange = (f"{file.name}: {left:,} tags of items that the shop does not have",) if left else ()
    return replace(
        shop,
        attributes=pl.concat([shop.attributes, added]),
        guesses=(*shop.guesses, said, *strange),
        fingerprint=f"{shop.fingerprint}+{added.hash_rows(seed=0).sum():x}",
    )


def _check_confidence(tags: pl.DataFrame, file: Path) -> None:
    is_wrong = pl.col("sure").is_null() | pl.col("sure").is_nan() | ~pl.col("sure").is_between(0, 1)
    wrong = tags.filter(is_wrong).head(1)
    if len(wrong):
        raise ShopError(
            "confidence is no number in 0 to 1",
            file=file.name,
            line=int(wrong[LINE].item()),
            column="confidence",
            value=str(wrong["confidence"].item()),
            remedy="correct it",
        )
