"""What is old goes from both databases, and what is known of shoppers goes on counting what is left."""

from __future__ import annotations

from collections import Counter

import pytest

from huaxiang.records import EventType
from huaxiang.serve.states import StateReader
from huaxiang.store import (
    Content,
    LoggedEvent,
    SlateRow,
    Store,
    add_contents,
    add_slates,
    append,
    contents_of,
    group,
    head,
    of_shopper,
    read_after,
)
from huaxiang.store.log import IN_A_STATE
from huaxiang.store.retention import Cutoffs, Gone, sweep, take_turn
from huaxiang.store.states import MemoryStates
from store.test_log import START, alias, answer, logged, members, put

NOW_MS = int(START.timestamp() * 1000)


def at(second: int) -> int:
    return NOW_MS + 1000 * second


def swept(store: Store, cutoffs: Cutoffs, *, dry_run: bool = False) -> Gone:
    whole = Gone()
    for gone in sweep(store, "shop", cutoffs, now_ms=at(1000), dry_run=dry_run):
        whole.add(gone)
    return whole


def left(store: Store) -> list[str]:
    with store.read() as tx:
        return sorted(one.event.event_id for one in read_after(tx, "shop", {}, limit=1000))


def old_views(before_s: int) -> Cutoffs:
    return Cutoffs(events={EventType.VIEW_ITEM.code: at(before_s)})


def test_old_events_of_a_type_go_and_others_stay(store: Store) -> None:
    put(store, *(logged(number) for number in (1, 2, 3)), logged(0, "bo", kind="purchase"))
    gone = swept(store, old_views(3))
    assert (dict(gone.events), gone.shoppers) == ({"view_item": 2}, {"ann"})
    assert left(store) == ["e-0", "e-3"]


def test_what_is_known_of_shoppers_counts_what_is_left(store: Store) -> None:
    put(store, *(logged(number, f"s-{number % 5}") for number in range(60)))
    put(store, *(logged(number, f"s-{number % 5}", kind="view_item_list") for number in range(60, 90)))
    swept(store, Cutoffs(events={kind.code: at(47) for kind in EventType}))
    swept(store, Cutoffs(events={EventType.VIEW_ITEM_LIST.code: at(70)}))
    for number in range(5):
        with store.read() as tx:
            known, events = head(tx, "shop", f"s-{number}"), of_shopper(tx, "shop", [f"s-{number}"])
        counts = Counter(one.event.type in IN_A_STATE for one in events)
        assert known is not None
        assert (known.n_events, known.n_state_events) == (len(events), counts[True])


def test_a_shopper_with_nothing_left_is_unknown_again(store: Store) -> None:
    put(store, logged(1), logged(2, "bo"), logged(4, "cy"))
    swept(store, old_views(3))
    with store.read() as tx:
        assert [head(tx, "shop", one) is None for one in ("ann", "bo", "cy")] == [True, True, False]


def test_consent_and_joined_ids_never_go(store: Store) -> None:
    put(store, logged(1), answer(2, {"ads": False}), alias(3, "ann", "visitor"))
    swept(store, Cutoffs(events={kind.code: at(999) for kind in EventType}, words=at(999)))
    with store.read() as tx:
        known = head(tx, "shop", "ann")
    assert known is not None
    assert (known.n_events, known.consent["ads"]["allowed"]) == (2, False)
    assert members(store, "visitor") == ["ann", "visitor"]


def test_words_go_and_their_events_stay(store: Store) -> None:
    same = {"item_id": None, "query": "a red hat"}
    put(store, logged(1, kind="search", **same), logged(9, "bo", kind="search", **same))
    put(store, logged(2, kind="review", text="too small"))
    numbers = [logged(1, kind="search", **same).content, logged(2, kind="review", text="too small").content]
    with store.begin() as tx:
        add_contents(tx, "shop", [Content(number, "space", "text", "said", [0.5]) for number in numbers])  # type: ignore[arg-type]
    gone = swept(store, Cutoffs(words=at(5)))
    assert (gone.words, gone.shoppers, left(store)) == (2, {"ann"}, ["e-1", "e-2", "e-9"])
    with store.read() as tx:
        assert {
            (one.event.query, one.event.text, one.content) for one in of_shopper(tx, "shop", ["ann"])
        } == {(None, None, 0)}
        assert [one.said for one in contents_of(tx, "shop", "space", numbers)] == ["said"]  # bo said it too


def test_a_dry_run_says_what_would_go_and_lets_it_stay(store: Store) -> None:
    put(store, *(logged(number) for number in range(5)))
    would = swept(store, old_views(3), dry_run=True)
    assert (would.events["view_item"], len(left(store))) == (3, 5)
    assert swept(store, old_views(3)).events == would.events


def test_a_dry_run_counts_the_words_of_events_that_stay(store: Store) -> None:
    put(store, *(logged(n, kind="search", item_id=None, query=f"words {n}") for n in range(5)))
    both = Cutoffs(events={EventType.SEARCH.code: at(2)}, words=at(4))
    would, done = swept(store, both, dry_run=True), swept(store, both)
    assert (would.events, would.words) == (done.events, done.words) == ({"search": 2}, 2)


def test_old_lists_go(store: Store) -> None:
    slates = [SlateRow(f"l-{s}", "ann", "m", "home", at(s), "item", [("i", 1.0, None)]) for s in range(5)]
    with store.begin() as tx:
        add_slates(tx, "shop", slates)
    assert [swept(store, Cutoffs(lists=at(3)), dry_run=dry).lists for dry in (True, False, False)] == [
        3,
        3,
        0,
    ]


def test_one_process_at_a_time_has_its_turn(store: Store) -> None:
    def turn(second: int) -> bool:
        with store.begin() as tx:
            return take_turn(tx, "shop", now_ms=at(second), every_ms=10_000)

    assert [turn(second) for second in (0, 0, 9, 10, 11)] == [True, False, False, True, False]


@pytest.mark.parametrize("n_events", [1, 7])
def test_new_events_go_on_at_new_positions_after_old_ones_went(store: Store, n_events: int) -> None:
    put(store, *(logged(number) for number in range(n_events)))
    swept(store, old_views(999))
    put(store, logged(1000))
    with store.read() as tx:
        (found,) = read_after(tx, "shop", {}, limit=10)
        known = head(tx, "shop", "ann")
    assert found.position // store.n_partitions == n_events
    assert known is not None
    assert (known.n_events, known.last_position) == (1, found.position)


def test_a_worker_that_knew_what_went_reads_what_came_instead(store: Store) -> None:
    """Two workers over one cache; as many events come as went, so their number tells nothing."""
    cache = MemoryStates()
    first, second = (StateReader("shop", store, cache, order_only=False) for _ in range(2))

    def read(reader: StateReader) -> bytes:
        with store.read() as tx:
            (state,) = reader.states(tx, group(tx, "shop", "ann"))
        return state.to_bytes()

    def arrive(*events: LoggedEvent) -> None:
        with store.begin() as tx:
            appended = append(tx, "shop", events)
        first.append(events, appended.positions, appended.new_orders)

    arrive(logged(1), logged(2))
    assert read(first) == read(second)
    gone = swept(store, old_views(9))
    first.forget(sorted(gone.shoppers))
    arrive(logged(11, item_id="j"), logged(12, item_id="j"))
    assert read(second) == read(first) == read(StateReader("shop", store, MemoryStates(), order_only=False))
