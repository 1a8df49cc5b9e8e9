"""One more event as a few bytes: what a cache appends to a state without reading it first.

A state is read far less often than events arrive, so a cache keeps the state as it last was and the steps
since. Whoever reads takes the steps; who took many puts the state back without them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from huaxiang.errors import ArtefactError
from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.update import update

_LAYOUT = struct.Struct("<BqQBiBIQbBbiq")
_VERSION = 1
STEP_BYTES = _LAYOUT.size
"""Length of every step."""

_LONGEST = (1 << 32) - 1


def packed_step(event: Sequence[int], sums: Sequence[int]) -> bytes:
    """Return an event and what it adds as bytes, `STEP_BYTES` of them.

    Parameters
    ----------
    event
        A `StateEvent`, or its fields (`update.state_fields`).
    sums
        Orders, units and spend (`update.sums_of`).

    Examples
    --------
    >>> event = StateEvent(1_000, key=7, type=2, item_no=3)
    >>> unpacked_step(packed_step(event, (0, 0, 0)))[0] == event
    True
    """
    try:
        return _LAYOUT.pack(_VERSION, *event, *sums)
    except struct.error:  # a quantity that no shop sells
        kept = StateEvent(*event)
        return _LAYOUT.pack(_VERSION, *kept._replace(quantity=min(kept.quantity, _LONGEST)), *sums)


def unpacked_step(stored: bytes) -> tuple[StateEvent, Totals]:
    """Return the event and what it adds to the lifetime sums.

    Raises
    ------
    ArtefactError
        When the bytes are no step, or one of a newer version.
    """
    if len(stored) != STEP_BYTES or stored[0] != _VERSION:
        raise ArtefactError("bytes are not a step of a state", remedy="build the states again from the log")
    _, *event, n_orders, n_units, spend_minor = _LAYOUT.unpack(stored)
    kept = StateEvent(*event)
    return kept, Totals(kept.occurred_ms, kept.occurred_ms, n_orders, n_units, spend_minor, 1)


def take_steps(state: ProfileState, steps: Iterable[bytes]) -> ProfileState:
    """Return the state after the steps; in a shop that knows only an order, they come in the log's order."""
    for stored in steps:
        event, totals = unpacked_step(stored)
        if state.order_only:
            ordinal = state.totals.n_events
            event = event._replace(occurred_ms=ordinal)
            totals = totals._replace(first_seen_ms=ordinal, last_seen_ms=ordinal)
        state = update(state, event, totals=totals)
    return state
