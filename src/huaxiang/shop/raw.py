"""A shop's tables under our names but still as text: what adapters and guesses make, before any check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from huaxiang.shop.tables import LINE, UNREADABLE, Table

FILE = "huaxiang.file"
SET_ASIDE = "huaxiang.set_aside"
"""Events only: why a line is no event of a shopper and yet no mistake; null for the others."""

ATTRIBUTE = "attribute."
"""Prefix of the columns of an items table that are dimensions; several values are divided by "|"."""


@dataclass(frozen=True, kw_only=True)
class RawShop:
    """A shop as read, unchecked.

    Parameters
    ----------
    items
        Columns of `columns.ITEM_ALIASES`, `attribute.*` and `*_<language>`, all text, with `LINE`, `FILE` and
        `UNREADABLE`; None where the items are known from the events alone.
    events
        Columns of `columns.EVENT_ALIASES`, all text, with `LINE`, `FILE`, `UNREADABLE` and perhaps
        `SET_ASIDE`; events and reviews one after the other. None where a shop has a catalogue only.
    files
        Every file read, for the fingerprint.
    names
        Shown name, currency, time zone and languages, where the source says them.
    """

    events: pl.DataFrame | None
    items: pl.DataFrame | None = None
    files: tuple[Path, ...] = ()
    name: str | None = None
    currency: str | None = None
    timezone: str | None = None
    languages: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    order_only: bool = False
    images: Path | None = None
    guesses: tuple[str, ...] = ()


def renamed(table: Table, columns: Mapping[str, str], *extra: pl.Expr) -> pl.DataFrame:
    """Return the table under our names (`columns`: ours → the file's), with columns computed from it."""
    chosen = [pl.col(column).alias(name) for name, column in columns.items()]
    return table.frame.select(*chosen, *extra, LINE, UNREADABLE, pl.lit(table.file).alias(FILE))
