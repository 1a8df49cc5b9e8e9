"""The newest part of a shop, taken away to be predicted: by time, or each shopper's last items."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.errors import SettingsError, ShopError
from huaxiang.notes import Note, note
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.recommend.base import NO_ITEM, Histories, Targets
from huaxiang.recommend.histories import (
    histories_from_events,
    histories_from_states,
    split_at,
    take_events,
    take_shoppers,
)
from huaxiang.records import EventType
from huaxiang.shop.base import Shop
from huaxiang.shop.splits import Split, by_shopper, by_time, leave_one_out

BOUGHT = (EventType.PURCHASE,)
N_EARLIER = 2
"""Stretches before the validation part on which weights are chosen too (rolling origin)."""
TAKEN = (EventType.PURCHASE, EventType.ADD_TO_CART, EventType.ADD_TO_WISHLIST, EventType.VIEW_ITEM)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is held out, and how much is tested.

    Parameters
    ----------
    split
        "time": the newest purchases; "leave_one_out": each shopper's last; "shopper": the last one of
        shoppers of whom nothing is learnt; "auto": by time where the shop knows times, else leave-one-out.
    share
        Of the purchases, or of the shoppers, as test, and as much again as validation; above 0, below .5.
    n_audited
        Shoppers whose facets and reasons are tested by removing their evidence; ≥ 1.
    """

    split: Literal["auto", "time", "leave_one_out", "shopper"] = "auto"
    share: float = 0.1
    n_audited: int = 200

    def __post_init__(self) -> None:
        if self.n_audited < 1:
            raise SettingsError(
                "setting is out of range",
                column="evaluate.n_audited",
                value=str(self.n_audited),
                remedy="choose 1 or more",
            )
        if not 0 < self.share < 0.5:
            raise SettingsError(
                "setting is out of range",
                column="evaluate.share",
                value=str(self.share),
                remedy="choose above 0 and below 0.5",
            )


@dataclass(frozen=True, kw_only=True)
class Next:
    """What a batch of shoppers had and did before a moment, and the items that came next.

    Parameters
    ----------
    targets
        Histories as the bounded states hold them, and what came next.
    had
        The same shoppers' whole histories: what must not be offered again unasked.
    """

    targets: Targets
    had: Histories


@dataclass(frozen=True, kw_only=True)
class Window:
    """An earlier stretch of the log: what came before it, and what was to be predicted in it."""

    training: Histories
    validation: Next


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What may be learnt from, and what came next, twice.

    Parameters
    ----------
    description
        How it was split, for the report.
    training
        Whole histories before the validation part.
    known
        Whole histories before the test part: what the measured models learn from once weights are chosen.
    test_from_ms
        Where the test part begins; None where a shop knows only an order.
    earlier
        Stretches before the validation part, each as long: a season's fashions are not in all of them.
    """

    description: Note
    training: Histories
    known: Histories
    validation: Next
    test: Next
    test_from_ms: int | None = None
    earlier: tuple[Window, ...] = ()


def hold_out(shop: Shop, contents: Contents, config: Config | None = None, *, seed: int = 0) -> HeldOut:
    """Take away what is to be predicted, twice: for the test, and for the choice of weights before it.

    Shops that know only an order lose each shopper's last two items, or two shares of the shoppers. Shops
    without purchases are held to carts, wishlists and views.

    Parameters
    ----------
    seed
        Of the draw of shoppers.

    Raises
    ------
    ShopError
        When there is nothing that could be predicted.
    SettingsError
        When a shop without times is to be split by time.
    """
    config = config or Config()
    way = _way(shop, config)
    if way == "time":
        return _newest_days(shop, contents, share=config.share)
    if way == "shopper":
        return _new_shoppers(shop, contents, share=config.share, seed=seed)
    return _last_items(shop, contents)


def _way(shop: Shop, config: Config) -> str:
    if config.split == "time" and shop.order_only:
        raise SettingsError(
            "a shop without times can't be split by time",
            column="evaluate.split",
            value="time",
            remedy="choose leave_one_out or shopper",
        )
    by_itself = "leave_one_out" if shop.order_only else "time"
    return by_itself if config.split == "auto" else config.split


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest days since a model was made: what came before them, and what is to be predicted in them."""

    description: Note
    known: Histories
    test: Next
    since_ms: int
    test_from_ms: int


