"""Consent at every read, everything handed out on request, and nothing left after an erasure."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import call
from serve.talking import ADMIN_KEY, Talk, event, opened

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
        assert talk.client.post("/v1/receipts/check", json=receipt).json()["is_genuine"]
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


def test_words_that_another_shopper_said_too_stay_until_nobody_needs_them(talk: Talk) -> None:
    talk.send(event("one", "search", query=SECRET_WORDS), event("two", "search", query=SECRET_WORDS))
    for shopper_id in ("one", "two"):
        talk.get(f"/v1/shoppers/{shopper_id}/profile")
    first = talk.client.delete("/v1/shoppers/one").json()
    assert first["rows"]["contents"] == 0
    assert talk.get("/v1/shoppers/two/profile").json()["interests"]
    assert talk.client.delete("/v1/shoppers/two").json()["rows"]["contents"] == 1


def test_a_dead_letter_of_theirs_goes_too(talk: Talk) -> None:
    talk.send(event("sender", "purchase", item_id="i-not-there-yet", event_id="waiting"))
    assert len(talk.get("/v1/letters").json()["letters"]) == 1
    assert talk.client.delete("/v1/shoppers/sender").json()["rows"]["dead_letters"] == 1
    assert talk.get("/v1/letters").json()["letters"] == []
    assert not grep(talk.run.with_name("run.live"), b"waiting")


def test_a_line_of_the_audit_tells_nobody_who_it_was(talk: Talk) -> None:
    talk.send(event("somebody", "search", query="mug"))
    talk.get("/v1/shoppers/somebody/export")
    talk.client.delete("/v1/shoppers/somebody")
    talk.shop.writer.close()
    with talk.shop.store.read() as tx:
        lines = tx.exec_driver_sql("SELECT action, subject FROM audit ORDER BY at_ms").fetchall()
    assert {"export", "erase"} <= {action for action, _ in lines}
    names = {"somebody", talk.shop.people.hashed("somebody")}
    assert not names & {subject for _, subject in lines}


LATE = {"timestamp": "2020-01-01T00:00:00Z", "writeKey": ADMIN_KEY}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("track", {"userId": "ann", "event": "Products Searched", "properties": {"query": "mug"}}),
        ("identify", {"userId": "ann", "traits": {"plan": "gold"}}),
        ("identify", {"userId": "ann", "anonymousId": "visitor", "traits": {"plan": "gold"}}),
        ("alias", {"userId": "ann", "previousId": "visitor"}),
        ("alias", {"userId": "visitor", "previousId": "ann"}),
    ],
)
def test_nothing_that_segment_sends_late_brings_anybody_back(
    talk: Talk, kind: str, message: dict[str, object]
) -> None:
    talk.send(event("ann", "search", query="red hat"), event("anonymous:visitor", "search", query="hat"))
    talk.client.delete("/v1/shoppers/ann")
    answer = talk.client.post(f"/v1/{kind}", json={**message, **LATE, "messageId": "late"})
    assert answer.status_code == 200
    hashed = talk.shop.people.hashed("ann")
    with talk.shop.store.read() as tx:
        for table, column in (("shoppers", "shopper_id"), ("links", "low_id"), ("links", "high_id")):
            query = f"SELECT count(*) FROM {table} WHERE {column} = ?"
            assert tx.exec_driver_sql(query, (hashed,)).scalar() == 0, table
    assert talk.get("/v1/shoppers/ann/profile").status_code == 404


def test_who_was_joined_once_and_came_apart_no_longer_names_an_erased_id(talk: Talk) -> None:
    talk.send(event("ann", "search", query="red hat"), event("bob", "search", query="blue hat"))
    for linked in (True, False):
        talk.send(event("bob", "alias", context={"other": "ann", "linked": linked}))
    receipt = talk.client.delete("/v1/shoppers/ann").json()
    assert len(receipt["subjects"]) == 1
    hashed = talk.shop.people.hashed("ann")
    with talk.shop.store.read() as tx:
        found = tx.exec_driver_sql("SELECT count(*) FROM events WHERE context LIKE ?", (f"%{hashed}%",))
        assert found.scalar() == 0
    assert talk.get("/v1/shoppers/bob/profile").json()["n_events"] == 1


@pytest.mark.parametrize("placement", ["home", "item", "cart"])
def test_who_refuses_recommendations_gets_what_is_popular_on_every_placement(
    talk: Talk, placement: str
) -> None:
    item_id = talk.shop.serving.model.catalogue.item_ids[0]
    about = f"placement={placement}" + ("" if placement == "home" else f"&item_id={item_id}")
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    refused = talk.get(f"/v1/shoppers/s-1/recommendations?{about}").json()
    nobody = talk.get(f"/v1/recommendations?{about}").json()
    assert "no consent for recommend; popular items" in refused["degraded"]
    assert [one["item_id"] for one in refused["items"]] == [one["item_id"] for one in nobody["items"]]


PURPOSES = ("recommend", "search", "service", "ads", "research")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_reads_profiles_and_makes_lists_for_its_own_purpose_alone(talk: Talk, purpose: str) -> None:
    scopes = "profile:read,recommend:read"
    made = call("keys", "create", "--scope", scopes, "--purpose", purpose, "--run", talk.run, "--json").json
    headers = {"Authorization": f"Bearer {made['key']}"}
    for is_allowed in (True, False):
        answers = {"purposes": {one: (one == purpose) is is_allowed for one in PURPOSES}}
        talk.client.put("/v1/shoppers/s-1/consent", json=answers)
        profile = talk.get("/v1/shoppers/s-1/profile", headers=headers)
        assert profile.status_code == (200 if is_allowed else 403)
        listed = talk.get("/v1/shoppers/s-1/recommendations", headers=headers).json()
        assert (f"no consent for {purpose}; popular items" in listed["degraded"]) is not is_allowed
