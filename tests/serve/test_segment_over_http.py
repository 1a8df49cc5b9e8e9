"""Segment's library, unmodified, pointed at a service in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from segment.analytics.client import Client as Library

from command_line import call
from huaxiang.client import Client
from running import ADMIN_KEY, Running, running
from serve.talking import Talk


@pytest.fixture(scope="module")
def live(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("segment")
    settings = home / "shop.toml"
    settings.write_text('[serve.segment_names]\n"Artikel gekauft" = "purchase"\n')
    with running(Path(shutil.copytree(small_run, home / "run")), settings=settings) as live:
        yield live


@pytest.fixture
def shop(live: Running) -> Iterator[Client]:
    with Client(live.url, live.key) as client:
        yield client


@pytest.fixture
def library(live: Running) -> Iterator[Library]:
    failures: list[Exception] = []
    library = Library(
        live.key,
        host=live.url,
        gzip=True,
        upload_interval=0.05,
        on_error=lambda error, _: failures.append(error),
    )
    yield library
    library.shutdown()
    assert failures == []


def some_items(shop: Client, n_items: int) -> list[str]:
    return [item.item_id for item in shop.recommend(None, k=n_items).items]


def test_what_the_library_sends_is_in_the_next_list_and_profile(shop: Client, library: Library) -> None:
    seen, *bought = some_items(shop, 3)
    library.track(anonymous_id="visitor-1", event="Product Viewed", properties={"product_id": seen})
    library.identify("ann", {"plan": "gold", "email": "ann@example.org"}, anonymous_id="visitor-1")
    products = [{"product_id": item_id, "price": 9.5, "quantity": 1} for item_id in bought]
    library.track("ann", "Order Completed", {"order_id": "o-1", "products": products})
    library.track("ann", "Products Searched", {"query": "red dress"})
    library.page("ann", "Docs", "Start")
    library.flush()
    profile = shop.profile("ann").content
    assert (profile["n_events"], profile["activity"]["n_orders"]) == (4, 1)
    assert not {item.item_id for item in shop.recommend("ann").items} & set(bought)
    assert "ann@example.org" not in str(shop.export("ann"))
    assert shop.profile("anonymous:visitor-1").content["n_events"] == 4


def test_an_alias_joins_what_was_known_of_the_visitor(shop: Client, library: Library) -> None:
    (seen,) = some_items(shop, 1)
    library.track(anonymous_id="visitor-2", event="Product Viewed", properties={"sku": seen})
    library.alias("visitor-2", "ben")
    library.flush()
    assert shop.profile("ben").n_events == 1


def test_a_shops_own_name_is_in_its_settings(shop: Client, library: Library) -> None:
    (item_id,) = some_items(shop, 1)
    library.track("cem", "Artikel gekauft", {"product_id": item_id})
    library.flush()
    assert shop.profile("cem").content["activity"]["n_orders"] == 1


def track(live: Running, body: dict[str, Any], **more: Any) -> httpx.Response:
    return httpx.post(f"{live.url}/v1/track", json=body, **more)


def test_the_key_is_the_user_or_stands_in_the_body(live: Running) -> None:
    message = {
        "event": "Products Searched",
        "userId": "dan",
        "properties": {"query": "mug"},
        "messageId": "d-1",
    }
    assert track(live, message, auth=(ADMIN_KEY, "")).json()["accepted"] == 1
    again = track(live, {**message, "writeKey": ADMIN_KEY})
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)
    refused = track(live, {**message, "writeKey": "hx_wrong_" + "w" * 43})
    assert (refused.status_code, track(live, message).status_code) == (401, 401)


def test_one_bad_message_does_not_cost_the_batch(live: Running) -> None:
    good = {"type": "track", "event": "Products Searched", "userId": "eve", "properties": {"query": "mug"}}
    bad = {**good, "event": "Product Viewed", "properties": {"product_id": "no such item"}}
    answer = httpx.post(f"{live.url}/v1/batch", json={"batch": [bad, good]}, auth=(ADMIN_KEY, "")).json()
    assert (answer["accepted"], [one["code"] for one in answer["rejected"]]) == (1, ["unknown_item"])
    alone = httpx.post(f"{live.url}/v1/batch", json={"batch": [bad]}, auth=(ADMIN_KEY, ""))
    assert (alone.status_code, alone.json()["success"]) == (200, False)


@pytest.mark.parametrize("kind", ["page", "screen", "group"])
def test_what_is_no_event_of_ours_is_accepted_and_counted(live: Running, kind: str) -> None:
    answer = httpx.post(f"{live.url}/v1/{kind}", json={"userId": "fay"}, auth=(ADMIN_KEY, "")).json()
    assert (answer["success"], answer["ignored"]) == (True, {kind: 1})


def alias(talk: Talk, previous: str, headers: dict[str, str]) -> list[str]:
    message = {"previousId": previous, "userId": "gus", "messageId": previous}
    answer = talk.client.post("/v1/alias", json=message, headers=headers).json()
    return [one["code"] for one in answer["rejected"]]


def test_a_browser_may_join_visitors_with_the_shopper_it_speaks_for(talk: Talk) -> None:
    made = call("keys", "create", "--scope", "events:write", "--public", "--run", talk.run, "--json").json
    gate = talk.client.app.state.service.gate  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {made['key']}"}
    visitor = "5b1c0e4e-8c4d-4f6e-9a63-0d9a0a3c8a11"
    assert alias(talk, visitor, headers) == ["not_allowed"]
    headers["X-Huaxiang-Shopper-Token"] = gate.token(made["key_id"], "gus")
    assert alias(talk, visitor, headers) == []
    assert alias(talk, "somebody", headers) == ["not_allowed"]
    headers["X-Huaxiang-Shopper-Token"] = gate.token(made["key_id"], "hal")
    assert alias(talk, visitor, headers) == ["not_allowed"]
