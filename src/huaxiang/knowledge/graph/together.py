"""What is bought together: how many shoppers had two items in one basket, beside how many by chance.

Counted are people, not baskets, so that one shopper's habit is no pattern of the shop. A pair of fewer
shoppers than a threshold is never kept, let alone shown: it might say what one person bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from huaxiang.errors import SettingsError
from huaxiang.records import EventType
from huaxiang.shop.base import Shop

_PAIRS_AT_ONCE = 4_000_000
_KINDS = (EventType.PURCHASE, EventType.ADD_TO_CART, EventType.ADD_TO_WISHLIST, EventType.VIEW_ITEM)
"""What a basket is made of: the first of these that happens in the shop at all."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What counts as together.

    Parameters
    ----------
    min_shoppers
        Different shoppers that a pair needs to be kept and shown; ≥ 2.
    most_in_basket
        Baskets of more different items say little of any two of them and are left out; ≥ 2.
    window
        Where a shop knows only an order: items at most so many places apart are together; ≥ 1.
    smoothing
        Shoppers added to what was seen and to what chance gives: the more, the less rare pairs count. ≥ 0.
    n_kept
        Pairs kept per item, those with the highest smoothed lift; ≥ 1.
    """

    min_shoppers: int = 3
    most_in_basket: int = 100
    window: int = 5
    smoothing: float = 5.0
    n_kept: int = 100

    def __post_init__(self) -> None:
        least = {"min_shoppers": 2, "most_in_basket": 2, "window": 1, "smoothing": 0, "n_kept": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise SettingsError(
                    "setting is out of range",
                    column=f"graph.together.{name}",
                    value=str(getattr(self, name)),
                    remedy=f"choose at least {low}",
                )


@dataclass(frozen=True, kw_only=True)
class Together:
    """Pairs of items, symmetric, sparse (I, I).

    Parameters
    ----------
    shoppers_II
        How many different shoppers had both in one basket.
    shoppers_I
        How many had the item in any basket that counts.
    n_shoppers
        How many there are.
    smoothing
        See `Config`.
    """

    shoppers_II: csr_matrix
    shoppers_I: Ints
    n_shoppers: int
    smoothing: float = 5.0

    @classmethod
    def nothing(cls, n_items: int) -> Self:
        """Return what is known where nobody bought anything."""
        empty = csr_matrix((n_items, n_items), dtype=np.int32)
        return cls(shoppers_II=empty, shoppers_I=np.zeros(n_items, np.int64), n_shoppers=0)

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.shoppers_I)

    def with_items(self, n_items: int) -> Together:
        """Return the same over a longer catalogue: nobody bought the new items yet."""
        pairs, n_new = self.shoppers_II.copy(), n_items - self.n_items
        pairs.resize((n_items, n_items))
        return Together(
            shoppers_II=pairs,
            shoppers_I=np.concatenate([self.shoppers_I, np.zeros(n_new, np.int64)]),
            n_shoppers=self.n_shoppers,
            smoothing=self.smoothing,
        )

    def of(self, item_row: int) -> tuple[NDArray[np.int32], NDArray[np.float64], Ints]:
        """Return the items bought together with one, the smoothed lifts and the shoppers, best first."""
        own = slice(self.shoppers_II.indptr[item_row], self.shoppers_II.indptr[item_row + 1])
        rows, shoppers = self.shoppers_II.indices[own], self.shoppers_II.data[own].astype(np.int64)
        lifts = self.lift(np.full(len(rows), item_row), rows, shoppers)
        order = np.lexsort((rows, -lifts))
        return rows[order], lifts[order], shoppers[order]

    def lift(
        self, first: NDArray[np.integer], second: NDArray[np.integer], shoppers: Ints
    ) -> NDArray[np.float64]:
        """Return how many times more shoppers had both than chance gives, both smoothed, (N,).

        Examples
        --------
        >>> pairs = csr_matrix(np.array([[0, 4], [4, 0]]))
        >>> one = Together(shoppers_II=pairs, shoppers_I=np.array([4, 5]), n_shoppers=20, smoothing=1.0)
        >>> one.lift(np.array([0]), np.array([1]), np.array([4]))  # chance gives 4 · 5 / 20 = 1
        array([2.5])
        """
        chance = self.shoppers_I[first] * self.shoppers_I[second] / max(self.n_shoppers, 1)
        return np.asarray((shoppers + self.smoothing) / np.maximum(chance + self.smoothing, 1e-12))


def count_together(shop: Shop, config: Config | None = None) -> Together:
    """Return what the shop's known shoppers bought together.

    Anonymous visits are left out: nobody knows how many people they are.
    """
    config, n_items = config or Config(), len(shop.items)
    taken = _taken(shop.events)
    if taken.is_empty():
        return Together.nothing(n_items)
    rows = _baskets(taken, order_only=shop.order_only, most=config.most_in_basket)
    had = np.unique(rows.shopper_E * n_items + rows.item_E)
    shoppers_I = np.bincount(had % n_items, minlength=n_items).astype(np.int64)
    pairs_II = csr_matrix((n_items, n_items), dtype=np.int32)
    for codes, counts in _pairs(rows, n_items, window=config.window if shop.order_only else None):
        places = (codes // n_items, codes % n_items)
        pairs_II = pairs_II + csr_matrix(coo_matrix((counts.astype(np.int32), places), shape=pairs_II.shape))
    pairs_II.data[pairs_II.data < config.min_shoppers] = 0
    pairs_II.eliminate_zeros()
    whole = Together(
        shoppers_II=csr_matrix(pairs_II + pairs_II.T, dtype=np.int32),
        shoppers_I=shoppers_I,
        n_shoppers=int(rows.shopper_E.max()) + 1,
        smoothing=config.smoothing,
    )
    return _best(whole, config.n_kept)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Lines of baskets, those of a basket and of a shopper side by side, (E,) each."""

    shopper_E: Ints
    basket_E: Ints
    item_E: Ints


