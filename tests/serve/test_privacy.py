"""Consent at every read, everything handed out on request, and nothing left after an erasure."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.talking import Talk, event, opened

SECRET_WORDS = "一双蓝色的跑步鞋 for my sister Wilhelmina"


def grep(folder: Path, needle: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and needle in file.read_bytes()]


def test_without_consent_the_list_is_popular_and_says_so(talk: Talk) -> None:
    path = "/v1/shoppers/s-1/recommendations"
    personal = talk.get(path).json()
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    refused = talk.get(path).json()
    popular = talk.get("/v1/shoppers/nobody/recommendations").json()
    assert "no consent for recommend" in " ".join(refused["degraded"])
    assert [one["item_id"] for one in refused["items"]] == [one["item_id"] for one in popular["items"]]
    assert personal["items"] != refused["items"]
    assert {reason["kind"] for one in refused["items"] for reason in one["reasons"]} <= {"impersonal"}
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": True}})
    assert [one["item_id"] for one in talk.get(path).json()["items"]] == [
        one["item_id"] for one in personal["items"]
    ]


def test_a_profile_is_read_for_a_purpose_that_was_allowed(talk: Talk) -> None:
    assert talk.get("/v1/shoppers/s-1/profile").status_code == 200
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    refused = talk.get("/v1/shoppers/s-1/profile")
    assert refused.status_code == 403
    assert refused.json()["code"] == "consent"


@pytest.mark.parametrize("purposes", [{"sell": True}, {}, {"ads": "perhaps"}])
def test_answers_to_unknown_questions_are_refused(talk: Talk, purposes: dict[str, object]) -> None:
    answer = talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": purposes})
    assert answer.status_code == 422


def test_an_export_has_everything_under_the_shoppers_own_id(talk: Talk) -> None:
    talk.send(event("s-1", "search", query=SECRET_WORDS))
    talk.get("/v1/shoppers/s-1/recommendations")
    talk.shop.writer.close()
    whole = talk.get("/v1/shoppers/s-1/export").json()
    assert whole["schema"] == "huaxiang.export/1"
    assert {one["shopper_id"] for one in whole["events"]} == {"s-1"}
    assert SECRET_WORDS in [one["query"] for one in whole["events"]]
    assert len(whole["events"]) >= whole["profile"]["n_events"]
    assert len(whole["lists"]) == 1
    assert talk.shop.people.hashed("s-1") not in talk.get("/v1/shoppers/s-1/export").text


def test_nothing_is_left_after_an_erasure_not_even_in_the_files(live_run: Path) -> None:
    live = live_run.with_name("run.live")
    with opened(live_run) as talk:
        talk.send(event("wilhelmina", "search", query=SECRET_WORDS, event_id="her-own-event"))
        talk.send(event("wilhelmina", "purchase", item_id=talk.shop.serving.model.catalogue.item_ids[0]))
        talk.get("/v1/shoppers/wilhelmina/profile")
        hashed = talk.shop.people.hashed("wilhelmina").encode()
        vector = talk.shop.serving.model.text_vector(SECRET_WORDS)[0].astype("<f4").tobytes()
    needles = [SECRET_WORDS.encode(), b"her-own-event", hashed, vector]
    assert all(grep(live, needle) for needle in needles)
    assert not grep(live, b"wilhelmina")
    with opened(live_run) as talk:
        receipt = talk.client.delete("/v1/shoppers/wilhelmina").json()
        assert receipt["rows"]["events"] == 2
        assert talk.get("/v1/shoppers/wilhelmina/profile").status_code == 404
        assert [grep(live, needle) for needle in needles] == [[]] * 4
        assert talk.client.post("/v1/receipts/check", json=receipt).json() == {"is_genuine": True}
        forged = {**receipt, "erased_at": "2020-01-01T00:00:00Z"}
        assert talk.client.post("/v1/receipts/check", json=forged).json() == {"is_genuine": False}
    assert [grep(live, needle) for needle in needles] == [[]] * 4


def test_what_happened_before_an_erasure_never_comes_back_and_what_comes_later_counts(talk: Talk) -> None:
    early = event("returning", "search", query="red hat")
    talk.send(early)
    talk.client.delete("/v1/shoppers/returning")
    again = talk.send(
        early, event("returning", "search", query="late mail", occurred_at="2020-01-01T00:00:00Z")
    )
    assert again.json()["accepted"] == 0
    assert talk.get("/v1/shoppers/returning/profile").status_code == 404
    assert talk.send(event("returning", "search", query="blue hat")).json()["accepted"] == 1
    assert talk.get("/v1/shoppers/returning/profile").json()["n_events"] == 1


def test_others_are_not_touched_by_an_erasure(talk: Talk) -> None:
    talk.send(event("one", "search", query="same words"), event("two", "search", query="same words"))
    before = talk.get("/v1/shoppers/two/profile").json()
    talk.client.delete("/v1/shoppers/one")
    after = talk.get("/v1/shoppers/two/profile").json()
    assert after["interests"] == before["interests"]
    assert after["facets"] == before["facets"]
