"""Lines of events, checked: each is an event, set aside, or quarantined with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import polars as pl

from huaxiang.records import EventType
from huaxiang.shop.base import EVENT_COLUMNS, in_shape
from huaxiang.shop.cells import amounts, ids, is_given, minor_units, numbers, stated
from huaxiang.shop.columns import EVENT_NAMES
from huaxiang.shop.event_checks import MAY_BE_MISTYPED, SAYS_WORDS, Rules, checks_of, fates, quarantine
from huaxiang.shop.event_ids import line_ids
from huaxiang.shop.event_types import type_codes
from huaxiang.shop.raw import FILE, SET_ASIDE
from huaxiang.shop.tables import LINE
from huaxiang.shop.times import parse_times

ANONYMOUS = "anonymous:"
_LARGEST_QUANTITY = 1e9
_CONTEXT_NAMES = (
    *("device", "placement", "slate_id", "position", "propensity", "language"),
    *("reason", "dimension", "value", "side"),
)
REPEATED = "event_id seen before"
FUTURE = "a time in the future was set to when it was received"
OTHER_CURRENCY = "a price in another currency was left out"
NEEDLESS_WORDS = "words on an event about an item were left out"


@dataclass(frozen=True, kw_only=True)
class CheckedEvents:
    """Where every line went; `kept` are the row numbers of the events in the raw table."""

    events: pl.DataFrame
    kept: pl.Series
    quarantine: pl.DataFrame
    set_aside: Mapping[str, int]
    changed: Mapping[str, int]
    guesses: tuple[str, ...]


def check_events(raw: pl.DataFrame, rules: Rules) -> CheckedEvents:
    """Return the events in the order of their lines, and what became of the other lines.

    `item_row` counts in `rules.item_ids`, or, where that is None, in the order in which items first appear.
    """
    raw = raw.with_columns(
        pl.lit(None, dtype=pl.String).alias(name)
        for name in (*EVENT_NAMES, SET_ASIDE)
        if name not in raw.columns
    )
    typed, guesses = _typed(raw, rules)
    fate = fates(typed, raw, rules)
    kept, n_repeated = _identified(typed.filter(fate["failed"].is_null() & ~fate["is_aside"]))
    kept = _numbered(kept) if rules.item_ids is None else kept
    clamped = _not_in_the_future(kept, rules)
    reasons = raw.filter(fate["is_aside"])[SET_ASIDE].value_counts(sort=True).rows()
    is_item_event = kept["type"].is_in(SAYS_WORDS).not_()
    changed = {
        FUTURE: int((clamped["occurred_at"] != kept["occurred_at"]).sum()),
        OTHER_CURRENCY: int(kept["is_other_currency"].sum()),
        NEEDLESS_WORDS: int((is_item_event & kept["text"].is_not_null()).sum()),
    }
    return CheckedEvents(
        events=_finished(clamped),
        kept=kept["row"],
        quarantine=quarantine(raw, fate["failed"], checks_of(rules)),
        set_aside={**dict(reasons), **({REPEATED: n_repeated} if n_repeated else {})},
        changed={what: n for what, n in changed.items() if n},
        guesses=guesses,
    )


def _typed(raw: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the columns of events before any filling in, null where a cell is not what it should be."""
    occurred, guesses = parse_times(raw["occurred_at"], timezone=rules.timezone, column="occurred_at")
    received, _ = parse_times(raw["received_at"], timezone=rules.timezone, column="received_at")
    codes = type_codes(raw["type"].unique().drop_nulls(), rules.types)
    currency = stated("currency").str.to_uppercase()
    is_other = (currency != (rules.currency or "").upper()).fill_null(False) & pl.lit(
        rules.currency is not None
    )
    price = (amounts("price") * minor_units(rules.currency)).round().cast(pl.Int64, strict=False)
    typed = raw.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.col(LINE).alias("line"),
        pl.col(FILE).alias("file"),
        ids("event_id"),
        ids("shopper_id"),
        pl.coalesce(ids(name) for name in ("anonymous_id", "session_id", "order_id")).alias("visitor_id"),
        pl.col("type").replace_strict(codes, default=None, return_dtype=pl.UInt8),
        ids("item_id"),
        pl.coalesce(_words(name) for name in ("query", "text")).alias("text"),
        stated("image"),
        occurred["occurred_at"],
        occurred["offset_minutes"],
        received["occurred_at"].alias("received_at"),
        pl.when(numbers("quantity") <= _LARGEST_QUANTITY).then(numbers("quantity")).cast(pl.Float32),
        pl.coalesce(numbers("price_minor").cast(pl.Int64, strict=False), price).alias("price_minor"),
        is_other.alias("is_other_currency"),
        numbers("rating").cast(pl.Float32),
        ids("session_id"),
        ids("order_id"),
        numbers("utc_offset_minutes").cast(pl.Int16, strict=False),
        stated("channel"),
        _context(raw),
        _is_broken_context(raw).alias("is_broken_context"),
        *(is_given(name).fill_null(False).alias(f"has_{name}") for name in MAY_BE_MISTYPED),
    )
    return _with_item_rows(typed, rules), guesses


