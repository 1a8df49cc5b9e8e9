from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import ClockError
from huaxiang.profile.state import (
    CHANNELS,
    EMPTY_STATE,
    LIGHT,
    N_BOUGHT,
    N_LIGHT,
    N_STRONG,
    PURCHASE,
    STRONG,
    StateEvent,
    Totals,
)
from huaxiang.profile.update import content_hash, event_key, milliseconds, state_event, update
from huaxiang.records import Event, EventType, Value
from shopping import event_lists, grown

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIEW = EventType.VIEW_ITEM.code


def purchases(n: int, *, n_items: int) -> list[StateEvent]:
    return [StateEvent(n_th * 1_000, n_th, PURCHASE, item_no=n_th * 7 % n_items) for n_th in range(n)]


@given(event_lists(), st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_bytes(events: list[StateEvent], random) -> None:
    shuffled = random.sample(events, len(events))
    assert grown(shuffled).to_bytes() == grown(events).to_bytes()


@pytest.mark.parametrize(("n", "n_items"), [(400, 30), (2_500, 2_400), (2_500, 1_030)])
def test_many_purchases_in_any_order_give_the_same_state(n: int, n_items: int) -> None:
    events = purchases(n, n_items=n_items)
    middle_out = sorted(events, key=lambda event: abs(event.occurred_ms - 1_000_000))
    assert grown(events) == grown(events[::-1]) == grown(middle_out)


def test_the_newest_of_either_kind_are_kept() -> None:
    looks = [StateEvent(ms, ms, VIEW, item_no=1) for ms in range(200)]
    state = grown([*purchases(200, n_items=9), *looks])
    assert [event.key for event in state.strong] == list(range(200 - N_STRONG, 200))
    assert [event.key for event in state.light] == list(range(200 - N_LIGHT, 200))
    assert [event.occurred_ms for event in state.events()] == sorted(e.occurred_ms for e in state.events())


def test_what_was_bought_is_remembered_when_its_purchase_made_room() -> None:
    state = grown(purchases(5_000, n_items=1_500))
    assert len(state.bought) == N_BOUGHT
    last = {event.item_no: event.occurred_ms for event in purchases(5_000 - N_STRONG, n_items=1_500)}
    assert dict(state.bought) == dict(sorted(last.items(), key=lambda pair: pair[1])[-N_BOUGHT:])
    assert state.bought_items() == {*state.bought, *(event.item_no for event in state.strong)}


def test_impressions_consent_and_aliases_change_nothing() -> None:
    for kind in (EventType.VIEW_ITEM_LIST, EventType.CONSENT, EventType.ALIAS):
        event, totals = state_event(Event(event_id="e", shopper_id="s", type=kind, occurred_at=NOON))
        assert update(EMPTY_STATE, event, totals=totals) is EMPTY_STATE


def test_every_type_is_strong_or_light_or_stays_in_the_log() -> None:
    outside = {EventType.VIEW_ITEM_LIST.code, EventType.CONSENT.code, EventType.ALIAS.code}
    assert STRONG | LIGHT | outside == set(range(17)) and not STRONG & LIGHT


def test_a_refund_takes_units_and_spend_back() -> None:
    worth = Value(quantity=3, price_minor=250)
    bought = Event(event_id="1", shopper_id="s", type=EventType.PURCHASE, occurred_at=NOON, value=worth)
    back = Event(event_id="2", shopper_id="s", type=EventType.REFUND, occurred_at=NOON, value=worth)
    state = EMPTY_STATE
    for event in (back, bought):
        kept, totals = state_event(event, item_no=4)
        state = update(state, kept, totals=totals)
    noon_ms = milliseconds(NOON)
    assert state.totals == Totals(noon_ms, noon_ms, n_orders=1, n_units=0, spend_minor=0, n_events=2)


def test_an_event_is_kept_in_whole_numbers() -> None:
    event = Event(
        event_id="e-1",
        shopper_id="s",
        type=EventType.REVIEW,
        occurred_at=NOON,
        text="runs small",
        value=Value(rating=3.5),
        utc_offset_minutes=-210,
        context={"channel": "App"},
    )
    kept, _ = state_event(event, item_no=8)
    assert kept == StateEvent(
        occurred_ms=milliseconds(NOON),
        key=event_key("e-1"),
        type=EventType.REVIEW.code,
        item_no=8,
        rating=35,
        content=content_hash("runs small"),
        offset_quarters=-14,
        channel=CHANNELS.index("app"),
    )


def test_a_refund_of_what_was_not_as_described_speaks_against_the_item() -> None:
    reason = {"reason": "not_as_described"}
    event = Event(event_id="e", shopper_id="s", type=EventType.REFUND, occurred_at=NOON, context=reason)
    assert state_event(event)[0].rating == 10


def test_an_event_without_a_time_needs_an_ordinal() -> None:
    event = Event(event_id="e", shopper_id="s", type=EventType.PURCHASE)
    assert state_event(event, ordinal=6)[0].occurred_ms == 6
    with pytest.raises(ClockError, match="occurred_at"):
        state_event(event)


def test_lines_of_a_known_order_count_once() -> None:
    event = Event(event_id="e", shopper_id="s", type=EventType.PURCHASE, occurred_at=NOON, order_id="o")
    assert state_event(event, new_order=True)[1].n_orders == 1
    assert state_event(event, new_order=False)[1].n_orders == 0


def test_hashes_that_are_known_already_change_nothing() -> None:
    event = Event(event_id="e", shopper_id="s", type=EventType.SEARCH, occurred_at=NOON, query="red dress")
    hashes = (event_key("e"), content_hash("red dress"))
    assert state_event(event, hashes=hashes) == state_event(event)
