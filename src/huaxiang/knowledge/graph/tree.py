"""Categories under the families that they belong to: sandals and boots are shoes.

A family is an inner place of a category path. Where a shop states whole paths, those say it; where its
categories are flat, the places in the public taxonomy do to which most of a category's items were mapped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from huaxiang.shop.catalogue import Catalogue, Dimension
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.dimensions import PLACES
from huaxiang.shop.labels import label_of

CATEGORY = "category"
TAXONOMY = PLACES
FAMILY = "family"
NO_PLACE = "-"
"""What is stated of an item that belongs nowhere in the taxonomy."""
LANGUAGES = ("en", "zh")
_KEPT = "tree"
_MORE_THAN = 0.5
"""Of a category's mapped items that a place must hold, itself or below, to be the category's own."""

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The families (P) of a catalogue, and which of them each of its categories (C) belongs to.

    Category `c` belongs to the families `above[offsets[c]:offsets[c + 1]]`, the nearest first.

    Parameters
    ----------
    names
        Short names, (P,), each unlike the others and unlike any category that is another thing.
    paths
        Whole paths, (P,).
    labels
        language → names in that language, (P,).
    parents
        Row of the family next above, -1 at the top, int32 (P,).
    is_inferred
        Per category, whether it was mapped to where it stands and the shop doesn't say so, (C,).
    """

    categories: Sequence[str]
    names: Sequence[str]
    paths: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    parents: NDArray[np.int32]
    offsets: NDArray[np.int64]
    above: NDArray[np.int32]
    is_inferred: NDArray[np.bool_]

    @property
    def n_families(self) -> int:
        """P."""
        return len(self.names)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Family's name → its row."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def category_row_of(self) -> dict[str, int]:
        """Category's name → its row."""
        return {name: row for row, name in enumerate(self.categories)}

    def families_of(self, category_row: int) -> NDArray[np.int32]:
        """Return the rows of the families above a category, the nearest first."""
        return self.above[self.offsets[category_row] : self.offsets[category_row + 1]]

    def up(self, family_row: int) -> list[int]:
        """Return the rows of the families above a family, the nearest first."""
        found: list[int] = []
        while (family_row := int(self.parents[family_row])) >= 0:
            found.append(family_row)
        return found

    def categories_of(self, family_row: int) -> NDArray[np.int64]:
        """Return the rows of all categories below a family."""
        entries = np.flatnonzero(self.above == family_row)
        return np.searchsorted(self.offsets, entries, side="right") - 1

    def label(self, family_row: int, *, language: str) -> str:
        """Return how `language` says a family."""
        return self.labels.get(language, self.names)[family_row]


NO_TREE = Tree(
    categories=(),
    names=(),
    paths=(),
    labels={},
    parents=np.zeros(0, np.int32),
    offsets=np.zeros(1, np.int64),
    above=np.zeros(0, np.int32),
    is_inferred=np.zeros(0, np.bool_),
)


def tree_of(catalogue: Catalogue) -> Tree:
    """Return the families of a catalogue's categories; none where its categories are flat and not mapped.

    A part of a path that has the name of one below it is left out, so that no path runs in a ring. Made once
    per catalogue.

    Examples
    --------
    >>> from huaxiang.knowledge.graph.tree import _tree
    >>> tree = _tree({"Boots": ("Home", "Shoes", "Boots"), "Sandals": ("Home", "Shoes", "Sandals")}, {})
    >>> [tree.names[row] for row in tree.families_of(0)], [tree.names[row] for row in tree.up(1)]
    (['Shoes', 'Home'], ['Home'])
    """
    kept = catalogue.__dict__
    if _KEPT not in kept:
        kept[_KEPT] = _grown(catalogue)
    tree: Tree = kept[_KEPT]
    return tree


def _grown(catalogue: Catalogue) -> Tree:
    categories = catalogue.dimensions.get(CATEGORY)
    if categories is None:
        return NO_TREE
    own = {value: split_path(path) for value, path in zip(categories.values, categories.paths, strict=False)}
    mapped = mapped_paths(catalogue, [value for value in categories.values if len(own.get(value, ())) < 2])
    paths = {value: mapped.get(value) or own.get(value) or (value,) for value in categories.values}
    plain = {value: _without_rings(path, value) for value, path in paths.items()}
    return _tree(plain, _told(catalogue), inferred=mapped)


def split_path(path: str) -> Path:
    """Return the parts of a path, however it is written.

    Examples
    --------
    >>> split_path("Home > Shoes>Boots > ")
    ('Home', 'Shoes', 'Boots')
    """
    return tuple(part.strip() for part in path.split(">") if part.strip())


