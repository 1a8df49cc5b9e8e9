"""Small histories for the tests of states: written out, and drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.update import update
from huaxiang.records import EVENT_TYPES, EventType

YEAR_MS = 365 * 86_400_000
KEPT_TYPES = [
    kind.code
    for kind in EVENT_TYPES
    if kind not in (EventType.VIEW_ITEM_LIST, EventType.CONSENT, EventType.ALIAS)
]


def totals_of(event: StateEvent) -> Totals:
    sign = {EventType.PURCHASE.code: 1, EventType.REFUND.code: -1}.get(event.type, 0)
    units = sign * event.quantity
    return Totals(event.occurred_ms, event.occurred_ms, int(sign > 0), units, 250 * units, 1)


def grown(events: Sequence[StateEvent], *, state: ProfileState | None = None) -> ProfileState:
    """Return the state grown event by event, in the order given."""
    state = state or ProfileState()
    for event in events:
        state = update(state, event, totals=totals_of(event))
    return state


def state_events() -> st.SearchStrategy[StateEvent]:
    return st.builds(
        StateEvent,
        occurred_ms=st.one_of(st.integers(0, 20), st.integers(0, YEAR_MS)),
        key=st.integers(0, 2**40 - 1),
        type=st.sampled_from(KEPT_TYPES),
        item_no=st.integers(-1, 60),
        rating=st.sampled_from([0, 10, 35, 50]),
        quantity=st.integers(0, 9),
        content=st.sampled_from([0, 0, 12, 2**63 - 1]),
        offset_quarters=st.integers(-48, 56),
        channel=st.integers(0, 10),
    )


def event_lists() -> st.SearchStrategy[list[StateEvent]]:
    return st.lists(state_events(), max_size=40, unique_by=lambda event: event.key)
