"""What a photo encoder learns from: products with a photo, texts and tags, of a shop or of a plain table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from huaxiang.encoders.base import ImageInput
from huaxiang.encoders.items import item_texts
from huaxiang.errors import ShopError
from huaxiang.shop.base import Shop
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.cells import ids, stated
from huaxiang.shop.images import Photos, by_stem
from huaxiang.shop.quality.given import read_own_table
from huaxiang.shop.tables import LINE, UNREADABLE

NOT_SEEN = frozenset({"brand", "price_band", "image_tag"})
"""Dimensions that a shop's photos are not asked for unless they are named: a photo hardly shows them."""

Tag = tuple[str, str]
"""Dimension and value."""


@dataclass(frozen=True, kw_only=True)
class PhotoProducts:
    """Products, one row each; all sequences have the same length.

    Parameters
    ----------
    names
        Of the photo, as `photos` finds it; None where the product has none.
    titles
        Products with the same one never stand on both sides of a split; None is like no other.
    texts
        Language → text of each product, None where it has none.
    tags
        Stated dimension and value pairs of each product.
    """

    name: str
    fingerprint: str
    item_ids: Sequence[str]
    photos: Photos
    names: Sequence[str | None]
    titles: Sequence[str | None]
    texts: Mapping[str, Sequence[str | None]]
    tags: Sequence[Sequence[Tag]]

    def __len__(self) -> int:
        return len(self.item_ids)

    def photo(self, row: int) -> ImageInput:
        """Return a product's photo as it is stored."""
        return self.photos.get(self.names[row])


def products_of_shop(shop: Shop, *, dimensions: Sequence[str] = ()) -> PhotoProducts:
    """Return a shop's products; `dimensions` are those whose values are told, by default all that are stated.

    The parts of a category path between its first (`department`) and its last (`category`) are
    `category.2`, `category.3` and so on.

    Raises
    ------
    ShopError
        The shop has no photos, or states nothing in a dimension that is asked for.
    """
    if shop.images is None:
        remedy = "put a folder images/ or a file images.zip beside the items"
        raise ShopError("the shop has no photos", file=shop.name, remedy=remedy)
    tags = _tags_of_shop(shop)
    chosen = list(dimensions) or sorted({dimension for one in tags for dimension, _ in one} - NOT_SEEN)
    titles = shop.items.select(pl.coalesce([f"title_{language}" for language in shop.languages])).to_series()
    return PhotoProducts(
        name=shop.name,
        fingerprint=shop.fingerprint,
        item_ids=shop.items["item_id"].to_list(),
        photos=Photos(shop.images),
        names=shop.items["image"].to_list(),
        titles=titles.to_list(),
        texts={language: item_texts(shop.items, language) for language in shop.languages},
        tags=_chosen(tags, chosen, place=shop.name),
    )


def products_of_table(
    file: Path,
    *,
    photos: Path,
    photo: str | None = None,
    texts: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> PhotoProducts:
    """Return the products of a table.

    Parameters
    ----------
    photos
        Folder or zip file.
    photo
        Column with the photos' names, with or without ending; None is `id` or `item_id`.
    texts
        Columns that make a product's text; the first one is its title.
    tags
        Columns whose cells are tags.

    Raises
    ------
    ShopError
        A file can't be read, or a column is missing.
    """
    table = read_own_table(file, option="--table")
    frame = table.frame.filter(pl.col(UNREADABLE).is_null())
    column = photo or next((name for name in ("id", "item_id") if name in table.columns), "id")
    for needed in (column, *texts, *tags):
        _check_column(needed, table.columns, file)
    found = Photos(photos)
    stems = by_stem(found.names)
    keys: list[str | None] = frame.select(ids(column)).to_series().to_list()
    names = [None if key is None else stems.get(key, key) for key in keys]
    cells = {name: frame.select(stated(name)).to_series().to_list() for name in (*texts, *tags)}
    said = [
        ". ".join(part for part in row if part) or None
        for row in zip(*(cells[c] for c in texts), strict=True)
    ]
    nothing: list[str | None] = [None] * len(frame)
    return PhotoProducts(
        name=file.name,
        fingerprint=_fingerprint(file, found, [column, *texts, "", *tags]),
        item_ids=[key or f"line {line}" for key, line in zip(keys, frame[LINE], strict=True)],
        photos=found,
        names=names,
        titles=cells[texts[0]] if texts else nothing,
        texts={"any": said or nothing},
        tags=[
            [(name, cells[name][row] or "") for name in tags if cells[name][row]] for row in range(len(frame))
        ],
    )


def _tags_of_shop(shop: Shop) -> list[list[Tag]]:
    tags: list[list[Tag]] = [[] for _ in range(len(shop.items))]
    rows = shop.attributes.filter(pl.col("source") == "stated").select("item_row", "dimension", "value")
    for row, dimension, value in rows.iter_rows():
        tags[row].append((dimension, value))
    for row, path in enumerate(shop.items["category"].to_list()):
        between = (path or "").split(DIVIDER)[1:-1]
        tags[row] += [(f"category.{level}", part) for level, part in enumerate(between, 2)]
    return tags


def _chosen(tags: Sequence[Sequence[Tag]], dimensions: Sequence[str], *, place: str) -> list[list[Tag]]:
    known = sorted({dimension for one in tags for dimension, _ in one})
    for dimension in dimensions:
        if dimension not in known:
            remedy = f"choose among {', '.join(known) or 'none'}"
            raise ShopError("nothing is stated in a dimension", file=place, column=dimension, remedy=remedy)
    return [[tag for tag in one if tag[0] in dimensions] for one in tags]


def _check_column(column: str, columns: Sequence[str], file: Path) -> None:
    if column not in columns:
        near = get_close_matches(column, columns, n=1, cutoff=0.0)
        raise ShopError(
            "column is missing",
            file=str(file),
            column=column,
            remedy=f"the nearest is {near[0]}" if near else "the table has no columns",
        )


def _fingerprint(file: Path, photos: Photos, columns: Sequence[str]) -> str:
    digest = hashlib.blake2b(file.read_bytes(), digest_size=16)
    place = photos.place
    said = [f"{name}\0{(place / name).stat().st_size}" for name in photos.names] if place.is_dir() else []
    whole = [] if place.is_dir() else [str(place.stat().st_size)]
    digest.update("\n".join([*columns, *said, *whole]).encode())
    return digest.hexdigest()
