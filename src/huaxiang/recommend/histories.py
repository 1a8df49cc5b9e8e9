"""Histories of shoppers: made from states or from a table of events, cut, and split into past and next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.recommend.base import NO_ITEM, Histories, Targets
from huaxiang.records import EVENT_TYPES, EventType, Matrix, Vector

if TYPE_CHECKING:
    import polars as pl

    from huaxiang.profile.state import ProfileState

LOW_RATING = 2.0
"""Ratings up to this, of 5, are read as dislike."""


def _is_one_of(*kinds: EventType) -> NDArray[np.bool_]:
    """Return whether each code is that of one of the types, (17,): read many times sooner than `np.isin`."""
    return np.array([kind in kinds for kind in EVENT_TYPES])


_IS_SKIPPED = _is_one_of(EventType.VIEW_ITEM_LIST, EventType.CORRECT, EventType.CONSENT, EventType.ALIAS)
_IS_RATED = _is_one_of(EventType.REVIEW, EventType.RATE)


class HasVectors(Protocol):
    """Whatever knows the vector of a text or a photo by its content hash, such as `profile.contents`."""

    def vector(self, content_hash: int, /) -> Vector | None:
        """Return the vector in the fused space, or None."""


def histories_from_states(
    states: Sequence[ProfileState],
    contents: HasVectors | None = None,
    *,
    order_only: bool | None = None,
    item_row_of: NDArray[np.int32] | None = None,
) -> Histories:
    """Return what a batch of states tells a recommender.

    Low ratings become dislikes, and a plain refund takes its purchase away with it.

    Parameters
    ----------
    contents
        Where the vectors of texts and photos are looked up; None leaves such events out.
    order_only
        Whether times are ordinals; None reads it from the states.
    item_row_of
        Row of each item number, `NO_ITEM` where the model lacks it; None where they are the same.
    """
    table = [state.events() for state in states]
    lengths_U = np.array([len(events) for events in table], dtype=np.int64)
    flat = np.array(list(chain.from_iterable(table)), dtype=np.int64).reshape(-1, 9)
    item_rows = flat[:, 3].astype(np.int32)
    if item_row_of is not None:
        item_rows = _looked_up(item_rows, item_row_of)
    content_rows, vectors = _content(flat[:, 6], item_rows, contents.vector if contents else None)
    whole = Histories(
        offsets=_offsets(lengths_U),
        item_rows=item_rows,
        types=flat[:, 2].astype(np.uint8),
        occurred_ms=flat[:, 0].copy(),
        event_keys=flat[:, 1].copy(),
        content_rows=content_rows,
        content_vectors=vectors,
        order_only=any(state.order_only for state in states) if order_only is None else order_only,
    )
    return _cleaned(whole, ratings=flat[:, 4] / 10.0)


def histories_from_events(
    events: pl.DataFrame, contents: HasVectors | None = None, *, order_only: bool
) -> Histories:
    """Return the whole sequences of a shop's events, to learn from; shoppers in the order of their ids.

    `event_keys` are row numbers of `events`, and `shopper_ids` says who is who. Events at the same time stay
    in the order of the table.
    """
    import polars as pl

    from huaxiang.profile.update import content_hash

    ordered = events.with_row_index("row").sort("shopper_id", "occurred_at", "row", maintain_order=True)
    shoppers = ordered.group_by("shopper_id", maintain_order=True).len()
    lengths_U = shoppers["len"].to_numpy().astype(np.int64)
    item_rows = ordered["item_row"].to_numpy().astype(np.int32)
    said = ordered.select(pl.coalesce("text", "image"))["text"]
    hashes = np.array([0 if words is None else content_hash(words) for words in said], dtype=np.int64)
    content_rows, vectors = _content(hashes, item_rows, contents.vector if contents else None)
    ordinals = np.arange(len(ordered)) - np.repeat(_offsets(lengths_U)[:-1], lengths_U)
    whole = Histories(
        offsets=_offsets(lengths_U),
        item_rows=item_rows,
        types=ordered["type"].to_numpy().astype(np.uint8),
        occurred_ms=ordinals
        if order_only
        else ordered["occurred_at"].dt.epoch("ms").to_numpy().astype(np.int64),
        event_keys=ordered["row"].to_numpy().astype(np.int64),
        content_rows=content_rows,
        content_vectors=vectors,
        order_only=order_only,
        shopper_ids=shoppers["shopper_id"].to_list(),
    )
    return _cleaned(whole, ratings=_ratings(ordered))


def histories_of(
    item_rows: Sequence[Sequence[int]],
    *,
    types: Sequence[Sequence[int]] | None = None,
    occurred_ms: Sequence[Sequence[int]] | None = None,
) -> Histories:
    """Return histories written out by hand: one list of item rows per shopper, purchases unless said.

    Examples
    --------
    >>> histories_of([[3, 1], [2]]).offsets
    array([0, 2, 3])
    """
    flat = np.array(list(chain.from_iterable(item_rows)), dtype=np.int32)
    ordinals = list(chain.from_iterable(range(len(items)) for items in item_rows))
    kinds = [EventType.PURCHASE.code] * len(flat) if types is None else list(chain.from_iterable(types))
    times = ordinals if occurred_ms is None else list(chain.from_iterable(occurred_ms))
    return Histories(
        offsets=_offsets(np.array([len(items) for items in item_rows], dtype=np.int64)),
        item_rows=flat,
        types=np.array(kinds, dtype=np.uint8),
        occurred_ms=np.array(times, dtype=np.int64),
        event_keys=np.arange(len(flat), dtype=np.int64),
        content_rows=np.full(len(flat), -1, dtype=np.int32),
        content_vectors=np.zeros((0, 0), dtype=np.float32),
        order_only=occurred_ms is None,
    )


def take_events(histories: Histories, keep_E: NDArray[np.bool_]) -> Histories:
    """Return the histories with only the events where `keep_E`; shoppers stay, even with none left."""
    kept_before = np.concatenate([[0], np.cumsum(keep_E)])
    return replace(
        histories,
        offsets=kept_before[histories.offsets].astype(np.int64),
        item_rows=histories.item_rows[keep_E],
        types=histories.types[keep_E],
        occurred_ms=histories.occurred_ms[keep_E],
        event_keys=histories.event_keys[keep_E],
        content_rows=histories.content_rows[keep_E],
    )


def take_shoppers(histories: Histories, rows: NDArray[np.integer] | slice) -> Histories:
    """Return the histories of some shoppers, by row and in that order."""
    wanted = np.arange(histories.n_shoppers)[rows]
    lengths_U = histories.lengths()[wanted]
    offsets = _offsets(lengths_U)
    events = np.arange(offsets[-1]) + np.repeat(histories.offsets[wanted] - offsets[:-1], lengths_U)
    ids = histories.shopper_ids
    return replace(
        histories,
        offsets=offsets,
        item_rows=histories.item_rows[events],
        types=histories.types[events],
        occurred_ms=histories.occurred_ms[events],
        event_keys=histories.event_keys[events],
        content_rows=histories.content_rows[events],
        shopper_ids=[ids[row] for row in wanted] if ids else (),
    )


def take_targets(targets: Targets, rows: NDArray[np.integer]) -> Targets:
    """Return the targets of some shoppers, by row and in that order.

    Examples
    --------
    >>> split = leave_last_out(histories_of([[3, 1, 2], [4, 5]]))
    >>> take_targets(split, np.array([1])).item_rows
    array([5], dtype=int32)
    """
    n_next_U = np.diff(targets.offsets)[rows]
    offsets = _offsets(n_next_U)
    places = np.arange(offsets[-1]) + np.repeat(targets.offsets[rows] - offsets[:-1], n_next_U)
    return Targets(
        histories=take_shoppers(targets.histories, rows),
        offsets=offsets,
        item_rows=targets.item_rows[places],
    )


def repeated(histories: Histories, n_times: int) -> Histories:
    """Return the shoppers `n_times` over, one copy after the other."""
    return take_shoppers(histories, np.tile(np.arange(histories.n_shoppers), n_times))


def newest(histories: Histories, n_events: int) -> Histories:
    """Return each shopper's newest `n_events` events."""
    ends_E = np.repeat(histories.offsets[1:], histories.lengths())
    return take_events(histories, np.arange(len(ends_E)) >= ends_E - n_events)


