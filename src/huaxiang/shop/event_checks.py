"""What may be wrong with a line of events, and the quarantine for those with which something is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import polars as pl

from huaxiang.records import LIGHT_TYPES, STRONG_TYPES, EventType
from huaxiang.shop.base import QUARANTINE_COLUMNS, in_shape
from huaxiang.shop.raw import FILE, SET_ASIDE
from huaxiang.shop.tables import LINE, UNREADABLE

_WITHOUT_ITEM = (
    EventType.SEARCH,
    EventType.STATE,
    EventType.REVIEW,
    EventType.BEGIN_CHECKOUT,
    EventType.CORRECT,
)
_NEEDS_ITEM = [
    kind.code for kind in (STRONG_TYPES | LIGHT_TYPES | {EventType.VIEW_ITEM_LIST}) - set(_WITHOUT_ITEM)
]
SAYS_WORDS = [kind.code for kind in (EventType.SEARCH, EventType.STATE, EventType.REVIEW)]
MAY_BE_MISTYPED = ("quantity", "price", "price_minor", "rating", "received_at", "utc_offset_minutes")
_OFFSETS = (-12 * 60, 14 * 60)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What events are checked against.

    Parameters
    ----------
    item_ids
        Ids of the catalogue, in row order; None where the items are made from the events.
    types
        The shop's own word → one of our types.
    now
        Nothing happens after it.
    """

    item_ids: pl.Series | None
    currency: str | None
    timezone: str
    order_only: bool
    types: Mapping[str, str]
    now: datetime


class Check(NamedTuple):
    """One thing that may be wrong with a line; `fails` reads the typed columns."""

    column: str
    reason: str
    fails: pl.Expr


def checks_of(rules: Rules) -> tuple[Check, ...]:
    """Return what may be wrong, in the order in which it is said; the columns named are the raw ones."""
    kind, item_id = pl.col("type"), pl.col("item_id")
    says_nothing = item_id.is_null() & pl.col("text").is_null() & pl.col("image").is_null()
    is_unplaced = pl.col("shopper_id").is_null() & pl.col("visitor_id").is_null()
    offset = pl.col("utc_offset_minutes")
    checks = [
        Check("shopper_id", "no shopper, session or order", is_unplaced),
        Check("type", "unknown event type", kind.is_null()),
        Check("item_id", "no item", kind.is_in(_NEEDS_ITEM) & item_id.is_null()),
        Check("text", "no words, photo or item", kind.is_in(SAYS_WORDS) & says_nothing),
        Check("context", "not a JSON object", pl.col("is_broken_context")),
        Check("quantity", "not a number", _is_mistyped("quantity")),
        Check("quantity", "not above zero", pl.col("quantity") <= 0),
        Check(
            "price", "not a number", _is_mistyped("price", typed="price_minor") & ~pl.col("has_price_minor")
        ),
        Check("price_minor", "not a number", _is_mistyped("price_minor") & ~pl.col("has_price")),
        Check("price", "below zero", pl.col("price_minor") < 0),
        Check("rating", "not a number", _is_mistyped("rating")),
        Check("rating", "not from 1 to 5", pl.col("rating").is_between(1, 5).not_()),
        Check("rating", "no rating", (kind == EventType.RATE.code) & pl.col("rating").is_null()),
        Check("utc_offset_minutes", "not a number", _is_mistyped("utc_offset_minutes")),
        Check("utc_offset_minutes", "no time zone has it", offset.is_between(*_OFFSETS).not_()),
        Check("received_at", "not a time", _is_mistyped("received_at")),
    ]
    if rules.item_ids is not None:
        is_unknown = item_id.is_not_null() & pl.col("item_row").is_null()
        checks.insert(3, Check("item_id", "not in the catalogue", is_unknown))
    if not rules.order_only:
        moment = pl.col("occurred_at")
        checks.append(Check("occurred_at", "not a time", moment.is_null()))
        checks.append(Check("occurred_at", "before 1970", moment.dt.epoch("ms") < 0))
    return tuple(checks)


def _is_mistyped(name: str, *, typed: str | None = None) -> pl.Expr:
    return pl.col(f"has_{name}") & pl.col(typed or name).is_null()


def fates(typed: pl.DataFrame, raw: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return per line the first check it fails (-1: unreadable), and whether it is set aside."""
    first = pl.coalesce(
        pl.when(check.fails).then(pl.lit(number, dtype=pl.Int16))
        for number, check in enumerate(checks_of(rules))
    )
    is_readable, is_aside = raw[UNREADABLE].is_null(), raw[SET_ASIDE].is_not_null()
    failed = pl.when(~is_readable).then(pl.lit(-1, dtype=pl.Int16)).when(~is_aside).then(first)
    return typed.select(failed.alias("failed"), (is_aside & is_readable).alias("is_aside"))


def quarantine(raw: pl.DataFrame, failed: pl.Series, checks: Sequence[Check]) -> pl.DataFrame:
    """Return the lines that failed, with the cell that is to blame as it was written."""
    bad = raw.with_columns(failed).filter(pl.col("failed").is_not_null())
    number = pl.col("failed")
    columns = {i: check.column for i, check in enumerate(checks)}
    reasons = {i: check.reason for i, check in enumerate(checks)}
    cells = (pl.when(number == i).then(check.column) for i, check in enumerate(checks))
    found = bad.select(
        pl.col(FILE).alias("file"),
        pl.col(LINE).alias("line"),
        number.replace_strict(columns, default=None, return_dtype=pl.String).alias("column"),
        pl.coalesce(cells).alias("value"),
        pl.coalesce(number.replace_strict(reasons, default=None, return_dtype=pl.String), UNREADABLE).alias(
            "reason"
        ),
    )
    return in_shape(found, QUARANTINE_COLUMNS)
