"""The product graph: the catalogue's own edges, what is bought together, what completes or replaces what.

Nothing is written down twice. The edges to values, families and places are the catalogue itself, likeness is
that of the fused vectors, and only what shoppers bought together is counted and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError, SettingsError, UnknownItemError
from huaxiang.knowledge.graph import mapping, together, vectors
from huaxiang.knowledge.graph.edges import Edge, Node
from huaxiang.knowledge.graph.together import Together
from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY, TAXONOMY, Tree, tree_of
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Catalogue, Dimension

Relation = Literal["complement", "substitute"]
_HALF_SURE = 3.0
"""Shoppers at which a pair of items is half sure, as in facets."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the product graph.

    Parameters
    ----------
    explain
        Whether reasons in lists say that an item completes or replaces another.
    least_lift
        Smoothed lift from which things bought together count as one completing the other; ≥ 1.
    least_likeness
        Cosine from which an item can take the place of another of its category; -1 to 1.
    map_items
        Whether items are mapped to the taxonomy that `text.taxonomy` names.
    together, mapping, vectors
        Settings of what is bought together, of the mapping to the taxonomy, and of the view in fusion.
    """

    explain: bool = True
    least_lift: float = 1.5
    least_likeness: float = 0.3
    map_items: bool = True
    together: together.Config = field(default_factory=together.Config)
    mapping: mapping.Config = field(default_factory=mapping.Config)
    vectors: vectors.Config = field(default_factory=vectors.Config)

    def __post_init__(self) -> None:
        if self.least_lift < 1 or not -1 <= self.least_likeness <= 1:
            remedy = "least_lift is at least 1, least_likeness -1 to 1"
            raise SettingsError("out of range", column="graph", remedy=remedy)


class Found(NamedTuple):
    """An item that goes with another, or can stand for it."""

    row: int
    weight: float
    n_shoppers: int


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The product graph of a shop.

    Parameters
    ----------
    vectors_ID
        Fused item vectors, (I, D), rows of unit length or zero: who is like whom.
    """

    catalogue: Catalogue
    together: Together
    vectors_ID: Matrix
    config: Config = field(default_factory=Config)

    @cached_property
    def tree(self) -> Tree:
        """The families of the catalogue's categories."""
        return tree_of(self.catalogue)

    @cached_property
    def category_I(self) -> NDArray[np.int32]:  # noqa: N802 - the capital is the shape
        """The category that each item most surely has, -1 where none, (I,)."""
        categories = self.catalogue.dimensions.get(CATEGORY)
        found_I = np.full(self.catalogue.n_items, -1, np.int32)
        if categories is not None:
            owner = np.repeat(np.arange(self.catalogue.n_items), np.diff(categories.offsets))
            order = np.lexsort((-categories.confidence, owner))
            rows, firsts = np.unique(owner[order], return_index=True)
            found_I[rows] = categories.value_rows[order[firsts]]
        return found_I

    # -- items -------------------------------------------------------------------------------------------

    def complements(self, item_id: str, *, k: int = 10, language: str = "en") -> list[Edge]:
        """Return what completes an item: bought with it far more than chance gives, and of another category.

        Raises
        ------
        InputError
            For `k` below 1.
        UnknownItemError
            When the catalogue has no such item.
        """
        found = self.completing(self._row_of(item_id, k))
        return [self._pair("complement", one, language) for one in self._sold(found, item_id)[:k]]

    def substitutes(self, item_id: str, *, k: int = 10, language: str = "en") -> list[Edge]:
        """Return what can take the place of an item: of its category, and most like it.

        Raises
        ------
        InputError
            For `k` below 1.
        UnknownItemError
            When the catalogue has no such item.
        """
        found = self.replacing(self._row_of(item_id, k))
        return [self._pair("substitute", one, language) for one in self._sold(found, item_id)[:k]]

    def neighbours(self, item_id: str, *, k: int = 10, language: str = "en") -> list[Edge]:
        """Return every edge of an item: its values, families and places, and up to `k` items of each kind.

        Raises
        ------
        InputError
            For `k` below 1.
        UnknownItemError
            When the catalogue has no such item.
        """
        row = self._row_of(item_id, k)
        return [
            *self._said_of(row, language),
            *self.complements(item_id, k=k, language=language),
            *self.substitutes(item_id, k=k, language=language),
            *(self._pair("bought_together", one, language) for one in self.bought_with(row)[:k]),
        ]

    def completing(self, item_row: int) -> list[Found]:
        """Return the items that complete one, best first."""
        return [
            one
            for one in self.bought_with(item_row)
            if one.weight >= self.config.least_lift and not self.is_same_kind(item_row, one.row)
        ]

    def bought_with(self, item_row: int) -> list[Found]:
        """Return the items bought together with one by enough shoppers, the highest smoothed lift first."""
        rows, lifts, shoppers = self.together.of(item_row)
        return [Found(*one) for one in zip(rows.tolist(), lifts.tolist(), shoppers.tolist(), strict=True)]

    def replacing(self, item_row: int) -> list[Found]:
        """Return the items of the same category that are like one, most alike first."""
        category = self.category_I[item_row]
        own = self.vectors_ID[item_row]
        rows = np.arange(len(self.category_I)) if category < 0 else self._of_category[category]
        cosines = self.vectors_ID[rows] @ own
        near = np.flatnonzero((cosines >= self.config.least_likeness) & (rows != item_row))
        order = near[np.lexsort((rows[near], -cosines[near]))]
        return [Found(int(rows[place]), float(cosines[place]), 0) for place in order]

    def is_same_kind(self, one: int, other: int) -> bool:
        """Return whether two items have one category; where either has none, whether they are alike."""
        first, second = self.category_I[one], self.category_I[other]
        if first < 0 or second < 0:
            return bool(self.vectors_ID[one] @ self.vectors_ID[other] >= self.config.least_likeness)
        return bool(first == second)

    def relation(self, of: int, to: int) -> Relation | None:
        """Return how item `of` stands to item `to`: it completes it, can take its place, or neither.

        Items of one group are variants of one thing and stand to each other in no such way.
        """
        groups = self.catalogue.group_rows
        if groups[of] == groups[to]:
            return None
        if self.is_same_kind(of, to):
            is_alike = self.vectors_ID[of] @ self.vectors_ID[to] >= self.config.least_likeness
            return "substitute" if is_alike else None
        pairs = self.together.shoppers_II
        own = slice(pairs.indptr[to], pairs.indptr[to + 1])
        at = np.flatnonzero(pairs.indices[own] == of)
        if not len(at):
            return None
        lift = self.together.lift(np.array([to]), np.array([of]), pairs.data[own][at].astype(np.int64))
        return "complement" if lift[0] >= self.config.least_lift else None

    # -- values ------------------------------------------------------------------------------------------

    def up(self, item_id: str, *, language: str = "en") -> list[Node]:
        """Return the way up from an item: its category and the families above it, the nearest first.

        Raises
        ------
        UnknownItemError
            When the catalogue has no such item.
        """
        category = self.category_I[self._row_of(item_id)]
        if category < 0:
            return []
        dimension = self.catalogue.dimensions[CATEGORY]
        value = dimension.values[category]
        families = self.tree.families_of(self.tree.category_row_of[value])
        label = dimension.label(int(category), language=language)
        return [
            Node(kind="value", id=value, dimension=CATEGORY, label=label),
            *(self._family(int(row), language) for row in families),
        ]

    def of_value(self, dimension: str, value: str, *, k: int = 10, language: str = "en") -> list[Edge]:
        """Return what a value is joined to: the families above it, what is below it, and `k` of its items.

        Raises
        ------
        InputError
            There is no such dimension or value; the remedy names those there are.
        """
        if dimension == FAMILY:
            return self._of_family(value, k, language)
        known = self.catalogue.dimensions.get(dimension)
        known = self.catalogue.places if dimension == TAXONOMY else known
        if known is None or value not in known.row_of:
            names = known.values if known is not None else [*self.catalogue.dimensions, FAMILY]
            raise InputError(
                "no such value" if known is not None else "no such dimension",
                value=f"{dimension}={value}",
                remedy=f"choose one of {', '.join(_near(value if known is not None else dimension, names))}",
            )
        families: Sequence[int] = ()
        if dimension == CATEGORY:
            families = self.tree.families_of(self.tree.category_row_of[value]).tolist()
        above = [self._above(known.row_of[value], row, language) for row in families]
        return above + self._items_with(known, known.row_of[value], k, language)

    def _of_family(self, value: str, k: int, language: str) -> list[Edge]:
        tree, categories = self.tree, self.catalogue.dimensions.get(CATEGORY)
        row = tree.row_of.get(value)
        if row is None or categories is None:
            names = ", ".join(_near(value, tree.names)) or "a category: this catalogue has no families"
            raise InputError("no such family", value=value, remedy=f"choose one of {names}")
        below = [tree.categories[c] for c in tree.categories_of(row).tolist()][:k]
        return [
            *(_certain("family", self._family(one, language)) for one in tree.up(row)),
            *(
                _certain("value", self._value(categories, categories.row_of[name], language))
                for name in below
            ),
        ]

    def _items_with(self, dimension: Dimension, value_row: int, k: int, language: str) -> list[Edge]:
        entries = np.flatnonzero(dimension.value_rows == value_row)[:k]
        items = np.searchsorted(dimension.offsets, entries, side="right") - 1
        return [
            self._entry(dimension, int(entry), self._item(int(row), language))
            for entry, row in zip(entries, items, strict=True)
        ]

    def _said_of(self, row: int, language: str) -> list[Edge]:
        said = []
        places = () if self.catalogue.places is None else (self.catalogue.places,)
        for dimension in (*self.catalogue.dimensions.values(), *places):
            for entry in range(int(dimension.offsets[row]), int(dimension.offsets[row + 1])):
                node = self._value(dimension, int(dimension.value_rows[entry]), language)
                said.append(self._entry(dimension, entry, node))
        category = self.category_I[row]
        if category >= 0:
            value = self.catalogue.dimensions[CATEGORY].values[category]
            families = self.tree.families_of(self.tree.category_row_of[value])
            said += [self._above(category, int(one), language) for one in families]
        return said

    def _above(self, category_row: int, family_row: int, language: str) -> Edge:
        """Return the edge from a category to a family that it belongs to, as sure as its items' places."""
        value = self.catalogue.dimensions[CATEGORY].values[category_row]
        is_inferred = bool(self.tree.is_inferred[self.tree.category_row_of[value]])
        return Edge(
            kind="family",
            target=self._family(family_row, language),
            weight=1.0,
            confidence=self._sure_of(category_row) if is_inferred else 1.0,
            evidence=0,
            origin="inferred" if is_inferred else "stated",
        )

    def _sure_of(self, category_row: int) -> float:
        """Return how sure the places of a category's items are, on average."""
        places, items = self.catalogue.places, self._of_category[category_row]
        if places is None or not len(items):
            return 0.0
        owner = np.repeat(np.arange(self.catalogue.n_items), np.diff(places.offsets))
        return float(places.confidence[np.isin(owner, items)].mean())

    # -- drawing -----------------------------------------------------------------------------------------

    def _entry(self, dimension: Dimension, entry: int, target: Node) -> Edge:
        return Edge(
            kind="taxonomy" if dimension.name == TAXONOMY else "value",
            target=target,
            weight=float(dimension.weights[entry]),
            confidence=float(dimension.confidence[entry]),
            evidence=0,
            origin="inferred" if dimension.is_inferred[entry] else "stated",
        )

    def _pair(
        self, kind: Literal["complement", "substitute", "bought_together"], one: Found, language: str
    ) -> Edge:
        n = one.n_shoppers
        return Edge(
            kind=kind,
            target=self._item(one.row, language),
            weight=one.weight,
            confidence=max(one.weight, 0.0) if kind == "substitute" else n / (n + _HALF_SURE),
            evidence=n,
            origin="likeness" if kind == "substitute" else "counted",
        )

    def _item(self, row: int, language: str) -> Node:
        title = self.catalogue.title(row, language=language)
        return Node(kind="item", id=self.catalogue.item_ids[row], label=title)

    def _value(self, dimension: Dimension, row: int, language: str) -> Node:
        label = dimension.label(row, language=language)
        kind: Literal["value", "taxonomy"] = "taxonomy" if dimension.name == TAXONOMY else "value"
        return Node(kind=kind, id=dimension.values[row], dimension=dimension.name, label=label)

    def _family(self, row: int, language: str) -> Node:
        label = self.tree.label(row, language=language)
        return Node(kind="family", id=self.tree.names[row], dimension=FAMILY, label=label)

    def _sold(self, found: Sequence[Found], item_id: str) -> list[Found]:
        """Return those in stock, one of each product, and no variant of the item itself."""
        catalogue = self.catalogue
        seen = {int(catalogue.group_rows[catalogue.row_of[item_id]])}
        kept = []
        for one in found:
            group = int(catalogue.group_rows[one.row])
            if catalogue.in_stock[one.row] and not catalogue.gone[one.row] and group not in seen:
                seen.add(group)
                kept.append(one)
        return kept

    def _row_of(self, item_id: str, k: int = 1) -> int:
        if k < 1:
            raise InputError(
                "a list needs at least one place", column="k", value=str(k), remedy="give 1 or more"
            )
        row = self.catalogue.row_of.get(item_id)
        if row is None:
            raise UnknownItemError("no such item", column="item_id", value=item_id, remedy="check the id")
        return row

    @cached_property
    def _of_category(self) -> list[NDArray[np.int64]]:
        """The items of each category."""
        order = np.argsort(self.category_I, kind="stable")
        n_values = (
            len(self.catalogue.dimensions[CATEGORY].values) if CATEGORY in self.catalogue.dimensions else 0
        )
        ends = np.searchsorted(self.category_I[order], np.arange(n_values + 1))
        return [order[first:last] for first, last in zip(ends[:-1], ends[1:], strict=True)]


def _certain(kind: Literal["value", "family"], target: Node) -> Edge:
    return Edge(kind=kind, target=target, weight=1.0, confidence=1.0, evidence=0, origin="stated")


def _near(asked: str, names: Sequence[str], *, most: int = 5) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(asked, names, n=most, cutoff=0.0)
