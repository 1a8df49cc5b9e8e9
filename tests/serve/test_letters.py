"""Dead letters: events that came before their item wait, and are in the log once when it is there."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import call
from huaxiang.records import Item
from huaxiang.store import add_key, new_key, put_items
from serve.talking import NUMBERS, Talk, event, opened


@pytest.fixture(scope="module")
def talk(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """Yield one service for the tests of this file."""
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("letters") / "run"))
    with opened(run) as talk:
        yield talk


@pytest.fixture(autouse=True)
def no_letters(talk: Talk) -> None:
    talk.client.post("/v1/letters/drop", json={})


def new_id() -> str:
    return f"not yet {next(NUMBERS)}"


def add(talk: Talk, item_id: str) -> None:
    item = {"item_id": item_id, "texts": {"en": {"title": "Red boots"}}}
    assert talk.client.post("/v1/items", json={"items": [item]}).json()["accepted"] == 1


def letters(talk: Talk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = talk.get("/v1/letters").json()["letters"]
    return found


def n_events(talk: Talk, shopper_id: str) -> int:
    answer = talk.get(f"/v1/shoppers/{shopper_id}/profile")
    return int(answer.json()["n_events"]) if answer.status_code == 200 else 0


def soon(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_an_event_before_its_item_is_refused_kept_and_taken_when_the_item_comes(talk: Talk) -> None:
    item_id = new_id()
    answer = talk.send(event("early", "purchase", item_id=item_id))
    assert answer.status_code == 422
    assert [(one["code"], one["kept"]) for one in answer.json()["rejected"]] == [("unknown_item", True)]
    assert [(one["item_id"], one["reason"]) for one in letters(talk)] == [(item_id, "unknown_item")]
    add(talk, item_id)
    assert soon(lambda: n_events(talk, "early") == 1)
    assert letters(talk) == []


def test_a_letter_that_its_sender_sent_again_is_no_second_event(talk: Talk) -> None:
    item_id, sent = new_id(), event("twice", "purchase")
    sent["item_id"] = item_id
    talk.send(sent)
    talk.send(sent)
    assert len(letters(talk)) == 1
    known = talk.shop.serving.model.catalogue.item_ids[0]
    assert talk.send({**sent, "item_id": known}).json()["accepted"] == 1
    add(talk, item_id)
    assert soon(lambda: letters(talk) == [])
    assert n_events(talk, "twice") == 1
    assert talk.send(sent).json()["duplicates"] == 1


def test_what_is_wrong_for_good_is_not_kept(talk: Talk) -> None:
    known = talk.shop.serving.model.catalogue.item_ids[0]
    wrong = event("wrong", "rate", item_id=known)
    answer = talk.send(wrong, event("wrong", "view_item", item_id=new_id(), value={"price": "x"})).json()
    assert [one["kept"] for one in answer["rejected"]] == [False, False]
    assert letters(talk) == []


def test_a_list_of_letters_tells_nothing_of_shoppers(talk: Talk) -> None:
    talk.send(event("private", "review", item_id=new_id(), text="my secret words"))
    shown = talk.get("/v1/letters").text
    assert "secret" not in shown and "private" not in shown
    assert talk.shop.people.hashed("private") not in shown


def test_letters_are_retried_and_dropped_by_item_and_reason(talk: Talk) -> None:
    first, second = new_id(), new_id()
    talk.send(*[event("chosen", "view_item", item_id=one) for one in (first, second)])
    retried = talk.client.post("/v1/letters/retry", json={"item_ids": [first]}).json()
    assert retried == {"accepted": 0, "duplicates": 0, "dropped": 0, "left": 1}
    assert talk.client.post("/v1/letters/drop", json={"item_ids": [first]}).json() == {"dropped": 1}
    assert [one["item_id"] for one in letters(talk)] == [second]
    assert talk.client.post("/v1/letters/drop", json={"reason": "other"}).json() == {"dropped": 0}
    assert talk.get("/v1/letters", params={"reason": "unknown_item"}).json()["by_reason"] == {
        "unknown_item": 1
    }


def test_the_oldest_letters_make_room_aloud(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(talk.shop.settings.limits, dead_letters=2)
    monkeypatch.setattr(talk.shop, "settings", replace(talk.shop.settings, limits=limits))
    ids = [new_id() for _ in range(3)]
    for item_id in ids:
        talk.send(event("many", "view_item", item_id=item_id))
    assert [one["item_id"] for one in letters(talk)] == ids[1:]
    assert 'huaxiang_letters_total{outcome="dropped",shop="default"} 1.0' in talk.get("/metrics").text


def test_only_operators_see_letters(talk: Talk) -> None:
    key, written = new_key("default", scopes=("events:write",), now_ms=1)
    with talk.shop.store.begin() as tx:
        add_key(tx, key)
    headers = {"Authorization": f"Bearer {written}"}
    assert talk.get("/v1/letters", headers=headers).status_code == 403
    assert talk.client.post("/v1/letters/drop", json={}, headers=headers).status_code == 403


def test_an_unknown_key_of_the_choice_is_refused_and_nothing_is_dropped(talk: Talk) -> None:
    talk.send(event("kept", "view_item", item_id=new_id()))
    assert talk.client.post("/v1/letters/drop", json={"items": ["x"]}).status_code == 422
    assert len(letters(talk)) == 1


def test_an_erased_shopper_has_no_letters_left(talk: Talk) -> None:
    item_id = new_id()
    known = talk.shop.serving.model.catalogue.item_ids[0]
    talk.send(event("leaver", "view_item", item_id=known), event("leaver", "view_item", item_id=item_id))
    assert len(letters(talk)) == 1
    receipt = talk.client.delete("/v1/shoppers/leaver").json()
    assert receipt["rows"]["dead_letters"] == 1
    assert letters(talk) == []
    add(talk, item_id)
    assert talk.get("/v1/shoppers/leaver/profile").status_code == 404


def test_the_commands_list_retry_and_drop_beside_the_service(talk: Talk) -> None:
    item_id, other = new_id(), new_id()
    talk.send(event("by hand", "purchase", item_id=item_id), event("by hand", "view_item", item_id=other))
    said = call("letters", "list", "--run", talk.run, "--json").json
    assert said["schema"] == "huaxiang.letters/1"
    assert {one["item_id"] for one in said["letters"]} == {item_id, other}
    with talk.shop.store.begin() as tx:
        put_items(tx, "default", [Item(item_id=item_id)])
    done = call("letters", "retry", "--run", talk.run, "--item", item_id, "--item", other, "--json").json
    assert done["left"] == 1
    assert n_events(talk, "by hand") == 1
    assert call("letters", "drop", "--run", talk.run).code == 2
    assert "1 dropped" in call("letters", "drop", "--run", talk.run, "--all").out
    assert letters(talk) == []


def test_a_shop_that_is_not_served_is_named(talk: Talk) -> None:
    answer = call("letters", "list", "--run", talk.run, "--shop-id", "north", "--json")
    assert answer.code == 2
    assert json.loads(answer.out)["error"]["value"] == "north"


def test_a_segment_message_before_its_item_is_kept_too(talk: Talk) -> None:
    item_id = new_id()
    message = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m-{item_id}",
        "userId": "segmented",
        "properties": {"product_id": item_id},
    }
    answer = talk.client.post("/v1/batch", json={"batch": [message]}).json()
    assert answer["rejected"][0]["kept"]
    add(talk, item_id)
    assert soon(lambda: n_events(talk, "segmented") == 1)


def test_who_is_known_by_a_letter_alone_can_be_erased_too(talk: Talk) -> None:
    talk.send(event("only a letter", "view_item", item_id=new_id()))
    assert talk.client.delete("/v1/shoppers/only a letter").json()["rows"]["dead_letters"] == 1
    assert letters(talk) == []
    assert talk.client.delete("/v1/shoppers/only a letter").status_code == 404


def test_an_export_has_the_letters_of_its_shopper(talk: Talk) -> None:
    known = talk.shop.serving.model.catalogue.item_ids[0]
    waiting = event("curious", "review", item_id=new_id(), text="lovely")
    talk.send(event("curious", "view_item", item_id=known), waiting)
    told = talk.get("/v1/shoppers/curious/export").json()["letters"]
    assert [(one["reason"], one["text"], one["shopper_id"]) for one in told] == [
        ("unknown_item", "lovely", "curious")
    ]
