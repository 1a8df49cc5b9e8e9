"""All values of all dimensions in one numbering, so that every facet is counted in one pass.

Value `v` of the whole shop is row `v - first_D[d]` of its dimension `d`. A dimension's own values come first,
then the words of the lexicon that no item has, so that a wish for them can still be held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.graph.tree import FAMILY, tree_of
from huaxiang.profile.families import Families, families_of, shown_families
from huaxiang.profile.own_reviews import REVIEW_ASPECT, Sides, aspect_values
from huaxiang.profile.sensitive import Config as SensitiveConfig
from huaxiang.profile.sensitive import Sensitive
from huaxiang.profile.weights import Config
from huaxiang.profile.wishes import Wishes
from huaxiang.profile.words import Words, spoken_dimensions
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.lexicon import Lexicon, load_lexicon

THINGS = "category"


@dataclass(frozen=True, kw_only=True)
class Values:
    """The catalogue's values (V) over dimensions (D), and which of them each item has.

    Item `i` has the entries `offsets[i]:offsets[i + 1]`.

    Parameters
    ----------
    names
        Names of the values, (V,).
    first_D
        Number of each dimension's first value, and V at the end, int64 (D + 1,).
    dimension_V
        Each value's dimension, int16.
    counts_I
        How many entries each item has.
    group_V
        Twice each value's dimension: the number of its liked side; the disliked side is one more.
    families
        Which values stand above others, as families of categories.
    value_N, weight_N, whole_N, even_N, confidence_N
        Per entry: the value; its share of the item times how sure it is; the sum of these over the
        item's values in the same dimension; 1 over the number of these; and how sure it is alone.
    """

    catalogue: Catalogue
    lexicon: Lexicon
    dimensions: tuple[str, ...]
    names: Sequence[str]
    first_D: NDArray[np.int64]
    dimension_V: NDArray[np.int16]
    group_V: NDArray[np.int64]
    offsets: NDArray[np.int64]
    counts_I: NDArray[np.int64]
    value_N: NDArray[np.int64]
    weight_N: NDArray[np.float64]
    whole_N: NDArray[np.float64]
    even_N: NDArray[np.float64]
    confidence_N: NDArray[np.float64]
    families: Families
    read: dict[int, Wishes] = field(default_factory=dict, repr=False, compare=False)
    """Texts that were read before, by content hash; at most `most_read`."""
    reviewed: dict[int, Sides] = field(default_factory=dict, repr=False, compare=False)
    """Reviews that were read before, alike."""
    said: dict[str, Sequence[str]] = field(default_factory=dict, repr=False, compare=False)
    """Labels by language."""
    hidden: dict[SensitiveConfig, Sensitive] = field(default_factory=dict, repr=False, compare=False)
    """What of the catalogue is sensitive, by the settings that say so."""

    most_read: ClassVar[int] = 50_000

    @property
    def n_values(self) -> int:
        """V."""
        return len(self.names)

    @cached_property
    def row_of(self) -> Mapping[tuple[str, str], int]:
        """(dimension, value) → v."""
        return {
            (self.dimensions[d], name): v
            for v, (d, name) in enumerate(zip(self.dimension_V, self.names, strict=True))
        }

    @cached_property
    def words(self) -> Words:
        """What finds these values in a text."""
        return Words.of(self.catalogue, self.lexicon, self.row_of)

    @cached_property
    def things(self) -> frozenset[int]:
        """The values that are things, not qualities of things."""
        first = dict(zip(self.dimensions, self.first_D.tolist(), strict=False))
        last = dict(zip(self.dimensions, self.first_D[1:].tolist(), strict=True))
        return frozenset(range(first.get(THINGS, 0), last.get(THINGS, 0)))

    def dimension(self, value: int) -> str:
        """Return the name of the value's dimension."""
        return self.dimensions[int(self.dimension_V[value])]

    def label(self, value: int, *, language: str) -> str:
        """Return how `language` says the value: as the catalogue does, else as the lexicon does.

        A path is said by its last part.
        """
        return self.labels(language)[value]

    def labels(self, language: str) -> Sequence[str]:
        """Return how `language` says each value, (V,); made once per language."""
        if language not in self.said:
            said = (name for d in self.dimensions for name in self._labels(d, language))
            self.said[language] = [name.rsplit(" > ", 1)[-1] for name in said]
        return self.said[language]

    def _labels(self, dimension: str, language: str) -> Iterator[str]:
        d = self.dimensions.index(dimension)
        if dimension == FAMILY:
            tree = tree_of(self.catalogue)
            yield from (tree.label(row, language=language) for row in self.families.rows)
            return
        of_items = self.catalogue.dimensions.get(dimension)
        own = of_items.labels.get(language, ()) if of_items is not None else ()
        yield from own
        for value in range(int(self.first_D[d]) + len(own), int(self.first_D[d + 1])):
            name = self.names[value]
            if dimension == REVIEW_ASPECT:
                yield aspect_name(name, language=language)
                continue
            is_shops_own = of_items is not None and language == self.catalogue.languages[0]
            known = name if is_shops_own else self.words.meaning_of.get(value, name)
            yield self.lexicon.label(dimension, known, language=language)

    def sensitive(self, config: Config) -> Sensitive:
        """Return what of the catalogue no profile may be made from; found once per catalogue."""
        if config.sensitive not in self.hidden:
            self.hidden[config.sensitive] = Sensitive.of(self.catalogue, config.sensitive)
        return self.hidden[config.sensitive]

    def decay_rates(self, config: Config) -> NDArray[np.float64]:
        """Return halvings per day by dimension, (D,)."""
        return np.array([1 / config.half_life(dimension) for dimension in self.dimensions])


