"""The catalogue of the simulated shop: products and their variants, as arrays over items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huaxiang.metrics import average_ranks
from huaxiang.shop.simulate.settings import DIMENSIONS, Config
from huaxiang.shop.simulate.vocabulary import Brand, Kind, Vocabulary

PRICE_BANDS = ("low", "medium", "high", "premium")
FEWEST_PRICES = 8
COMPANIONS_PER_PRODUCT = 3
OWN_STYLE = 0.75
"""Chance that a product has one of its brand's styles."""

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Products:
    """What is sold, as arrays over items (I) and products (G, groups of variants).

    Parameters
    ----------
    values
        dimension → row of each item's value in `names[dimension]`, int32 (I,).
    names
        dimension → names of its values.
    group_rows
        Product of each item, int32 (I,), ascending.
    shade_rows
        Row in the vocabulary's shades: the exact colour, int32 (I,).
    price_yuan
        Whole yuan, int64 (I,).
    quality_G, popularity_G
        Standard normal; log popularity, what the shop's lists are ordered by.
    from_day_G
        Day on which the product appears; 0 for the first day.
    companions_GC
        Products bought together with or after it, int32 (G, C).
    """

    vocabulary: Vocabulary
    values: Mapping[str, Rows]
    names: Mapping[str, tuple[str, ...]]
    group_rows: Rows
    shade_rows: Rows
    price_yuan: NDArray[np.int64]
    quality_G: Floats
    popularity_G: Floats
    from_day_G: Floats
    companions_GC: Rows

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.group_rows)

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """`p012-2` is the second variant of product 12."""
        variants = np.arange(self.n_items) - np.searchsorted(self.group_rows, self.group_rows)
        return tuple(f"p{g:03d}-{v + 1}" for g, v in zip(self.group_rows, variants, strict=True))

    @cached_property
    def from_day(self) -> Floats:
        """Day on which each item appears, (I,)."""
        return self.from_day_G[self.group_rows]

    def shares(self, dimension: str) -> Floats:
        """Return how the items divide over the values of a dimension, (V,)."""
        counts = np.bincount(self.values[dimension], minlength=len(self.names[dimension]))
        return np.asarray(counts / counts.sum())

    def items_of_group(self, group_row: int) -> NDArray[np.int64]:
        """Return the rows of a product's variants."""
        return np.arange(self._starts[group_row], self._starts[group_row + 1])

    @cached_property
    def _starts(self) -> list[int]:
        n_groups = len(self.quality_G)
        return [int(row) for row in np.searchsorted(self.group_rows, np.arange(n_groups + 1))]


@dataclass(frozen=True)
class _Product:
    kind: int
    brand: int
    material: int
    style: int
    shades: tuple[int, ...]
    price_yuan: int


def draw_products(config: Config, vocabulary: Vocabulary, *, rng: np.random.Generator) -> Products:
    """Return a catalogue of exactly `config.n_items` items in which every category is sold."""
    drawn: list[_Product] = []
    n_left = config.n_items
    turns: list[int] = []
    while n_left:
        turns = turns or rng.permutation(len(vocabulary.kinds)).tolist()
        product = _draw_product(turns.pop(), min(n_left, 4), config, vocabulary, rng=rng)
        drawn.append(product)
        n_left -= len(product.shades)
    return _as_arrays(drawn, config, vocabulary, rng=rng)


def _draw_product(
    kind_row: int, most: int, config: Config, vocabulary: Vocabulary, *, rng: np.random.Generator
) -> _Product:
    kind = vocabulary.kinds[kind_row]
    brand_rows = [row for row, brand in enumerate(vocabulary.brands) if kind.department in brand.departments]
    brand_row = int(rng.choice(brand_rows))
    brand = vocabulary.brands[brand_row]
    n_shades = min(most, 1 + rng.binomial(3, (config.colours_per_product - 1) / 3))
    return _Product(
        kind=kind_row,
        brand=brand_row,
        material=vocabulary.values("material").index(str(rng.choice(kind.materials))),
        style=_draw_style(brand, vocabulary, rng=rng),
        shades=_draw_shades(n_shades, vocabulary, rng=rng),
        price_yuan=_draw_price(kind, brand, rng=rng),
    )


def _draw_style(brand: Brand, vocabulary: Vocabulary, *, rng: np.random.Generator) -> int:
    styles = brand.styles if rng.random() < OWN_STYLE else vocabulary.values("style")
    return vocabulary.values("style").index(str(rng.choice(styles)))


