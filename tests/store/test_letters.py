"""Dead letters in the store: the same event once, found by item and reason, bounded, of one shopper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from huaxiang.records import Event, EventType, Item, Value
from huaxiang.store import Store, put_items
from huaxiang.store.erasure import erase
from huaxiang.store.letters import (
    Chosen,
    Letter,
    count_letters,
    drop_letters,
    letters_by_reason,
    letters_of,
    letters_of_shoppers,
    mended_letters,
    put_letters,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def letter(
    number: int, *, item_id: str = "mug", shopper_id: str = "ann", reason: str = "unknown_item"
) -> Letter:
    moment = START + timedelta(seconds=number)
    event = Event(
        event_id=f"e-{number}",
        shopper_id=shopper_id,
        type=EventType.PURCHASE,
        occurred_at=moment,
        received_at=moment,
        item_id=item_id,
        value=Value(quantity=2, price_minor=500, currency="USD"),
        context={"channel": "店"},
    )
    return Letter(event=event, reason=reason)


@pytest.fixture(autouse=True)
def three(store: Store) -> None:
    with store.begin() as tx:
        letters = [letter(1), letter(2, item_id="pot"), letter(3, shopper_id="bob", reason="photo_late")]
        assert put_letters(tx, "shop", letters, most=10) == 0


def ids(letters: list[Letter]) -> list[str]:
    return [one.event.event_id for one in letters]


def test_a_letter_has_the_whole_event(store: Store) -> None:
    with store.read() as tx:
        assert letters_of(tx, "shop", limit=1) == [letter(1)]
        assert letters_of(tx, "other", limit=1) == []


def test_the_same_event_is_one_letter(store: Store) -> None:
    with store.begin() as tx:
        put_letters(tx, "shop", [letter(1, item_id="pan")], most=10)
        assert count_letters(tx, "shop") == 3
        assert [one.event.item_id for one in letters_of(tx, "shop", limit=1)] == ["pan"]


def test_letters_are_chosen_by_id_item_and_reason_together(store: Store) -> None:
    with store.begin() as tx:
        assert ids(letters_of(tx, "shop", Chosen(item_ids=["mug"]), limit=9)) == ["e-1", "e-3"]
        assert ids(letters_of(tx, "shop", Chosen(item_ids=["mug"], reason="photo_late"), limit=9)) == ["e-3"]
        assert ids(letters_of(tx, "shop", Chosen(letter_ids=[letter(2).letter_id]), limit=9)) == ["e-2"]
        assert letters_of(tx, "shop", Chosen(item_ids=[]), limit=9) == []
        assert letters_by_reason(tx, "shop") == {"photo_late": 1, "unknown_item": 2}
        assert drop_letters(tx, "shop", Chosen(reason="unknown_item")) == 2
        assert drop_letters(tx, "shop", Chosen()) == 1


def test_beyond_the_limit_the_oldest_go(store: Store) -> None:
    with store.begin() as tx:
        assert put_letters(tx, "shop", [letter(4), letter(5)], most=3) == 2
        assert ids(letters_of(tx, "shop", limit=9)) == ["e-3", "e-4", "e-5"]


def test_mended_are_those_whose_item_is_there(store: Store) -> None:
    with store.begin() as tx:
        put_items(tx, "shop", [Item(item_id="pot")])
        put_items(tx, "other", [Item(item_id="mug")])
        assert ids(mended_letters(tx, "shop", limit=9)) == ["e-2"]


def test_an_erasure_takes_the_letters_of_its_shopper(store: Store) -> None:
    with store.begin() as tx:
        assert ids(letters_of_shoppers(tx, "shop", ["ann"])) == ["e-1", "e-2"]
        assert erase(tx, "shop", ["ann"], subjects=["x"], at_ms=1)["dead_letters"] == 2
        assert ids(letters_of(tx, "shop", limit=9)) == ["e-3"]
