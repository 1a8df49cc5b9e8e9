"""Events in, profile changed, list changed: by behaviour, over HTTP."""

from __future__ import annotations

import gzip
import json

import pytest

from serve.talking import Talk, event


def listed(talk: Talk, shopper_id: str, **asked: object) -> list[str]:
    answer = talk.get(f"/v1/shoppers/{shopper_id}/recommendations", params={"k": 10, **asked})
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in answer.json()["items"]]


def test_what_was_just_bought_is_in_no_later_list(talk: Talk) -> None:
    for _ in range(5):
        first = listed(talk, "newcomer")[0]
        assert talk.send(event("newcomer", "purchase", item_id=first)).json()["accepted"] == 1
        assert first not in listed(talk, "newcomer")


def test_the_shoppers_of_the_run_are_known_by_the_shops_own_ids(talk: Talk) -> None:
    profile = talk.get("/v1/shoppers/s-1/profile").json()
    assert profile["shopper_id"] == "s-1"
    assert profile["n_events"] > 0
    assert profile["portrait"]["en"]


def test_a_view_changes_the_profile_and_its_evidence_names_the_event(talk: Talk) -> None:
    item_id = listed(talk, "newcomer")[0]
    seen = [event("newcomer", "view_item", item_id=item_id) for _ in range(4)]
    talk.send(*seen)
    profile = talk.get("/v1/shoppers/newcomer/profile").json()
    cited = {one for facet in profile["facets"] for one in facet["evidence"]}
    assert cited
    assert cited <= {one["event_id"] for one in seen}


def test_the_same_batch_ten_times_counts_once(talk: Talk) -> None:
    batch = [event("again", "purchase", item_id=item) for item in listed(talk, "again")[:3]]
    answers = [talk.send(*batch).json() for _ in range(10)]
    assert [answer["accepted"] for answer in answers] == [3] + [0] * 9
    assert [answer["duplicates"] for answer in answers] == [0] + [3] * 9
    assert talk.get("/v1/shoppers/again/profile").json()["activity"]["n_orders"] == 3


def test_a_search_in_chinese_moves_the_list(talk: Talk) -> None:
    before = listed(talk, "seeker")
    talk.send(*[event("seeker", "search", query="运动鞋") for _ in range(3)])
    assert listed(talk, "seeker") != before


def test_an_unknown_shopper_gets_what_is_popular_and_is_told(talk: Talk) -> None:
    answer = talk.get("/v1/shoppers/nobody/recommendations").json()
    assert len(answer["items"]) == 10
    assert "popular" in " ".join(answer["degraded"])
    missing = talk.get("/v1/shoppers/nobody/profile")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_correction_wins_at_once_and_needs_the_profile_that_was_seen(talk: Talk) -> None:
    seen = talk.get("/v1/shoppers/s-1/profile")
    facet = next(one for one in seen.json()["facets"] if one["dimension"] == "category")
    change = {"dimension": "category", "value": facet["value"], "side": "disliked"}
    headers = {"If-Match": seen.headers["etag"]}
    changed = talk.client.patch("/v1/shoppers/s-1/profile", json=change, headers=headers)
    assert changed.status_code == 200, changed.text
    found = [one for one in changed.json()["facets"] if one["value"] == facet["value"]]
    assert [(one["side"], one["source"]) for one in found] == [("disliked", "corrected")]
    late = talk.client.patch("/v1/shoppers/s-1/profile", json=change, headers=headers)
    assert late.status_code == 412


def test_an_answer_that_is_known_is_not_sent_again(talk: Talk) -> None:
    first = talk.get("/v1/shoppers/s-1/profile")
    again = talk.get("/v1/shoppers/s-1/profile", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    talk.send(event("s-1", "view_item", item_id=listed(talk, "s-1")[0]))
    changed = talk.get("/v1/shoppers/s-1/profile", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


def test_what_the_page_shows_counts_for_its_list_alone(talk: Talk) -> None:
    item_id = talk.shop.serving.model.catalogue.item_ids[0]
    beside = listed(talk, "visitor", placement="item", item_id=item_id)
    assert item_id not in beside
    assert beside != listed(talk, "visitor")
    assert talk.get("/v1/shoppers/visitor/profile").status_code == 404


@pytest.mark.parametrize("of", ["category", "brand", "price_band"])
def test_lists_of_values(talk: Talk, of: str) -> None:
    answer = talk.get("/v1/shoppers/s-1/recommendations", params={"of": of, "k": 3}).json()
    assert answer["of"] == of
    assert answer["items"]


def test_a_gzip_body_is_read(talk: Talk) -> None:
    body = gzip.compress(json.dumps({"events": [event("zipped", "search", query="red")]}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = talk.client.post("/v1/events", content=body, headers=headers)
    assert answer.json()["accepted"] == 1


def test_no_hash_is_in_an_answer(talk: Talk) -> None:
    hashed = talk.shop.people.hashed("s-1")
    answers = (talk.get(f"/v1/shoppers/s-1/{what}").text for what in ("profile", "recommendations"))
    assert all(hashed not in answer for answer in answers)
