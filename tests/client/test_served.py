"""Every call, by both clients, to a service in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from client.asking import Ask, ask_at_once, ask_awaited
from huaxiang.client import AsyncClient
from huaxiang.errors import ConflictError, NotAcceptedError, NotAllowedError, NotFoundError
from huaxiang.records import Event, EventType, Item, Text, Value
from running import Running

BOTH = pytest.mark.parametrize("ask", [ask_at_once, ask_awaited], ids=["sync", "async"])
NUMBERS = count()


def bought(shopper_id: str, item_id: str) -> Event:
    return Event(
        event_id=f"c-{next(NUMBERS)}",
        shopper_id=shopper_id,
        type=EventType.PURCHASE,
        item_id=item_id,
        occurred_at=datetime.now(UTC),
        value=Value(quantity=1, price_minor=990, currency="USD"),
    )


@BOTH
def test_what_is_sent_is_known_to_the_next_list(ask: Ask, live: Running) -> None:
    first = ask(live.url, lambda c: c.recommend("newcomer", k=5), key=live.key)
    event = bought("newcomer", first.items[0].item_id)
    sent = ask(live.url, lambda c: c.send([event]), key=live.key)
    again = ask(live.url, lambda c: c.send([event]), key=live.key)
    assert (sent.accepted, sent.rejected, again.accepted, again.duplicates) == (1, (), 0, 1)
    then = ask(live.url, lambda c: c.recommend("newcomer", k=5), key=live.key)
    assert event.item_id not in [item.item_id for item in then.items]
    assert then.items[0].reasons


@BOTH
def test_a_profile_is_read_and_corrected(ask: Ask, live: Running) -> None:
    seen = ask(live.url, lambda c: c.profile("s-1", vector=True), key=live.key)
    assert (seen.shopper_id, len(seen.content["vector"]) > 0, seen.n_events > 0) == ("s-1", True, True)
    value = seen.facets("category")[0]["value"]
    changed = ask(
        live.url, lambda c: c.correct("s-1", "category", value, "disliked", if_match=seen.etag), key=live.key
    )
    assert [f["side"] for f in changed.facets("category") if f["value"] == value] == ["disliked"]
    with pytest.raises(ConflictError):
        ask(
            live.url, lambda c: c.correct("s-1", "category", value, "liked", if_match=seen.etag), key=live.key
        )
    ask(live.url, lambda c: c.correct("s-1", "category", value, "withdrawn"), key=live.key)


@BOTH
def test_items_like_an_item_and_lists_beside_it(ask: Ask, live: Running) -> None:
    item_id = ask(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].item_id
    alike = ask(live.url, lambda c: c.similar(item_id, k=3, language="zh"), key=live.key)
    assert len(alike.items) == 3
    beside = ask(
        live.url,
        lambda c: c.recommend("s-2", placement="item", item_ids=[item_id], repeat=True),
        key=live.key,
    )
    assert item_id not in [item.item_id for item in beside.items]


@BOTH
def test_words_are_searched_finished_and_remembered(ask: Ask, live: Running) -> None:
    shopper = f"searcher-{next(NUMBERS)}"
    item = ask(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0]
    found = ask(live.url, lambda c: c.search(item.title, shopper_id=shopper, k=3), key=live.key)
    assert found["items"][0]["title"] == item.title
    assert ask(live.url, lambda c: c.profile(shopper), key=live.key).n_events == 1
    finished = ask(live.url, lambda c: c.suggest(item.title[:4], k=3), key=live.key)
    assert len(finished) <= 3
    with pytest.raises(NotAcceptedError):
        ask(live.url, lambda c: c.search_photo(b"no photo"), key=live.key)


@BOTH
def test_a_search_is_narrowed_sorted_and_paged(ask: Ask, live: Running) -> None:
    title = ask(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].title
    words = title.split()[-1]
    first = ask(live.url, lambda c: c.search(words, k=2, in_stock=False), key=live.key)
    more = {"k": 2, "offset": 1, "strength": 0, "verbatim": True, "in_stock": False, "channel": "app"}
    second = ask(live.url, lambda c: c.search(words, **more), key=live.key)
    assert first["items"][1]["item_id"] == second["items"][0]["item_id"]
    dearest = ask(live.url, lambda c: c.search(words, sort="-price", price_min=1), key=live.key)["items"]
    assert dearest
    with pytest.raises(NotAcceptedError, match="min"):
        ask(live.url, lambda c: c.search(words, price_min=9, price_max=1), key=live.key)


@BOTH
def test_what_surrounds_an_item_and_what_is_said_of_it(ask: Ask, live: Running) -> None:
    item_id = ask(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].item_id
    around = ask(live.url, lambda c: c.graph(item_id, k=3), key=live.key)
    assert around["item_id"] == item_id
    assert len(around["substitutes"]) <= 3
    said = ask(live.url, lambda c: c.insight(item_id, language="zh"), key=live.key)
    assert said["item_id"] == item_id
    with pytest.raises(NotFoundError):
        ask(live.url, lambda c: c.graph("no such item"), key=live.key)


@BOTH
def test_rules_are_read_checked_and_tried(ask: Ask, live: Running) -> None:
    assert ask(live.url, lambda c: c.rules(), key=live.key)["rules"] == []
    text = "version: 1\nrules:\n- {name: nothing, items: {in_stock: true}, exclude: true}\n"
    assert isinstance(ask(live.url, lambda c: c.check_rules(text), key=live.key), dict)
    tried = ask(live.url, lambda c: c.try_rules(text, shoppers=2, k=3, channel="app"), key=live.key)
    assert tried["n_empty"] == tried["n_lists"] > 0
    with pytest.raises(NotAcceptedError):
        ask(live.url, lambda c: c.check_rules("rules: 7"), key=live.key)


@BOTH
def test_consent_export_and_erasure(ask: Ask, live: Running) -> None:
    shopper_id = f"leaver-{next(NUMBERS)}"
    item_id = ask(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].item_id
    ask(live.url, lambda c: c.send([bought(shopper_id, item_id)]), key=live.key)
    allowed = ask(live.url, lambda c: c.set_consent(shopper_id, {"ads": True}, source="banner"), key=live.key)
    assert allowed["ads"] is True
    assert ask(live.url, lambda c: c.consent(shopper_id), key=live.key) == allowed
    assert item_id in str(ask(live.url, lambda c: c.export(shopper_id), key=live.key))
    receipt = ask(live.url, lambda c: c.erase(shopper_id), key=live.key)
    assert ask(live.url, lambda c: c.is_genuine(receipt), key=live.key)
    with pytest.raises(NotFoundError):
        ask(live.url, lambda c: c.profile(shopper_id), key=live.key)


@BOTH
def test_versions_of_the_model(ask: Ask, live: Running) -> None:
    shown = ask(live.url, lambda c: c.models(), key=live.key)
    assert ask(live.url, lambda c: c.promote(shown["serving"]), key=live.key)["serving"] == shown["serving"]
    assert isinstance(ask(live.url, lambda c: c.outcomes(), key=live.key), dict)
    with pytest.raises(NotAcceptedError, match="no such version"):
        ask(live.url, lambda c: c.promote("no-such-version"), key=live.key)


@BOTH
def test_what_is_refused_is_named(ask: Ask, live: Running) -> None:
    wrong = {"event_id": "w", "shopper_id": "s", "type": "purchase", "item_id": "no-such-item"}
    (why,) = ask(live.url, lambda c: c.send([wrong]), key=live.key).rejected
    assert (why.index, why.event_id, why.field, why.code) == (0, "w", "item_id", "unknown_item")
    with pytest.raises(NotAllowedError) as refused:
        ask(live.url, lambda c: c.models(), key="hx_wrong_" + "w" * 43)
    assert refused.value.status == 401
    with pytest.raises(NotAcceptedError, match="not a length of a list"):
        ask(live.url, lambda c: c.recommend("s", k=0), key=live.key)


@pytest.mark.parametrize("shopper_id", ["a/b", "..", "%2e", "李雷", "a b?c#d&e", "'; DROP TABLE events; --"])
def test_ids_may_hold_any_letter(shopper_id: str, live: Running) -> None:
    item_id = ask_at_once(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].item_id
    ask_at_once(live.url, lambda c: c.send([bought(shopper_id, item_id)]), key=live.key)
    assert ask_at_once(live.url, lambda c: c.profile(shopper_id), key=live.key).shopper_id == shopper_id


def test_an_id_that_a_spreadsheet_made_a_number_is_the_same_id(live: Running) -> None:
    item_id = ask_at_once(live.url, lambda c: c.recommend(None, k=1), key=live.key).items[0].item_id
    ask_at_once(live.url, lambda c: c.send([bought("90210", item_id)]), key=live.key)
    assert ask_at_once(live.url, lambda c: c.profile("90210.0"), key=live.key).n_events == 1


async def _events(item_id: str) -> AsyncIterator[Event]:
    for _ in range(3):
        yield bought("streamed", item_id)


def test_an_asynchronous_iterator_is_sent_as_it_goes(live: Running) -> None:
    async def send(client: AsyncClient) -> tuple[int, int]:
        item_id = (await client.recommend(None, k=1)).items[0].item_id
        sizes: list[int] = []
        sent = await client.send(_events(item_id), size=2, on_batch=lambda part: sizes.append(part.n_events))
        return sent.accepted, len(sizes)

    assert ask_awaited(live.url, send, key=live.key) == (3, 2)


@BOTH
def test_items_are_added_changed_and_deleted(ask: Ask, live: Running) -> None:
    item_id = f"new-{next(NUMBERS)}"
    new = Item(
        item_id=item_id,
        group_id=item_id,
        texts={"en": Text(title="Red boots"), "zh": Text(title="红靴", description="真皮")},
        category=("Shoes", "Boots"),
        attributes={"colour": ("red",)},
        price_minor=9900,
        currency="CNY",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    )
    sent = ask(live.url, lambda c: c.change_items([new, {"item_id": "x", "prise": 1}]), key=live.key)
    assert (sent.accepted, [(one.index, one.field) for one in sent.rejected]) == (1, [(1, "prise")])
    kept = ask(live.url, lambda c: c.item(item_id), key=live.key)
    assert (replace(kept.item, group_id=item_id), kept.change) == (new, sent.change)
    ask(live.url, lambda c: c.set_stock({item_id: False}), key=live.key)
    ask(live.url, lambda c: c.set_prices({item_id: 5.5}), key=live.key)
    changed = ask(live.url, lambda c: c.item(item_id), key=live.key).item
    assert (changed.in_stock, changed.price_minor, changed.texts) == (False, 550, new.texts)
    assert ask(live.url, lambda c: c.delete_items([item_id]), key=live.key).accepted == 1
    assert ask(live.url, lambda c: c.item(item_id), key=live.key).is_deleted
    with pytest.raises(NotFoundError):
        ask(live.url, lambda c: c.item("nothing"), key=live.key)


@BOTH
def test_that_all_items_were_refused_is_an_answer(ask: Ask, live: Running) -> None:
    sent = ask(live.url, lambda c: c.set_stock({"nothing": True, "nobody": False}), key=live.key)
    assert (sent.accepted, [one.code for one in sent.rejected]) == (0, ["unknown_item"] * 2)
