"""All states of a shop at once, from its table of events.

The same states that `update` would grow event by event, but a million events a second: sort once by shopper,
time and key, count each event's rank from the newest backwards, and keep what has a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.errors import ClockError
from huaxiang.profile.contents import event_keys, said_in
from huaxiang.profile.state import LIGHT, N_BOUGHT, N_LIGHT, N_STRONG, NO_ITEM, PURCHASE, STRONG
from huaxiang.profile.states import BOUGHT_COLUMNS, EVENT_COLUMNS, SCHEMA, TOTAL_COLUMNS, States
from huaxiang.profile.update import DISLIKED_RATING, NOT_AS_DESCRIBED, channel_code, content_hash
from huaxiang.records import EventType

_REFUND = EventType.REFUND.code
_QUARTER_MINUTES = 15
_KINDS = {**TOTAL_COLUMNS, **EVENT_COLUMNS}


def build_states(events: pl.DataFrame, *, order_only: bool) -> States:
    """Return the state of every shopper in a table of events (`shop.base.EVENT_COLUMNS`).

    Parameters
    ----------
    events
        Each event once, in the order of the log.
    order_only
        The shop knows only an order: times are ignored, and an event's place among the shopper's events
        stands for it.

    Raises
    ------
    ClockError
        When an event of a shop that knows times has none.
    """
    kept = events.filter(pl.col("type").is_in([*STRONG, *LIGHT]))
    shopper_ids = kept["shopper_id"].unique().sort()
    columns = _event_columns(kept, shopper_ids, order_only=order_only)
    ordered = columns[_by_shopper_time_and_key(columns)]
    totals = _totals(ordered)
    has_place_E = _has_place(ordered, n_events_U=totals["n_events"].to_numpy())
    table = _beside(totals, ordered.filter(has_place_E), EVENT_COLUMNS)
    table = _beside(table, _bought(ordered.filter(~has_place_E)), BOUGHT_COLUMNS)
    return States(table.with_columns(shopper_id=shopper_ids).select(list(SCHEMA)), order_only=order_only)


def as_of(
    events: pl.DataFrame, *, occurred_until: datetime | None = None, received_until: datetime | None = None
) -> pl.DataFrame:
    """Return what was known of the past: events up to a moment that had been received by another.

    Both moments are included. An event that was not stamped on receipt counts as received when it occurred.

    Raises
    ------
    ClockError
        When events have no time to compare: the shop knows only an order.
    """
    known = events
    for moment, time in (
        (occurred_until, pl.col("occurred_at")),
        (received_until, pl.coalesce("received_at", "occurred_at")),
    ):
        if moment is None:
            continue
        if known.select(time.is_null().any()).item():
            raise ClockError("events have no time", remedy="a shop without times has no past moment")
        known = known.filter(time <= moment)
    return known


def _event_columns(events: pl.DataFrame, shopper_ids: pl.Series, *, order_only: bool) -> pl.DataFrame:
    """Return the columns of `StateEvent` and what each event adds to the totals."""
    sign = (pl.col("type") == PURCHASE).cast(pl.Int64) - (pl.col("type") == _REFUND).cast(pl.Int64)
    quantity = pl.col("quantity").fill_null(1.0).cast(pl.Float64).abs()
    price_minor = pl.col("price_minor").fill_null(0)
    columns = events.select(
        shopper=pl.col("shopper_id").cast(pl.Enum(shopper_ids)).to_physical(),
        occurred_ms=_times(events, order_only=order_only),
        key=pl.Series(event_keys(events["event_id"])),
        type=pl.col("type"),
        item_no=pl.col("item_row").fill_null(NO_ITEM),
        rating=_ratings(events),
        quantity=_whole(quantity),
        content=_contents(events),
        offset_quarters=pl.col("utc_offset_minutes").fill_null(0).floordiv(_QUARTER_MINUTES),
        channel=_channels(events),
        n_orders=pl.col("new_order").fill_null(False) & (sign > 0),
        n_units=sign * _whole(quantity),
        spend_minor=sign * _whole(quantity * price_minor),
    )
    return columns.cast({name: kind for name, kind in _KINDS.items() if name in columns.columns})


def _by_shopper_time_and_key(columns: pl.DataFrame) -> NDArray[np.int64]:
    """Return the rows in order.

    Shopper and time are sorted as one number, three times as fast as one after the other; only the events of
    one shopper at one moment are then put in the order of their keys.
    """
    shopper_E, ms_E, key_E = (columns[name].to_numpy() for name in ("shopper", "occurred_ms", "key"))
    since_first_E = ms_E - ms_E.min(initial=0 if not len(ms_E) else ms_E[0])
    time_bits = int(since_first_E.max(initial=0)).bit_length()
    if time_bits + int(shopper_E.max(initial=0)).bit_length() >= 63:
        return np.lexsort((key_E, ms_E, shopper_E))
    moment_E = (shopper_E.astype(np.int64) << time_bits) | since_first_E
    rows_E = np.argsort(moment_E)
    is_tied_E = np.zeros(len(rows_E), dtype=bool)
    is_tied_E[1:] = np.diff(moment_E[rows_E]) == 0
    is_tied_E[:-1] |= is_tied_E[1:]
    tied = rows_E[is_tied_E]
    rows_E[is_tied_E] = tied[np.lexsort((key_E[tied], moment_E[tied]))]
    return rows_E


def _times(events: pl.DataFrame, *, order_only: bool) -> pl.Series:
    if order_only:
        return events.select(pl.int_range(pl.len()).over("shopper_id")).to_series()
    times = events["occurred_at"]
    if times.null_count():
        raise ClockError(
            "events have no time",
            column="occurred_at",
            value=f"{times.null_count()} of {len(times)}",
            remedy="give each a time, or say that the shop knows only an order",
        )
    return times.dt.epoch("ms")


def _whole(number: pl.Expr) -> pl.Expr:
    return number.round(mode="half_to_even").cast(pl.Int64)


def _ratings(events: pl.DataFrame) -> pl.Series:
    """Return ratings in tenths, 0 where there are none."""
    ratings = events.select(_whole(10 * pl.col("rating").cast(pl.Float64)).fill_null(0)).to_series()
    refunds = (events["type"] == _REFUND).arg_true()
    reasons = events["context"].gather(refunds).str.json_path_match("$.reason")
    return ratings.scatter(refunds.filter((reasons == NOT_AS_DESCRIBED).fill_null(False)), DISLIKED_RATING)


def _contents(events: pl.DataFrame) -> pl.Series:
    """Return the number of each event's words or photo, 0 where it has none."""
    said = said_in(events)
    distinct = said.drop_nulls().unique()
    numbers = [content_hash(words) for words in distinct]
    return said.replace_strict(distinct, numbers, default=0, return_dtype=pl.Int64)


