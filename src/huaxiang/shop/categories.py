"""Category paths: how they are written, and which values they give an item."""

from __future__ import annotations

import polars as pl

DIVIDER = " > "


def normal_path(cell: pl.Expr) -> pl.Expr:
    """Return paths with their parts divided by " > ", whether they were written with > or |."""
    parts = cell.str.split("|").list.join(">").str.split(">").list.eval(pl.element().str.strip_chars())
    return parts.list.eval(pl.element().filter(pl.element().str.len_bytes() > 0)).list.join(DIVIDER)


def path_attributes(items: pl.DataFrame) -> pl.DataFrame:
    """Return the values that paths give: the last part as `category`, the first of several as `department`.

    A last part that stands under several parents keeps its parent in its name.

    Parameters
    ----------
    items
        `item_row` and `category`, a path or null.

    Examples
    --------
    >>> paths = ["Home > Lamps", "Men > Shoes", "Women > Shoes", None]
    >>> rows = path_attributes(pl.DataFrame({"item_row": [0, 1, 2, 3], "category": paths}))
    >>> rows.filter(dimension="category")["value"].to_list()
    ['Lamps', 'Men > Shoes', 'Women > Shoes']
    >>> rows.filter(dimension="department")["value"].to_list()
    ['Home', 'Men', 'Women']
    """
    paths = items.drop_nulls("category").with_columns(pl.col("category").str.split(DIVIDER).alias("parts"))
    parts = pl.col("parts")
    paths = paths.with_columns(
        parts.list.last().alias("leaf"), parts.list.head(parts.list.len() - 1).alias("above")
    )
    n_parents = pl.col("above").list.join(DIVIDER).n_unique().over("leaf")
    two = parts.list.tail(2).list.join(DIVIDER)
    is_two_unique = pl.col("category").n_unique().over(two) == 1
    name = pl.when(n_parents == 1).then("leaf").when(is_two_unique).then(two).otherwise("category")
    leaves = paths.select("item_row", pl.lit("category").alias("dimension"), name.alias("value"))
    departments = paths.filter(parts.list.len() > 1).select(
        "item_row", pl.lit("department").alias("dimension"), parts.list.first().alias("value")
    )
    if departments["value"].n_unique() < 2:
        return leaves
    return pl.concat([leaves, departments])