def leave_last_out(histories: Histories) -> Targets:
    """Return each shopper's events but the newest, and the item of the newest as what came next.

    Shoppers with fewer than two events are left out. Applied twice it gives the validation split of the
    leave-one-out protocol: the inner histories are then what may be trained on.

    Examples
    --------
    >>> split = leave_last_out(histories_of([[3, 1, 2], [4]]))
    >>> split.histories.item_rows, split.item_rows
    (array([3, 1], dtype=int32), array([2], dtype=int32))
    """
    long_enough = take_shoppers(histories, np.flatnonzero(histories.lengths() >= 2))
    is_last = np.zeros(len(long_enough.item_rows), dtype=bool)
    is_last[long_enough.offsets[1:] - 1] = True
    return Targets(
        histories=take_events(long_enough, ~is_last),
        offsets=np.arange(long_enough.n_shoppers + 1, dtype=np.int64),
        item_rows=long_enough.item_rows[is_last],
    )


def split_at(
    histories: Histories, cut_ms: int, *, types: Sequence[EventType] = (EventType.PURCHASE,)
) -> Targets:
    """Return what happened before `cut_ms`, and the distinct items of `types` from then on.

    Shoppers without either are left out.
    """
    is_later = histories.occurred_ms >= cut_ms
    wanted = np.isin(histories.types, [kind.code for kind in types]) & (histories.item_rows != NO_ITEM)
    before, later = take_events(histories, ~is_later), take_events(histories, is_later & wanted)
    both = np.flatnonzero((before.lengths() > 0) & (later.lengths() > 0))
    later = _first_of_each_item(take_shoppers(later, both))
    return Targets(histories=take_shoppers(before, both), offsets=later.offsets, item_rows=later.item_rows)