def _draw_shades(n_shades: int, vocabulary: Vocabulary, *, rng: np.random.Generator) -> tuple[int, ...]:
    weights = np.array([vocabulary.colour_weights[colour] for colour in vocabulary.colours])
    colours = rng.choice(len(weights), n_shades, replace=False, p=weights / weights.sum())
    of_colour = [
        [row for row, shade in enumerate(vocabulary.shades) if shade.colour == vocabulary.colours[c]]
        for c in colours
    ]
    return tuple(int(rng.choice(rows)) for rows in of_colour)


def _draw_price(kind: Kind, brand: Brand, *, rng: np.random.Generator) -> int:
    yuan = kind.price * brand.level * float(np.exp(rng.normal(0, 0.25)))
    return max(9, round(yuan / 10) * 10 - 1)


def _as_arrays(
    drawn: list[_Product], config: Config, vocabulary: Vocabulary, *, rng: np.random.Generator
) -> Products:
    group_rows = np.repeat(np.arange(len(drawn)), [len(product.shades) for product in drawn]).astype(np.int32)
    shade_rows = np.array([shade for product in drawn for shade in product.shades], dtype=np.int32)
    colour_of_shade = [vocabulary.colours.index(shade.colour) for shade in vocabulary.shades]
    price_yuan = np.array([product.price_yuan for product in drawn])[group_rows]
    values = {
        "category": _spread([product.kind for product in drawn], group_rows),
        "brand": _spread([product.brand for product in drawn], group_rows),
        "colour": np.array(colour_of_shade, dtype=np.int32)[shade_rows],
        "material": _spread([product.material for product in drawn], group_rows),
        "style": _spread([product.style for product in drawn], group_rows),
    }
    values["price_band"] = price_bands(price_yuan, values["category"])
    names = {d: PRICE_BANDS if d == "price_band" else vocabulary.values(d) for d in DIMENSIONS}
    return Products(
        vocabulary=vocabulary,
        values=values,
        names=names,
        group_rows=group_rows,
        shade_rows=shade_rows,
        price_yuan=price_yuan,
        quality_G=rng.normal(size=len(drawn)),
        popularity_G=rng.normal(0, config.popularity_skew, size=len(drawn)),
        from_day_G=_draw_first_days(len(drawn), config, rng=rng),
        companions_GC=_draw_companions(drawn, vocabulary, rng=rng),
    )


def _spread(per_group: list[int], group_rows: Rows) -> Rows:
    return np.array(per_group, dtype=np.int32)[group_rows]


def price_bands(prices: NDArray[np.int64], categories: Rows) -> Rows:
    """Return each item's quarter of its category's prices, 0 to 3, by rank; equal prices are in one band.

    Categories of fewer than eight items share the whole shop's quarters, as in any shop that is read.

    Examples
    --------
    >>> price_bands(np.arange(10, 18), np.zeros(8, dtype=np.int32)).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3]
    """
    ranks = average_ranks(prices) / len(prices)
    for category in np.unique(categories):
        rows = np.flatnonzero(categories == category)
        if len(rows) >= FEWEST_PRICES:
            ranks[rows] = average_ranks(prices[rows]) / len(rows)
    return (np.ceil(ranks * len(PRICE_BANDS)) - 1).astype(np.int32)


def _draw_first_days(n_groups: int, config: Config, *, rng: np.random.Generator) -> Floats:
    is_late = rng.random(n_groups) < config.late_item_share
    days = np.floor(rng.uniform(0.6, 0.95, n_groups) * config.days)
    return np.where(is_late, days, 0.0)


def _draw_companions(drawn: list[_Product], vocabulary: Vocabulary, *, rng: np.random.Generator) -> Rows:
    """Return for each product some that it leads to, of its own style or brand where possible."""
    kinds = np.array([product.kind for product in drawn])
    styles = np.array([product.style for product in drawn])
    brands = np.array([product.brand for product in drawn])
    rows_of = {kind.value: row for row, kind in enumerate(vocabulary.kinds)}
    companions = []
    for product in drawn:
        wanted = np.isin(kinds, [rows_of[value] for value in vocabulary.kinds[product.kind].leads_to])
        fit = 2.0 * (styles == product.style) + 1.0 * (brands == product.brand) + rng.gumbel(size=len(drawn))
        companions.append(np.argsort(np.where(wanted, -fit, np.inf))[:COMPANIONS_PER_PRODUCT])
    return np.array(companions, dtype=np.int32)