def hold_out_since(shop: Shop, contents: Contents, *, since_ms: int, share: float = 0.5) -> Newest:
    """Take away the newest `share` of the purchases that came after `since_ms`, to be predicted.

    A model that was made then has seen none of them, and one that learns from the rest hasn't either.

    Raises
    ------
    ShopError
        Too little happened since, or the shop knows only an order and no days.
    """
    if shop.order_only:
        raise ShopError("a shop without times has no newest days", remedy="build the run again instead")
    after = shop.events.filter(pl.col("occurred_at").dt.epoch("ms") > since_ms)
    if not len(after):
        raise ShopError("nothing happened since the model was made", remedy="retrain once there are events")
    kinds, times = _wanted(after)
    cut_ms = max(int(np.quantile(times, 1 - share)), since_ms + 1)
    whole = histories_from_events(shop.events, contents, order_only=False)
    return Newest(
        description=note("split_since", kinds=_spoken(kinds), day=_day(cut_ms), since=_day(since_ms)),
        known=_before(shop, contents, cut_ms),
        test=_next(shop, contents, whole, cut_ms, kinds),
        since_ms=since_ms,
        test_from_ms=cut_ms,
    )


def training_part(shop: Shop, config: Config | None = None, *, seed: int = 0) -> Histories:
    """Return what `hold_out` leaves to learn from, before anything has a vector."""
    return histories_from_events(training_events(shop, config, seed=seed), order_only=shop.order_only)


def training_events(shop: Shop, config: Config | None = None, *, seed: int = 0) -> pl.DataFrame:
    """Return the events that `hold_out` leaves to learn from."""
    config = config or Config()
    way = _way(shop, config)
    if way == "time":
        _, times = _wanted(shop.events)
        return _events_before(shop, int(np.quantile(times, 1 - 2 * config.share)))
    return _shares(shop, config.share, seed).train if way == "shopper" else _last_events(shop).train


def item_pairs(histories: Histories, *, most: int = 200_000, seed: int = 0) -> NDArray[np.int32]:
    """Return pairs of different items that one shopper took one after the other, (P, 2); a sample of many."""
    about_item = take_events(histories, histories.item_rows >= 0)
    shopper_E = np.repeat(np.arange(about_item.n_shoppers), about_item.lengths())
    pairs_P2 = np.stack([about_item.item_rows[:-1], about_item.item_rows[1:]], axis=1)
    pairs_P2 = pairs_P2[(shopper_E[:-1] == shopper_E[1:]) & (pairs_P2[:, 0] != pairs_P2[:, 1])]
    return np.random.default_rng(seed).permutation(pairs_P2)[:most]


def _kinds(events: pl.DataFrame) -> tuple[EventType, ...]:
    """Return the types to predict: what was bought, or what was taken where nothing ever is."""
    for kinds in (BOUGHT, TAKEN):
        if events["type"].is_in([kind.code for kind in kinds]).any():
            return kinds
    raise ShopError("nothing to predict", remedy="check [events.types]: no purchase, cart or view was found")


def _last_events(shop: Shop) -> Split:
    return leave_one_out(shop.events, types=_kinds(shop.events))


def _last_items(shop: Shop, contents: Contents) -> HeldOut:
    split = _last_events(shop)
    known = pl.concat([split.train, split.validation])
    return HeldOut(
        description=note("split_last", kinds=_spoken(_kinds(shop.events))),
        training=histories_from_events(split.train, contents, order_only=shop.order_only),
        known=histories_from_events(known, contents, order_only=shop.order_only),
        validation=_following(shop, contents, split.train, split.validation),
        test=_following(shop, contents, known, split.test),
    )


def _shares(shop: Shop, share: float, seed: int) -> Split:
    return by_shopper(shop.events, share=share, validation_share=share, seed=seed)


def _new_shoppers(shop: Shop, contents: Contents, *, share: float, seed: int) -> HeldOut:
    split = _shares(shop, share, seed)
    known = pl.concat([split.train, split.validation])
    kinds = _kinds(shop.events)

    def last(events: pl.DataFrame) -> Next:
        part = leave_one_out(events, types=kinds)
        return _following(shop, contents, pl.concat([part.train, part.validation]), part.test)

    return HeldOut(
        description=note("split_by_shopper", kinds=_spoken(kinds)),
        training=histories_from_events(split.train, contents, order_only=shop.order_only),
        known=histories_from_events(known, contents, order_only=shop.order_only),
        validation=last(split.validation),
        test=last(split.test),
    )


def _following(shop: Shop, contents: Contents, before: pl.DataFrame, after: pl.DataFrame) -> Next:
    """Return what shoppers had and did `before`, and the items that they took first `after`."""
    kinds = [kind.code for kind in _kinds(shop.events)]
    taken = after.filter(pl.col("type").is_in(kinds) & (pl.col("item_row") != NO_ITEM))
    ids = taken.join(before, on="shopper_id", how="semi")["shopper_id"].unique().sort()
    had = histories_from_events(
        before.filter(pl.col("shopper_id").is_in(ids.implode())), contents, order_only=shop.order_only
    )
    wanted = dict(taken.group_by("shopper_id").agg(pl.col("item_row").unique()).iter_rows())
    rows = [wanted[shopper_id] for shopper_id in had.shopper_ids]
    targets = Targets(
        histories=_as_states_hold(before, had, contents, order_only=shop.order_only),
        offsets=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        item_rows=np.array([row for own in rows for row in own], dtype=np.int32),
    )
    _check(targets)
    return Next(targets=targets, had=had)


