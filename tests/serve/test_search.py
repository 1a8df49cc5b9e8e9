"""Search over HTTP: for whom, by what, and what becomes of the query."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from serve.talking import Talk, event


def title(talk: Talk, row: int = 0) -> str:
    return str(talk.shop.serving.model.catalogue.titles["en"][row])


def jpeg(colour: str = "red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(written, "JPEG")
    return written.getvalue()


def test_words_are_answered_and_read(talk: Talk) -> None:
    answer = talk.get("/v1/search", params={"q": title(talk), "k": 3})
    assert answer.status_code == 200
    found = answer.json()
    assert found["items"][0]["title"] == title(talk)
    assert found["query"]["searched"] == title(talk)
    assert found["facets"]


def test_a_search_of_a_shopper_is_an_event_that_the_next_answer_knows(talk: Talk) -> None:
    talk.send(event("s-new", "view_item", item_id=talk.shop.serving.model.catalogue.item_ids[0]))
    slate = talk.get("/v1/search", params={"q": "red dress", "shopper": "s-new"}).json()["slate_id"]
    profile = talk.get("/v1/shoppers/s-new/profile").json()
    assert profile["n_events"] == 2
    assert "red dress" in profile["intent"]["queries"]
    assert f"search-{slate}" in profile["intent"]["evidence"]


def test_somebody_of_whom_nothing_is_known_is_answered_and_remembered(talk: Talk) -> None:
    found = talk.get("/v1/search", params={"q": "dress", "shopper": "s-stranger"}).json()
    assert not found["is_personal"]
    assert talk.get("/v1/shoppers/s-stranger/profile").json()["n_events"] == 1


def test_a_search_that_is_not_logged_leaves_nothing(talk: Talk) -> None:
    talk.get("/v1/search", params={"q": "dress", "shopper": "s-quiet", "log": False})
    assert talk.get("/v1/shoppers/s-quiet/profile").status_code == 404


def test_who_refuses_gets_everybodys_order_and_is_not_logged(talk: Talk) -> None:
    talk.send(event("s-no", "view_item", item_id=talk.shop.serving.model.catalogue.item_ids[0]))
    talk.client.put("/v1/shoppers/s-no/consent", json={"purposes": {"search": False}, "source": "test"})
    found = talk.get("/v1/search", params={"q": "dress", "shopper": "s-no"}).json()
    assert not found["is_personal"]
    assert any("no consent for search" in note for note in found["degraded"])
    assert talk.get("/v1/shoppers/s-no/profile").json()["n_events"] == 1


def test_what_was_bought_from_a_search_counts_for_its_placement(talk: Talk) -> None:
    found = talk.get("/v1/search", params={"q": "dress", "shopper": "s-buyer"}).json()
    item = found["items"][0]["item_id"]
    talk.send(event("s-buyer", "purchase", item_id=item, context={"slate_id": found["slate_id"]}))
    talk.until(lambda: any("search" in map(str, key) for key in talk.shop.outcomes.counts))


def test_a_photo_is_the_body_or_named_in_it(talk: Talk) -> None:
    plain = talk.client.post(
        "/v1/search/image", params={"k": 3}, content=jpeg(), headers={"Content-Type": "image/jpeg"}
    )
    said = "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode()
    named = talk.client.post("/v1/search/image", params={"k": 3}, json={"image": said})
    assert plain.status_code == named.status_code == 200
    assert [one["item_id"] for one in plain.json()["items"]] == [
        one["item_id"] for one in named.json()["items"]
    ]


def test_a_photo_of_a_shopper_is_an_event_and_of_nobody_is_not_kept(talk: Talk) -> None:
    headers = {"Content-Type": "image/jpeg"}
    talk.client.post("/v1/search/image", content=jpeg("blue"), headers=headers)
    assert len(talk.shop.photos) == 0
    talk.client.post("/v1/search/image", params={"shopper": "s-eye"}, content=jpeg("blue"), headers=headers)
    assert talk.get("/v1/shoppers/s-eye/profile").json()["n_events"] == 1
    assert len(talk.shop.photos) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7 no photo", "image/jpeg"),
        (b"", "image/png"),
        (b"{}", "application/json"),
        (b"[", "application/json"),
    ],
    ids=["a PDF", "nothing", "no image", "no JSON"],
)
def test_what_is_no_photo_is_refused(talk: Talk, body: bytes, kind: str) -> None:
    answer = talk.client.post("/v1/search/image", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 422
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"q": ""}, "q"),
        ({"q": "!?"}, "q"),
        ({"q": "a" * 10_000}, "q"),
        ({"q": "dress", "k": 0}, "k"),
        ({"q": "dress", "k": 5_000}, "k"),
        ({"q": "dress", "filter": "colour"}, "filter"),
        ({"q": "dress", "filter": "weight=3"}, "filter"),
        ({"q": "dress", "brand": "nobody"}, "brand"),
        ({"q": "dress", "price_max": "nan"}, "price_max"),
        ({"q": "dress", "strength": -1}, "strength"),
    ],
)
def test_a_wrong_question_names_its_field(talk: Talk, asked: dict[str, object], field: str) -> None:
    answer = talk.get("/v1/search", params=asked)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_typing_is_finished(talk: Talk) -> None:
    kind = talk.shop.serving.model.catalogue.dimensions["category"].values[0]
    found = talk.get("/v1/search/suggest", params={"q": kind[:3]}).json()["suggestions"]
    assert kind in [one["text"] for one in found]
    assert talk.get("/v1/search/suggest", params={"q": ""}).json() == {"suggestions": []}
    assert talk.get("/v1/search/suggest", params={"q": "a", "k": 0}).status_code == 422


def test_a_new_item_is_searchable_within_a_moment(talk: Talk) -> None:
    item = {"item_id": "lamp", "texts": {"en": {"title": "Zyzzyva lamp"}}, "price": 5, "currency": "CNY"}
    talk.client.post("/v1/items", json={"items": [item]})

    def is_found() -> bool:
        found = talk.get("/v1/search", params={"q": "zyzzyva"}).json()["items"]
        return bool(found) and found[0]["item_id"] == "lamp"

    talk.until(is_found)


def test_a_key_without_the_scope_may_not_search(talk: Talk) -> None:
    headers = {"Authorization": "Bearer hx_nobody_" + "k" * 43}
    assert talk.get("/v1/search", params={"q": "dress"}, headers=headers).status_code == 401
