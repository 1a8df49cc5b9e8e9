"""What of a log may be learnt from: who refuses is left out under any id, and joined ids are one shopper."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from msgspec import structs

import huaxiang as hx
from feedback.ring_shop import N_ITEMS, START, bought, purchases, write_shop
from huaxiang.errors import InputError
from huaxiang.feedback.training_log import Cut, TrainingLog, read_training_log, withdrawn_now
from huaxiang.profile.update import content_hash, event_key
from huaxiang.records import Event, EventType, Item
from huaxiang.shop.base import EVENT_COLUMNS, Shop
from huaxiang.store import Content, LoggedEvent, Store, add_contents, append, delete_items, put_items
from huaxiang.store.erasure import erase

SHOP = "shop"


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return hx.read_shop(write_shop(tmp_path_factory.mktemp("shop") / "ring", purchases(lambda day: 1)[:40]))


@pytest.fixture(autouse=True)
def items(store: Store) -> None:
    with store.begin() as tx:
        put_items(tx, SHOP, [Item(item_id=f"i{number}") for number in range(N_ITEMS)])


def happen(store: Store, *events: Event, excluded: bool = False) -> None:
    logged = [
        LoggedEvent(
            event,
            event_key(event.event_id),
            None if event.item_id is None else int(event.item_id[1:]),
            excluded=excluded,
        )
        for event in events
    ]
    with store.begin() as tx:
        append(tx, SHOP, logged)


def said(shopper_id: str, kind: EventType, event_id: str, **context: object) -> Event:
    moment = START + timedelta(days=1)
    return Event(event_id=event_id, shopper_id=shopper_id, type=kind, occurred_at=moment, context=context)


def refuses(shopper_id: str, *, allowed: bool = False) -> Event:
    return said(shopper_id, EventType.CONSENT, f"consent-{shopper_id}-{allowed}", consent={"train": allowed})


def joins(shopper_id: str, other: str, *, linked: bool = True) -> Event:
    return said(shopper_id, EventType.ALIAS, f"alias-{shopper_id}-{other}", other=other, linked=linked)


def read(store: Store, like: Shop, *, allowed: bool = True, until: Cut | None = None) -> TrainingLog:
    if until is None:
        with store.read() as tx:
            until = Cut.of(tx, SHOP)
    return read_training_log(store, SHOP, like, allowed=allowed, until=until)


def buys(log: TrainingLog) -> list[tuple[str, int]]:
    rows = log.shop.events.filter(type=EventType.PURCHASE.code)
    return sorted(rows.select("shopper_id", "item_row").rows())


def test_the_table_has_what_the_log_has(store: Store, like: Shop) -> None:
    first = structs.replace(
        bought("a", 3, 1.25, event_id="1"),
        value=hx.Value(quantity=2, price_minor=500),
        order_id="o-1",
        session_id="v",
        utc_offset_minutes=60,
        context={"channel": "app", "slate_id": "l"},
    )
    search = structs.replace(said("a", EventType.SEARCH, "2"), query="a mug")
    happen(store, first, structs.replace(first, event_id="3", item_id="i4"), search)
    log = read(store, like)
    events = log.shop.events
    assert events.schema == dict(EVENT_COLUMNS)
    row = events.row(0, named=True)
    assert (row["item_row"], row["quantity"], row["price_minor"], row["channel"]) == (3, 2.0, 500, "app")
    assert (row["context"], row["utc_offset_minutes"]) == ('{"slate_id":"l"}', 60)
    assert events["new_order"].to_list() == [True, False, False]
    assert events["text"].to_list() == [None, None, "a mug"]
    assert (log.n_read, log.shop.accounting.agrees) == (3, True)


def test_who_refuses_is_left_out_and_who_was_not_asked_as_the_shop_says(store: Store, like: Shop) -> None:
    happen(store, *(bought(who, 1, 1, event_id=who) for who in ("a", "b", "c")), refuses("b"))
    happen(store, refuses("c", allowed=True))
    log = read(store, like)
    assert buys(log) == [("a", 1), ("c", 1)]
    assert (log.n_refused, log.n_shoppers_refused) == (2, 1)
    assert buys(read(store, like, allowed=False)) == [("c", 1)]


def test_a_refusal_under_one_id_holds_for_all_that_were_joined(store: Store, like: Shop) -> None:
    happen(store, bought("anonymous", 1, 1, event_id="1"), bought("known", 2, 2, event_id="2"))
    happen(store, joins("known", "anonymous"))
    assert buys(read(store, like)) == [("anonymous", 1), ("anonymous", 2)]
    happen(store, refuses("known"))
    assert buys(read(store, like)) == []
    parted = structs.replace(joins("known", "anonymous", linked=False), event_id="parted")
    happen(store, structs.replace(parted, occurred_at=START + timedelta(days=2)))
    assert buys(read(store, like)) == [("anonymous", 1)]


def test_events_of_no_shopper_are_left_out(store: Store, like: Shop) -> None:
    happen(store, bought("a", 1, 1, event_id="1"))
    happen(store, bought("robot", 1, 1, event_id="2"), excluded=True)
    log = read(store, like)
    assert (buys(log), log.n_excluded) == ([("a", 1)], 1)


def test_the_log_is_read_up_to_the_cut_however_long_it_is(
    store: Store, like: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huaxiang.feedback import training_log

    monkeypatch.setattr(training_log, "AT_ONCE", 3)
    happen(store, *(bought("a", number, 1, event_id=str(number)) for number in range(10)))
    with store.read() as tx:
        cut = Cut.of(tx, SHOP)
    happen(store, bought("a", 11, 1, event_id="later"))
    assert len(buys(read(store, like, until=Cut.from_json(cut.as_json())))) == 10
    assert len(buys(read(store, like))) == 11


def test_names_differ_whenever_there_is_something_else_to_learn(store: Store, like: Shop) -> None:
    def name() -> str:
        return read(store, like).shop.fingerprint

    happen(store, bought("a", 1, 1, event_id="1"))
    names = [name(), name()]
    happen(store, bought("a", 2, 1, event_id="2"))
    names.append(name())
    happen(store, refuses("b"))
    names.append(name())
    with store.begin() as tx:
        delete_items(tx, SHOP, ["i5"])
    names.append(name())
    assert names[0] == names[1] and len(set(names)) == 4


def test_withdrawing_is_noticed_and_allowing_again_too(store: Store, like: Shop) -> None:
    happen(store, bought("a", 1, 1, event_id="1"))
    assert read(store, like).withdrawn == "" == withdrawn_now(store, SHOP, allowed=True)
    happen(store, refuses("a"))
    refused = read(store, like).withdrawn
    assert refused and refused == withdrawn_now(store, SHOP, allowed=True)
    happen(store, structs.replace(refuses("a", allowed=True), occurred_at=START + timedelta(days=3)))
    assert withdrawn_now(store, SHOP, allowed=True) == ""


def test_who_was_erased_has_withdrawn_and_again_when_erased_again(store: Store, like: Shop) -> None:
    names = []
    for at_ms in (10, 20):
        happen(store, bought("a", 1, 1, event_id="1"), bought("b", 2, 1, event_id="2"))
        with store.begin() as tx:
            erase(tx, SHOP, ["a"], subjects=["hash of a"], at_ms=at_ms)
        log = read(store, like)
        assert (buys(log), log.n_erased) == ([("b", 2)], 1)
        names.append(log.withdrawn)
    assert len({"", *names}) == 3


def test_words_that_were_read_are_not_read_again(store: Store, like: Shop) -> None:
    search = structs.replace(said("a", EventType.SEARCH, "1"), query="a mug")
    number = content_hash("a mug")
    with store.begin() as tx:
        append(tx, SHOP, [LoggedEvent(search, event_key("1"), None, number)])
        vector = np.array([0.6, 0.8], dtype=np.float32)
        add_contents(tx, SHOP, [Content(number, "space", "text", "a mug", vector)])
    with store.read() as tx:
        cut = Cut.of(tx, SHOP)
    for space, known in (("space", {number: [0.6, 0.8]}), ("another space", {})):
        log = read_training_log(store, SHOP, like, allowed=True, until=cut, space=space)
        assert list(log.said) == list(known)
        assert all(found.tolist() == pytest.approx(known[key]) for key, found in log.said.items())


def test_deleted_items_keep_their_row_and_are_not_sold(store: Store, like: Shop) -> None:
    with store.begin() as tx:
        delete_items(tx, SHOP, ["i5"])
    items = read(store, like).shop.items
    assert items["item_id"].to_list() == [f"i{number}" for number in range(N_ITEMS)]
    assert [row for row, is_sold in enumerate(items["in_stock"]) if not is_sold] == [5]
    assert items["brand"].to_list() == like.items["brand"].to_list()


def test_items_that_are_numbered_otherwise_are_refused(store: Store, like: Shop) -> None:
    turned = replace(like, items=like.items.reverse())
    with pytest.raises(InputError, match="numbered otherwise"):
        read(store, turned)
