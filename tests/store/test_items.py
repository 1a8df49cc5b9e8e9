"""Items in the store: a number for ever, and changes of which no reader skips one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from huaxiang.records import Item, Text
from huaxiang.store import (
    Store,
    delete_items,
    items_after,
    items_of,
    newest_change,
    numbers_after,
    put_items,
)


def put(store: Store, *items: Item, shop_id: str = "shop") -> dict[str, int]:
    with store.begin() as tx:
        return put_items(tx, shop_id, items)


def test_an_item_keeps_its_number_and_its_record(store: Store) -> None:
    mug = Item(item_id="mug", texts={"zh": Text(title="杯子")}, attributes={"colour": ("red", "blue")})
    assert put(store, mug, Item(item_id="pot")) == {"mug": 0, "pot": 1}
    assert put(store, Item(item_id="pan"), mug) == {"pan": 2, "mug": 0}
    with store.read() as tx:
        assert items_of(tx, "shop", ["mug", "nothing", "mug"])["mug"].item == mug
        assert items_of(tx, "other", ["mug"]) == {}


def test_a_deleted_item_comes_back_under_its_number(store: Store) -> None:
    put(store, Item(item_id="mug"))
    with store.begin() as tx:
        assert delete_items(tx, "shop", ["mug", "nothing"]) == ["mug"]
    with store.read() as tx:
        assert items_of(tx, "shop", ["mug"])["mug"].is_deleted
    assert put(store, Item(item_id="mug")) == {"mug": 0}
    with store.read() as tx:
        assert not items_of(tx, "shop", ["mug"])["mug"].is_deleted


def test_a_reader_gets_what_changed_since_it_looked(store: Store) -> None:
    put(store, Item(item_id="mug"), Item(item_id="pot"))
    with store.read() as tx:
        seen = newest_change(tx, "shop")
    put(store, Item(item_id="pot", brand="Acme"))
    with store.read() as tx:
        assert [one.item.brand for one in items_after(tx, "shop", seen)] == ["Acme"]
        assert numbers_after(tx, "shop", seen) == [("pot", 1, seen + 1)]
        assert items_after(tx, "shop", newest_change(tx, "shop")) == []


def test_writers_at_once_give_each_item_and_each_change_its_own_number(store: Store) -> None:
    def write(writer: int) -> None:
        for number in range(5):
            put(store, Item(item_id=f"{writer}-{number}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    with store.read() as tx:
        found = items_after(tx, "shop", 0)
    assert [one.item_no for one in found] == list(range(20))
    assert sorted(one.change for one in found) == list(range(1, 21))
