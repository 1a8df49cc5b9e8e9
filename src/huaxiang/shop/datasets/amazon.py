"""Amazon review sequences: who reviewed what in which order, without times."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from huaxiang.errors import ShopError
from huaxiang.shop.datasets.base import Adapter, existing
from huaxiang.shop.raw import ATTRIBUTE, FILE, RawShop, renamed
from huaxiang.shop.tables import LINE, UNREADABLE, decoded, read_bytes, read_table

IMAGE_TAG = "image_tag"


def read(folder: Path) -> RawShop:
    """Return each item of each sequence as a purchase, in order, and the items where there is a file of them.

    A line of `sequences.txt` holds a shopper and then item ids. Every pair of shopper and item counts as a
    line read; its event id says where in which sequence it stands. Times are unknown and none are invented.
    """
    sequences, items = existing(folder, "sequences.txt"), existing(folder, "items.jsonl")
    has_items = items.exists()
    return RawShop(
        events=_events(sequences),
        items=_items(items) if has_items else None,
        files=(sequences, *((items,) if has_items else ())),
        name=folder.resolve().name.replace("_", " ").title(),
        languages=("en",),
        order_only=True,
        guesses=("each review stands for a purchase", "only an order is known: nothing fades with time"),
    )


def _events(path: Path) -> pl.DataFrame:
    text = decoded(read_bytes(path), path.name).decode("utf-8")
    lines = pl.DataFrame({"words": text.splitlines()}).with_row_index(LINE, offset=1)
    words = lines.with_columns(pl.col("words").str.extract_all(r"\S+"))
    long = words.select(
        LINE,
        pl.col("words").list.first().alias("shopper_id"),
        pl.col("words").list.slice(1).alias("item_id"),
    )
    empty = long.filter(pl.col("item_id").list.len() == 0)
    if len(empty) == len(long):
        raise ShopError(
            "no sequences", file=path.name, line=1, remedy="write a user and then item ids on each line"
        )
    long = long.explode("item_id", empty_as_null=True)
    place = pl.int_range(1, pl.len() + 1).over(LINE)
    return long.select(
        pl.format("{}:{}", LINE, place).alias("event_id"),
        "shopper_id",
        "item_id",
        pl.lit("purchase").alias("type"),
        LINE,
        pl.lit(path.name).alias(FILE),
        pl.lit(None, dtype=pl.String).alias(UNREADABLE),
    )


def _items(path: Path) -> pl.DataFrame:
    table = read_table(path)
    wanted = {
        "item_id": "id",
        "title": "title",
        "keywords": "keywords",
        ATTRIBUTE + IMAGE_TAG: "image_labels",
    }
    return renamed(table, {name: column for name, column in wanted.items() if column in table.columns})


AMAZON = Adapter(
    name="amazon",
    title="Amazon review sequences",
    matches=lambda folder: existing(folder, "sequences.txt").is_file(),
    read=read,
)
