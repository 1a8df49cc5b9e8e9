"""Who gets in: every operation of the API with every kind of key, and a shop beside another's shoppers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from huaxiang.serve.key_making import end_key, make_key
from serve.operations import Operation, operations
from serve.talking import event
from serve.two_shops import PAGE, TwoShops, two_shops

pytestmark = pytest.mark.slow
OPEN = {"GET /healthz", "GET /readyz"}
"""All that answers without a key."""
WRITES_EVENTS = {
    "POST /v1/events",
    *(f"POST /v1/{kind}" for kind in ("track", "batch", "identify", "alias", "page", "screen", "group")),
}
"""All that a public key may do."""
LISTS_OF_NOBODY = (
    "/v1/recommendations",
    "/v1/items/{item_id}/similar",
    "/v1/items/{item_id}/graph",
    "/v1/search",
)
"""What a shopper's token may read besides: it is of no shopper."""
EACH_TIME = {"date", "etag", "x-request-id", "slate_id", "position", "receipt_id", "signature"}
"""Headers and fields that differ from answer to answer, whoever is asked about."""


@pytest.fixture(scope="module")
def shops(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoShops]:
    with two_shops(small_run, tmp_path_factory.mktemp("shops")) as served:
        yield served


@pytest.fixture(scope="module")
def every(shops: TwoShops) -> list[Operation]:
    with shops.client() as client:
        found = operations(client)
    assert len(found) > 20
    return found


@pytest.mark.parametrize("kind", ["none", "wrong", "expired", "revoked", "guessed"])
def test_nothing_is_answered_without_a_valid_key(shops: TwoShops, every: list[Operation], kind: str) -> None:
    written = {
        "wrong": "hx_nobody_" + "k" * 43,
        "expired": shops.keys["expired"],
        "revoked": shops.keys["revoked"],
        "guessed": shops.keys["admin"][:-1] + "~",
    }.get(kind)
    headers = {"Authorization": f"Bearer {written}"} if written else {}
    looked_into = WRITES_EVENTS - {"POST /v1/events"} if kind == "none" else set()  # Segment's may hold a key
    with shops.client(None, **headers) as client:
        for one in every:
            for body in (b"{", b"{}"):
                answer = client.request(one.method, one.filled(), content=body)
                expected = {200} if one.name in OPEN else {401, 422} if one.name in looked_into else {401}
                assert answer.status_code in expected, (one.name, answer.text)


def test_what_needs_no_key_names_no_shop_and_no_model(shops: TwoShops) -> None:
    with shops.client() as client:
        models = client.get("/v1/models").json()
        counters = client.get("/metrics").text
    assert f'huaxiang_model_info{{model="{models["serving"]}",shop="north"}} 1.0' in counters
    names = {"north", "south", *(one["name"] for one in models["versions"])}
    with shops.client(None) as client:
        for path in ("/healthz", "/readyz"):
            said = client.get(path).text
            assert [name for name in names if name in said] == [], said
        assert client.get("/readyz").json() == {"status": "ready", "shops": 2}


def test_a_key_that_is_revoked_while_it_is_used_stops_working(shops: TwoShops) -> None:
    made = make_key(shops.process, shop_id="north", scopes=["admin"])
    with shops.client(None, Authorization=f"Bearer {made['key']}") as client:
        assert client.get("/v1/models").status_code == 200
        end_key(shops.process, shop_id="north", key_id=str(made["key_id"]))
        for _ in range(100):
            if client.get("/v1/models").status_code == 401:
                return
            time.sleep(0.1)
    raise AssertionError("the key still works")


def test_a_public_key_writes_of_anonymous_visitors_and_does_nothing_else(
    shops: TwoShops, every: list[Operation]
) -> None:
    with shops.client("public", Origin=PAGE) as client:
        for one in every:
            if one.name not in OPEN | WRITES_EVENTS:
                answer = client.request(one.method, one.filled(), json=one.example)
                assert answer.status_code == 403, (one.name, answer.text)
        written = client.post("/v1/events", json={"events": [event("ann", "search", query="red")]})
        assert [one["code"] for one in written.json()["rejected"]] == ["not_allowed"]
        visitor = event("anonymous:v-1", "search", query="red")
        assert client.post("/v1/events", json={"events": [visitor]}).json()["accepted"] == 1
    with shops.client("public", Origin="https://elsewhere.example") as client:
        assert client.post("/v1/events", json={"events": [visitor]}).status_code == 401


