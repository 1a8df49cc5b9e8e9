"""What a shopper usually does, as plain numbers: how recently, how often, for how much, and when.

The same numbers for everybody and at any moment, from the bounded state alone. `reference.py` measures them
against the shop's other shoppers; alone they are in days, events and money, as log(1 + x) where they count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.acts import DAY_MS, Acts
from huaxiang.profile.state import PURCHASE, ProfileState
from huaxiang.records import EVENT_TYPES, Vector

Floats = NDArray[np.float64]

HALF_LIVES_DAYS = (7, 30, 90, 365)
"""Sums in which an event counts half after so many days."""
WINDOWS_DAYS = (3, 7, 14, 21, 28, 42, 56, 84, 112, 168)
"""Plain sums over the newest days."""
N_KINDS = 14

LIFETIME = (
    "recency_days", "known_days", "orders", "units", "spend", "events", "spend_an_order", "units_an_order",
    "order_gap_days", "overdue", "distinct_items", "likings", "dislikings",
)  # fmt: skip
HABITS = (
    *LIFETIME,
    *(f"{what}_fading_{days}" for days in HALF_LIVES_DAYS for what in ("days_bought", "spend", "events")),
    *(f"{what}_last_{days}" for days in WINDOWS_DAYS for what in ("days_bought", "spend")),
    "offset_hours",
    "night",
    "weekend",
    *(f"share_{kind.value}" for kind in EVENT_TYPES[:N_KINDS]),
)
"""Names of the numbers. Spend of the lifetime is what was paid; of a window, units times the usual price."""

N_HABITS = len(HABITS)
N_LOGS = len(LIFETIME) + 3 * len(HALF_LIVES_DAYS) + 2 * len(WINDOWS_DAYS)
"""The first so many are log(1 + x)."""


def habits_of(state: ProfileState, acts: Acts, *, quantity_E: NDArray[np.int64], price_I: Vector) -> Vector:
    """Return the habits that a state shows, float32, (H,) as `HABITS` names them.

    Parameters
    ----------
    acts
        The state's events as of the moment that ages are counted from.
    quantity_E
        Units of each of these events.
    price_I
        Usual price of each item in minor units, for what was spent lately; items beyond it cost nothing.
    """
    numbers = np.zeros(N_HABITS)
    if not len(acts):
        return numbers.astype(np.float32)
    is_bought_E = (acts.type_E == PURCHASE) & (acts.like_E > 0)
    numbers[: len(LIFETIME)] = _lifetime(state, acts)
    if not acts.order_only:
        spend_E = _spend(acts, is_bought_E, quantity_E, price_I)
        is_day_E = is_bought_E & _is_newest_of_day(acts, is_bought_E)
        numbers[len(LIFETIME) : N_LOGS] = _lately(acts.age_E, is_day_E, spend_E)
        numbers[N_LOGS : N_LOGS + 3] = clock_of(acts)
    numbers[:N_LOGS] = np.log1p(np.maximum(numbers[:N_LOGS], 0))
    numbers[-N_KINDS:] = np.bincount(acts.type_E, minlength=len(EVENT_TYPES))[:N_KINDS] / len(acts)
    return numbers.astype(np.float32)


def quantities_of(state: ProfileState) -> NDArray[np.int64]:
    """Return the units of each event of a state, oldest first, (E,)."""
    return np.array([event.quantity for event in state.events()], np.int64)


def _lifetime(state: ProfileState, acts: Acts) -> tuple[float, ...]:
    totals = state.totals
    is_timed = not acts.order_only
    recency = float(acts.age_E.min()) if is_timed else 0.0
    active_days = (totals.last_seen_ms - totals.first_seen_ms) / DAY_MS if is_timed else 0.0
    gap_days = active_days / max(1, totals.n_orders - 1)
    spend, n_orders = totals.spend_minor / 100, max(1, totals.n_orders)
    return (
        recency,
        recency + active_days,
        totals.n_orders,
        totals.n_units,
        spend,
        totals.n_events,
        spend / n_orders,
        totals.n_units / n_orders,
        gap_days,
        recency / max(gap_days, 1.0),
        len(np.unique(acts.item_E[acts.item_E >= 0])),
        int((acts.like_E > 0).sum()),
        int((acts.dislike_E > 0).sum()),
    )


def _spend(
    acts: Acts, is_bought_E: NDArray[np.bool_], quantity_E: NDArray[np.int64], price_I: Vector
) -> Floats:
    is_priced_E = is_bought_E & (acts.item_E >= 0) & (acts.item_E < len(price_I))
    spend_E = np.zeros(len(acts))
    spend_E[is_priced_E] = quantity_E[is_priced_E] * price_I[acts.item_E[is_priced_E]] / 100
    return spend_E


def _is_newest_of_day(acts: Acts, is_bought_E: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether each event is the last purchase of its day, (E,)."""
    bought = np.flatnonzero(is_bought_E)
    day_B = acts.ms_E[bought] // DAY_MS
    is_newest_E = np.zeros(len(acts), np.bool_)
    is_newest_E[bought[np.append(day_B[1:] != day_B[:-1], True)[: len(bought)]]] = True
    return is_newest_E


def _lately(age_E: Floats, is_day_E: NDArray[np.bool_], spend_E: Floats) -> Floats:
    fading_EL = np.exp2(-age_E[:, None] / np.array(HALF_LIVES_DAYS))
    within_EW = (age_E[:, None] <= np.array(WINDOWS_DAYS)).astype(np.float64)
    fading_3E = np.stack([is_day_E, spend_E, np.ones(len(age_E))])
    faded_L3 = (fading_3E @ fading_EL).T
    recent_W2 = (fading_3E[:2] @ within_EW).T
    return np.concatenate([faded_L3.ravel(), recent_W2.ravel()])


def clock_of(acts: Acts) -> tuple[float, float, float]:
    """Return the newest offset from UTC in hours, and the shares of events at night and at the weekend."""
    local_ms_E = acts.ms_E + acts.offset_quarters_E * 900_000
    hour_E = local_ms_E // 3_600_000 % 24
    weekday_E = (local_ms_E // DAY_MS + 3) % 7
    night = float(((hour_E >= 22) | (hour_E < 6)).mean())
    return float(acts.offset_quarters_E[-1]) / 4, night, float((weekday_E >= 5).mean())
