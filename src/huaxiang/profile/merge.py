"""Two ids turn out to be one shopper: the union of their states.

A state keeps the newest events of a set. The newest of a union are among the newest of its parts, so nothing
is lost by joining states instead of logs: the result equals, byte for byte, the state of all the events.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from huaxiang.profile.state import N_BOUGHT, N_LIGHT, N_STRONG, NO_ITEM, PURCHASE, ProfileState, StateEvent


def merge_states(states: Iterable[ProfileState]) -> ProfileState:
    """Return the state of all the events of several ids; the order of the ids does not matter.

    Examples
    --------
    >>> from huaxiang.profile.state import Totals
    >>> seen = [StateEvent(2_000, 1, 2, item_no=3), StateEvent(1_000, 2, 2, item_no=5)]
    >>> parts = [ProfileState(light=(event,), totals=Totals(n_events=1)) for event in seen]
    >>> [event.item_no for event in merge_states(parts).events()]
    [5, 3]
    """
    return reduce(_merged, states, ProfileState())


def _merged(first: ProfileState, second: ProfileState) -> ProfileState:
    if not first.totals.n_events or not second.totals.n_events:
        return first if first.totals.n_events else second
    strong, left = _newest(first.strong + second.strong, N_STRONG)
    light, _ = _newest(first.light + second.light, N_LIGHT)
    return ProfileState(
        strong=strong,
        light=light,
        bought=_newest_bought(first.bought, second.bought, left),
        totals=first.totals.plus(second.totals),
        order_only=first.order_only or second.order_only,
    )


def _newest(
    events: tuple[StateEvent, ...], room_for: int
) -> tuple[tuple[StateEvent, ...], tuple[StateEvent, ...]]:
    """Return the newest events, oldest first, and those that there was no room for."""
    ordered = tuple(sorted(events))
    n_left = max(len(ordered) - room_for, 0)
    return ordered[n_left:], ordered[:n_left]


def _newest_bought(
    first: dict[int, int], second: dict[int, int], left: tuple[StateEvent, ...]
) -> dict[int, int]:
    """Return when items were last bought, of both and of the purchases that had to leave."""
    bought = dict(first)
    purchases = (
        (event.item_no, event.occurred_ms)
        for event in left
        if event.type == PURCHASE and event.item_no != NO_ITEM
    )
    for item_no, occurred_ms in (*second.items(), *purchases):
        bought[item_no] = max(occurred_ms, bought.get(item_no, occurred_ms))
    by_time = sorted(bought.items(), key=lambda pair: (pair[1], pair[0]))
    return dict(by_time[max(len(by_time) - N_BOUGHT, 0) :])
