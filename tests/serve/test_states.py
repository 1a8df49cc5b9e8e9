"""States beside a log that grows while they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from huaxiang.profile.state import ProfileState
from huaxiang.records import Event, EventType
from huaxiang.serve import states
from huaxiang.serve.live import as_logged
from huaxiang.serve.states import StateReader
from huaxiang.store import LoggedEvent, Store, append, group, open_store
from huaxiang.store.states import MemoryStates

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


@pytest.fixture(params=[False, True], ids=["times", "order only"])
def reader(store: Store, request: pytest.FixtureRequest) -> StateReader:
    return StateReader("shop", store, MemoryStates(), order_only=request.param)


def views(numbers: Sequence[int]) -> list[LoggedEvent]:
    return [
        as_logged(
            Event(
                event_id=f"e-{number}",
                shopper_id="ann",
                type=EventType.VIEW_ITEM,
                item_id="mug",
                occurred_at=BEGIN + timedelta(minutes=number),
            ),
            number,
        )
        for number in numbers
    ]


def write(store: Store, reader: StateReader, numbers: Sequence[int], *, readable: bool = True) -> None:
    events = views(numbers)
    with store.begin() as tx:
        appended = append(tx, "shop", events)
    if readable:
        reader.append(events, appended.positions, appended.new_orders)


def state_of_ann(store: Store, reader: StateReader) -> ProfileState:
    with store.read() as tx:
        return reader.states(tx, group(tx, "shop", "ann"))[0]


def item_nos(state: ProfileState) -> list[int]:
    return [event.item_no for event in state.events()]


def test_an_event_that_is_durable_and_not_yet_readable_is_read_alone(
    store: Store, reader: StateReader
) -> None:
    write(store, reader, range(5))
    write(store, reader, [5], readable=False)
    assert item_nos(state_of_ann(store, reader)) == [0, 1, 2, 3, 4, 5]
    assert (reader.counts.caught_up, reader.counts.rebuilt) == (1, 0)


def test_a_reading_leaves_out_what_came_a_moment_later(store: Store, reader: StateReader) -> None:
    write(store, reader, range(3))
    with store.read() as tx:
        heads = group(tx, "shop", "ann")
        write(store, reader, [3])
        assert item_nos(reader.states(tx, heads)[0]) == [0, 1, 2]
    assert item_nos(state_of_ann(store, reader)) == [0, 1, 2, 3]
    assert reader.counts.rebuilt == 0


def test_a_reading_leaves_it_out_also_where_steps_are_many(store: Store, reader: StateReader) -> None:
    write(store, reader, range(states.MOST_STEPS))
    with store.read() as tx:
        heads = group(tx, "shop", "ann")
        write(store, reader, [100])
        state_of_ann(store, reader)
        assert len(reader.states(tx, heads)[0].events()) == states.MOST_STEPS
    assert item_nos(state_of_ann(store, reader)) == [*range(states.MOST_STEPS), 100]
    assert reader.counts.rebuilt == 0


def test_a_hole_in_the_cache_is_mended_from_the_log(store: Store, reader: StateReader) -> None:
    write(store, reader, [0])
    write(store, reader, [1], readable=False)
    write(store, reader, [2])
    assert item_nos(state_of_ann(store, reader)) == [0, 1, 2]
    assert reader.counts.rebuilt == 1
    write(store, reader, [3])
    assert item_nos(state_of_ann(store, reader)) == [0, 1, 2, 3]
    assert reader.counts.rebuilt == 1


def test_a_state_built_again_keeps_the_steps_that_came_later(store: Store, reader: StateReader) -> None:
    write(store, reader, [0])
    write(store, reader, [1], readable=False)
    write(store, reader, [2])
    with store.read() as tx:
        heads = group(tx, "shop", "ann")
        write(store, reader, [3])
        assert item_nos(reader.states(tx, heads)[0]) == [0, 1, 2]
    assert item_nos(state_of_ann(store, reader)) == [0, 1, 2, 3]
    assert (reader.counts.caught_up, reader.counts.rebuilt) == (1, 1)


def test_steps_read_one_by_one_make_the_state_of_all(store: Store, reader: StateReader) -> None:
    for number in range(2 * states.MOST_STEPS):
        write(store, reader, [number])
        assert item_nos(state_of_ann(store, reader)) == list(range(number + 1))
    snapshot = dict(reader.settled())
    assert ProfileState.from_bytes(snapshot["ann"].packed) == state_of_ann(store, reader)
    assert item_nos(state_of_ann(store, reader)) == list(range(2 * states.MOST_STEPS))
    assert (reader.counts.caught_up, reader.counts.rebuilt) == (0, 0)


def test_a_snapshot_ends_where_somebody_in_it_is_forgotten() -> None:
    cache = MemoryStates()
    reader = StateReader("shop", Mock(spec=Store), cache, order_only=False)
    cache.fill("shop", iter([("ann", 1, b"state"), ("bo", 2, b"state")]))
    begun = reader.settled()
    assert next(begun)[0] == "ann"
    reader.forget(["bo"])
    assert list(begun) == []