def values_of(catalogue: Catalogue, lexicon: Lexicon | None = None) -> Values:
    """Return the joint numbering of a catalogue's values. O(entries); done once per catalogue."""
    lexicon = lexicon or load_lexicon()
    names_by_dimension = _names(catalogue, lexicon)
    dimensions = tuple(names_by_dimension)
    sizes = [len(names) for names in names_by_dimension.values()]
    first_D = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    item_N, dimension_N, value_N, share_N, confidence_N = _entries(catalogue, dimensions, first_D)
    weight_N = share_N * confidence_N
    cell_N = item_N * max(1, len(dimensions)) + dimension_N
    whole_N = np.bincount(cell_N, weight_N)[cell_N] if len(cell_N) else weight_N
    even_N = 1 / np.bincount(cell_N)[cell_N] if len(cell_N) else weight_N
    order = np.argsort(item_N, kind="stable")
    counts = np.bincount(item_N, minlength=catalogue.n_items)
    return Values(
        catalogue=catalogue,
        lexicon=lexicon,
        dimensions=dimensions,
        names=[name for names in names_by_dimension.values() for name in names],
        first_D=first_D,
        dimension_V=np.repeat(np.arange(len(dimensions), dtype=np.int16), sizes),
        group_V=2 * np.repeat(np.arange(len(dimensions)), sizes),
        counts_I=counts,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        value_N=value_N[order],
        weight_N=weight_N[order],
        whole_N=whole_N[order],
        even_N=even_N[order],
        confidence_N=confidence_N[order],
        families=families_of(catalogue, names_by_dimension.get(THINGS, ()), dimensions, first_D),
    )


def renumbered(values: Values, catalogue: Catalogue) -> Values:
    """Return the numbering of another catalogue; what was read in texts is kept where the names are the same.

    So a change of prices doesn't make every shopper's words be read again.
    """
    again = values_of(catalogue, values.lexicon)
    for config, known in values.hidden.items():
        is_described_alike = (
            bool(catalogue.description) and catalogue.description == values.catalogue.description
        )
        again.hidden[config] = known if is_described_alike else known.over(catalogue)
    is_same = again.dimensions == values.dimensions and again.names == values.names
    if not is_same or catalogue.languages != values.catalogue.languages:
        return again
    again = replace(again, read=values.read, reviewed=values.reviewed, said=values.said)
    for name in ("row_of", "words", "things"):
        if name in values.__dict__:
            again.__dict__[name] = values.__dict__[name]
    return again


def _names(catalogue: Catalogue, lexicon: Lexicon) -> dict[str, list[str]]:
    names = {name: list(dimension.values) for name, dimension in catalogue.dimensions.items()}
    for dimension in spoken_dimensions(lexicon):
        known = set(names.setdefault(dimension, []))
        names[dimension] += [value for value in lexicon.values(dimension) if value not in known]
    known = set(names.setdefault(REVIEW_ASPECT, []))
    names[REVIEW_ASPECT] += [value for value in aspect_values() if value not in known]
    shown = shown_families(catalogue)
    return names | ({FAMILY: [tree_of(catalogue).names[row] for row in shown]} if shown else {})


def _entries(
    catalogue: Catalogue, dimensions: Sequence[str], first_D: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    items, owners, values, shares, confidences = [], [], [], [], []
    for d, name in enumerate(dimensions):
        if name not in catalogue.dimensions:
            continue
        of_items = catalogue.dimensions[name]
        items.append(np.repeat(np.arange(catalogue.n_items), np.diff(of_items.offsets)))
        owners.append(np.full(len(of_items.value_rows), d, dtype=np.int64))
        values.append(of_items.value_rows.astype(np.int64) + first_D[d])
        shares.append(of_items.weights.astype(np.float64))
        confidences.append(of_items.confidence.astype(np.float64))
    if not items:
        nothing, none = np.zeros(0, np.int64), np.zeros(0)
        return nothing, nothing, nothing, none, none
    joined = [np.concatenate(parts) for parts in (items, owners, values)]
    return joined[0], joined[1], joined[2], np.concatenate(shares), np.concatenate(confidences)
