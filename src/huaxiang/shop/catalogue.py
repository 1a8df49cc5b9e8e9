"""The catalogue as arrays: what profile, recommend and ranking look items up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.item_ids)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Item id → its row."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    def title(self, item_row: int, *, language: str | None = None) -> str:
        """Return the item's title in `language`, else in the first language that has one, else its id."""
        for code in (language, *self.languages):
            if code is not None and code in self.titles and self.titles[code][item_row]:
                return self.titles[code][item_row]
        return self.item_ids[item_row]


def build_catalogue(shop: Shop) -> Catalogue:
    """Return what the shop sells as arrays: its attributes as dimensions, with price bands added.

    Values are sorted by name, so that the same items give the same numbers.
    """
    from huaxiang.shop.dimensions import dimensions_of

    items = shop.items
    first_row_of: dict[str, int] = {}
    groups = [first_row_of.setdefault(group, len(first_row_of)) for group in items["group_id"]]
    return Catalogue(
        item_ids=items["item_id"].to_list(),
        titles={code: items[f"title_{code}"].fill_null("").to_list() for code in shop.languages},
        group_rows=np.array(groups, dtype=np.int32),
        price_minor=items["price_minor"].fill_null(-1).to_numpy(),
        in_stock=items["in_stock"].to_numpy(),
        valid_from_ms=items["valid_from"].dt.epoch("ms").fill_null(0).to_numpy(),
        dimensions=dimensions_of(shop),
        currency=shop.currency,
        languages=shop.languages,
        order_only=shop.order_only,
        version=_version(shop),
    )


def _version(shop: Shop) -> str:
    """Return a hash that differs whenever items or attributes do."""
    digest = blake2b(digest_size=8)
    for table in (shop.items, shop.attributes):
        digest.update(table.write_csv().encode("utf-8"))
    return digest.hexdigest()
