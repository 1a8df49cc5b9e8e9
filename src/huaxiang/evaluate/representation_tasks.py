"""What shoppers did in the days after a moment, as the targets of a universal representation's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.errors import ShopError
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Dimension

Floats = NDArray[np.float64]
Kind = Literal["yes_or_no", "labels", "amount", "classes"]

N_LABELS = 100
"""How many of the most bought categories, and products, are asked for."""
BOUGHT = EventType.PURCHASE.code


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to predict of every shopper.

    Parameters
    ----------
    kind
        yes_or_no: 0 or 1; labels: several of them may be 1; amount: a number ≥ 0; classes: the one that
        is true is 1.
    targets_UO
        float64, (U, O); a row of NaN is a shopper of whom it is not known.
    popularity_O
        Purchases of each label before the moment, which novelty is counted from; None of other kinds.
    """

    name: str
    kind: Kind
    targets_UO: Floats
    popularity_O: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A shop at a cut date: what had happened, and who had bought.

    Parameters
    ----------
    before, after
        Events up to `at`, and purchases in the `horizon_days` after it (`shop.base.EVENT_COLUMNS`).
    shopper_ids
        Known shoppers who had bought at least once, sorted (U).
    """

    at: datetime
    before: pl.DataFrame
    after: pl.DataFrame
    shopper_ids: Sequence[str]


def moment_of(events: pl.DataFrame, at: datetime, *, horizon_days: int = 14) -> Moment:
    """Return the shop as it was known at `at`, and what was bought in the days after.

    Raises
    ------
    ShopError
        When nobody had bought before, or the log ends before the days do.
    """
    until = at + timedelta(days=horizon_days)
    is_known = ~pl.col("anonymous") & (pl.col("item_row") >= 0)
    before = events.filter(pl.col("occurred_at") <= at)
    bought = before.filter(is_known & (pl.col("type") == BOUGHT))
    newest = events["occurred_at"].max()
    if not len(bought) or not isinstance(newest, datetime) or newest.date() < until.date():
        raise ShopError(
            "a cut date must have purchases before it and its whole horizon after it",
            value=at.isoformat(),
            remedy=f"choose one after the first purchase, {horizon_days} days before the newest event",
        )
    ids = bought["shopper_id"].unique().sort()
    after = events.filter(
        is_known
        & (pl.col("type") == BOUGHT)
        & pl.col("occurred_at").is_between(at, until, closed="right")
        & pl.col("shopper_id").is_in(ids.implode())
    )
    return Moment(at=at, before=before, after=after, shopper_ids=ids.to_list())


def tasks_of(
    moment: Moment, categories: Dimension, *, bands: Mapping[str, Mapping[str, str]] | None = None
) -> list[Task]:
    """Return churn, spend, the propensities, and the bands that are known of some shoppers.

    The labels of the propensities are the categories and products that were bought most *before* the moment.

    Parameters
    ----------
    categories
        The category of each item; an item of several counts for the one with most weight.
    bands
        Name → shopper id → the band that the shopper is in.
    """
    row_of = {shopper_id: row for row, shopper_id in enumerate(moment.shopper_ids)}
    main_I = main_values(categories)
    after = moment.after
    shopper_E = np.array([row_of[shopper_id] for shopper_id in after["shopper_id"]], np.int64)
    item_E = after["item_row"].to_numpy().astype(np.int64)
    spent_E = (after["quantity"].fill_null(1) * after["price_minor"].fill_null(0)).to_numpy() / 100
    n_bought_U = np.bincount(shopper_E, minlength=len(row_of))
    spent_U = np.bincount(shopper_E, spent_E, minlength=len(row_of))
    earlier_E = (
        moment.before.filter((pl.col("type") == BOUGHT) & (pl.col("item_row") >= 0))["item_row"]
        .to_numpy()
        .astype(np.int64)
    )
    return [
        Task(name="churn", kind="yes_or_no", targets_UO=(n_bought_U == 0)[:, None].astype(np.float64)),
        _propensity("categories", shopper_E, main_I[item_E], main_I[earlier_E], n_shoppers=len(row_of)),
        _propensity("products", shopper_E, item_E, earlier_E, n_shoppers=len(row_of)),
        Task(name="spend", kind="amount", targets_UO=np.log1p(np.maximum(spent_U, 0))[:, None]),
        *(_band(name, known, moment.shopper_ids) for name, known in (bands or {}).items()),
    ]


def main_values(dimension: Dimension) -> NDArray[np.int64]:
    """Return the value of each item that has most weight, (I,); -1 where it has none.

    Examples
    --------
    >>> none = np.zeros(0)
    >>> size = Dimension(name="size", values=["S", "M"], offsets=np.array([0, 2, 2]),
    ...     value_rows=np.array([0, 1]), weights=np.array([0.25, 0.75]), confidence=none, is_inferred=none)
    >>> main_values(size).tolist()
    [1, -1]
    """
    n_values_I = np.diff(dimension.offsets)
    item_N = np.repeat(np.arange(len(n_values_I)), n_values_I)
    order = np.lexsort((dimension.weights, item_N))  # the heaviest of each item comes last
    main_I = np.full(len(n_values_I), -1, np.int64)
    main_I[item_N[order]] = dimension.value_rows[order]
    return main_I


def _propensity(
    name: str,
    shopper_E: NDArray[np.int64],
    label_E: NDArray[np.int64],
    earlier_E: NDArray[np.int64],
    *,
    n_shoppers: int,
) -> Task:
    counts = np.bincount(earlier_E[earlier_E >= 0])
    chosen = np.argsort(-counts, kind="stable")[: min(N_LABELS, int((counts > 0).sum()))]
    place_of = np.full(max(len(counts), int(label_E.max(initial=-1)) + 1) + 1, -1, np.int64)  # the last: none
    place_of[chosen] = np.arange(len(chosen))
    place_E = place_of[label_E]
    targets_UO = np.zeros((n_shoppers, len(chosen)))
    targets_UO[shopper_E[place_E >= 0], place_E[place_E >= 0]] = 1.0
    return Task(
        name=name, kind="labels", targets_UO=targets_UO, popularity_O=counts[chosen].astype(np.float64)
    )


def _band(name: str, known: Mapping[str, str], shopper_ids: Sequence[str]) -> Task:
    bands = sorted(set(known.values()))
    targets_UO = np.full((len(shopper_ids), len(bands)), np.nan)
    for row, shopper_id in enumerate(shopper_ids):
        if shopper_id in known:
            targets_UO[row] = 0.0
            targets_UO[row, bands.index(known[shopper_id])] = 1.0
    return Task(name=name, kind="classes", targets_UO=targets_UO)
