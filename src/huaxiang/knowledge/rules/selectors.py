"""Which items a rule names: read from the file, and found in a catalogue as a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.rules import fields
from huaxiang.knowledge.rules.base import ALWAYS, Goods, Test
from huaxiang.knowledge.rules.yaml_tree import Node
from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.cells import minor_units

Mask = NDArray[np.bool_]
SELECTORS = (
    "item_id",
    "group_id",
    "variants_of",
    "category",
    "brand",
    "tag",
    "attribute",
    "title_has",
    "price",
    "in_stock",
    "age_days",
    "group",
    "any",
    "all",
    "not",
)
"""Fields of `items`; several of them must all hold, of several values of one any does."""
DAY_MS = 86_400_000
_DIMENSION_OF = {"brand": "brand", "tag": "image_tag"}


def read_selector(node: Node) -> Test:
    """Return what a selector says; several selectors in a list are any of them."""
    if isinstance(node.value, list):
        parts = tuple(read_selector(inner) for inner in node.value)
        if not parts:
            raise node.wrong("an empty list", remedy="name items, or leave the field out for all")
        return Test(kind="any", parts=parts, line=node.line)
    given = fields.mapping(node, SELECTORS)
    if not given:
        raise node.wrong("no items are named", remedy="leave the field out for all")
    parts = tuple(part for name, inner in given.items() for part in _read(name, inner))
    return parts[0] if len(parts) == 1 else Test(kind="all", parts=parts, line=node.line)


def _read(name: str, node: Node) -> Iterator[Test]:  # noqa: C901 - one question after another
    if name in ("any", "all"):
        if not isinstance(node.value, list):
            raise node.wrong("this should be a list", remedy=f"write {name}: [ … ]")
        if not node.value:
            raise node.wrong("an empty list", remedy="name items, or leave the field out")
        yield Test(kind=name, parts=tuple(read_selector(inner) for inner in node.value), line=node.line)
    elif name == "not":
        yield Test(kind="not", parts=(read_selector(node),), line=node.line)
    elif name == "attribute":
        for dimension, inner in _named(node).items():
            yield Test(kind="value", dimension=dimension, values=fields.texts(inner), line=inner.line)
    elif name in ("price", "age_days"):
        low, high = fields.span(node)
        yield Test(kind=name, low=low, high=high, line=node.line)
    elif name == "in_stock":
        yield Test(kind=name, values=(str(fields.truth(node)),), line=node.line)
    elif name in _DIMENSION_OF:
        yield Test(kind="value", dimension=_DIMENSION_OF[name], values=fields.texts(node), line=node.line)
    else:
        yield Test(kind=name, values=fields.texts(node), line=node.line)


def _named(node: Node) -> Mapping[str, Node]:
    """Return the values by dimension: which there are only the catalogue knows."""
    if not isinstance(node.value, dict) or not node.value:
        raise node.wrong("this should name a dimension", remedy="write attribute: {colour: red}")
    return node.value


def parts_of(test: Test) -> Iterator[Test]:
    """Return a test and all that it is made of."""
    yield test
    for part in test.parts:
        yield from parts_of(part)


class Selecting:
    """Finds the items of selectors in one catalogue; each group is looked for once."""

    def __init__(self, goods: Goods, groups: Mapping[str, Test], *, now_ms: int | None) -> None:
        self._goods = goods
        self._catalogue = goods.catalogue
        self._groups = groups
        self._now_ms = now_ms
        self._found: dict[Test, Mask] = {}

    def mask(self, test: Test) -> Mask:
        """Return which items a selector names, (I,); do not write into it."""
        if test not in self._found:
            self._found[test] = _FINDERS[test.kind](self, test)
        return self._found[test]

    def everything(self) -> Mask:
        """Return a mask of all items."""
        return np.ones(self._catalogue.n_items, dtype=np.bool_)

    def _all(self, test: Test) -> Mask:
        return reduce(np.logical_and, map(self.mask, test.parts), self.everything())

    def _any(self, test: Test) -> Mask:
        return reduce(np.logical_or, map(self.mask, test.parts))

    def _not(self, test: Test) -> Mask:
        return ~self.mask(test.parts[0])

    def _group(self, test: Test) -> Mask:
        return reduce(np.logical_or, (self.mask(self._groups[name]) for name in test.values))

    def _item_id(self, test: Test) -> Mask:
        row_of = self._catalogue.row_of
        return self._rows([row_of[one] for one in test.values if one in row_of])

    def _variants_of(self, test: Test) -> Mask:
        row_of, groups = self._catalogue.row_of, self._catalogue.group_rows
        named = [groups[row_of[one]] for one in test.values if one in row_of]
        return np.asarray(np.isin(groups, named))

    def _group_id(self, test: Test) -> Mask:
        rows_of = self._goods.rows_of_group
        return self._rows([row for one in test.values for row in rows_of.get(one, ())])

    def _category(self, test: Test) -> Mask:
        found_I = self._rows(rows_under(self._goods, test.values))
        for dimension in ("category", "department"):
            found_I |= self._having(dimension, test.values)
        return found_I

    def _value(self, test: Test) -> Mask:
        return self._having(test.dimension, test.values)

    def _title_has(self, test: Test) -> Mask:
        wanted = [word.casefold() for word in test.values]
        found_I = np.zeros(self._catalogue.n_items, dtype=np.bool_)
        for titles in self._catalogue.titles.values():
            found_I |= [any(word in title.casefold() for word in wanted) for title in titles]
        return found_I

    def _price(self, test: Test) -> Mask:
        prices_I = self._catalogue.price_minor / minor_units(self._catalogue.currency)
        return (prices_I >= max(test.low or 0.0, 0.0)) & (prices_I <= _above(test.high))

    def _in_stock(self, test: Test) -> Mask:
        return np.asarray(self._catalogue.in_stock == (test.values[0] == "True"))

    def _age_days(self, test: Test) -> Mask:
        if self._now_ms is None:
            return np.zeros(self._catalogue.n_items, dtype=np.bool_)
        from_I = self._catalogue.valid_from_ms
        days_I = self._now_ms // DAY_MS - from_I // DAY_MS
        return (from_I > 0) & (days_I >= (test.low or 0.0)) & (days_I <= _above(test.high))

    def _having(self, name: str, values: tuple[str, ...]) -> Mask:
        """Return which items have any of some values, also where a value was inferred."""
        dimension = self._catalogue.dimensions.get(name)
        if dimension is None:
            return self._rows([])
        named = value_rows(self._catalogue, name, values)
        entries = np.flatnonzero(np.isin(dimension.value_rows, named))
        return self._rows(np.searchsorted(dimension.offsets, entries, side="right") - 1)

    def _rows(self, rows: list[int] | NDArray[np.int64]) -> Mask:
        found_I = np.zeros(self._catalogue.n_items, dtype=np.bool_)
        found_I[rows] = True
        return found_I


_FINDERS: Mapping[str, Callable[[Selecting, Test], Mask]] = {
    "all": Selecting._all,
    "any": Selecting._any,
    "not": Selecting._not,
    "group": Selecting._group,
    "item_id": Selecting._item_id,
    "variants_of": Selecting._variants_of,
    "group_id": Selecting._group_id,
    "category": Selecting._category,
    "value": Selecting._value,
    "title_has": Selecting._title_has,
    "price": Selecting._price,
    "in_stock": Selecting._in_stock,
    "age_days": Selecting._age_days,
}


def value_rows(catalogue: Catalogue, name: str, values: tuple[str, ...]) -> list[int]:
    """Return the rows of values that are written as the catalogue does, or as a language says them.

    Upper and lower case are the same.
    """
    dimension = catalogue.dimensions.get(name)
    if dimension is None:
        return []
    wanted = {value.casefold() for value in values}
    found = {row for row, value in enumerate(dimension.values) if value.casefold() in wanted}
    for labels in dimension.labels.values():
        found |= {row for row, label in enumerate(labels) if label.casefold() in wanted}
    return sorted(found)


def rows_under(goods: Goods, names: tuple[str, ...]) -> list[int]:
    """Return the items of which some part of the category path has one of these names."""
    return [row for name in names for row in goods.rows_of_path.get(name.casefold(), ())]


def _above(high: float | None) -> float:
    return float("inf") if high is None else high


def is_everything(test: Test) -> bool:
    """Return whether a test asks nothing."""
    return test == ALWAYS
