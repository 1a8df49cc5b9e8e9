"""What every way of inferring promises: claims about items, each with how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from huaxiang.records import Matrix
from huaxiang.shop.base import ATTRIBUTE_COLUMNS, Shop, in_shape

Encode = Callable[[Sequence[str]], Matrix]
"""Texts → one row of unit length each, (T, D), in the space of the items' text vectors."""


class Claim(NamedTuple):
    """An item has a value in a dimension; `confidence` is 0 to 1."""

    item_row: int
    dimension: str
    value: str
    confidence: float


def claims_table(claims: Sequence[Claim]) -> pl.DataFrame:
    """Return claims as rows of `ATTRIBUTE_COLUMNS`, marked as inferred."""
    schema = {"item_row": pl.Int32, "dimension": pl.String, "value": pl.String, "confidence": pl.Float32}
    table = pl.DataFrame(claims, schema=schema, orient="row")
    return in_shape(table.with_columns(pl.lit("inferred").alias("source")), ATTRIBUTE_COLUMNS)


def with_claims(shop: Shop, claims: Sequence[Claim]) -> Shop:
    """Return the shop with claims among its attributes."""
    if not claims:
        return shop
    return replace(shop, attributes=pl.concat([shop.attributes, claims_table(claims)]))


def rows_without(shop: Shop, dimension: str, *, stated_at_most: float) -> set[int]:
    """Return the items for which the shop states no value, if it states few enough (a share) at all.

    Where most items have a stated value, the others are silent for a reason.
    """
    stated = set(shop.attributes.filter(dimension=dimension)["item_row"].to_list())
    if len(stated) > stated_at_most * len(shop.items):
        return set()
    return set(range(len(shop.items))) - stated
