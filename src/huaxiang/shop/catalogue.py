"""The catalogue as arrays: what profile, recommend and ranking look items up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from huaxiang.shop.base import Shop


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """The values that items have in one dimension, as rows of a sparse matrix.

    Item `i` has the values `value_rows[offsets[i]:offsets[i + 1]]` with the shares `weights[…]`,
    which sum to 1 for an item that has any.

    Parameters
    ----------
    name
        category, brand, price_band, colour, material, style, image_tag, …
    values
        Names of the values, (V,).
    labels
        language → names of the values in that language, (V,). A missing language reads `values`.
    paths
        Of categories, the whole path of each value, its parts joined by " > ", and "" where none is stated,
        (V,); empty for all other dimensions.
    is_inferred
        Per entry, whether the value was inferred and not stated by the shop.
    confidence
        Per entry, 0 to 1; 1 where stated.
    """

    name: str
    values: Sequence[str]
    offsets: NDArray[np.int64]
    value_rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    confidence: NDArray[np.float32]
    is_inferred: NDArray[np.bool_]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    paths: Sequence[str] = ()

    def label(self, value_row: int, *, language: str) -> str:
        """Return how `language` says the value."""
        return self.labels.get(language, self.values)[value_row]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Value name → its row."""
        return {value: row for row, value in enumerate(self.values)}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What the shop sells, as arrays over item rows (I).

    Parameters
    ----------
    titles
        language → titles, (I,); "" where a language has none.
    group_rows
        Number of the product that each item is a variant of, int32.
    price_minor
        int64; -1 where unknown.
    valid_from_ms
        Milliseconds since 1970 from which the item is on sale; 0 where unknown.
    version
        Differs whenever anything of the catalogue does.
    is_removed
        Items that are no longer sold at all, and keep their row; empty where there is none.
    description
        Differs whenever more than stock and prices does.
    places
        The items' places in a public taxonomy, as English paths; None where no item was mapped to one.
    """

    item_ids: Sequence[str]
    titles: Mapping[str, Sequence[str]]
    group_rows: NDArray[np.int32]
    price_minor: NDArray[np.int64]
    in_stock: NDArray[np.bool_]
    valid_from_ms: NDArray[np.int64]
    dimensions: Mapping[str, Dimension]
    currency: str | None = None
    languages: tuple[str, ...] = ("en",)
    order_only: bool = False
    version: str = ""
    is_removed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    description: str = field(default="", repr=False)
    places: Dimension | None = None

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.item_ids)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Item id → its row."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Which items are no longer sold at all, (I,): no rule may list them."""
        return self.is_removed if len(self.is_removed) else np.zeros(self.n_items, dtype=np.bool_)

    def title(self, item_row: int, *, language: str | None = None) -> str:
        """Return the item's title in `language`, else in the first language that has one, else its id."""
        for code in (language, *self.languages):
            if code is not None and code in self.titles and self.titles[code][item_row]:
                return self.titles[code][item_row]
        return self.item_ids[item_row]


def build_catalogue(shop: Shop, *, removed: NDArray[np.bool_] | None = None) -> Catalogue:
    """Return what the shop sells as arrays: its attributes as dimensions, with price bands added.

    Values are sorted by name, so that the same items give the same numbers.

    Parameters
    ----------
    removed
        Which items are no longer sold at all, (I,); None where there is none.
    """
    from huaxiang.shop.dimensions import PLACES, dimensions_of

    items = shop.items
    groups = items["group_id"].to_list()
    number_of = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    dimensions = dimensions_of(shop)
    places = dimensions.pop(PLACES, None)
    bare = Catalogue(
        item_ids=items["item_id"].to_list(),
        titles={code: [title or "" for title in items[f"title_{code}"].to_list()] for code in shop.languages},
        group_rows=np.array([number_of[group] for group in groups], dtype=np.int32),
        price_minor=np.zeros(0, dtype=np.int64),
        in_stock=np.zeros(0, dtype=np.bool_),
        valid_from_ms=items["valid_from"].dt.epoch("ms").fill_null(0).to_numpy(),
        dimensions=dimensions,
        places=places,
        currency=shop.currency,
        languages=shop.languages,
        order_only=shop.order_only,
        description=_description(shop),
    )
    return _of_the_day(bare, shop, removed)


def restocked(catalogue: Catalogue, shop: Shop, *, removed: NDArray[np.bool_] | None = None) -> Catalogue:
    """Return the same items with the stock and prices of `shop`: far quicker than to build all again.

    Price bands are drawn anew where a price changed, since they are quarters of a category.
    """
    from huaxiang.shop.dimensions import price_bands_of

    same_prices = np.array_equal(catalogue.price_minor, _prices(shop))
    bands = {} if same_prices else price_bands_of(shop)
    others = {name: one for name, one in catalogue.dimensions.items() if same_prices or name != "price_band"}
    changed = _of_the_day(replace(catalogue, dimensions={**others, **bands}), shop, removed)
    if "row_of" in catalogue.__dict__:
        changed.__dict__["row_of"] = catalogue.row_of
    return changed


def _of_the_day(catalogue: Catalogue, shop: Shop, removed: NDArray[np.bool_] | None) -> Catalogue:
    """Return the catalogue with what changes from day to day, and the version that follows."""
    in_stock = shop.items["in_stock"].to_numpy()
    gone = catalogue.is_removed if removed is None else removed
    gone = gone if gone.any() else np.zeros(0, dtype=np.bool_)
    prices = _prices(shop)
    digest = blake2b(catalogue.description.encode(), digest_size=8)
    for part in (in_stock, prices, gone):
        digest.update(np.ascontiguousarray(part).tobytes())
    return replace(
        catalogue, price_minor=prices, in_stock=in_stock, is_removed=gone, version=digest.hexdigest()
    )


def _prices(shop: Shop) -> NDArray[np.int64]:
    return shop.items["price_minor"].fill_null(-1).to_numpy()


def _description(shop: Shop) -> str:
    """Return a hash that differs whenever items or attributes do, in more than stock and prices."""
    digest = blake2b(digest_size=8)
    for table in (shop.items.drop("price_minor", "currency", "in_stock"), shop.attributes):
        digest.update(table.write_csv().encode("utf-8"))
    return digest.hexdigest()
