"""Items as vectors of what the catalogue says of them: their values, families and place in the taxonomy.

The rows of the sparse table item × value, rare values weighing more, are turned so that values which stand
for the same items lie in the same direction (a truncated singular value decomposition, by random projection
and a few power steps). No behaviour is read, so an item that joins gets its vector from its own edges alone.

Source
------
Halko, Martinsson, Tropp, Finding structure with randomness, SIAM Review 2011, algorithms 4.3 and 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.errors import SettingsError
from huaxiang.knowledge.graph.tree import CATEGORY, FAMILY, TAXONOMY, Tree, split_path
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Catalogue, Dimension

_OVERSAMPLED = 10
_POWER_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the view.

    Parameters
    ----------
    use
        Whether the graph is one more modality in fusion.
    dimensions
        Width of the vectors; ≥ 1.
    level_weight
        What a family counts beside its category, and the next one above beside it. 0 to 1.
    """

    use: bool = False
    dimensions: int = 128
    level_weight: float = 0.5

    def __post_init__(self) -> None:
        if self.dimensions < 1 or not 0 <= self.level_weight <= 1:
            remedy = "dimensions is at least 1, level_weight 0 to 1"
            raise SettingsError("out of range", column="graph.vectors", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class GraphView:
    """What turns the edges of an item into its vector.

    Parameters
    ----------
    columns
        The values that count, as dimension and value joined by "=", (N,).
    weights_N
        How much each says: the logarithm of how rare it is.
    basis_ND
        Directions of the values.
    """

    columns: Sequence[str]
    weights_N: NDArray[np.float32]
    basis_ND: Matrix
    level_weight: float

    def vectors(self, catalogue: Catalogue, tree: Tree) -> Matrix:
        """Return one vector per item, float32, (I, D): rows of unit length, zero where nothing is said."""
        place = {name: column for column, name in enumerate(self.columns)}
        edges_IN = edges_of(catalogue, tree, place, level_weight=self.level_weight)
        return _unit(_unit_rows(edges_IN.multiply(self.weights_N[None, :]).tocsr()) @ self.basis_ND)


def learn_view(catalogue: Catalogue, tree: Tree, config: Config, *, seed: int = 0) -> GraphView | None:
    """Return the view of a catalogue; None where it says nothing that two items share.

    Examples
    --------
    >>> from huaxiang.knowledge.graph.tree import NO_TREE
    >>> nothing = Catalogue(item_ids=["mug"], titles={}, group_rows=np.zeros(1, "i4"),
    ...     price_minor=np.zeros(1, "i8"), in_stock=np.ones(1, bool), valid_from_ms=np.zeros(1, "i8"),
    ...     dimensions={})
    >>> learn_view(nothing, NO_TREE, Config()) is None
    True
    """
    place: dict[str, int] = {}
    edges_IN = edges_of(catalogue, tree, place, level_weight=config.level_weight)
    n_with_N = np.bincount(edges_IN.indices, minlength=edges_IN.shape[1])
    shared = np.flatnonzero(n_with_N >= 2)
    if not len(shared):
        return None
    names = list(place)
    weights_N = np.log(catalogue.n_items / n_with_N[shared]).astype(np.float32)
    rows_IN = _unit_rows(csr_matrix(edges_IN[:, shared].multiply(weights_N[None, :])))
    return GraphView(
        columns=[names[column] for column in shared],
        weights_N=weights_N,
        basis_ND=_directions(rows_IN, config.dimensions, seed=seed),
        level_weight=config.level_weight,
    )


def edges_of(catalogue: Catalogue, tree: Tree, place: dict[str, int], *, level_weight: float) -> csr_matrix:
    """Return how strongly each item has each value, sparse (I, N).

    Parameters
    ----------
    place
        Name of a value → its column; unknown ones are added where it is empty, and left out elsewhere.
    """
    is_open = not place
    items, columns, amounts = [], [], []
    for names_V, dimension in _values(catalogue, tree, level_weight):
        known = [name for names in names_V for name, _ in names if is_open or name in place]
        for name in known:
            place.setdefault(name, len(place))
        table = _table(names_V, place)
        owner = np.repeat(np.arange(catalogue.n_items), np.diff(dimension.offsets))
        own = csr_matrix(
            (dimension.weights * dimension.confidence, (owner, dimension.value_rows)),
            shape=(catalogue.n_items, len(names_V)),
        )
        found = (own @ table).tocoo()
        items.append(found.row)
        columns.append(found.col)
        amounts.append(found.data)
    shape = (catalogue.n_items, len(place))
    if not items:
        return csr_matrix(shape, dtype=np.float32)
    whole = (np.concatenate(amounts), (np.concatenate(items), np.concatenate(columns)))
    return csr_matrix(whole, shape=shape, dtype=np.float32)


Named = list[list[tuple[str, float]]]
"""For each value of a dimension the columns that it gives, and how much of each."""


def _values(catalogue: Catalogue, tree: Tree, level_weight: float) -> Iterator[tuple[Named, Dimension]]:
    if catalogue.places is not None:
        yield [_places(value, level_weight) for value in catalogue.places.values], catalogue.places
    for name, dimension in catalogue.dimensions.items():
        own: Named = [[(f"{name}={value}", 1.0)] for value in dimension.values]
        if name == CATEGORY:
            for row, value in enumerate(dimension.values):
                families = tree.families_of(tree.category_row_of[value])
                own[row] += [
                    (f"{FAMILY}={tree.paths[family]}", level_weight ** (up + 1))
                    for up, family in enumerate(families)
                ]
        yield own, dimension


def _places(value: str, level_weight: float) -> list[tuple[str, float]]:
    parts = split_path(value)
    return [
        (f"{TAXONOMY}={' > '.join(parts[: len(parts) - up])}", level_weight**up) for up in range(len(parts))
    ]


def _table(names_V: Named, place: dict[str, int]) -> csr_matrix:
    entries = [
        (row, place[name], amount)
        for row, names in enumerate(names_V)
        for name, amount in names
        if name in place and amount > 0
    ]
    rows, columns, amounts = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (len(names_V), len(place))
    return csr_matrix((np.array(amounts, np.float32), (rows, columns)), shape=shape)


def _directions(rows_IN: csr_matrix, dimensions: int, *, seed: int) -> Matrix:
    """Return the leading right singular vectors, (N, D), fewer than D where there are fewer values."""
    n = min(dimensions, *rows_IN.shape)
    width = min(n + _OVERSAMPLED, *rows_IN.shape)
    found = np.random.default_rng(seed).standard_normal((rows_IN.shape[1], width))
    for _ in range(_POWER_STEPS):
        found, _ = np.linalg.qr(rows_IN.T @ (rows_IN @ found))
    within_ID, _ = np.linalg.qr(rows_IN @ found)
    _, _, axes_DN = np.linalg.svd((rows_IN.T @ within_ID).T, full_matrices=False)
    axes_ND = axes_DN[:n].T
    largest = np.abs(axes_ND).argmax(axis=0)
    axes_ND = axes_ND * np.sign(axes_ND[largest, np.arange(n)])  # else the sign is the library's whim
    return np.asarray(axes_ND, dtype=np.float32)


def _unit_rows(rows: csr_matrix) -> csr_matrix:
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = np.repeat(1 / np.where(length > 0, length, 1.0), np.diff(rows.indptr))
    return csr_matrix((rows.data * scale, rows.indices, rows.indptr), shape=rows.shape)


def _unit(rows: Matrix) -> Matrix:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-9, length, 1.0), dtype=np.float32)
