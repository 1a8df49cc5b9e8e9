"""A list that a page still has is not sent again, unless something has changed or chance has a part in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serve.talking import Talk, event

PATH = "/v1/shoppers/s-1/recommendations"


@pytest.fixture(autouse=True)
def still(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test lie within one minute."""
    now = talk.shop.clock()
    monkeypatch.setattr(talk.shop, "clock", lambda: now)


def status(talk: Talk, tag: str, path: str = PATH, **asked: object) -> int:
    return int(talk.get(path, params=asked, headers={"If-None-Match": tag}).status_code)


def test_a_list_is_not_sent_twice_and_not_counted_twice(talk: Talk) -> None:
    first = talk.get(PATH)
    assert status(talk, first.headers["etag"]) == 304
    assert [row["slates"] for row in talk.shop.outcomes.as_json()["lists"]] == [1]
    assert status(talk, '"another"') == 200


@pytest.mark.parametrize("asked", [{"k": 3}, {"language": "zh"}, {"placement": "cart"}, {"of": "brand"}])
def test_another_question_has_another_answer(talk: Talk, asked: dict[str, object]) -> None:
    tag = talk.get(PATH).headers["etag"]
    assert status(talk, tag, **asked) == 200
    assert status(talk, tag, "/v1/shoppers/s-2/recommendations") == 200


def test_an_event_of_the_shopper_makes_the_list_a_new_one(talk: Talk) -> None:
    answer = talk.get(PATH)
    talk.send(event("s-1", "purchase", item_id=answer.json()["items"][0]["item_id"]))
    assert status(talk, answer.headers["etag"]) == 200


def test_consent_makes_the_list_a_new_one(talk: Talk) -> None:
    tag = talk.get(PATH).headers["etag"]
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    refused = talk.get(PATH, headers={"If-None-Match": tag})
    assert (refused.status_code, status(talk, refused.headers["etag"])) == (200, 304)


def test_a_list_that_is_drawn_by_chance_is_drawn_each_time(talk: Talk) -> None:
    tag = talk.get(PATH).headers["etag"]
    talk.shop.settings = replace(talk.shop.settings, exploration=0.5)
    drawn = talk.get(PATH, headers={"If-None-Match": tag})
    assert (drawn.status_code, "etag" in drawn.headers) == (200, False)


def test_a_visitor_without_an_id_has_a_tag_too(talk: Talk) -> None:
    tag = talk.get("/v1/recommendations").headers["etag"]
    assert status(talk, tag, "/v1/recommendations") == 304
