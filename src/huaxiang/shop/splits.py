"""Events split into what is learnt from, what settings are chosen on, and what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from huaxiang.errors import ClockError, SettingsError
from huaxiang.records import EventType

BOUGHT = (EventType.PURCHASE,)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Three tables of events, each in log order; every event is in one of them."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame


def leave_one_out(events: pl.DataFrame, *, types: Sequence[EventType] = BOUGHT) -> Split:
    """Hold out each shopper's last event of these types as test, and the last but one as validation.

    Shoppers with fewer than three such events stay in training whole. What a shopper did after the held-out
    events, of other types, goes with the later of them, so that training never looks ahead.

    Examples
    --------
    >>> rows = {"shopper_id": ["a"] * 4, "type": [8] * 4, "occurred_at": [None] * 4, "item_row": [5, 6, 7, 8]}
    >>> split = leave_one_out(pl.DataFrame(rows))
    >>> [part["item_row"].to_list() for part in (split.train, split.validation, split.test)]
    [[5, 6], [7], [8]]
    """
    numbered = events.with_row_index("row").sort("shopper_id", "occurred_at", "row", maintain_order=True)
    is_wanted = pl.col("type").is_in([kind.code for kind in types]).cast(pl.Int64)
    seen = is_wanted.cum_sum().over("shopper_id")
    n_wanted = is_wanted.sum().over("shopper_id")
    from_end = pl.when(n_wanted >= 3).then(n_wanted - seen).otherwise(2)
    rows = numbered.select("row", from_end.alias("from_end"))
    return Split(
        train=_rows(events, rows.filter(pl.col("from_end") >= 2)["row"]),
        validation=_rows(events, rows.filter(pl.col("from_end") == 1)["row"]),
        test=_rows(events, rows.filter(pl.col("from_end") == 0)["row"]),
    )


def by_time(events: pl.DataFrame, cut: datetime, *, validation_from: datetime | None = None) -> Split:
    """Hold out everything from `cut` on as test, and from `validation_from` up to it as validation.

    Parameters
    ----------
    cut, validation_from
        Timezone-aware. `validation_from` is before `cut`; None leaves validation empty.

    Raises
    ------
    ClockError
        When the shop knows no times, a moment has no time zone, or the two are in the wrong order.
    """
    start = cut if validation_from is None else validation_from
    if cut.tzinfo is None or start.tzinfo is None:
        raise ClockError("a cut needs a time zone", value=str(cut), remedy="write datetime(…, tzinfo=UTC)")
    if start > cut:
        raise ClockError(
            "validation begins after the test", value=str(start), remedy="choose an earlier time"
        )
    if events["occurred_at"].null_count():
        raise ClockError("events without times can't be split by time", remedy="use leave_one_out")
    moment = pl.col("occurred_at")
    return Split(
        train=events.filter(moment < start),
        validation=events.filter((moment >= start) & (moment < cut)),
        test=events.filter(moment >= cut),
    )


def by_shopper(events: pl.DataFrame, *, share: float, seed: int, validation_share: float = 0.0) -> Split:
    """Hold out all events of a random `share` of the shoppers as test, of `validation_share` as validation.

    The draw depends on the ids and the seed alone, not on the order of lines.

    Raises
    ------
    SettingsError
        When a share lies outside 0 to 1, or both together above 1.
    """
    if not (0 <= share <= 1 and 0 <= validation_share <= 1 and share + validation_share <= 1):
        raise SettingsError(
            "share is out of range",
            column="share",
            value=str(share),
            remedy="choose 0 to 1, 1 for both together",
        )
    shoppers = events["shopper_id"].unique().sort()
    drawn = shoppers.gather(np.random.default_rng(seed).permutation(len(shoppers)))
    n_test, n_validation = (round(len(drawn) * part) for part in (share, validation_share))
    test, validation = drawn[:n_test], drawn[n_test : n_test + n_validation]
    is_test = pl.col("shopper_id").is_in(test.implode())
    is_validation = pl.col("shopper_id").is_in(validation.implode())
    return Split(
        train=events.filter(~is_test & ~is_validation),
        validation=events.filter(is_validation),
        test=events.filter(is_test),
    )


def _rows(events: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return events.select(pl.all().gather(rows.sort()))