def mapped_paths(catalogue: Catalogue, wanted: Iterable[str]) -> dict[str, Path]:
    """Return, for categories without a path of their own, the place in the taxonomy of most of their items.

    The path ends with the category itself. A place counts for all above it, so items that are mapped to
    different kinds of boots still agree on boots.
    """
    taxonomy, categories = catalogue.places, catalogue.dimensions[CATEGORY]
    if taxonomy is None:
        return {}
    votes: dict[str, Counter[Path]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    owners, asked = np.repeat(np.arange(catalogue.n_items), np.diff(taxonomy.offsets)), set(wanted)
    for row, value, sure in zip(owners.tolist(), taxonomy.value_rows, taxonomy.confidence, strict=True):
        place = () if taxonomy.values[value] == NO_PLACE else split_path(taxonomy.values[value])
        for category in _values_of(categories, row):
            if category in asked:
                totals[category] += float(sure)  # type: ignore[assignment]
                for end in range(1, len(place) + 1):
                    votes[category][place[:end]] += float(sure)  # type: ignore[assignment]
    return {category: _agreed(own, totals[category]) + (category,) for category, own in votes.items()}


def _values_of(dimension: Dimension, item_row: int) -> list[str]:
    own = dimension.value_rows[dimension.offsets[item_row] : dimension.offsets[item_row + 1]]
    return [dimension.values[value] for value in own.tolist()]


def _agreed(votes: Counter[Path], total: float) -> Path:
    """Return the deepest place that enough of the items agree on; the one with most of them of equals."""
    enough = [(len(place), n, place) for place, n in votes.items() if n > _MORE_THAN * total]
    return max(enough)[2] if enough else ()


def _without_rings(path: Path, category: str) -> Path:
    """Return a path whose parts above the last one have names of their own."""
    kept: list[str] = []
    seen = {_singular(path[-1]), _singular(category)}
    for part in reversed(path[:-1]):
        if _singular(part) not in seen:
            kept.append(part)
            seen.add(_singular(part))
    return (*reversed(kept), path[-1])


def _singular(name: str) -> str:
    """Return a name as it is compared: rug and Rugs are one thing.

    Examples
    --------
    >>> _singular("Rugs"), _singular("Dresses"), _singular("dress")
    ('rug', 'dress', 'dress')
    """
    small = name.casefold()
    if small.endswith(("sses", "xes", "ches", "shes")):
        return small[:-2]
    return small if small.endswith("ss") else small.removesuffix("s")


def _told(catalogue: Catalogue) -> dict[str, dict[Path, str]]:
    """Return language → place in the taxonomy → how it is called there."""
    taxonomy = catalogue.places
    told: dict[str, dict[Path, str]] = {language: {} for language in LANGUAGES}
    if taxonomy is None:
        return told
    for language in LANGUAGES:
        for value, label in zip(taxonomy.values, taxonomy.labels.get(language, taxonomy.values), strict=True):
            english, spoken = split_path(value), split_path(label)
            if len(english) == len(spoken):
                for end in range(1, len(english) + 1):
                    told[language][english[:end]] = spoken[end - 1]
    return told


def _tree(
    paths: Mapping[str, Path], told: Mapping[str, Mapping[Path, str]], inferred: Collection[str] = ()
) -> Tree:
    inner = dict.fromkeys(path[:end] for path in paths.values() for end in range(1, len(path)))
    places = sorted(inner, key=lambda place: (len(place), place))
    row_of = {place: row for row, place in enumerate(places)}
    names = _names(places, {path: value for value, path in paths.items()})
    above = [[row_of[path[:end]] for end in range(len(path) - 1, 0, -1)] for path in paths.values()]
    return Tree(
        categories=tuple(paths),
        names=names,
        paths=[DIVIDER.join(place) for place in places],
        labels={language: _labels(places, names, language, told) for language in LANGUAGES},
        parents=np.array([row_of.get(place[:-1], -1) for place in places], np.int32),
        offsets=np.cumsum([0, *map(len, above)]).astype(np.int64),
        above=np.array([row for own in above for row in own], np.int32),
        is_inferred=np.array([value in inferred for value in paths], np.bool_),
    )


def _names(places: Sequence[Path], category_of: Mapping[Path, str]) -> list[str]:
    """Return the shortest end of each place that nothing else is called; a category's own where it is one."""
    ends = Counter(DIVIDER.join(place[-n:]) for place in places for n in range(1, len(place) + 1))
    taken = set(category_of.values())
    names = []
    for place in places:
        own = [DIVIDER.join(place[-n:]) for n in range(1, len(place) + 1)]
        numbered = (f"{own[-1]} ({number})" for number in count(2))
        free = chain((end for end in own if ends[end] == 1), own[-1:], numbered)
        names.append(category_of.get(place) or next(end for end in free if end not in taken))
        taken.add(names[-1])
    return names


def _labels(
    places: Sequence[Path], names: Sequence[str], language: str, told: Mapping[str, Mapping[Path, str]]
) -> list[str]:
    known = told.get(language, {})
    return [
        known.get(place) or label_of(CATEGORY, name, language=language, labels={})
        for place, name in zip(places, names, strict=True)
    ]
