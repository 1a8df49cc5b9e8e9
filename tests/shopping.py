"""Small histories for the tests of states: written out, and drawn by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl
from hypothesis import strategies as st

from huaxiang.profile.state import ProfileState, StateEvent, Totals
from huaxiang.profile.states import States
from huaxiang.profile.update import state_event, update
from huaxiang.records import EVENT_TYPES, Event, EventType
from huaxiang.shop.base import EVENT_COLUMNS

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


def row_of(event: Event) -> dict[str, object]:
    """Return the event as readers write it into the table."""
    item_row = -1 if event.item_id is None else int(event.item_id)
    rest = {name: value for name, value in event.context.items() if name != "channel"}
    return {
        "event_id": event.event_id,
        "shopper_id": event.shopper_id,
        "type": event.type.code,
        "item_row": item_row,
        "text": event.query or event.text,
        "image": event.image,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "quantity": event.value.quantity,
        "price_minor": event.value.price_minor,
        "rating": event.value.rating,
        "order_id": event.order_id,
        "new_order": event.type is EventType.PURCHASE,
        "utc_offset_minutes": event.utc_offset_minutes,
        "channel": event.context.get("channel"),
        "context": json.dumps(rest, ensure_ascii=False) if rest else None,
    }


def table(events: Sequence[Event]) -> pl.DataFrame:
    rows = pl.DataFrame([row_of(event) for event in events], schema_overrides=dict(EVENT_COLUMNS))
    return rows if rows.width else pl.DataFrame(schema=dict(EVENT_COLUMNS))


def one_by_one(events: Sequence[Event], *, order_only: bool = False) -> dict[str, ProfileState]:
    states: dict[str, ProfileState] = {}
    for event in events:
        state = states.get(event.shopper_id, ProfileState(order_only=order_only))
        item_no = -1 if event.item_id is None else int(event.item_id)
        ordinal = state.totals.n_events if order_only else None
        kept, totals = state_event(event, item_no=item_no, ordinal=ordinal)
        states[event.shopper_id] = update(state, kept, totals=totals)
    return {shopper_id: state for shopper_id, state in states.items() if state.totals.n_events}


def same_bytes(states: States, expected: dict[str, ProfileState]) -> bool:
    found = {shopper_id: states.state(shopper_id).to_bytes() for shopper_id in states.shopper_ids}
    return found == {shopper_id: expected[shopper_id].to_bytes() for shopper_id in sorted(expected)}
