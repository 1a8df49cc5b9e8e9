"""How much each event of a history counts: by what it was, and by how much happened since."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.errors import SettingsError
from huaxiang.ranking.effects import Effects
from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.records import EVENT_TYPES, EventType

TYPE_WEIGHTS: Mapping[EventType, float] = {
    EventType.PURCHASE: 1.0,
    EventType.REVIEW: 1.0,
    EventType.RATE: 1.0,
    EventType.STATE: 1.0,
    EventType.ADD_TO_WISHLIST: 0.7,
    EventType.ADD_TO_CART: 0.5,
    EventType.SEARCH: 0.4,
    EventType.SELECT_ITEM: 0.25,
    EventType.VIEW_ITEM: 0.2,
    EventType.DISLIKE: -1.0,
}
"""What one event says about the taste of its shopper, with a purchase as 1. Types not named count nothing."""


def type_weights(
    histories: Histories, table: Mapping[EventType, float] = TYPE_WEIGHTS
) -> NDArray[np.float32]:
    """Return the weight of each event by its type, (E,)."""
    return (_BY_CODE if table is TYPE_WEIGHTS else _by_code(table))[histories.types]


def _by_code(table: Mapping[EventType, float]) -> NDArray[np.float32]:
    return np.array([table.get(kind, 0.0) for kind in EVENT_TYPES], dtype=np.float32)


_BY_CODE = _by_code(TYPE_WEIGHTS)


def faded_weights(
    histories: Histories, *, step_decay: float, half_life_days: float | None = None
) -> NDArray[np.float32]:
    """Return the weight of each event, (E,): its type's, `step_decay` for each moment since, halved by time.

    Examples
    --------
    >>> from huaxiang.recommend.histories import histories_of
    >>> faded_weights(histories_of([[1, 2, 3]]), step_decay=0.5)
    array([0.25, 0.5 , 1.  ], dtype=float32)
    """
    weights_E = type_weights(histories) * step_decay**histories.steps_back
    if half_life_days is not None:
        weights_E = weights_E * 0.5 ** (histories.days_back / half_life_days)
    return np.asarray(weights_E, dtype=np.float32)


def weights_at_items(histories: Histories, weights_E: NDArray[np.float32], n_items: int) -> Effects:
    """Return the events as (E, I): row `e` has its weight at its item, or nothing."""
    about_item = np.flatnonzero((histories.item_rows != NO_ITEM) & (weights_E != 0))
    items, weights = histories.item_rows[about_item], weights_E[about_item]
    return Effects(about_item, items, weights.astype(np.float32), (len(weights_E), n_items))


def item_weights(histories: Histories, weights_E: NDArray[np.float32], n_items: int) -> csr_matrix:
    """Return the events as a sparse (E, I) matrix: row `e` has its weight at its item, or nothing."""
    return weights_at_items(histories, weights_E, n_items).matrix()


def sum_by_shopper(histories: Histories, rows_EI: csr_matrix) -> csr_matrix:
    """Return the sum of the event rows of each shopper, sparse (U, I)."""
    events = np.arange(len(histories.item_rows))
    ones = np.ones(len(events), dtype=np.float32)
    shape = (histories.n_shoppers, len(events))
    return csr_matrix((ones, events, histories.offsets), shape=shape) @ rows_EI


def taken_by_shopper(histories: Histories, n_items: int) -> csr_matrix:
    """Return what each shopper liked, sparse (U, I): 1 where something was bought, less where only looked at.

    What was disliked is left out.
    """
    liking_EI = item_weights(histories, np.maximum(type_weights(histories), 0), n_items)
    return csr_matrix(sum_by_shopper(histories, liking_EI).minimum(1.0))


def check_share(name: str, value: float) -> None:
    """Raise `SettingsError` unless `value` lies in (0, 1]."""
    if not 0 < value <= 1:
        raise SettingsError("out of range", column=name, value=str(value), remedy="give a number in (0, 1]")


def check_positive(name: str, value: float | None) -> None:
    """Raise `SettingsError` unless `value` is above 0, or None."""
    if value is not None and not value > 0:
        raise SettingsError("out of range", column=name, value=str(value), remedy="give a number above 0")
