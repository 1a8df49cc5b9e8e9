"""The reviews of a model's own shop, read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from huaxiang.errors import UnknownItemError
from huaxiang.records import EventType
from huaxiang.reviews.base import Reader, Review
from huaxiang.reviews.book import ReviewBook
from huaxiang.reviews.bulk import Progress, read_all
from huaxiang.reviews.insight import Insight
from huaxiang.reviews.learnt import reader_of
from huaxiang.reviews.tally import Tally
from huaxiang.shop.catalogue import Catalogue

if TYPE_CHECKING:
    from huaxiang.model.whole import Model

KINDS = (EventType.REVIEW, EventType.RATE)
CATEGORY = "category"


class CatalogueShelves:
    """Where a catalogue's items belong, for their reviews."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def category(self, item_id: str) -> str | None:
        """Return the item's first category; None where it has none or is unknown."""
        row, dimension = self._catalogue.row_of.get(item_id), self._catalogue.dimensions.get(CATEGORY)
        if row is None or dimension is None:
            return None
        first, last = int(dimension.offsets[row]), int(dimension.offsets[row + 1])
        return dimension.values[int(dimension.value_rows[first])] if last > first else None

    def title(self, item_id: str, *, language: str) -> str:
        """Return the item's title; its id where it is unknown."""
        row = self._catalogue.row_of.get(item_id)
        return item_id if row is None else self._catalogue.title(row, language=language)


def review_book(model: Model, reader: Reader | None = None) -> ReviewBook:
    """Return a model's reviews, all read: about a second for every 2,000.

    Parameters
    ----------
    reader
        None is the one that the model's settings name.
    """
    book = ReviewBook(CatalogueShelves(model.catalogue), reader or reader_in(model))
    book.add(reviews_in(model.shop.events, model.catalogue.item_ids))
    return book


def reader_in(model: Model) -> Reader:
    """Return what the model's settings say reads reviews.

    Raises
    ------
    ArtefactError
        A folder that they name holds no such model.
    """
    return reader_of(model.settings.reviews.aspects, model.settings.reviews.sentiment)


def read_whole_shop(
    model: Model, folder: Path, *, progress: Progress = lambda done, total, note: None
) -> ReviewBook:
    """Return a model's reviews, all read; what was finished before a stop is taken from `folder`."""
    reader = reader_in(model)
    reviews = reviews_in(model.shop.events, model.catalogue.item_ids)
    readings = read_all([one.text or "" for one in reviews], reader, folder, progress=progress)
    book = ReviewBook(CatalogueShelves(model.catalogue), reader)
    book.add(reviews, readings)
    return book


def reviews_in(events: pl.DataFrame, item_ids: Sequence[str]) -> list[Review]:
    """Return the reviews and ratings of items in a table of events (`EVENT_COLUMNS`), in their order."""
    bought = (
        events.filter(pl.col("type") == EventType.PURCHASE.code).select("shopper_id", "item_row").unique()
    )
    knows_buyers = len(bought) > 0
    kinds = [kind.code for kind in KINDS]
    rows = (
        events.with_row_index("position")
        .filter(pl.col("type").is_in(kinds) & (pl.col("item_row") >= 0))
        .join(bought.with_columns(is_buyer=True), on=["shopper_id", "item_row"], how="left")
        .sort("position")
        .select("event_id", "shopper_id", "item_row", "position", "rating", "text", "occurred_at", "is_buyer")
    )
    return [
        Review(
            event_id=event_id,
            shopper_id=shopper_id,
            item_id=item_ids[item_row],
            position=position,
            rating=rating,
            text=text,
            occurred_at=occurred_at,
            is_buyer=bool(is_buyer) if knows_buyers else None,
        )
        for event_id, shopper_id, item_row, position, rating, text, occurred_at, is_buyer in rows.rows()
    ]


def tallies_of(model: Model, item_ids: Sequence[str]) -> dict[str, Tally]:
    """Return the sums of the reviews of a few items, read now by the shipped words."""
    catalogue, events = model.catalogue, model.shop.events
    rows = [catalogue.row_of[item_id] for item_id in item_ids]
    kinds = [kind.code for kind in KINDS]
    own = events.filter(pl.col("type").is_in(kinds) & pl.col("item_row").is_in(rows))
    book = ReviewBook(CatalogueShelves(catalogue))
    book.add(reviews_in(own, catalogue.item_ids))
    return {item_id: book.tally_of(item_id) for item_id in item_ids}


def insight_into(model: Model, item_id: str, *, language: str | None = None) -> Insight:
    """Return what the reviews of one item say.

    Raises
    ------
    UnknownItemError
        When the catalogue has no such item.
    """
    if item_id not in model.catalogue.row_of:
        raise UnknownItemError("no such item", value=item_id, remedy="check the id")
    return review_book(model).insight(item_id, language=language)