def _taken(events: pl.DataFrame) -> pl.DataFrame:
    for kind in _KINDS:
        found = events.filter(
            (pl.col("type") == kind.code) & (pl.col("item_row") >= 0) & ~pl.col("anonymous")
        )
        if not found.is_empty():
            return found
    return events.clear()


def _baskets(taken: pl.DataFrame, *, order_only: bool, most: int) -> _Rows:
    """Return each item of a basket once; a basket is an order, else a day, else all in their order."""
    day = pl.col("occurred_at").dt.date().cast(pl.String)
    basket = pl.lit("") if order_only else pl.coalesce("order_id", day).fill_null("")
    named = taken.select("shopper_id", basket.alias("basket"), "item_row").with_row_index("row")
    if not order_only:
        named = named.unique(["shopper_id", "basket", "item_row"], keep="first")
        named = named.filter(pl.len().over("shopper_id", "basket") <= most)
    named = named.sort("shopper_id", "basket", "row")
    if named.is_empty():
        nothing = np.zeros(1, np.int64)
        return _Rows(shopper_E=nothing, basket_E=nothing, item_E=nothing)
    runs = named.select(
        pl.col("shopper_id").rle_id().alias("shopper"),
        pl.struct("shopper_id", "basket").rle_id().alias("basket"),
    )
    return _Rows(
        shopper_E=runs["shopper"].to_numpy().astype(np.int64),
        basket_E=runs["basket"].to_numpy().astype(np.int64),
        item_E=named["item_row"].to_numpy().astype(np.int64),
    )


def _pairs(rows: _Rows, n_items: int, *, window: int | None) -> Iterator[tuple[Ints, Ints]]:
    """Yield codes of pairs, the lower item first, and how many shoppers had both; some shoppers at a time."""
    ends = np.flatnonzero(np.diff(rows.basket_E, append=-1)) + 1
    sizes = np.diff(ends, prepend=0)
    n_pairs = sizes * (window if window is not None else (sizes - 1) / 2)
    part = (np.cumsum(n_pairs) // _PAIRS_AT_ONCE).astype(np.int64)
    last_of_shopper = np.diff(rows.shopper_E[ends - 1], append=-1) != 0
    part_of_shopper = np.repeat(part[last_of_shopper], np.diff(np.flatnonzero(last_of_shopper), prepend=-1))
    cuts = np.flatnonzero(np.diff(part_of_shopper, append=-1))
    for first, last in zip(np.concatenate([[0], ends[cuts[:-1]]]), ends[cuts], strict=True):
        yield _pairs_of(rows, slice(int(first), int(last)), n_items, window=window)


def _pairs_of(rows: _Rows, own: slice, n_items: int, *, window: int | None) -> tuple[Ints, Ints]:
    shopper, basket, item = rows.shopper_E[own], rows.basket_E[own], rows.item_E[own]
    shopper = shopper - shopper[0]
    found, lag = [], 1
    farthest = window if window is not None else len(item)
    while lag <= min(farthest, len(item) - 1):
        at = np.flatnonzero(basket[lag:] == basket[:-lag])
        if not len(at):
            break
        one, other = item[at], item[at + lag]
        differs = one != other
        low, high = np.minimum(one, other)[differs], np.maximum(one, other)[differs]
        found.append((shopper[at][differs] * n_items + low) * n_items + high)
        lag += 1
    codes = _distinct(np.concatenate(found))[0] if found else np.zeros(0, np.int64)
    return _distinct(codes % (n_items * n_items))


def _distinct(codes: Ints) -> tuple[Ints, Ints]:
    """Return the different codes in ascending order, and how often each stands; sooner than `np.unique`."""
    ordered = np.sort(codes)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    return ordered[starts], np.diff(starts, append=len(ordered))


def _best(whole: Together, n_kept: int) -> Together:
    """Return the pairs that are among the best of one of their two items."""
    pairs = whole.shoppers_II
    owner = np.repeat(np.arange(whole.n_items), np.diff(pairs.indptr))
    lifts = whole.lift(owner, pairs.indices, pairs.data.astype(np.int64))
    order = np.lexsort((pairs.indices, -lifts, owner))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - pairs.indptr[owner[order]]
    is_kept = rank < n_kept
    kept = csr_matrix((is_kept.astype(np.int8), pairs.indices, pairs.indptr), shape=pairs.shape)
    either = ((kept + kept.T) > 0).astype(np.int32)
    chosen = csr_matrix(pairs.multiply(either), dtype=np.int32)
    chosen.eliminate_zeros()
    chosen.sort_indices()
    return Together(
        shoppers_II=chosen,
        shoppers_I=whole.shoppers_I,
        n_shoppers=whole.n_shoppers,
        smoothing=whole.smoothing,
    )
