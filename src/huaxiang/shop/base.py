"""What a shop is once it has been read: three tables, a quarantine, and sums that agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

# `item_row` is the row number in `items`. In a local run item_no == item_row; a served store keeps its own.
ITEM_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "group_id": pl.String,  # the product of which this is a variant; the item_id where nothing is said
    "category": pl.String,  # the path as stated, parts joined by " > "; null where not stated
    "brand": pl.String,
    "price_minor": pl.Int64,  # null where not stated
    "currency": pl.String,
    "in_stock": pl.Boolean,
    "valid_from": pl.Datetime("ms", "UTC"),
    "image": pl.String,  # name inside the shop's image folder or zip; null where there is none
    # and one pair `title_<language>`, `description_<language>` for each of the shop's languages
}

EVENT_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,  # unique; hash of file and line where the shop gives none
    "shopper_id": pl.String,  # anonymous sessions: "anonymous:<session or order id>"
    "anonymous": pl.Boolean,
    "type": pl.UInt8,  # EventType.code
    "item_row": pl.Int32,  # -1 where the event is about words or a photo
    "text": pl.String,  # query, review or statement; null elsewhere
    "image": pl.String,
    "occurred_at": pl.Datetime("ms", "UTC"),  # null in a shop that knows only an order
    "received_at": pl.Datetime("ms", "UTC"),
    "quantity": pl.Float32,
    "price_minor": pl.Int64,
    "rating": pl.Float32,  # 1 to 5, null where none
    "session_id": pl.String,
    "order_id": pl.String,
    "new_order": pl.Boolean,  # the first line of its order: makes the count of orders a plain sum
    "utc_offset_minutes": pl.Int16,
    "channel": pl.String,
    "context": pl.String,  # everything else as a JSON object, null where empty
    "line": pl.UInt32,  # in the file it was read from, counted from 1 with the header
}
"""Row order is log order: `position` of an event is its row number."""

ATTRIBUTE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "item_row": pl.Int32,
    "dimension": pl.String,  # category, brand, colour, material, style, …, image_tag
    "value": pl.String,
    "source": pl.String,  # stated | inferred
    "confidence": pl.Float32,  # 1 where stated
}

QUARANTINE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "file": pl.String,
    "line": pl.UInt32,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
}


Columns = Mapping[str, pl.DataType | type[pl.DataType]]


def in_shape(table: pl.DataFrame, columns: Columns, *further: str) -> pl.DataFrame:
    """Return the table with these columns in this order and of these types, then further ones as they are.

    Examples
    --------
    >>> in_shape(pl.DataFrame({"b": [1], "a": ["x"]}), {"a": pl.String, "b": pl.UInt8}).rows()
    [('x', 1)]
    """
    return table.select(*(pl.col(name).cast(kind) for name, kind in columns.items()), *further)


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """Where every line of the events and reviews went: `lines_read == n_events + set aside + quarantined`.

    Parameters
    ----------
    set_aside, quarantined
        Reason → how many lines: no event of a shopper and yet no mistake; a mistake.
    changed
        What → in how many events: kept, but not as written, such as a time in the future.
    items_quarantined
        Reason → how many lines or cells of the items file; not part of the sums.
    """

    lines_read: int
    n_events: int
    set_aside: Mapping[str, int]
    quarantined: Mapping[str, int]
    changed: Mapping[str, int] = field(default_factory=dict)
    items_quarantined: Mapping[str, int] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether the sums agree."""
        elsewhere = sum(self.set_aside.values()) + sum(self.quarantined.values())
        return self.lines_read == self.n_events + elsewhere


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop that has been read and checked.

    Parameters
    ----------
    languages
        Codes of the languages of the item texts, the shop's own first.
    items, events, attributes, quarantine
        Tables with the columns above, in that order.
    order_only
        The shop knows in which order things happened, not when: no decay, no gaps, no dates.
    images
        Folder or zip file that holds the photos, or None.
    guesses
        What was assumed where `shop.toml` says nothing, one sentence each, shown to the user.
    """

    name: str
    languages: tuple[str, ...]
    currency: str | None
    timezone: str
    items: pl.DataFrame
    events: pl.DataFrame
    attributes: pl.DataFrame
    quarantine: pl.DataFrame
    accounting: Accounting
    order_only: bool = False
    images: str | None = None
    guesses: tuple[str, ...] = ()
    fingerprint: str = ""
    labels: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """language → dimension → value → how that language says it, where the shop or the lexicon knows."""
