from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.errors import ArtefactError, ClockError, UnknownShopperError
from huaxiang.profile.bulk import as_of, build_states
from huaxiang.profile.state import ProfileState, StateEvent
from huaxiang.profile.states import States
from huaxiang.records import EVENT_TYPES, Event, EventType, Value
from shopping import one_by_one, same_bytes, table

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOMY = settings(max_examples=60)


CONTEXTS = [
    {},
    {"channel": "web"},
    {"channel": "teleport", "device": "tv"},
    {"reason": "not_as_described"},
    {"dimension": "colour", "value": "红色", "side": "disliked"},
]


@st.composite
def events(draw: st.DrawFn, most: int = 25) -> list[Event]:
    """Return a log: three shoppers, few moments so that many coincide, every type, items, words, photos."""
    n = draw(st.integers(0, most))
    seconds = st.one_of(st.integers(0, 5), st.integers(0, 10**7))
    small = st.integers(0, 40).map(str)
    words = st.sampled_from([None, "red shoes", "跑步鞋"])
    log = []
    for number in range(n):
        occurred_at = START + timedelta(seconds=draw(seconds))
        worth = Value(
            quantity=draw(st.sampled_from([1, 2, -3, 0.35, 1.5, 80_995])),
            price_minor=draw(st.sampled_from([None, 99, 1_250])),
            rating=draw(st.sampled_from([None, None, 1.0, 4.35, 5.0])),
        )
        log.append(
            Event(
                event_id=f"e-{number}",
                shopper_id=draw(st.sampled_from(["ann", "bo", "陈"])),
                type=draw(st.sampled_from(EVENT_TYPES)),
                occurred_at=occurred_at,
                received_at=draw(st.sampled_from([None, occurred_at + timedelta(days=2)])),
                item_id=draw(st.one_of(st.none(), small)),
                text=draw(words),
                image=draw(st.sampled_from([None, "a.jpg"])),
                value=worth,
                order_id=draw(st.sampled_from([None, "o-1"])),
                utc_offset_minutes=draw(st.sampled_from([0, 480, -210])),
                context=draw(st.sampled_from(CONTEXTS)),
            )
        )
    return log


def long_log(n: int = 900) -> list[Event]:
    """Return more than a state holds: purchases, views and refunds of one shopper, twenty at each moment."""
    kinds = [EventType.PURCHASE] * 5 + [EventType.VIEW_ITEM] * 2 + [EventType.REFUND]
    return [
        Event(
            event_id=f"e-{number}",
            shopper_id="ann",
            type=kinds[number % len(kinds)],
            occurred_at=START + timedelta(minutes=number * 7_919 % n // 20),
            item_id=str(number * 31 % 211),
            value=Value(price_minor=100 + number),
        )
        for number in range(n)
    ]


@ROOMY
@given(events(), st.randoms(use_true_random=False))
def test_in_bulk_and_one_by_one_in_any_order_give_the_same_bytes(log: list[Event], random) -> None:
    bulk = build_states(table(log), order_only=False)
    assert same_bytes(bulk, one_by_one(random.sample(log, len(log))))


@pytest.mark.parametrize("step", [1, -1, 7])
def test_more_events_than_a_state_holds_give_the_same_bytes_in_any_order(step: int) -> None:
    log = long_log()
    shuffled = log[::-1] if step < 0 else sorted(log, key=lambda event: int(event.event_id[2:]) % step)
    assert same_bytes(build_states(table(log), order_only=False), one_by_one(shuffled))


def test_more_bought_items_than_a_state_remembers_give_the_same_bytes() -> None:
    log = [
        Event(
            event_id=f"e-{number}",
            shopper_id="ann",
            type=EventType.PURCHASE,
            occurred_at=START + timedelta(minutes=number // 50),
            item_id=str(number * 37 % 1_811),
        )
        for number in range(2_600)
    ]
    bulk = build_states(table(log), order_only=False)
    assert same_bytes(bulk, one_by_one(log)) and same_bytes(bulk, one_by_one(log[::-1]))


@ROOMY
@given(events())
def test_a_shop_that_knows_only_an_order_gets_the_same_bytes(log: list[Event]) -> None:
    bulk = build_states(table(log), order_only=True)
    assert same_bytes(bulk, one_by_one(log, order_only=True))


@ROOMY
@given(events(), st.integers(0, 12), st.integers(0, 12))
def test_a_past_moment_is_the_replay_of_what_was_known_then(
    log: list[Event], first: int, second: int
) -> None:
    occurred_until = START + timedelta(days=10 * first, seconds=3)
    received_until = START + timedelta(days=10 * second, seconds=3)
    known = [
        event
        for event in log
        if event.occurred_at <= occurred_until and (event.received_at or event.occurred_at) <= received_until
    ]
    past = as_of(table(log), occurred_until=occurred_until, received_until=received_until)
    assert same_bytes(build_states(past, order_only=False), one_by_one(known))


def test_a_past_moment_of_a_shop_without_times_is_refused() -> None:
    log = table([Event(event_id="e", shopper_id="s", type=EventType.PURCHASE)])
    with pytest.raises(ClockError, match="no past moment"):
        as_of(log, occurred_until=START)


def test_events_without_a_time_are_refused() -> None:
    log = table([Event(event_id="e", shopper_id="s", type=EventType.PURCHASE)])
    with pytest.raises(ClockError, match="1 of 1"):
        build_states(log, order_only=False)


@ROOMY
@given(events())
def test_states_are_saved_and_loaded_identical(tmp_path_factory, log: list[Event]) -> None:
    file = tmp_path_factory.mktemp("run") / "states.parquet"
    build_states(table(log), order_only=False).save(file)
    assert same_bytes(States.load(file), one_by_one(log))


def test_a_state_put_in_later_is_read_and_saved(tmp_path: Path) -> None:
    states = build_states(table(long_log(30)), order_only=False)
    newer = ProfileState(light=(StateEvent(5, 6, 2, item_no=7),))
    states.put("ann", newer)
    states.put("bo", newer)
    states.put("cy", newer)
    states.remove("bo")
    states.save(tmp_path / "states.parquet")
    for kept in (states, States.load(tmp_path / "states.parquet")):
        assert kept.shopper_ids == ["ann", "cy"] and len(kept) == 2 and "bo" not in kept
        assert kept.states(["cy", "ann"]) == [newer, newer]


def test_an_unknown_shopper_is_an_error() -> None:
    with pytest.raises(UnknownShopperError, match="no such shopper: 'zed'"):
        States.of({}).state("zed")


def test_damaged_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "states.parquet"
    with pytest.raises(ArtefactError, match="can't be read"):
        States.load(file)
    States.of({"ann": ProfileState()}).save(file)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ArtefactError, match="can't be read"):
        States.load(file)
    pl.DataFrame({"shopper_id": ["ann"]}).write_parquet(file)
    with pytest.raises(ArtefactError, match="not a file of states"):
        States.load(file)


def test_a_file_of_a_newer_version_says_so(tmp_path: Path) -> None:
    file = tmp_path / "states.parquet"
    States.of({}).table().write_parquet(file, metadata={"huaxiang.states": "2"})
    with pytest.raises(ArtefactError, match="newer version"):
        States.load(file)
