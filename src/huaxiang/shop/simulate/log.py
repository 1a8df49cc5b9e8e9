"""The event log of the simulated shop while it is being written, and the tables made from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from huaxiang.records import EventType

MS_PER_DAY = 86_400_000
_CONTEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Entry(NamedTuple):
    """One event as it happened; `item_row` is -1 and texts are None where they say nothing."""

    occurred_ms: int
    received_ms: int
    shopper: int
    type: EventType
    item_row: int = -1
    query: str | None = None
    text: str | None = None
    rating: int | None = None
    quantity: int | None = None
    price_yuan: int | None = None
    session_id: str | None = None
    order_id: str | None = None
    channel: str | None = None
    context: str | None = None


def as_context(stated: Mapping[str, object]) -> str:
    """Return a context as the JSON text that the log keeps."""
    return _CONTEXT.encode(stated)


@dataclass
class EventLog:
    """Entries in the order in which they were simulated: shopper by shopper."""

    ends_ms: int
    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Keep an event, unless it happens after the last simulated day."""
        if entry.occurred_ms < self.ends_ms:
            self.entries.append(entry)

    def table(self, item_ids: Sequence[str], offset_minutes: Sequence[int]) -> pl.DataFrame:
        """Return every event as the shop folder has it, in the order in which the shop received them."""
        ids = pl.Series([*item_ids, None], dtype=pl.String)
        offsets = pl.Series(offset_minutes, dtype=pl.Int16)
        drawn = pl.DataFrame(self.entries, schema=list(Entry._fields), orient="row", infer_schema_length=None)
        drawn = drawn.sort("received_ms", "shopper", "occurred_ms", maintain_order=True)
        rows = drawn["item_row"].to_numpy()
        return drawn.select(
            event_id=pl.format("e{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(7)),
            shopper_id=pl.format("s-{}", "shopper"),
            type=pl.col("type").cast(pl.String),
            item_id=ids.gather(np.where(rows < 0, len(item_ids), rows)),
            query="query",
            text="text",
            rating="rating",
            quantity="quantity",
            price=pl.col("price_yuan").cast(pl.Float64),
            occurred_at=_as_time("occurred_ms"),
            received_at=_as_time("received_ms"),
            session_id="session_id",
            order_id="order_id",
            utc_offset_minutes=offsets.gather(drawn["shopper"]),
            channel="channel",
            context="context",
        )


def _as_time(column: str) -> pl.Expr:
    moment = pl.from_epoch(column, time_unit="ms")
    return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