def _first_of_each_item(histories: Histories) -> Histories:
    shopper_E = np.repeat(np.arange(histories.n_shoppers, dtype=np.int64), histories.lengths())
    _, firsts = np.unique(np.stack([shopper_E, histories.item_rows]), axis=1, return_index=True)
    keep_E = np.zeros(len(shopper_E), dtype=bool)
    keep_E[firsts] = True
    return take_events(histories, keep_E)


def _offsets(lengths_U: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths_U)]).astype(np.int64)


def _looked_up(item_nos: NDArray[np.int32], item_row_of: NDArray[np.int32]) -> NDArray[np.int32]:
    known = (item_nos >= 0) & (item_nos < len(item_row_of))
    rows = np.full(len(item_nos), NO_ITEM, dtype=np.int32)
    rows[known] = item_row_of[item_nos[known]]
    return rows


def _content(
    hashes: NDArray[np.int64], item_rows: NDArray[np.int32], vector_of: Callable[[int], Vector | None] | None
) -> tuple[NDArray[np.int32], Matrix]:
    """Return the row of each event's content in a matrix of vectors, -1 where it has none, and the matrix."""
    rows = np.full(len(hashes), -1, dtype=np.int32)
    without_item = np.flatnonzero((item_rows == NO_ITEM) & (hashes != 0))
    if vector_of is None or not len(without_item):
        return rows, np.zeros((0, 0), dtype=np.float32)
    distinct, which = np.unique(hashes[without_item], return_inverse=True)
    found = [vector_of(int(content)) for content in distinct]
    vectors = [vector for vector in found if vector is not None]
    row_of = np.cumsum([vector is not None for vector in found], dtype=np.int32) - 1
    row_of[[vector is None for vector in found]] = -1
    rows[without_item] = row_of[which]
    return rows, np.stack(vectors).astype(np.float32) if vectors else np.zeros((0, 0), dtype=np.float32)


def _ratings(ordered: pl.DataFrame) -> NDArray[np.float64]:
    """Return the ratings, 0 where there are none and 1 for a refund of what was not as described."""
    import polars as pl

    refund = pl.col("type") == EventType.REFUND.code
    wrong = pl.col("context").fill_null("").str.contains("not_as_described", literal=True)
    rating = pl.when(refund & wrong).then(1.0).otherwise(pl.col("rating").fill_null(0.0))
    return ordered.select(rating.cast(pl.Float64).alias("rating"))["rating"].to_numpy()


def _cleaned(histories: Histories, *, ratings: NDArray[np.float64]) -> Histories:
    """Return the histories without events that say nothing about taste, and with low ratings as dislikes."""
    types = histories.types.copy()
    is_refund = types == EventType.REFUND.code
    is_low = (ratings > 0) & (ratings <= LOW_RATING) & (_IS_RATED[types] | is_refund)
    types[is_low] = EventType.DISLIKE.code
    keep_E = (histories.item_rows != NO_ITEM) | (histories.content_rows >= 0)
    keep_E &= ~_IS_SKIPPED[types]
    keep_E[_cancelled(histories, np.flatnonzero(is_refund & ~is_low))] = False
    return take_events(replace(histories, types=types), keep_E)


def _cancelled(histories: Histories, refunds: NDArray[np.int64]) -> list[int]:
    """Return the plain refunds, and for each the newest purchase of its item before it that still stands."""
    gone: set[int] = set()
    for refund in refunds:
        first = histories.offsets[np.searchsorted(histories.offsets, refund, side="right") - 1]
        same_item = histories.item_rows[first:refund] == histories.item_rows[refund]
        bought = same_item & (histories.types[first:refund] == EventType.PURCHASE.code)
        standing = [event for event in (np.flatnonzero(bought) + first).tolist() if event not in gone]
        gone.update([int(refund), *standing[-1:]])
    return sorted(gone)
