"""What a search is narrowed to, and how many of what was found have each value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError
from huaxiang.profile.prices import minor_units
from huaxiang.profile.values import Values
from huaxiang.profile.words import lower
from huaxiang.shop.catalogue import Catalogue, Dimension
from huaxiang.shop.categories import DIVIDER

MOST_PRICE = 1e12
MOST_COUNTED = 20
"""Values that are counted in each dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What every item found must be.

    Parameters
    ----------
    values
        Dimension → values of it, by any name they have; an item needs one of them in each dimension.
    min_minor, max_minor
        Prices in minor units; an item without a price meets no limit.
    in_stock
        Whether what can't be bought now is left out.
    """

    values: Mapping[str, tuple[str, ...]]
    min_minor: int | None = None
    max_minor: int | None = None
    in_stock: bool = True

    def __post_init__(self) -> None:
        low, high = self.min_minor, self.max_minor
        if low is not None and high is not None and low > high:
            remedy = "give a price_min that is no more than price_max"
            raise InputError(
                "no price lies between", column="price_min", value=f"{low} > {high}", remedy=remedy
            )


NOTHING_FILTERED = Filters(values={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of what was found have a value."""

    dimension: str
    value: str
    n_items: int


def narrowed(
    said: Iterable[str],
    *,
    category: str | None = None,
    brand: str | None = None,
    price_min: float | None = None,
    price_max: float | None = None,
    in_stock: bool = True,
    currency: str | None = None,
) -> Filters:
    """Return filters as people write them: `colour=red`, several of one dimension being alternatives.

    Parameters
    ----------
    price_min, price_max
        In whole units of the currency.

    Raises
    ------
    InputError
        One is not `dimension=value`, or a price is not one.

    Examples
    --------
    >>> narrowed(["colour=red", "colour=blue"], price_max=9.5, currency="USD").max_minor
    950
    """
    values: dict[str, list[str]] = {}
    for one in (
        *said,
        *(f"{name}={value}" for name, value in (("category", category), ("brand", brand)) if value),
    ):
        name, equals, value = one.partition("=")
        if not equals or not name.strip() or not value.strip():
            remedy = "write dimension=value, as colour=red"
            raise InputError("not a filter", column="filter", value=one[:100], remedy=remedy)
        values.setdefault(name.strip(), []).append(value.strip())
    return Filters(
        values={name: tuple(wanted) for name, wanted in values.items()},
        min_minor=_minor("price_min", price_min, currency),
        max_minor=_minor("price_max", price_max, currency),
        in_stock=in_stock,
    )


def _minor(column: str, price: float | None, currency: str | None) -> int | None:
    if price is None:
        return None
    if not 0 <= price <= MOST_PRICE:  # false for what is no number, too
        remedy = "give a number of at least 0"
        raise InputError("not a price", column=column, value=str(price), remedy=remedy)
    return round(price * minor_units(currency))


def allowed(catalogue: Catalogue, filters: Filters) -> NDArray[np.bool_]:
    """Return which items meet the filters, (I,); what is no longer sold never does.

    Raises
    ------
    InputError
        The catalogue has no such dimension or value; the nearest is named.
    """
    allowed_I = ~catalogue.gone
    if filters.in_stock:
        allowed_I &= catalogue.in_stock
    allowed_I &= within(catalogue, filters.min_minor, filters.max_minor)
    for name, wanted in filters.values.items():
        dimension = _dimension(catalogue, name)
        rows = {row for value in wanted for row in value_rows(dimension, value)}
        allowed_I &= having(dimension, rows, catalogue.n_items)
    return allowed_I


def within(catalogue: Catalogue, min_minor: int | None, max_minor: int | None) -> NDArray[np.bool_]:
    """Return which items have a price between two, (I,)."""
    if min_minor is None and max_minor is None:
        return np.ones(catalogue.n_items, dtype=np.bool_)
    prices_I = catalogue.price_minor
    fits_I = prices_I >= (min_minor or 0)
    return fits_I if max_minor is None else fits_I & (prices_I <= max_minor)


def having(dimension: Dimension, rows: set[int], n_items: int) -> NDArray[np.bool_]:
    """Return which items have one of some values of a dimension, (I,)."""
    has_I = np.zeros(n_items, dtype=np.bool_)
    entries = np.flatnonzero(np.isin(dimension.value_rows, sorted(rows)))
    has_I[np.searchsorted(dimension.offsets, entries, side="right") - 1] = True
    return has_I


def having_values(catalogue: Catalogue, values: Values, wanted: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which items have one of some values of the joint numbering, (I,)."""
    has_I = np.zeros(catalogue.n_items, dtype=np.bool_)
    for value in wanted:
        dimension = catalogue.dimensions.get(values.dimension(value))
        row = dimension.row_of.get(values.names[value]) if dimension else None
        if dimension is not None and row is not None:
            has_I |= having(dimension, {row}, catalogue.n_items)
    return has_I


def value_rows(dimension: Dimension, said: str) -> list[int]:
    """Return the values that have a name: whole or the last part of a path, in any language, in any case.

    A category's path names what lies under it too.

    Raises
    ------
    InputError
        None has it.
    """
    wanted = lower(said).strip()
    found = []
    for row, value in enumerate(dimension.values):
        names = {lower(name) for name in (value, *(label[row] for label in dimension.labels.values()))}
        parts = {part for name in names for part in _paths(name)}
        if wanted in parts:
            found.append(row)
    if found:
        return found
    near = get_close_matches(said, dimension.values, n=1, cutoff=0.0)
    remedy = f"the nearest is {near[0]}" if near else "the catalogue has no value there"
    raise InputError(f"no such {dimension.name}", column=dimension.name, value=said[:100], remedy=remedy)


def _paths(name: str) -> list[str]:
    """Return a path's beginnings, and its last part."""
    parts = name.split(DIVIDER)
    return [*(DIVIDER.join(parts[:n]) for n in range(1, len(parts) + 1)), parts[-1]]


def counts(catalogue: Catalogue, item_rows: NDArray[np.integer]) -> tuple[Count, ...]:
    """Return how many of some items have each value, the most frequent first in each dimension."""
    found = []
    for name, dimension in catalogue.dimensions.items():
        entries = _entries(dimension, item_rows)
        counts_V = np.bincount(dimension.value_rows[entries], minlength=len(dimension.values))
        order = np.argsort(-counts_V, kind="stable")[:MOST_COUNTED]
        found += [
            Count(dimension=name, value=dimension.values[row], n_items=int(counts_V[row]))
            for row in order
            if counts_V[row]
        ]
    return tuple(found)


def _entries(dimension: Dimension, item_rows: NDArray[np.integer]) -> NDArray[np.int64]:
    starts, ends = dimension.offsets[item_rows], dimension.offsets[item_rows + 1]
    lengths = ends - starts
    if not lengths.sum():
        return np.zeros(0, np.int64)
    places = np.arange(lengths.sum()) + np.repeat(ends - np.cumsum(lengths), lengths)
    return np.asarray(places, dtype=np.int64)


def _dimension(catalogue: Catalogue, name: str) -> Dimension:
    if name in catalogue.dimensions:
        return catalogue.dimensions[name]
    known = ", ".join(catalogue.dimensions)
    raise InputError("no such filter", column="filter", value=name[:100], remedy=f"choose one of {known}")
