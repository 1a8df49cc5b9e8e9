"""What encoders are tuned on, taken from the part of a shop that `build` leaves to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.next_item import NextItems
from huaxiang.encoders.finetuning.together import PairsConfig, Together, summed
from huaxiang.encoders.items import item_texts
from huaxiang.errors import ShopError
from huaxiang.evaluate.holdout import Config as HoldOutConfig
from huaxiang.evaluate.holdout import Next, hold_out, new_items_only, training_events
from huaxiang.profile.contents import Contents
from huaxiang.profile.update import content_hash
from huaxiang.recommend.base import NO_ITEM, Histories, Targets
from huaxiang.recommend.histories import histories_from_events, newest, take_events
from huaxiang.records import EventType, Vector
from huaxiang.shop.base import Shop

GAP_MS = 30 * 60_000
"""Time without an act after which another visit begins."""
HISTORY = 50
MOST_ASKED = {"validation": 2000, "test": 20_000}

Rows = NDArray[np.int64]
Weights = NDArray[np.float32]


def together_of(
    shop: Shop, config: PairsConfig, *, split: HoldOutConfig | None = None, seed: int = 0
) -> Together:
    """Return the pairs of the training part, and what came next in the parts that `build` holds out.

    Parameters
    ----------
    split, seed
        Those of the settings with which the shop is built: the same part is held out then.

    Raises
    ------
    ShopError
        There are too few events to hold any out, or too few pairs to learn from.
    """
    events = training_events(shop, split, seed=seed)
    queries = _queries(events)
    histories = histories_from_events(
        events,
        _Numbers({content_hash(text): row for row, text in enumerate(queries)}),
        order_only=shop.order_only,
    )
    texts_LI = [item_texts(shop.items, language) for language in shop.languages]
    pairs_P2, weights_P = pairs_of(histories, len(shop.items), config, seed=seed)
    held_out = hold_out(shop, Contents(), split, seed=seed)
    return Together(
        name=shop.name,
        texts_LI=texts_LI,
        queries=queries,
        pairs_P2=pairs_P2,
        weights_P=weights_P,
        validation=next_items(held_out.validation, most=MOST_ASKED["validation"], seed=seed),
        test=next_items(held_out.test, most=MOST_ASKED["test"], seed=seed),
    )


def pairs_of(
    histories: Histories, n_items: int, config: PairsConfig, *, seed: int = 0
) -> tuple[Rows, Weights]:
    """Return pairs of items taken near each other and of queries with what was found by them.

    Returns
    -------
    pairs_P2, weights_P
        As `Together` has them.
    """
    acts = _acts(histories, config)
    parts = [*_item_pairs(_first_of_each_visit(acts, n_items), config)]
    parts += [*_query_pairs(acts, n_items, config)]
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *(part for part, _ in parts)])
    weights = np.concatenate([np.zeros(0, np.float32), *(weights for _, weights in parts)])
    return summed(pairs, weights, most=config.most, seed=seed)


def next_items(held: Next, *, most: int, seed: int = 0) -> NextItems:
    """Return what shoppers had, and the items they took next without having had them."""
    fresh = new_items_only(held)
    about_items = take_events(fresh.had, fresh.had.item_rows != NO_ITEM)
    cut = newest(about_items, HISTORY)
    histories = np.full((cut.n_shoppers, HISTORY), NO_ITEM, np.int64)
    for row in range(cut.n_shoppers):
        own = cut.item_rows[cut.offsets[row] : cut.offsets[row + 1]]
        histories[row, HISTORY - len(own) :] = own
    asked = _asked(fresh.targets, histories)
    rows = np.flatnonzero((histories >= 0).any(axis=1))
    if not len(rows):
        remedy = "tune on a longer log"
        raise ShopError("nobody took anything new in the held-out part", remedy=remedy)
    return asked.take(np.sort(np.random.default_rng(seed).permutation(rows)[:most]))


def _asked(targets: Targets, histories_UH: Rows) -> NextItems:
    return NextItems(
        histories_UH=histories_UH,
        offsets=targets.offsets.astype(np.int64),
        item_rows=targets.item_rows.astype(np.int64),
    )


def _queries(events: pl.DataFrame) -> list[str]:
    searched = events.filter((pl.col("type") == EventType.SEARCH.code) & pl.col("text").is_not_null())
    return searched["text"].unique(maintain_order=True).to_list()


class _Numbers:
    """Queries by their content hash: the number of each, in place of a vector."""

    def __init__(self, number_of: Mapping[int, int]) -> None:
        self._number_of = number_of

    def vector(self, content_hash: int, /) -> Vector | None:
        """Return the number of a query."""
        number = self._number_of.get(content_hash)
        return None if number is None else np.array([number], np.float32)


@dataclass(frozen=True, kw_only=True)
class _Acts:
    """Acts in order: items with what they count, and queries, which count nothing themselves, (E,)."""

    items: Rows
    queries: Rows
    weights: Weights
    visits: Rows
    shoppers: Rows


def _acts(histories: Histories, config: PairsConfig) -> _Acts:
    counts = _counts(config)[histories.types]
    is_query = (histories.types == EventType.SEARCH.code) & (histories.content_rows >= 0)
    shoppers = np.repeat(np.arange(histories.n_shoppers), histories.lengths())
    is_later = np.diff(histories.occurred_ms, prepend=0) > GAP_MS
    begins = np.diff(shoppers, prepend=-1) > 0
    if not histories.order_only:
        begins |= is_later
    numbers = np.full(len(is_query), -1, np.int64)
    if is_query.any():
        numbers[is_query] = histories.content_vectors[histories.content_rows[is_query], 0].astype(np.int64)
    kept = is_query | ((histories.item_rows != NO_ITEM) & (counts > 0))
    return _Acts(
        items=np.where(is_query, -1, histories.item_rows)[kept].astype(np.int64),
        queries=numbers[kept],
        weights=counts[kept],
        visits=np.cumsum(begins)[kept].astype(np.int64),
        shoppers=shoppers[kept].astype(np.int64),
    )


def _counts(config: PairsConfig) -> Weights:
    """Return what each type of event counts, by its code."""
    said = {
        EventType.VIEW_ITEM: config.view,
        EventType.SELECT_ITEM: config.select,
        EventType.ADD_TO_CART: config.cart,
        EventType.BEGIN_CHECKOUT: config.cart,
        EventType.ADD_TO_WISHLIST: config.wishlist,
        EventType.PURCHASE: config.purchase,
        EventType.REVIEW: config.review,
        EventType.RATE: config.review,
    }
    return np.array([said.get(kind, 0.0) for kind in EventType], np.float32)


def _first_of_each_visit(acts: _Acts, n_items: int) -> _Acts:
    """Return each item of a visit once, where it came first, counting what its strongest act counts."""
    is_item = acts.items >= 0
    keys = acts.visits[is_item] * n_items + acts.items[is_item]
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    strongest = np.zeros(len(first), np.float32)
    np.maximum.at(strongest, which, acts.weights[is_item])
    order = np.argsort(first)
    rows = np.flatnonzero(is_item)[first[order]]
    return replace(
        acts,
        items=acts.items[rows],
        queries=acts.queries[rows],
        weights=strongest[order],
        visits=acts.visits[rows],
        shoppers=acts.shoppers[rows],
    )


def _item_pairs(acts: _Acts, config: PairsConfig) -> Sequence[tuple[Rows, Weights]]:
    """Return items and those up to `window` after them, the smaller row to the left."""
    parts = []
    for step in range(1, config.window + 1):
        one, other = slice(None, -step), slice(step, None)
        is_pair = acts.shoppers[one] == acts.shoppers[other]
        is_pair &= acts.items[one] != acts.items[other]
        near = np.where(acts.visits[one] == acts.visits[other], 1.0, config.across)
        weights = acts.weights[one] * acts.weights[other] * near.astype(np.float32)
        is_pair &= weights > 0
        pairs = np.stack([acts.items[one][is_pair], acts.items[other][is_pair]], axis=1)
        parts.append((np.sort(pairs, axis=1), weights[is_pair]))
    return parts


def _query_pairs(acts: _Acts, n_items: int, config: PairsConfig) -> Sequence[tuple[Rows, Weights]]:
    """Return queries and the items taken after them, before the next query of the visit."""
    places = np.arange(len(acts.items))
    last = np.maximum.accumulate(np.where(acts.queries >= 0, places, -1)) if len(places) else places
    rows = np.flatnonzero((acts.items >= 0) & (last >= 0) & (places - last <= config.query_window))
    rows = rows[acts.visits[rows] == acts.visits[last[rows]]]
    pairs = np.stack([n_items + acts.queries[last[rows]], acts.items[rows]], axis=1)
    return [(pairs.astype(np.int64), acts.weights[rows])]