def _words(column: str) -> pl.Expr:
    trimmed = pl.col(column).str.strip_chars()
    return pl.when(trimmed.str.len_bytes() > 0).then(trimmed)


def _context(raw: pl.DataFrame) -> pl.Expr:
    """Return everything else as one JSON object; null where there is nothing else."""
    used = [name for name in _CONTEXT_NAMES if raw[name].null_count() < len(raw)]
    cells = [pl.when(is_given(name)).then(pl.struct(_json_cell(name)).struct.json_encode()) for name in used]
    bare = [cell.str.strip_prefix("{").str.strip_suffix("}") for cell in cells]
    given = pl.col("context").str.strip_chars().str.strip_prefix("{").str.strip_suffix("}").str.strip_chars()
    both = [pl.when(given.str.len_bytes() > 0).then(given), *bare]
    joined = pl.concat_str(both, separator=",", ignore_nulls=True)
    return pl.when(joined.str.len_bytes() > 0).then("{" + joined + "}").alias("context")


def _json_cell(name: str) -> pl.Expr:
    return numbers(name).alias(name) if name in ("position", "propensity") else pl.col(name).str.strip_chars()


def _with_item_rows(typed: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    if rules.item_ids is None:
        return typed.with_columns(pl.lit(None, dtype=pl.Int32).alias("item_row"))
    rows = pl.DataFrame({"item_id": rules.item_ids}).with_row_index("item_row")
    rows = rows.with_columns(pl.col("item_row").cast(pl.Int32))
    return typed.join(rows, on="item_id", how="left", maintain_order="left")


def _numbered(kept: pl.DataFrame) -> pl.DataFrame:
    """Return the events with items numbered in the order in which they first appear."""
    items = kept.select("item_id").drop_nulls().unique(maintain_order=True).with_row_index("item_row")
    rows = items.with_columns(pl.col("item_row").cast(pl.Int32))
    return kept.drop("item_row").join(rows, on="item_id", how="left", maintain_order="left")


def _is_broken_context(raw: pl.DataFrame) -> pl.Series:
    cells = raw["context"]
    broken = [cell for cell in cells.unique().drop_nulls() if cell.strip() and not _is_json_object(cell)]
    return cells.is_in(broken).fill_null(False)


def _is_json_object(cell: str) -> bool:
    try:
        return isinstance(orjson.loads(cell), dict)
    except orjson.JSONDecodeError:
        return False


def _identified(kept: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the events with an id each, and how many were left out because their id was there before."""
    files = kept["file"].unique().to_list()
    if kept["event_id"].null_count():
        made = [(file, kept.filter(pl.col("file") == file)) for file in files]
        ids_by_row = [
            lines.select("row", line_ids(file, lines["line"]).alias("made_id")) for file, lines in made
        ]
        kept = kept.join(pl.concat(ids_by_row), on="row", maintain_order="left")
        kept = kept.with_columns(pl.coalesce("event_id", "made_id").alias("event_id"))
    different = kept.filter(pl.col("event_id").is_first_distinct())
    return different, len(kept) - len(different)


def _not_in_the_future(kept: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    now = pl.lit(rules.now).cast(pl.Datetime("ms", "UTC"))
    received = pl.min_horizontal("received_at", now)
    latest = pl.coalesce(received, now)
    has_received = pl.col("received_at").is_not_null()
    return kept.with_columns(
        pl.when(pl.col("occurred_at") > latest).then(latest).otherwise("occurred_at").alias("occurred_at"),
        pl.when(has_received).then(received).alias("received_at"),
    )


def _finished(kept: pl.DataFrame) -> pl.DataFrame:
    """Return the events with the columns of `EVENT_COLUMNS`: defaults filled in, nothing said twice."""
    kind = pl.col("type")
    says_words = kind.is_in(SAYS_WORDS)
    is_about_item = ~kind.is_in([k.code for k in (EventType.SEARCH, EventType.STATE)])
    is_purchase = kind == EventType.PURCHASE.code
    order = pl.coalesce("order_id", pl.col("occurred_at").dt.epoch("ms").cast(pl.String), "event_id")
    shopper = pl.coalesce("shopper_id", ANONYMOUS + pl.col("visitor_id"))
    finished = kept.with_columns(
        shopper.alias("shopper_id"),
        shopper.str.starts_with(ANONYMOUS).alias("anonymous"),
        pl.when(is_about_item).then("item_row").fill_null(-1).alias("item_row"),
        pl.when(says_words).then("text").alias("text"),
        pl.col("quantity").fill_null(1.0),
        pl.when(~pl.col("is_other_currency")).then("price_minor").alias("price_minor"),
        pl.coalesce("utc_offset_minutes", "offset_minutes", pl.lit(0)).alias("utc_offset_minutes"),
    ).with_columns(
        (is_purchase & pl.struct("shopper_id", is_purchase, order).is_first_distinct()).alias("new_order")
    )
    return in_shape(finished, EVENT_COLUMNS)
