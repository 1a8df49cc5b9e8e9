"""What is watched for drift: kinds of events, what they are about and what is bought, prices, and scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huaxiang.feedback.drift import Seen
from huaxiang.records import EVENT_TYPES, EventType
from huaxiang.shop.catalogue import Catalogue, Dimension

_SHOWN, _BOUGHT = EventType.VIEW_ITEM_LIST.code, EventType.PURCHASE.code
OF_PURCHASES = ("category", "brand")
"""Dimensions that are watched a second time, over purchases alone."""


def seen_in(
    types_E: NDArray[np.integer],
    item_rows_E: NDArray[np.integer],
    catalogue: Catalogue,
    *,
    scores: ArrayLike = (),
) -> Seen:
    """Return what is counted of some events.

    Impressions are what the shop did and not what shoppers did: they are left out.

    Parameters
    ----------
    types_E, item_rows_E
        `EventType.code` and row in the catalogue, -1 for none; (E,) each.
    scores
        Of the items that were listed in the same time; none where no list was made.
    """
    is_theirs_E = types_E != _SHOWN
    types_E, rows_E = types_E[is_theirs_E], item_rows_E[is_theirs_E]
    n_of_I = _per_item(rows_E, catalogue)
    n_bought_I = _per_item(rows_E[types_E == _BOUGHT], catalogue)
    prices_I = np.where(catalogue.price_minor >= 0, catalogue.price_minor, np.nan)
    numbers = {
        "price": np.repeat(prices_I, n_of_I.astype(np.int64)),
        "score": np.asarray(scores, dtype=float),
    }
    return Seen(
        values={
            "event type": _types(types_E),
            **{name: _values(dimension, n_of_I) for name, dimension in catalogue.dimensions.items()},
            **{
                f"bought {name}": _values(catalogue.dimensions[name], n_bought_I)
                for name in OF_PURCHASES
                if name in catalogue.dimensions
            },
        },
        numbers={name: found for name, found in numbers.items() if np.isfinite(found).any()},
    )


def _per_item(rows_E: NDArray[np.integer], catalogue: Catalogue) -> NDArray[np.float64]:
    return np.bincount(rows_E[rows_E >= 0], minlength=catalogue.n_items).astype(np.float64)


def _types(types_E: NDArray[np.integer]) -> Mapping[str, float]:
    counts = np.bincount(types_E, minlength=len(EVENT_TYPES))
    return {kind.value: float(counts[kind.code]) for kind in EVENT_TYPES if counts[kind.code]}


def _values(dimension: Dimension, n_of_I: NDArray[np.float64]) -> Mapping[str, float]:
    n_of_entry = np.repeat(n_of_I, np.diff(dimension.offsets)) * dimension.weights
    counts_V = np.bincount(dimension.value_rows, n_of_entry, minlength=len(dimension.values))
    return {str(dimension.values[row]): float(counts_V[row]) for row in np.flatnonzero(counts_V).tolist()}
