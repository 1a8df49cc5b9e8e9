"""A state's events as arrays, with what each weighs for liking and for disliking."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.state import ProfileState
from huaxiang.profile.weights import Config
from huaxiang.records import EventType

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LIKED, DISLIKED = 0, 1
"""The two sides of a facet."""

DAY_MS = 86_400_000
N_FIELDS = 9
_SPREAD = 1_000_003
"""More than there are days, times two; overflow of a content's number is no harm."""

_DISLIKE, _REFUND = EventType.DISLIKE.code, EventType.REFUND.code
_TAKEN_BACK_BY = {
    _REFUND: EventType.PURCHASE.code,
    EventType.REMOVE_FROM_CART.code: EventType.ADD_TO_CART.code,
}


@dataclass(frozen=True, slots=True)
class Acts:
    """Events of one shopper (E), oldest first.

    Parameters
    ----------
    ms_E, key_E, type_E, item_E, content_E, offset_quarters_E
        As in `StateEvent`.
    age_E
        Days before `now`, not below 0; 0 throughout where the shop knows only an order.
    like_E, dislike_E
        w of the event's type on either side, before decay, in purchases.
    """

    ms_E: Ints
    key_E: Ints
    type_E: Ints
    item_E: Ints
    content_E: Ints
    offset_quarters_E: Ints
    age_E: Floats
    like_E: Floats
    dislike_E: Floats
    order_only: bool

    def __len__(self) -> int:
        return len(self.key_E)

    def newest_of_day(self) -> NDArray[np.bool_]:
        """Return whether an event that weighs is the newest of its (item or words, day, side), (E,).

        Only these count for confidence: looking ten times at one thing in a day is not ten things liked.
        """
        newest_E = np.zeros(len(self), np.bool_)
        weighs = np.flatnonzero(self.like_E + self.dislike_E)[::-1]
        thing = np.where(self.item_E >= 0, self.item_E, ~self.content_E)[weighs]
        day = 0 if self.order_only else self.ms_E[weighs] // DAY_MS
        _, first = np.unique(thing * _SPREAD + 2 * day + (self.dislike_E[weighs] > 0), return_index=True)
        newest_E[weighs[first]] = True
        return newest_E


def acts_of(state: ProfileState, *, n_items: int, now_ms: int, config: Config) -> Acts:
    """Return the state's events weighed as of `now_ms`; those about items beyond `n_items` weigh nothing."""
    events = state.events()
    cells = np.fromiter(chain.from_iterable(events), np.int64, N_FIELDS * len(events))
    ms_E, key_E, type_E, item_E, rating_E, quantity_E, content_E, offset_E = cells.reshape(-1, N_FIELDS).T[:8]
    age_E = np.zeros(len(events)) if state.order_only else np.maximum(now_ms - ms_E, 0) / DAY_MS
    like_E, dislike_E = weigh(type_E, rating_E, config=config)
    like_E[taken_back(type_E, item_E, quantity_E)] = 0.0
    like_E[item_E >= n_items] = dislike_E[item_E >= n_items] = 0.0
    return Acts(ms_E, key_E, type_E, item_E, content_E, offset_E, age_E, like_E, dislike_E, state.order_only)


def weigh(type_E: Ints, rating_E: Ints, *, config: Config) -> tuple[Floats, Floats]:
    """Return what events weigh for liking and for disliking, in purchases.

    `rating_E` is in tenths, 0 where none. A refund with a low rating says "not as described".

    Examples
    --------
    >>> codes = np.array([EventType.PURCHASE.code, EventType.RATE.code, EventType.REFUND.code])
    >>> weigh(codes, np.array([0, 10, 0]), config=Config())
    (array([1., 0., 0.]), array([0. , 0.7, 0. ]))
    """
    weight_E = config.type_weights[type_E]
    disliked = type_E == _DISLIKE
    if rating_E.any():
        is_rated = rating_E > 0
        is_low = is_rated & (rating_E <= 10 * config.low_rating)
        disliked |= is_low
        weight_E[is_rated & ~is_low & (rating_E < 10 * config.high_rating)] *= config.neutral_weight
    return np.where(disliked | (type_E == _REFUND), 0.0, weight_E), np.where(disliked, weight_E, 0.0)


def taken_back(type_E: Ints, item_E: Ints, quantity_E: Ints) -> list[int]:
    """Return the events that later ones took back: purchases by refunds, carts by removals.

    A refund takes back units of the newest earlier purchases of its item; a purchase none of whose units
    remain is cancelled. Quantities below 1 count as 1.

    Examples
    --------
    >>> bought, returned = EventType.PURCHASE.code, EventType.REFUND.code
    >>> taken_back(np.array([bought, bought, returned]), np.array([5, 6, 5]), np.array([2, 1, 2]))
    [0]
    """
    if not any((type_E == later).any() for later in _TAKEN_BACK_BY):
        return []
    open_units: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    cancelled = []
    for e, (kind, item, quantity) in enumerate(
        zip(type_E.tolist(), item_E.tolist(), quantity_E.tolist(), strict=True)
    ):
        units = max(1, quantity)
        if kind not in _TAKEN_BACK_BY:
            open_units[kind, item].append([e, units])
            continue
        stack = open_units[_TAKEN_BACK_BY[kind], item]
        while stack and units > 0:
            back = min(units, stack[-1][1])
            units -= back
            stack[-1][1] -= back
            if stack[-1][1] == 0:
                cancelled.append(stack.pop()[0])
    return cancelled
