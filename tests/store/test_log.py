"""The log: each event once, at positions that no reader can skip, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from huaxiang.errors import StoreError
from huaxiang.profile.update import content_hash, content_of, event_key
from huaxiang.records import Event, EventType, Value
from huaxiang.store import (
    LoggedEvent,
    Store,
    append,
    event_ids,
    group,
    head,
    of_shopper,
    open_store,
    positions,
    read_after,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def logged(number: int, shopper_id: str = "ann", kind: str = "view_item", **more: object) -> LoggedEvent:
    event = Event(
        event_id=f"e-{number}",
        shopper_id=shopper_id,
        type=EventType(kind),
        occurred_at=START + timedelta(seconds=number),
        received_at=START + timedelta(seconds=number),
        **{"item_id": "i", **more},  # type: ignore[arg-type]
    )
    return LoggedEvent(
        event, event_key(event.event_id), 0 if event.item_id else None, content_hash(content_of(event))
    )


def put(store: Store, *events: LoggedEvent) -> list[bool]:
    with store.begin() as tx:
        return append(tx, "shop", events).is_new


def test_an_event_is_read_back_as_it_was_written(store: Store) -> None:
    worth = Value(quantity=2.5, price_minor=199, currency="EUR", rating=4.5)
    context = {"slate_id": "l-1", "deep": {"红": ["a", 1]}}
    one = logged(
        1, kind="review", text="很好 😀 'quote\"; DROP TABLE events; --", value=worth, context=context
    )
    put(store, one)
    with store.read() as tx:
        (found,) = of_shopper(tx, "shop", ["ann"])

    assert replace(found.event, position=None, shop_id="default") == one.event
    assert (found.event_key, found.item_no, found.content) == (one.event_key, one.item_no, one.content)


def test_each_event_is_there_once_also_within_one_batch(store: Store) -> None:
    assert put(store, logged(1), logged(1), logged(2)) == [True, False, True]
    assert put(store, logged(2), logged(3)) == [False, True]
    with store.read() as tx:
        known = head(tx, "shop", "ann")
        assert len(of_shopper(tx, "shop", ["ann"])) == 3
    assert known is not None
    assert (known.n_events, known.n_state_events) == (3, 3)


def test_the_same_id_of_another_shopper_or_shop_is_another_event(store: Store) -> None:
    assert put(store, logged(1, "ann"), logged(1, "bo")) == [True, True]
    with store.begin() as tx:
        assert append(tx, "other shop", [logged(1, "ann")]).is_new == [True]
    with store.read() as tx:
        assert len(of_shopper(tx, "shop", ["ann"])) == 1


def test_a_duplicate_has_the_position_that_it_had(store: Store) -> None:
    with store.begin() as tx:
        first = append(tx, "shop", [logged(1), logged(2)])
        again = append(tx, "shop", [logged(2), logged(1)])
    assert again.positions == first.positions[::-1]


@settings(deadline=None, max_examples=40)
@given(
    groups=st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), min_size=1, max_size=12), max_size=6
    )
)
def test_groups_with_any_duplicates_leave_each_event_once(groups: list[list[tuple[str, int]]]) -> None:
    with TemporaryDirectory() as home:
        store = open_store(f"sqlite:///{home}/store.sqlite")
        known: dict[tuple[str, int], int] = {}
        for sent in groups:
            buys = [logged(number, shopper_id, "purchase", order_id="o") for shopper_id, number in sent]
            before = {shopper_id for shopper_id, _ in known}
            with store.begin() as tx:
                outcome = append(tx, "shop", buys)
                assert positions(tx, "shop") == {0: max([*known.values(), *outcome.positions])}
            for one, position, is_new, is_first in zip(
                sent, outcome.positions, outcome.is_new, outcome.new_orders, strict=True
            ):
                assert is_new == (one not in known)
                assert is_first == (is_new and one[0] not in before)
                before.add(one[0])
                assert known.setdefault(one, position) == position
        with store.read() as tx:
            kept = read_after(tx, "shop", {}, limit=1000)
            heads = {shopper_id: head(tx, "shop", shopper_id) for shopper_id in "abc"}
        store.close()
    assert [one.position for one in kept] == sorted(known.values())
    assert len(set(known.values())) == len(known)
    for shopper_id, own in heads.items():
        numbers = [position for (whose, _), position in known.items() if whose == shopper_id]
        assert (own is None) == (not numbers)
        if own is not None:
            assert (own.n_events, own.last_position) == (len(numbers), max(numbers))


def test_positions_ascend_within_a_partition_and_are_never_given_twice(store: Store) -> None:
    put(store, *(logged(number, f"s-{number % 7}") for number in range(50)))
    put(store, *(logged(number, f"s-{number % 7}") for number in range(50, 90)))
    with store.read() as tx:
        positions = [one.position for one in read_after(tx, "shop", {}, limit=1000)]
    assert len(set(positions)) == 90
    for part in range(store.n_partitions):
        own = [position for position in positions if position % store.n_partitions == part]
        assert (
            own == sorted(own) == list(range(part, part + len(own) * store.n_partitions, store.n_partitions))
        )


def test_no_reader_skips_an_event_however_commits_interleave(store: Store) -> None:  # noqa: C901
    """Writers commit batches in threads while a reader follows; it must see every event, once."""
    n_writers, n_batches, done = 4, 15, threading.Event()
    seen: list[int] = []

    def write(writer: int) -> None:
        for batch in range(n_batches):
            first = (writer * n_batches + batch) * 10
            put(store, *(logged(first + place, f"s-{place}") for place in range(10)))

    def follow() -> None:
        known: dict[int, int] = {}
        while True:
            is_last = done.is_set()
            with store.read() as tx:
                found = read_after(tx, "shop", known, limit=25)
            for one in found:
                part = one.position % store.n_partitions
                known[part] = max(known.get(part, -1), one.position)
                seen.append(int(one.event.event_id[2:]))
            if is_last and not found:
                return

    reader = threading.Thread(target=follow)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(n_writers)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert sorted(seen) == list(range(n_writers * n_batches * 10))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="stop"), store.begin() as tx:
        append(tx, "shop", [logged(1)])
        raise RuntimeError("stop")
    assert put(store, logged(1)) == [True]


def test_the_first_line_of_an_order_is_marked_in_the_order_of_the_log(store: Store) -> None:
    lines = [logged(number, kind="purchase", order_id="o-1") for number in range(3)]
    with store.begin() as tx:
        assert append(tx, "shop", lines[:2]).new_orders == [True, False]
        assert append(tx, "shop", lines[2:]).new_orders == [False]


def test_ids_are_found_by_their_keys(store: Store) -> None:
    put(store, logged(1), logged(2), logged(3, "bo"))
    keys = [event_key(f"e-{number}") for number in (1, 3, 9)]
    with store.read() as tx:
        assert event_ids(tx, "shop", ["ann"], keys) == {keys[0]: "e-1"}


def answer(number: int, said: dict[str, bool]) -> LoggedEvent:
    return logged(number, kind="consent", item_id=None, context={"consent": said})


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "late"])
def test_the_answer_that_was_given_last_holds_whenever_it_arrives(
    store: Store, order: tuple[int, int]
) -> None:
    said = {1: {"ads": True, "search": False}, 2: {"ads": False}}
    for number in order:
        put(store, answer(number, said[number]))
    with store.read() as tx:
        known = head(tx, "shop", "ann")
    assert known is not None
    assert {purpose: one["allowed"] for purpose, one in known.consent.items()} == {
        "ads": False,
        "search": False,
    }
    assert known.n_state_events == 0


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("refused_by", [1, 2])
def test_of_two_answers_at_one_moment_the_refusal_holds(
    store: Store, order: tuple[int, int], refused_by: int
) -> None:
    moment = answer(1, {}).event.occurred_at
    for number in order:
        one = answer(number, {"ads": number != refused_by})
        put(store, replace(one, event=replace(one.event, occurred_at=moment)))
    with store.read() as tx:
        known = head(tx, "shop", "ann")
    assert known is not None and known.consent["ads"]["allowed"] is False


def alias(number: int, first: str, second: str, *, linked: bool = True) -> LoggedEvent:
    return logged(number, first, kind="alias", item_id=None, context={"other": second, "linked": linked})


def members(store: Store, shopper_id: str) -> list[str]:
    with store.read() as tx:
        return sorted(one.shopper_id for one in group(tx, "shop", shopper_id))


def test_ids_that_were_joined_are_one_group_and_come_apart_again(store: Store) -> None:
    put(store, logged(0, "ann"), alias(1, "ann", "visitor"), alias(2, "ann", "phone"))
    assert members(store, "phone") == ["ann", "phone", "visitor"]
    put(store, alias(3, "visitor", "ann", linked=False))
    assert (members(store, "ann"), members(store, "visitor")) == (["ann", "phone"], ["visitor"])
    put(store, alias(2, "ann", "visitor"))  # an older answer that arrives late decides nothing
    assert members(store, "visitor") == ["visitor"]


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite:/relative", "", "postgresql://nobody@localhost:1/none"]
)
def test_an_address_that_is_none_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url.replace("nobody@", "nobody:secret@"))
    assert "secret" not in str(refused.value)


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store = open_store(url)
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match="newer version"):
        open_store(url)


def test_whole_and_broken_quantities_go_in_together(store: Store) -> None:
    put(store, logged(1, value=Value(quantity=2)), logged(2, value=Value(quantity=0.5)), logged(3))
    with store.read() as tx:
        found = of_shopper(tx, "shop", ["ann"])
    assert [one.event.value.quantity for one in found] == [2, 0.5, 1]
