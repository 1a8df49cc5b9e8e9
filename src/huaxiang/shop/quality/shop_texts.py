"""The texts of a shop that has been read: its items' titles and descriptions, and its reviews."""

from __future__ import annotations

import polars as pl

from huaxiang.errors import InputError
from huaxiang.records import EventType
from huaxiang.shop.base import Shop
from huaxiang.shop.columns import name_and_language
from huaxiang.shop.quality.given import Given, given_of

_WORDS = ("title", "description")


def shop_texts(shop: Shop) -> list[tuple[Given, tuple[str, ...]]]:
    """Return the shop's tables that have texts, `items` and `reviews`, each with its columns of texts.

    Lines of items are counted in the order of the catalogue, those of reviews in their file.

    Raises
    ------
    InputError
        When the shop has no texts at all.
    """
    tables = [(given_of(shop.items, name="items"), _item_columns(shop.items))]
    is_review = (pl.col("type") == EventType.REVIEW.code) & pl.col("text").is_not_null()
    reviews = shop.events.filter(is_review)
    if not reviews.is_empty():
        chosen = reviews.select("event_id", "item_row", "rating", "text")
        tables.append((given_of(chosen, name="reviews", lines=reviews["line"].to_list()), ("text",)))
    tables = [(given, columns) for given, columns in tables if columns]
    if not tables:
        remedy = "put titles, descriptions or reviews into its files"
        raise InputError("shop has no texts", file=shop.name, remedy=remedy)
    return tables


def _item_columns(items: pl.DataFrame) -> tuple[str, ...]:
    """Return the columns of titles and descriptions that have words."""
    named = (column for column in items.columns if (name_and_language(column) or ("",))[0] in _WORDS)
    return tuple(column for column in named if _has_letters(items[column]))


def _has_letters(texts: pl.Series) -> bool:
    return bool(texts.drop_nulls().str.contains(r"\p{L}").any())