def _newest_days(shop: Shop, contents: Contents, *, share: float) -> HeldOut:
    kinds, times = _wanted(shop.events)
    first_ms, second_ms = (int(np.quantile(times, 1 - part * share)) for part in (2, 1))
    whole = histories_from_events(shop.events, contents, order_only=False)
    known = _before(shop, contents, second_ms)
    return HeldOut(
        description=note("split_by_time", kinds=_spoken(kinds), day=_day(second_ms)),
        training=_before(shop, contents, first_ms),
        known=known,
        validation=_next(shop, contents, known, first_ms, kinds),
        test=_next(shop, contents, whole, second_ms, kinds),
        test_from_ms=second_ms,
        earlier=tuple(_earlier(shop, contents, kinds, times, share=share)),
    )


def _earlier(
    shop: Shop,
    contents: Contents,
    kinds: tuple[EventType, ...],
    times: NDArray[np.int64],
    *,
    share: float,
) -> Iterator[Window]:
    for number in range(2, 2 + N_EARLIER):
        first_ms, second_ms = (int(np.quantile(times, 1 - part * share)) for part in (number + 1, number))
        until = _before(shop, contents, second_ms)
        with suppress(ShopError):  # nobody was there both before and after: a young shop
            validation = _next(shop, contents, until, first_ms, kinds)
            yield Window(training=_before(shop, contents, first_ms), validation=validation)


def _events_before(shop: Shop, cut_ms: int) -> pl.DataFrame:
    return by_time(shop.events, datetime.fromtimestamp(cut_ms / 1000, tz=UTC)).train


def _before(shop: Shop, contents: Contents, cut_ms: int) -> Histories:
    """Return the whole histories up to a moment; of a refund that came after it they know nothing."""
    return histories_from_events(_events_before(shop, cut_ms), contents, order_only=False)


def _spoken(kinds: tuple[EventType, ...]) -> str:
    return " and ".join(kind.value for kind in kinds)


def _day(moment_ms: int) -> str:
    return str(np.datetime64(moment_ms, "ms").astype("datetime64[D]"))


def _wanted(events: pl.DataFrame) -> tuple[tuple[EventType, ...], NDArray[np.int64]]:
    """Return the types to predict, and the times at which they happened."""
    kinds = _kinds(events)
    chosen = events.filter(pl.col("type").is_in([kind.code for kind in kinds]))
    return kinds, chosen["occurred_at"].dt.epoch("ms").to_numpy()


def _next(
    shop: Shop, contents: Contents, whole: Histories, cut_ms: int, kinds: tuple[EventType, ...]
) -> Next:
    split = split_at(whole, cut_ms, types=kinds)
    _check(split)
    served = _as_states_hold(_events_before(shop, cut_ms), split.histories, contents, order_only=False)
    return Next(targets=replace(split, histories=served), had=split.histories)


def _as_states_hold(
    before: pl.DataFrame, had: Histories, contents: Contents, *, order_only: bool
) -> Histories:
    states = build_states(before, order_only=order_only)
    return histories_from_states([states.state(shopper_id) for shopper_id in had.shopper_ids], contents)


def _check(split: Targets) -> None:
    if not split.histories.n_shoppers:
        raise ShopError(
            "too few events to hold any out",
            remedy="a shop needs shoppers with events both before and after a cut",
        )


def new_items_only(held: Next) -> Next:
    """Return only the targets that the shopper has not had before, and the shoppers who have such."""
    targets, had = held.targets, held.had
    shopper_T = np.repeat(np.arange(had.n_shoppers, dtype=np.int64), np.diff(targets.offsets))
    shopper_E = np.repeat(np.arange(had.n_shoppers, dtype=np.int64), had.lengths())
    width = int(max(targets.item_rows.max(initial=0), had.item_rows.max(initial=0))) + 2
    was_had_T = np.isin(shopper_T * width + targets.item_rows, shopper_E * width + had.item_rows)
    n_new_U = np.bincount(shopper_T[~was_had_T], minlength=had.n_shoppers)
    rows = np.flatnonzero(n_new_U)
    return Next(
        targets=Targets(
            histories=take_shoppers(targets.histories, rows),
            offsets=np.concatenate([[0], np.cumsum(n_new_U[rows])]).astype(np.int64),
            item_rows=targets.item_rows[~was_had_T],
        ),
        had=take_shoppers(had, rows),
    )