def test_a_token_speaks_for_one_shopper_and_for_nobody_else(shops: TwoShops, every: list[Operation]) -> None:
    token = {"X-Huaxiang-Shopper-Token": shops.token("mia")}
    with shops.client("public", Origin=PAGE, **token) as client:
        written = {"events": [event("mia", "search", query="red")]}
        assert client.post("/v1/events", json=written).json()["accepted"] == 1
        assert client.get("/v1/shoppers/mia/profile").status_code == 200
        for one in every:
            if one.name in OPEN | WRITES_EVENTS or one.name == "POST /v1/receipts/check":
                continue
            if "shopper_id" in one.names or not one.path.startswith(LISTS_OF_NOBODY):
                answer = client.request(one.method, one.filled(shopper_id="zoe"), json=one.example)
                assert answer.status_code == 403, (one.name, answer.text)
        for shopper, status in (("mia", 200), ("zoe", 403)):
            found = client.get("/v1/search", params={"q": "red", "shopper": shopper})
            assert found.status_code == status, found.text
        photo = client.post("/v1/search/image", params={"shopper": "zoe"}, content=b"no photo")
        assert photo.status_code == 403, photo.text


def test_no_key_of_a_shop_learns_whether_another_shop_has_a_shopper(
    shops: TwoShops, every: list[Operation]
) -> None:
    with shops.client("south") as south, shops.client() as north:
        item_id = south.get("/v1/recommendations?k=1").json()["items"][0]["item_id"]
        for number, one in enumerate(every):
            there, nowhere = f"there-{number:03}", f"empty-{number:03}"
            known_in(south, there, item_id, one)
            before = exported(south, there)
            answers = [told(north, one, shopper_id, item_id) for shopper_id in (there, nowhere)]
            assert answers[0] == answers[1], one.name
            assert exported(south, there) == before, one.name


def test_a_browser_reads_answers_on_the_listed_pages_only(shops: TwoShops) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with shops.client(None, **asks) as browser:
        listed = browser.options("/v1/events", headers={"Origin": PAGE})
        assert listed.headers["access-control-allow-origin"] == PAGE
        assert "Authorization" in listed.headers["access-control-allow-headers"]
        for origin in ("https://elsewhere.example", "null", PAGE + ".evil.example", PAGE.upper(), "*"):
            for method in ("OPTIONS", "GET", "POST"):
                answer = browser.request(method, "/v1/events", headers={"Origin": origin})
                assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in listed.headers
    with shops.client("public", Origin=PAGE) as browser:
        answer = browser.post("/v1/events", json={"events": [event("anonymous:v-2", "search", query="red")]})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)


def known_in(client: httpx.Client, shopper_id: str, item_id: str, one: Operation) -> None:
    """Let a shop know a shopper, also by what the operation is about to say again elsewhere."""
    sent = [event(shopper_id, "purchase", item_id=item_id), event(shopper_id, "search", query="red")]
    assert client.post("/v1/events", json={"events": sent}).json()["accepted"] == 2
    if one.name in WRITES_EVENTS:
        assert client.request(one.method, one.path, json=about(one, shopper_id, item_id)).status_code == 200


def about(one: Operation, shopper_id: str, item_id: str) -> Any:
    """Return the operation's example with its shopper and its item replaced."""
    written = json.dumps(one.example)
    return json.loads(written.replace("s-17", shopper_id).replace("i-4", item_id))


def told(client: httpx.Client, one: Operation, shopper_id: str, item_id: str) -> Any:
    """Return status, headers and body of an answer, the shopper's id and what is by chance taken out."""
    body = about(one, shopper_id, item_id)
    answer = client.request(one.method, one.filled(shopper_id=shopper_id), json=body)
    assert answer.status_code < 500
    headers = {name: value for name, value in answer.headers.items() if name not in EACH_TIME}
    if "json" not in headers["content-type"]:  # counters, which grow: another shop is not named at all
        assert "south" not in answer.text
        return answer.status_code
    return answer.status_code, headers, steady(json.loads(answer.text.replace(shopper_id, "ID-9-long")))


def steady(said: Any) -> Any:
    """Return JSON without what differs from answer to answer."""
    if isinstance(said, dict):
        return {name: steady(part) for name, part in said.items() if name not in EACH_TIME}
    return [steady(part) for part in said] if isinstance(said, list) else said


def exported(client: httpx.Client, shopper_id: str) -> Any:
    """Return all that a shop has of a shopper, but for the moment of asking."""
    whole = client.get(f"/v1/shoppers/{shopper_id}/export").json()
    return {name: whole[name] for name in ("events", "lists", "traits", "consent", "joined_ids")}