def _channels(events: pl.DataFrame) -> pl.Series:
    distinct = events["channel"].drop_nulls().unique()
    codes = [channel_code(name) for name in distinct]
    return events["channel"].replace_strict(distinct, codes, default=0, return_dtype=pl.UInt8)


def _has_place(ordered: pl.DataFrame, *, n_events_U: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each event is among its shopper's newest of its kind, (E,)."""
    ends_E = np.repeat(np.cumsum(n_events_U), n_events_U)
    is_strong_E = ordered["type"].is_in(list(STRONG)).to_numpy()
    n_newer_strong_E = _n_newer(is_strong_E, ends_E)
    n_newer_light_E = _n_newer(~is_strong_E, ends_E)
    return np.where(is_strong_E, n_newer_strong_E < N_STRONG, n_newer_light_E < N_LIGHT)


def _n_newer(is_counted_E: NDArray[np.bool_], ends_E: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many counted events of the same shopper come after each event, (E,)."""
    counted_E = np.cumsum(is_counted_E)
    return counted_E[ends_E - 1] - counted_E


def _totals(ordered: pl.DataFrame) -> pl.DataFrame:
    return ordered.group_by("shopper", maintain_order=True).agg(
        pl.col("occurred_ms").first().alias("first_seen_ms"),
        pl.col("occurred_ms").last().alias("last_seen_ms"),
        pl.col("n_orders", "n_units", "spend_minor").sum(),
        pl.len().cast(pl.Int64).alias("n_events"),
    )


def _bought(left: pl.DataFrame) -> pl.DataFrame:
    """Return when each item was last bought, for purchases that lost their place: each shopper's newest."""
    purchases = left.filter((pl.col("type") == PURCHASE) & (pl.col("item_no") != NO_ITEM))
    newest = purchases.group_by("shopper", "item_no").agg(pl.col("occurred_ms").max())
    ordered = newest.sort("shopper", "occurred_ms", "item_no")
    kept = ordered.group_by("shopper", maintain_order=True).tail(N_BOUGHT)
    return kept.select("shopper", bought_item_no="item_no", bought_ms="occurred_ms")


def _beside(table: pl.DataFrame, flat: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return the table with `columns` of `flat` gathered into one list per shopper."""
    lists = flat.group_by("shopper", maintain_order=True).agg(pl.col(list(columns)))
    joined = table.join(lists, on="shopper", how="left", maintain_order="left")
    return joined.with_columns(pl.col(list(columns)).fill_null([]))
