"""Every read and change of a person by a key leaves a line that tells nobody who it was."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from serve.talking import Talk, event


def lines(talk: Talk, **asked: object) -> list[dict[str, str]]:
    """Return the audit once everything noted so far is written."""
    talk.shop.writer.submit("default", []).result(timeout=10)
    return talk.get("/v1/audit", params={"limit": 1000, **asked}).json()["lines"]


def test_each_read_and_change_of_a_person_leaves_a_line(talk: Talk) -> None:
    path = "/v1/shoppers/s-1"
    correction = {"dimension": "colour", "value": "red", "side": "liked"}
    calls = [
        ("GET", "/profile", None, "profile"),
        ("GET", "/recommendations", None, "list"),
        ("GET", "/export", None, "export"),
        ("PATCH", "/profile", correction, "correct"),
        ("PUT", "/consent", {"purposes": {"ads": False}}, "consent"),
        ("GET", "/consent", None, "read consent"),
        ("DELETE", "", None, "erase"),
    ]
    talk.send(event("s-1", "search", query="a hat"))
    for method, more, body, _ in calls:
        assert talk.client.request(method, path + more, json=body).status_code == 200
    found = lines(talk, shopper_id="s-1")
    assert [line["action"] for line in found] == ["events", *(action for *_, action in calls), "erase"]
    assert {line["subject"] for line in found} == {found[0]["subject"]}
    assert {line["key_id"] for line in found} == {"testadmin"}
    assert [line["outcome"] for line in found[-2:]] == ["asked", "done"]


def test_nobody_is_recognised_in_the_audit(talk: Talk) -> None:
    talk.get("/v1/shoppers/s-1/profile")
    talk.shop.writer.submit("default", []).result(timeout=10)
    said = talk.get("/v1/audit").text
    assert "s-1" not in said
    assert talk.shop.people.hashed("s-1") not in said


def test_a_read_that_was_refused_says_so(talk: Talk) -> None:
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    talk.get("/v1/shoppers/s-1/profile")
    talk.get("/v1/shoppers/nobody/profile")
    assert Counter(line["outcome"] for line in lines(talk) if line["action"] == "profile") == {
        "consent": 1,
        "unknown_shopper": 1,
    }


def test_the_events_of_a_request_are_one_line(talk: Talk) -> None:
    talk.send(*(event(f"s-{number}", "search", query="a hat") for number in (1, 2, 3)))
    talk.client.post("/v1/track", json={"event": "Products Searched", "userId": "s-1", "messageId": "m-9"})
    sent = [line for line in lines(talk) if line["action"] == "events"]
    assert [(line["outcome"], line["subject"] is None) for line in sent] == [("3 sent", True)] + [
        ("1 sent", False)
    ] * (len(sent) - 1)


def test_the_audit_is_read_page_by_page(talk: Talk) -> None:
    before = datetime.now(UTC).isoformat()
    for number in range(7):
        talk.get(f"/v1/shoppers/s-{number}/recommendations")
    whole = [line["line"] for line in lines(talk, since=before) if line["action"] == "list"]
    pages, after = [], ""
    while after is not None:
        page = talk.get("/v1/audit", params={"limit": 3, "after": after}).json()
        pages += [line["line"] for line in page["lines"] if line["action"] == "list"]
        after = page["next"]
    assert pages == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 5000},
        {"since": "May"},
        {"since": "9999-99-99"},
        {"after": "'; --"},
        {"key_id": "a\0"},
    ],
)
def test_what_the_audit_can_not_answer_is_refused(talk: Talk, asked: dict[str, object]) -> None:
    assert talk.get("/v1/audit", params=asked).status_code == 422


def test_only_an_admin_reads_the_audit(talk: Talk) -> None:
    from huaxiang.serve.key_making import make_key
    from huaxiang.serve.process import Process

    process = Process.of({}, run=talk.run)
    key = make_key(process, scopes=("profile:read", "privacy:manage"))["key"]
    assert talk.get("/v1/audit", headers={"Authorization": f"Bearer {key}"}).status_code == 403
