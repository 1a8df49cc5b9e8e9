"""Fashion: product photos with titles and labels; a catalogue without behaviour."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from huaxiang.shop.datasets.base import Adapter, existing, has_columns
from huaxiang.shop.raw import ATTRIBUTE, RawShop, renamed
from huaxiang.shop.tables import read_table

_PHOTOS = ("images_60x80.zip", "images_168x224.zip")
_LEVELS = ("masterCategory", "subCategory", "articleType")


def read(folder: Path) -> RawShop:
    """Return the products, their category path, colour and usage, and the photos that every product has.

    The smaller photos are taken, since the sharper ones exist for a fifth of the products only.
    """
    path = existing(folder, "products.csv")
    table = read_table(path)
    items = renamed(
        table,
        {"item_id": "id", "title": "title", "colour": "baseColour", ATTRIBUTE + "usage": "usage"},
        pl.concat_str([pl.col(level) for level in _LEVELS], separator=" > ", ignore_nulls=True).alias(
            "category"
        ),
    )
    photos = next((folder / name for name in _PHOTOS if (folder / name).exists()), None)
    return RawShop(
        events=None,
        items=items,
        files=(path,),
        name="Fashion",
        languages=("en",),
        images=photos,
        guesses=("a catalogue only: nobody's behaviour is in the set",),
    )


FASHION = Adapter(
    name="fashion",
    title="Fashion product photos",
    matches=lambda folder: has_columns(existing(folder, "products.csv"), "masterCategory", "articleType"),
    read=read,
)
