"""What a log says now: outcomes of the lists that are in it, and what is watched."""

from __future__ import annotations

from msgspec.structs import replace

from boutique import catalogue
from feedback.ring_shop import START, bought
from huaxiang.feedback.live_log import deed_in, outcomes_since, seen_lately, shown_of
from huaxiang.profile.update import event_key, milliseconds
from huaxiang.records import Event, EventType
from huaxiang.store import LoggedEvent, SlateRow, Store, add_slates, append

SHOP, DAY_MS = "shop", 86_400_000
NUMBERS = {f"i{number}": number for number in range(8)}
FIRST = milliseconds(START)


def slate(
    slate_id: str, *item_ids: str, day: float, of: str = "item", chance: float | None = None
) -> SlateRow:
    items = [(item_id, 1.0 / (place + 1), chance) for place, item_id in enumerate(item_ids)]
    return SlateRow(slate_id, "s", "model", "home", FIRST + round(day * DAY_MS), of, items)


def happen(store: Store, slates: list[SlateRow], events: list[Event], *, excluded: bool = False) -> None:
    with store.begin() as tx:
        add_slates(tx, SHOP, slates)
        append(
            tx,
            SHOP,
            [
                LoggedEvent(one, event_key(one.event_id), NUMBERS.get(one.item_id or ""), excluded=excluded)
                for one in events
            ],
        )


def named(event: Event, slate_id: str, kind: EventType = EventType.SELECT_ITEM) -> Event:
    return replace(event, type=kind, context={"slate_id": slate_id})


def test_outcomes_are_read_from_the_log(store: Store) -> None:
    happen(
        store,
        [
            slate("old", "i1", day=0),
            slate("a", "i1", "i2", day=2),
            slate("brands", "Nike", day=2, of="brand"),
        ],
        [
            named(bought("s", 1, 0.1, event_id="1"), "old"),
            named(bought("s", 2, 2.1, event_id="2"), "a"),
            bought("s", 1, 2.2, event_id="3"),
        ],
    )
    happen(store, [], [named(bought("robot", 1, 2.3, event_id="4"), "a")], excluded=True)
    found = outcomes_since(store, SHOP, since_ms=FIRST + DAY_MS, item_no_of=NUMBERS).as_json()["lists"]
    assert [(row["model"], row["placement"], row["slates"]) for row in found] == [("model", "home", 1)]
    assert found[0]["clicked_items"]["share"] == 0.5
    assert found[0]["bought"]["n"] == 1 and found[0]["attributed"]["bought"] == 1


def test_chances_are_known_only_where_every_place_has_one() -> None:
    drawn = shown_of(slate("a", "i1", "i2", day=0, chance=0.5), NUMBERS)
    assert drawn is not None and drawn.propensities == (0.5, 0.5)
    certain = shown_of(slate("a", "i1", "gone", day=0), NUMBERS)
    assert certain is not None and (certain.propensities, certain.item_nos) == ((), (1, -1))


def test_events_without_a_time_follow_from_nothing() -> None:
    event = replace(bought("s", 1, 1, event_id="1"), occurred_at=None)
    assert deed_in(LoggedEvent(event, 1, 1)) is None


def test_what_is_watched_is_what_happened_since(store: Store) -> None:
    """Items 0 and 1 are by Nike and Acme; the log numbers them 1 and 0."""
    happen(
        store,
        [slate("a", "i1", "i2", day=2)],
        [bought("s", number, day, event_id=f"{number}-{day}") for number, day in ((0, 0.5), (0, 2), (1, 3))],
    )
    happen(store, [], [bought("robot", 1, 2.3, event_id="4")], excluded=True)
    shop = catalogue()
    seen = seen_lately(store, SHOP, shop, since_ms=FIRST + DAY_MS)
    assert seen.values["event type"] == {"purchase": 2}
    assert seen.values["brand"] == {"Nike": 1, "Acme": 1}
    assert seen.values["bought brand"] == {"Nike": 1, "Acme": 1}
    assert seen.numbers["score"].tolist() == [1.0, 0.5]
    turned = seen_lately(store, SHOP, shop, since_ms=FIRST + round(2.5 * DAY_MS), row_of_no=[1, 0])
    assert turned.values["brand"] == {"Nike": 1}
    assert "score" not in turned.numbers
