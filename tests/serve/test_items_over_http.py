"""Items over HTTP: durable, right in lists soon, named by events at once, and there again after a restart."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huaxiang.model import load
from huaxiang.serve.importing import item_records
from serve.talking import Talk, event, opened

NEW: dict[str, Any] = {
    "item_id": "newcomer",
    "texts": {"en": {"title": "Red leather ankle boots"}, "zh": {"title": "红色真皮短靴"}},
    "category": ["Shoes", "Ankle Boots"],
    "brand": "Acme",
    "price": 300,
    "attributes": {"colour": ["red"]},
}


@pytest.fixture(scope="module")
def talk(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """Yield one service for the tests of this file; each puts back what it needs."""
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("items") / "run"))
    with opened(run) as talk:
        yield talk


def change(talk: Talk, *items: dict[str, Any]) -> Any:
    return talk.client.post("/v1/items", json={"items": list(items)})


def listed(talk: Talk, shopper_id: str = "s-1") -> list[str]:
    answer = talk.get(f"/v1/shoppers/{shopper_id}/recommendations", params={"k": 100, "repeat": True})
    return [item["item_id"] for item in answer.json()["items"]]


def soon(is_so: Callable[[], bool]) -> bool:
    """Wait, far longer than it should take, until something is so."""
    end = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def kept(talk: Talk, item_id: str) -> Any:
    return talk.get(f"/v1/items/{item_id}").json()


def test_a_new_item_is_kept_as_it_was_sent_and_soon_listed(talk: Talk) -> None:
    answer = change(talk, NEW)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text
    sent = {name: value for name, value in NEW.items() if name != "price"}
    assert kept(talk, "newcomer")["item"] == {
        **sent,
        "price_minor": 30000,
        "currency": "CNY",
        "in_stock": True,
    }
    assert soon(lambda: "newcomer" in listed(talk))
    assert kept(talk, "newcomer")["is_served"]


def test_what_is_answered_of_an_item_makes_it_the_same_again(talk: Talk) -> None:
    change(talk, NEW)
    stored = kept(talk, "newcomer")
    assert stored["item"]["price_minor"] == 30000
    again = change(talk, stored["item"]).json()
    assert again["change"] == stored["change"]
    assert kept(talk, "newcomer")["item"] == stored["item"]


def test_an_item_of_the_run_is_shown_with_what_the_run_states(talk: Talk) -> None:
    stored = kept(talk, talk.shop.serving.model.catalogue.item_ids[0])
    assert stored["item"]["category"] and stored["item"]["brand"] and stored["is_served"]
    assert change(talk, stored["item"]).json()["degraded"] == []


def test_sold_out_and_back_in_stock(talk: Talk) -> None:
    item_id = listed(talk)[0]
    assert change(talk, {"action": "stock", "item_id": item_id, "in_stock": False}).status_code == 200
    assert soon(lambda: item_id not in listed(talk))
    change(talk, {"action": "stock", "item_id": item_id, "in_stock": True})
    assert soon(lambda: item_id in listed(talk))


def test_a_price_moves_the_item_to_another_band_and_nothing_else_changes(talk: Talk) -> None:
    item_id = listed(talk)[0]
    before, vectors = kept(talk, item_id)["item"], talk.shop.serving.model.vectors
    change(talk, {"action": "price", "item_id": item_id, "price": 99999})
    assert soon(lambda: kept(talk, item_id)["is_served"])
    assert kept(talk, item_id)["item"] == {**before, "price_minor": 9999900}
    catalogue = talk.shop.serving.model.catalogue
    assert catalogue.price_minor[catalogue.row_of[item_id]] == 9999900
    assert talk.shop.serving.model.vectors is vectors


def test_a_deleted_item_leaves_the_lists_and_stays_in_profiles(talk: Talk) -> None:
    item_id = listed(talk)[0]
    talk.send(event("s-1", "view_item", item_id=item_id))
    n_events = talk.get("/v1/shoppers/s-1/profile").json()["n_events"]
    assert change(talk, {"action": "delete", "item_id": item_id}).json()["accepted"] == 1
    assert soon(lambda: item_id not in listed(talk))
    assert talk.send(event("s-1", "purchase", item_id=item_id)).json()["accepted"] == 1
    assert talk.get("/v1/shoppers/s-1/profile").json()["n_events"] == n_events + 1
    assert kept(talk, item_id)["is_deleted"]
    part = change(talk, {"action": "stock", "item_id": item_id, "in_stock": True})
    assert (part.status_code, part.json()["rejected"][0]["code"]) == (422, "deleted_item")


def test_an_upsert_brings_a_deleted_item_back(talk: Talk) -> None:
    change(talk, NEW, {"action": "delete", "item_id": "newcomer"})
    assert soon(lambda: kept(talk, "newcomer")["is_served"])
    assert "newcomer" not in listed(talk)
    change(talk, NEW)
    assert soon(lambda: "newcomer" in listed(talk))


def test_events_name_a_new_item_at_once(talk: Talk) -> None:
    change(talk, NEW)
    assert talk.send(event("fresh", "purchase", item_id="newcomer")).json()["accepted"] == 1
    assert talk.get("/v1/shoppers/fresh/profile").json()["n_events"] == 1
    assert soon(lambda: kept(talk, "newcomer")["is_served"])
    answer = talk.get("/v1/shoppers/fresh/recommendations", params={"k": 100})
    assert "newcomer" not in [item["item_id"] for item in answer.json()["items"]]


def test_one_batch_is_taken_in_its_order(talk: Talk) -> None:
    sold_out = {"action": "stock", "item_id": "in order", "in_stock": False}
    cheaper = {"action": "price", "item_id": "in order", "price_minor": 5}
    answer = change(talk, sold_out, {**NEW, "item_id": "in order"}, sold_out, cheaper).json()
    assert answer["accepted"] == 3
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(0, "unknown_item")]
    item = kept(talk, "in order")["item"]
    assert (item["in_stock"], item["price_minor"]) == (False, 5)


def test_a_feed_that_names_no_category_brand_or_attribute_keeps_them(talk: Talk) -> None:
    change(talk, NEW)
    change(talk, {"item_id": "newcomer", "texts": {"en": {"title": "Boots"}}})
    item = kept(talk, "newcomer")["item"]
    assert (item["brand"], item["category"], item["attributes"]) == (
        "Acme",
        NEW["category"],
        {"colour": ["red"]},
    )
    assert "price_minor" not in item
    change(talk, {"item_id": "newcomer", "brand": "Other"})
    assert "category" not in kept(talk, "newcomer")["item"]


REFUSED: dict[str, tuple[Any, str | None, str]] = {
    "no object": ("a", None, "not_an_object"),
    "no id": ({"brand": "Acme"}, "item_id", "missing"),
    "id of nothing": ({"item_id": "null"}, "item_id", "not_an_id"),
    "long id": ({"item_id": "i" * 201}, "item_id", "too_long"),
    "unknown key": ({"item_id": "a", "colour": "red"}, "colour", "unknown_field"),
    "near key": ({"item_id": "a", "brnad": "x"}, "brnad", "unknown_field"),
    "near key of texts": (
        {"item_id": "a", "texts": {"en": {"titel": "x"}}},
        "texts.en.titel",
        "unknown_field",
    ),
    "unknown action": ({"item_id": "a", "action": "remove"}, "action", "unknown_action"),
    "action of another type": ({"item_id": "a", "action": ["stock"]}, "action", "unknown_action"),
    "price as text": ({"item_id": "a", "price": "5"}, "price", "not_a_number"),
    "price below zero": ({"item_id": "a", "price": -1}, "price", "out_of_range"),
    "price beyond all": ({"item_id": "a", "price": 1e300}, "price", "out_of_range"),
    "two prices": ({"item_id": "a", "price": 1, "price_minor": 100}, "price_minor", "not_expected"),
    "minor price with a fraction": ({"item_id": "a", "price_minor": 1.5}, "price_minor", "not_a_number"),
    "foreign currency": ({"item_id": "a", "price": 1, "currency": "CHF"}, "currency", "foreign_currency"),
    "no currency": ({"item_id": "a", "price": 1, "currency": "francs"}, "currency", "not_a_currency"),
    "stock without saying": ({"item_id": "a", "action": "stock"}, "in_stock", "missing"),
    "stock as text": ({"item_id": "a", "action": "stock", "in_stock": "no"}, "in_stock", "not_a_truth"),
    "stock with more": (
        {"item_id": "a", "action": "stock", "in_stock": True, "brand": "x"},
        "brand",
        "unknown_field",
    ),
    "category as text": ({"item_id": "a", "category": "Shoes > Boots"}, "category", "not_a_list"),
    "category with its divider": ({"item_id": "a", "category": ["A > B"]}, "category.0", "not_a_text"),
    "deep category": ({"item_id": "a", "category": ["a"] * 11}, "category", "too_long"),
    "attribute with our name": (
        {"item_id": "a", "attributes": {"price_band": ["low"]}},
        "attributes.price_band",
        "not_expected",
    ),
    "attribute with no name": ({"item_id": "a", "attributes": {"": ["x"]}}, "attributes.", "not_a_name"),
    "attribute of numbers": (
        {"item_id": "a", "attributes": {"size": [4]}},
        "attributes.size.0",
        "not_a_text",
    ),
    "language that is none": (
        {"item_id": "a", "texts": {"../x": {"title": "t"}}},
        "texts.../x",
        "not_a_language",
    ),
    "NUL": ({"item_id": "a", "brand": "a\0b"}, "brand", "not_a_text"),
    "long words": (
        {"item_id": "a", "texts": {"en": {"description": "d" * 10_001}}},
        "texts.en.description",
        "too_long",
    ),
    "deep": ({"item_id": "a", "attributes": {"a": [[[[[["x"]]]]]]}}, "attributes", "too_deep"),
    "time without a zone": (
        {"item_id": "a", "valid_from": "2026-01-01T00:00:00"},
        "valid_from",
        "not_a_time",
    ),
    "time beyond all": (
        {"item_id": "a", "valid_from": "9999-12-31T23:59:59-12:00"},
        "valid_from",
        "not_a_time",
    ),
    "many photos": ({"item_id": "a", "images": ["x"] * 6}, "images", "too_long"),
    "much JSON": (
        {"item_id": "a", "attributes": {f"a{n}": ["x" * 200] * 49 + [str(n)] for n in range(50)}},
        None,
        "too_long",
    ),
    "group that is no id": ({"item_id": "a", "group_id": {}}, "group_id", "not_an_id"),
    "part of an unknown item": ({"item_id": "a", "action": "price", "price": 1}, "item_id", "unknown_item"),
    "price without one": ({"item_id": "a", "action": "price"}, "price", "missing"),
    "unknown item to delete": ({"item_id": "a", "action": "delete"}, "item_id", "unknown_item"),
}


def test_what_is_refused_is_named_and_the_others_are_taken(talk: Talk) -> None:
    answer = change(talk, *(given for given, _, _ in REFUSED.values()), NEW)
    assert answer.status_code == 200 and answer.json()["accepted"] == 1
    found = {one["index"]: (one["field"], one["code"]) for one in answer.json()["rejected"]}
    expected = {index: (field, code) for index, (_, field, code) in enumerate(REFUSED.values())}
    assert found == expected
    by_name = dict(zip(REFUSED, answer.json()["rejected"], strict=True))
    assert by_name["near key"]["message"] == "not known; the nearest is brand"
    assert by_name["near key of texts"]["message"] == "not known; the nearest is title"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 422, "body"),
        (b"[]", 422, "items"),
        (b'{"items": []}', 422, "items"),
        (b'{"items": [], "item": 1}', 422, "body"),
        (b'{"items": [' + b"{}," * 500 + b"{}]}", 413, "items"),
    ],
    ids=["no JSON", "a list", "no items", "another key", "too many"],
)
def test_a_body_that_is_none_is_refused_as_a_whole(talk: Talk, body: bytes, status: int, field: str) -> None:
    answer = talk.client.post("/v1/items", content=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_numbers_and_texts_that_json_has_not_refuse_only_their_item(talk: Talk) -> None:
    body = (
        b'{"items": [{"item_id": "a", "price": NaN}, {"item_id": "b", "brand": "\\ud800"}, {"item_id": "c"}]}'
    )
    answer = talk.client.post("/v1/items", content=body).json()
    assert answer["accepted"] == 1
    assert [(one["field"], one["code"]) for one in answer["rejected"]] == [
        ("price", "not_a_number"),
        ("brand", "not_a_text"),
    ]


def test_the_scope_is_needed(talk: Talk) -> None:
    assert (
        talk.client.post("/v1/items", json={"items": [NEW]}, headers={"Authorization": ""}).status_code == 401
    )


def test_an_unknown_item_is_not_found(talk: Talk) -> None:
    assert talk.get("/v1/items/nothing").status_code == 404


def test_the_records_of_a_run_change_nothing_of_it(small_run: Path) -> None:
    model = load(small_run)
    same = model.with_items(item_records(model))
    assert same.catalogue.version == model.catalogue.version
    assert same.vectors is model.vectors


def test_after_a_restart_and_another_version_the_items_are_as_they_were_left(live_run: Path) -> None:
    with opened(live_run) as talk:
        gone, sold_out = listed(talk)[:2]
        change(
            talk,
            NEW,
            {"action": "delete", "item_id": gone},
            {"action": "stock", "item_id": sold_out, "in_stock": False},
        )
        assert soon(lambda: "newcomer" in listed(talk) and gone not in listed(talk))
        before = talk.shop.serving.model.catalogue
    with opened(live_run) as talk:
        assert "newcomer" in listed(talk)
        assert not {gone, sold_out} & set(listed(talk))
        assert talk.shop.serving.model.catalogue.version == before.version
        assert talk.send(event("later", "purchase", item_id="newcomer")).json()["accepted"] == 1


def test_items_that_came_after_the_run_are_read_once_and_not_at_each_start(live_run: Path) -> None:
    def read(talk: Talk) -> tuple[int, int]:
        words: Any = talk.shop.item_readers.of(talk.shop.serving.model).words
        return words.n_found, words.n_made

    with opened(live_run) as talk:
        change(talk, NEW)
        assert soon(lambda: "newcomer" in listed(talk))
        n_texts = read(talk)[1]
        assert n_texts > 0
        before = talk.shop.serving.model.vectors["fused"]
    with opened(live_run) as talk:
        assert "newcomer" in listed(talk)
        assert read(talk) == (n_texts, 0)
        np.testing.assert_array_equal(talk.shop.serving.model.vectors["fused"], before)
