"""What the pages show of a live shop, in words a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from huaxiang.console.words import name_of, word
from huaxiang.errors import UnknownItemError
from huaxiang.notes import EVENT_TYPES
from huaxiang.profile.names import value_name
from huaxiang.profile.prices import minor_units
from huaxiang.records import Event, EventType, Evidence
from huaxiang.serve.live import LiveShop
from huaxiang.shop.catalogue import Catalogue, Dimension
from huaxiang.shop.images import Photos
from huaxiang.store import of_shopper

_SEEN = 20
"""Events looked through for each line of a timeline: most are impressions."""
THUMBNAIL = 320
"""Longest side of a photo in the console, pixels."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event of a timeline."""

    at: str
    what: str
    about: str


@dataclass(frozen=True, kw_only=True)
class ItemCard:
    """One item; each attribute is (dimension, value, what kind of statement it is)."""

    title: str
    price: str
    in_stock: bool
    attributes: tuple[tuple[str, str, str], ...]


def timeline(shop: LiveShop, shopper_id: str, *, most: int, language: str) -> list[Line]:
    """Return what a shopper did last, newest first; what they were merely shown is left out."""
    with shop.store.read() as tx:
        person = shop.people.known(tx, shopper_id)
        events = of_shopper(tx, shop.shop_id, person.ids, limit=_SEEN * most, newest_first=True)
    done = (one.event for one in events if one.event.type is not EventType.VIEW_ITEM_LIST)
    return [_line(shop, event, language) for event in islice(done, most)]


def evidence_lines(
    shop: LiveShop, shopper_id: str, evidence: Sequence[Evidence], *, language: str
) -> list[str]:
    """Return what a claim rests on, an event a line."""
    wanted = {one.event_id for one in evidence if one.event_id is not None}
    with shop.store.read() as tx:
        person = shop.people.known(tx, shopper_id)
        events = of_shopper(tx, shop.shop_id, person.ids)
    lines = [_line(shop, one.event, language) for one in events if one.event.event_id in wanted]
    return [" · ".join(part for part in (line.at, line.what, line.about) if part) for line in lines]


def value_label(shop: LiveShop, dimension: str, value: str, *, language: str) -> str:
    """Return how a language says a value, as "colour: red"."""
    return f"{name_of(dimension, language)}: {plain_label(shop, dimension, value, language=language)}"


def plain_label(shop: LiveShop, dimension: str, value: str, *, language: str) -> str:
    """Return how a language says a value of a dimension, or a type of event, alone."""
    catalogue = shop.serving.model.catalogue
    said = value_name(dimension, value, language=language, catalogue=catalogue)
    is_the_shops = dimension in catalogue.dimensions and value in catalogue.dimensions[dimension].row_of
    if said != value or is_the_shops:
        return said
    if language == "zh" and value in EVENT_TYPES:
        return EVENT_TYPES[value]
    return name_of(value, language)


def find_items(shop: LiveShop, words: str, *, most: int, language: str) -> list[str]:
    """Return items whose id is `words` or whose title has them all; without words, the most popular."""
    catalogue = shop.serving.model.catalogue
    if words in catalogue.row_of:
        return [words]
    parts = words.lower().split()
    popular = np.argsort(-shop.serving.model.popularity, kind="stable").tolist()
    found = (row for row in popular if all(part in _titles(catalogue, row).lower() for part in parts))
    return [catalogue.item_ids[row] for row, _ in zip(found, range(most), strict=False)]


def item_card(shop: LiveShop, item_id: str, *, language: str) -> ItemCard:
    """Return what the catalogue says of an item.

    Raises
    ------
    UnknownItemError
        There is none with this id.
    """
    catalogue = shop.serving.model.catalogue
    if item_id not in catalogue.row_of:
        raise UnknownItemError("no such item", value=item_id, remedy="check the id")
    row = catalogue.row_of[item_id]
    return ItemCard(
        title=catalogue.title(row, language=language),
        price=price_of(catalogue, item_id),
        in_stock=bool(catalogue.in_stock[row]),
        attributes=tuple(
            said
            for dimension in catalogue.dimensions.values()
            for said in _attributes(dimension, row, language)
        ),
    )


def price_of(catalogue: Catalogue, item_id: str) -> str:
    """Return what an item costs, with its currency; nothing where that is unknown."""
    price = int(catalogue.price_minor[catalogue.row_of[item_id]])
    if price < 0:
        return ""
    units = minor_units(catalogue.currency)
    return f"{price / units:,.{2 if units > 1 else 0}f} {catalogue.currency or ''}".strip()


def photo(shop: LiveShop, item_id: str) -> bytes | None:
    """Return an item's photo as a small JPEG; None where there is none that can be read."""
    model = shop.serving.model
    row = model.catalogue.row_of.get(item_id)
    if row is None:
        return None
    name, place = model.shop.items["image"][row], model.shop.images
    found = shop.photos.get(name or "") or (None if place is None else _photos(place).get(name))
    try:
        written = found if isinstance(found, bytes) else Path(str(found)).read_bytes()
        return thumbnail(written)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


@lru_cache(maxsize=8)
def _photos(place: str) -> Photos:
    return Photos(place)


def thumbnail(photo: bytes) -> bytes:
    """Return a photo as a small JPEG."""
    with Image.open(BytesIO(photo)) as opened:
        small = opened.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        written = BytesIO()
        small.save(written, "JPEG", quality=82)
    return written.getvalue()


def _attributes(dimension: Dimension, row: int, language: str) -> list[tuple[str, str, str]]:
    entries = range(int(dimension.offsets[row]), int(dimension.offsets[row + 1]))
    return [
        (
            name_of(dimension.name, language),
            dimension.label(int(dimension.value_rows[entry]), language=language),
            f"{dimension.confidence[entry]:.0%}" if dimension.is_inferred[entry] else "",
        )
        for entry in entries
    ]


def _titles(catalogue: Catalogue, row: int) -> str:
    return " ".join(titles[row] for titles in catalogue.titles.values())


def _line(shop: LiveShop, event: Event, language: str) -> Line:
    catalogue = shop.serving.model.catalogue
    about = event.query or event.text or ""
    if event.item_id is not None:
        row = catalogue.row_of.get(event.item_id)
        title = event.item_id if row is None else catalogue.title(row, language=language)
        about = " ".join(part for part in (title, about) if part)
    if event.type == "correct":
        about = _correction(shop, event, language)
    return Line(
        at="" if event.occurred_at is None else _said_at(event.occurred_at),
        what=EVENT_TYPES[event.type] if language == "zh" else event.type.replace("_", " "),
        about=about,
    )


def _correction(shop: LiveShop, event: Event, language: str) -> str:
    """Return what was set right, as "colour: red · likes"."""
    dimension, value, side = (str(event.context.get(key, "")) for key in ("dimension", "value", "side"))
    if side not in ("liked", "disliked", "withdrawn"):
        return ""
    return f"{value_label(shop, dimension, value, language=language)} · {word(side, language)}"


def _said_at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
