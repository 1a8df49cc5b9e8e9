"""Items, one shopper's events and their interests as points on a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix, Profile
from huaxiang.shop.catalogue import Catalogue

N_GROUPS = 7


def places_of(
    catalogue: Catalogue,
    fused_ID: Matrix,
    profile: Profile,
    item_rows: Sequence[int],
    *,
    seed: int,
    most_items: int = 1200,
) -> dict[str, Any]:
    """Return points along the two directions in which items differ most (their principal components).

    Parameters
    ----------
    item_rows
        What the shopper did something with.
    most_items
        A larger catalogue is sampled.
    """
    centre_D = fused_ID.mean(axis=0)
    sample = np.random.default_rng(seed).permutation(catalogue.n_items)[:most_items]
    _, _, axes_DD = np.linalg.svd(fused_ID[sample] - centre_D, full_matrices=False)

    def placed(vectors_ND: Matrix) -> NDArray[np.float64]:
        return np.asarray((vectors_ND - centre_D) @ axes_DD[:2].T, dtype=np.float64)

    points_I2 = placed(fused_ID)
    own = sorted(set(item_rows))
    return {
        "groups": [
            {"name": name, "names": names, **_columns(points_I2[rows])}
            for name, names, rows in _by_category(catalogue, sample)
        ],
        "events": _columns(points_I2[own]),
        "interests": [
            {
                "name": interest.name,
                "names": dict(interest.names),
                "x": float(point[0]),
                "y": float(point[1]),
            }
            for interest in profile.interests
            for point in placed(interest.vector[None])
        ],
    }


def _by_category(
    catalogue: Catalogue, sample: NDArray[np.int64]
) -> list[tuple[str | None, dict[str, str], NDArray[np.int64]]]:
    """Return the biggest categories with their items in the sample, the rest as one group without a name.

    Each is what it is, what English and Chinese call it, and its item rows.
    """
    dimension = catalogue.dimensions.get("category")
    if dimension is None or not len(dimension.value_rows):
        return [(None, {}, sample)]
    has_I = np.diff(dimension.offsets) > 0
    category_I = np.full(catalogue.n_items, -1)
    category_I[has_I] = dimension.value_rows[dimension.offsets[:-1][has_I]]
    counts_V = np.bincount(category_I[sample][category_I[sample] >= 0], minlength=len(dimension.values))
    biggest = np.argsort(-counts_V, kind="stable")[:N_GROUPS]
    groups: list[tuple[str | None, dict[str, str], NDArray[np.int64]]] = [
        (None, {}, sample[~np.isin(category_I[sample], biggest)])
    ]
    for value in biggest.tolist():
        called = {language: dimension.label(value, language=language) for language in ("en", "zh")}
        groups.append((dimension.values[value], called, sample[category_I[sample] == value]))
    return [group for group in groups if len(group[-1])]


def _columns(points_N2: NDArray[np.float64]) -> dict[str, list[float]]:
    return {"x": points_N2[:, 0].round(4).tolist(), "y": points_N2[:, 1].round(4).tolist()}
