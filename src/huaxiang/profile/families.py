"""Facets that generalise upwards: who buys sandals and boots likes shoes.

The shares of a shopper's categories follow one Dirichlet distribution, so that of a family is the sum of
those of its categories: Beta(Σ m + α Σ π, M − Σ m + α (1 − Σ π)), with the category's own M and α. Nothing
is counted that was not counted before, and its evidence is its children's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY, tree_of
from huaxiang.shop.catalogue import Catalogue

if TYPE_CHECKING:
    from huaxiang.profile.facets import Entries, Tally

Ints = NDArray[np.int64]
FEWEST_CHILDREN = 2
"""Categories that a shopper must have liked for their family to say more than they do."""


@dataclass(frozen=True, kw_only=True)
class Families:
    """The families that profiles may show, as values of their own, and what they stand above.

    Value `v` stands below the values `above[offsets[v]:offsets[v + 1]]`, the nearest first.

    Parameters
    ----------
    rows
        Their rows in the catalogue's tree, in the order of their values.
    first
        Number of the first of them; -1 where there is none.
    dimension, of_dimension
        Number of the dimension of families, and of that of categories.
    offsets
        (V + 1,); empty where there is no family.
    """

    rows: Sequence[int]
    first: int
    dimension: int
    of_dimension: int
    offsets: Ints
    above: Ints

    def __bool__(self) -> bool:
        return len(self.rows) > 0

    def sums(self, share_V: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the shares with those of families as the sums of what stands below them, (V,)."""
        if not self:
            return share_V
        summed_V = share_V.copy()
        below = np.repeat(np.arange(len(share_V)), np.diff(self.offsets))
        sums = np.bincount(self.above - self.first, share_V[below], minlength=len(self.rows))
        summed_V[self.first : self.first + len(self.rows)] = np.maximum(sums, 1e-12)
        return summed_V


def shown_families(catalogue: Catalogue) -> list[int]:
    """Return the rows in the tree of the families that are no department of their own."""
    tree, departments = tree_of(catalogue), catalogue.dimensions.get("department")
    named = set(departments.values) if departments is not None else set()
    return [row for row, path in enumerate(tree.paths) if path not in named]


def families_of(
    catalogue: Catalogue, categories: Sequence[str], dimensions: Sequence[str], first_D: Ints
) -> Families:
    """Return the families of a numbering of values, whose dimension `family` stands last."""
    shown, nothing = shown_families(catalogue), np.zeros(0, np.int64)
    if not shown:
        return Families(rows=(), first=-1, dimension=-1, of_dimension=-1, offsets=nothing, above=nothing)
    tree, n_values = tree_of(catalogue), int(first_D[-1])
    d, of_d = dimensions.index(FAMILY), dimensions.index(CATEGORY)
    value_P = np.full(tree.n_families, -1)
    value_P[shown] = first_D[d] + np.arange(len(shown))
    counts_V, above = np.zeros(n_values, np.int64), []
    for place, name in enumerate(categories):
        row = tree.category_row_of.get(name)
        own = value_P[tree.families_of(row)] if row is not None else nothing
        own = own[own >= 0]
        counts_V[first_D[of_d] + place] = len(own)
        above.append(own)
    return Families(
        rows=shown,
        first=int(first_D[d]),
        dimension=d,
        of_dimension=of_d,
        offsets=np.concatenate([[0], np.cumsum(counts_V)]).astype(np.int64),
        above=np.concatenate(above).astype(np.int64) if above else nothing,
    )


def raised(entries: Entries, families: Families) -> Entries:
    """Return what the entries of categories say about the families above these."""
    value_N = entries.code_N >> 1
    counts = families.offsets[value_N + 1] - families.offsets[value_N]
    which = np.repeat(np.arange(len(value_N)), counts)
    first = families.offsets[value_N] - (np.cumsum(counts) - counts)
    above = families.above[np.arange(len(which)) + first[which]]
    kind = type(entries)
    return kind(
        event_N=entries.event_N[which],
        code_N=2 * above + (entries.code_N[which] & 1),
        mass_N=entries.mass_N[which],
        whole_N=entries.whole_N[which],
        sure_N=entries.sure_N[which] * entries.even_N[which],
        even_N=entries.even_N[which],
        stated_N=np.zeros(len(which), np.bool_),
    )


def say_nothing_more(counted: Tally, families: Families) -> Ints:
    """Return the rows of families that say no more than what stands below them.

    That is a family of one category that was met, and one whose categories a nearer family has too.
    """
    is_family_K = (counted.code_K >> 1) >= families.first
    if not families or not is_family_K.any():
        return np.zeros(0, np.int64)
    children_of: dict[int, set[int]] = {int(code): set() for code in counted.code_K[is_family_K]}
    for code in counted.code_K[~is_family_K].tolist():
        value, side = code >> 1, code & 1
        for above in families.above[families.offsets[value] : families.offsets[value + 1]].tolist():
            children_of[2 * above + side].add(value)
    nearest: dict[tuple[int, frozenset[int]], int] = {}
    for code, children in sorted(children_of.items(), reverse=True):  # deeper families are numbered later
        if len(children) >= FEWEST_CHILDREN:
            nearest.setdefault((code & 1, frozenset(children)), code)
    hidden = set(children_of) - set(nearest.values())
    return np.flatnonzero(np.isin(counted.code_K, list(hidden)))
