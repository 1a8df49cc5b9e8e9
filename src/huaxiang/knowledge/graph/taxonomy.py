"""The public product taxonomy as a tree of places, each with its path in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.graph.tree import split_path
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.infer.taxonomy import category_paths


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """Places (N) of a taxonomy, parents before their children.

    Parameters
    ----------
    ids
        The taxonomy's own names of the places, "" where a path implies a place that has no line, (N,).
    paths
        language → whole paths, (N,); English ones are the places' names here.
    ancestors_NL
        Row of the place at each level from the top down to the place itself, then -1; int32 (N, levels).
    """

    ids: Sequence[str]
    paths: Mapping[str, Sequence[str]]
    ancestors_NL: NDArray[np.int32]

    @property
    def n_places(self) -> int:
        """N."""
        return len(self.ids)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Id, or path in any of the languages in small letters → row."""
        named = {path.lower(): row for paths in self.paths.values() for row, path in enumerate(paths)}
        return {one: row for row, one in enumerate(self.ids) if one} | named

    def find(self, written: str) -> int | None:
        """Return the row of a place by its id or its path in any language; None where there is none."""
        plain = DIVIDER.join(split_path(written))
        return self.row_of.get(written.strip(), self.row_of.get(plain.lower()))


def read_taxonomy(folder: str | Path) -> Taxonomy:
    """Return the taxonomy of a folder; a place whose own line is missing is taken from the paths below it.

    Raises
    ------
    ShopError
        When the folder or a file of it can't be read.
    """
    told = category_paths(folder)
    english = {DIVIDER.join(split_path(path)): gid for gid, path in told["en"].items()}
    places = {tuple(path.split(DIVIDER)) for path in english}
    places |= {place[:end] for place in places for end in range(1, len(place))}
    ordered = sorted(places, key=lambda place: (len(place), place))
    row_of = {place: row for row, place in enumerate(ordered)}
    ids = [english.get(DIVIDER.join(place), "") for place in ordered]
    ancestors_NL = np.full((len(ordered), max(map(len, ordered), default=1)), -1, np.int32)
    for row, place in enumerate(ordered):
        ancestors_NL[row, : len(place)] = [row_of[place[:end]] for end in range(1, len(place) + 1)]
    paths = {"en": [DIVIDER.join(place) for place in ordered]}
    for language in told.keys() - {"en"}:
        spoken = (told[language].get(gid, "") for gid in ids)
        paths[language] = [path or paths["en"][row] for row, path in enumerate(spoken)]
    return Taxonomy(ids=ids, paths=paths, ancestors_NL=ancestors_NL)
