"""What was claimed, held against what is true: facets against later purchases, lists against tastes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.evaluate.measure import Measurement
from huaxiang.metrics import calibration, value_shares
from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.histories import take_events
from huaxiang.records import Profile
from huaxiang.shop.catalogue import Catalogue, Dimension

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


def list_calibration(one: Measurement, had: Histories, dimension: Dimension | None) -> float | None:
    """Return how far lists divide otherwise over a dimension's values than what the shoppers had, in nats.

    Mean over shoppers who had, and are listed, items with values; None where nobody is. 0 is a list that
    gives each liking the room that it has in the shopper's own history.

    Source
    ------
    Steck, Calibrated recommendations, RecSys 2018, section 3.
    """
    if dimension is None:
        return None
    entries = (dimension.weights.astype(float), dimension.value_rows, dimension.offsets)
    shares_IV = csr_matrix(entries, shape=(len(dimension.offsets) - 1, len(dimension.values)))
    about_item = take_events(had, had.item_rows != NO_ITEM)
    taste_UV = value_shares(about_item.offsets, about_item.item_rows, shares_IV)
    is_listed_UK = one.top_UK >= 0
    ends_U = np.concatenate([[0], np.cumsum(is_listed_UK.sum(axis=1))])
    listed_UV = value_shares(ends_U, one.top_UK[is_listed_UK], shares_IV)
    has_both_U = taste_UV.any(axis=1) & listed_UV.any(axis=1)
    return (
        float(calibration(taste_UV[has_both_U], listed_UV[has_both_U]).mean()) if has_both_U.any() else None
    )


def _share(
    rows: NDArray[np.int32], offsets: NDArray[np.int64], values: NDArray[np.int32], value: int
) -> float | None:
    """Return the share of the items that have `value`, among those with any value of its dimension."""
    having = [values[offsets[row] : offsets[row + 1]] for row in rows]
    having = [own for own in having if len(own)]
    return sum(value in own for own in having) / len(having) if having else None
