"""What facets claimed before a moment, held against what was bought after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Profile
from huaxiang.shop.catalogue import Catalogue

FEWEST_CLAIMS = 50


def facet_calibration(
    profiles: Sequence[Profile],
    bought: Sequence[NDArray[np.int32]],
    catalogue: Catalogue,
    *,
    n_bins: int = 8,
) -> list[dict[str, float]]:
    """Return claimed and later shares in bins of equal size, for inferred likings; empty where there are few.

    Parameters
    ----------
    profiles
        Of shoppers as of a moment.
    bought
        Rows of the items that each of them took after it.
    """
    claimed: list[float] = []
    happened: list[float] = []
    for profile, rows in zip(profiles, bought, strict=True):
        for facet in profile.facets:
            dimension = catalogue.dimensions.get(facet.dimension)
            if dimension is None or facet.side == "disliked" or facet.source != "inferred":
                continue
            later = _share(
                rows, dimension.offsets, dimension.value_rows, dimension.row_of.get(facet.value, -1)
            )
            if later is not None:
                claimed.append(facet.share)
                happened.append(later)
    if len(claimed) < FEWEST_CLAIMS:
        return []
    order = np.argsort(claimed)
    return [
        {
            "claimed": float(np.take(claimed, part).mean()),
            "happened": float(np.take(happened, part).mean()),
            "n": len(part),
        }
        for part in np.array_split(order, n_bins)
    ]


def _share(
    rows: NDArray[np.int32], offsets: NDArray[np.int64], values: NDArray[np.int32], value: int
) -> float | None:
    """Return the share of the items that have `value`, among those with any value of its dimension."""
    having = [values[offsets[row] : offsets[row + 1]] for row in rows]
    having = [own for own in having if len(own)]
    return sum(value in own for own in having) / len(having) if having else None
