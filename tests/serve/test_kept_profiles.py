"""A profile that is kept within a moment is what would be derived now, whatever happened in between."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from huaxiang.model import load
from huaxiang.serve.catalogue import catch_up
from huaxiang.serve.kept_profiles import Answer, KeptProfiles
from huaxiang.store import Head
from huaxiang.store.models import ModelRow, put_model
from serve.processes import Served
from serve.talking import Talk, event
from store.servers import postgresql_server, redis_server

PATH = "/v1/shoppers/s-1/profile"


@pytest.fixture(autouse=True)
def still(request: pytest.FixtureRequest) -> None:
    """Let a test that talks with a service lie within one minute of a shop that lives today."""
    if "talk" in request.fixturenames:
        talk = request.getfixturevalue("talk")
        talk.send(event("somebody", "search", query="red dress"))
        now = talk.shop.clock()
        talk.shop.clock = lambda: now


@pytest.fixture
def derived(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the shoppers whose profiles were derived, as it goes on."""
    names: list[str] = []
    as_it_is = talk.shop._derived

    def counted(known: object, person: Any, *more: object, **named: object) -> object:
        names.append(person.asked)
        return as_it_is(known, person, *more, **named)

    monkeypatch.setattr(talk.shop, "_derived", counted)
    return names


def is_as_derived(talk: Talk) -> bool:
    """Return whether the next answer is the one of a process that keeps nothing."""
    kept = talk.get(PATH)
    talk.shop.kept.forget()
    anew = talk.get(PATH)
    return (kept.json(), kept.headers["etag"]) == (anew.json(), anew.headers["etag"])


def an_item(talk: Talk) -> str:
    return str(talk.shop.serving.model.catalogue.item_ids[0])


def test_the_same_is_derived_once_and_audited_each_time(talk: Talk, derived: list[str]) -> None:
    first, again = talk.get(PATH), talk.get(PATH)
    assert (first.content, first.headers["etag"]) == (again.content, again.headers["etag"])
    assert derived == ["s-1"]
    assert len(talk.get(PATH, params={"vector": True}).json()["vector"]) == 512
    assert "vector" not in talk.get(PATH).json()
    talk.shop.writer.submit("default", []).result(timeout=30)
    lines = talk.get("/v1/audit").json()["lines"]
    assert [line["action"] for line in lines].count("profile") == 4


def test_what_others_do_leaves_it_as_it_is(talk: Talk, derived: list[str]) -> None:
    first = talk.get(PATH)
    talk.send(event("s-2", "view_item", item_id=an_item(talk)))
    assert talk.get(PATH, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert derived == ["s-1"]


def test_an_event_is_known_by_the_next_read_and_is_not_in_its_future(talk: Talk) -> None:
    before = talk.get(PATH).json()
    moment = talk.shop.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sent = event("s-1", "purchase", item_id=an_item(talk), occurred_at=moment)
    talk.send(sent)
    after = talk.get(PATH).json()
    assert after["n_events"] == before["n_events"] + 1
    assert sent["event_id"] in str(after["facets"])
    assert after["as_of"] == moment.replace("Z", "000Z")
    assert is_as_derived(talk)


def test_the_next_moment_has_another_profile(talk: Talk, derived: list[str]) -> None:
    shop, first = talk.shop, talk.get(PATH).json()
    later = shop.clock() + timedelta(seconds=shop.settings.as_of_s)
    shop.clock = lambda: later
    assert talk.get(PATH).json()["as_of"] > first["as_of"]
    assert derived == ["s-1", "s-1"]
    assert len(shop.kept) == 1


def test_a_correction_is_in_the_next_read(talk: Talk) -> None:
    facet = talk.get(PATH).json()["facets"][0]
    said = {"dimension": facet["dimension"], "value": facet["value"], "side": "disliked"}
    assert talk.client.patch(PATH, json=said).status_code == 200
    shown = [one for one in talk.get(PATH).json()["facets"] if one["value"] == facet["value"]]
    assert [one["source"] for one in shown] == ["corrected"]
    assert is_as_derived(talk)


def test_consent_that_was_withdrawn_hides_what_is_kept(talk: Talk) -> None:
    assert talk.get(PATH).status_code == 200
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": False}})
    assert talk.get(PATH).status_code == 403
    later = talk.shop.clock() + timedelta(milliseconds=1)  # the newer answer holds
    talk.shop.clock = lambda: later
    talk.client.put("/v1/shoppers/s-1/consent", json={"purposes": {"recommend": True}})
    assert is_as_derived(talk)


def test_an_erasure_leaves_nothing(talk: Talk) -> None:
    talk.get(PATH)
    talk.get("/v1/shoppers/s-2/profile")
    assert len(talk.shop.kept) == 2
    assert talk.client.delete("/v1/shoppers/s-1").status_code == 200
    assert len(talk.shop.kept) == 0
    assert talk.get(PATH).status_code == 404


def test_a_joined_id_makes_it_a_new_one(talk: Talk) -> None:
    n_events = talk.get(PATH).json()["n_events"]
    other = talk.get("/v1/shoppers/s-2/profile").json()["n_events"]
    joined = {"event_id": "j-1", "shopper_id": "s-1", "type": "alias", "context": {"other": "s-2"}}
    assert talk.send(joined).json()["accepted"] == 1
    assert talk.get(PATH).json()["n_events"] == n_events + other
    assert is_as_derived(talk)


def test_another_model_and_a_changed_item_make_it_a_new_one(talk: Talk, tmp_path: Path) -> None:
    shop, item_id = talk.shop, an_item(talk)
    talk.send(event("s-1", "purchase", item_id=item_id))
    first = talk.get(PATH).json()["version"]
    changed = {"item_id": item_id, "texts": {"en": {"title": "Lamp"}}, "brand": "Newbrand"}
    assert talk.client.post("/v1/items", json={"items": [changed]}).json()["accepted"] == 1
    talk.until(lambda: not catch_up(shop) and talk.get(PATH).json()["version"] != first)
    assert "Newbrand" in talk.get(PATH).text
    assert is_as_derived(talk)

    replace(load(talk.run), name="other").save(tmp_path / "other")
    row = ModelRow(name="other", folder=str(tmp_path / "other"), status="ready", created_ms=1)
    with shop.store.begin() as tx:
        put_model(tx, "default", row)
    asyncio.run(talk.client.app.state.service.models.promote(shop, "other"))  # type: ignore[attr-defined]
    assert talk.get(PATH).json()["version"]["model"] == "other"
    assert is_as_derived(talk)


def test_what_was_read_before_something_was_forgotten_is_not_kept() -> None:
    kept, heads, answer = KeptProfiles(), [Head("a")], Answer('"tag"', b"{}")
    made = kept.background(None, None)  # type: ignore[arg-type]
    kept.forget()
    kept.keep(("s",), heads, answer, made=made)
    assert len(kept) == 0


def test_those_asked_for_longest_ago_make_room() -> None:
    kept, heads, answer = KeptProfiles(most=2), [Head("a")], Answer('"tag"', b"{}")
    made = kept.background(None, datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    for name in ("a", "b"):
        kept.keep((name,), heads, answer, made=made)
    assert kept.find(("a",), [Head("a", n_events=1)]) is None
    assert kept.find(("a",), heads) is answer
    kept.keep(("c",), heads, answer, made=made)
    assert [kept.find((name,), heads) is not None for name in ("a", "b", "c")] == [True, False, True]


@pytest.fixture(scope="module")
def both(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("two") / "run"))
    with postgresql_server() as database, redis_server() as redis:
        places = {"HUAXIANG_STORE": database, "HUAXIANG_STATE": redis, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
        served = (Served(run, places).start(), Served(run, places).start())
        yield served
        for one in served:
            one.stop()


@pytest.mark.slow
def test_what_one_process_was_told_is_in_the_next_read_of_the_other(both: tuple[Served, Served]) -> None:
    first, second = both

    def read(done: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        end = time.monotonic() + 30
        while not done(shown := second.ask("GET", PATH)[1]):
            assert time.monotonic() < end
            time.sleep(0.05)
        return shown

    for _ in range(5):
        n_events = read()["n_events"]
        told = {"events": [event("s-1", "search", query="red dress")]}
        assert first.ask("POST", "/v1/events", told)[1]["accepted"] == 1
        assert second.ask("GET", PATH)[1]["n_events"] == n_events + 1
    facet = read()["facets"][0]
    said = {"dimension": facet["dimension"], "value": facet["value"], "side": "disliked"}
    assert first.ask("PATCH", PATH, said)[0] == 200
    assert ("corrected", facet["value"]) in [(o["source"], o["value"]) for o in read()["facets"]]
    for allowed, status in ((False, 403), (True, 200)):
        first.ask("PUT", "/v1/shoppers/s-1/consent", {"purposes": {"recommend": allowed}})
        assert second.ask("GET", PATH)[0] == status
    catalogue = read()["version"]["catalogue"]
    new = {"item_id": "newcomer", "texts": {"en": {"title": "Red leather ankle boots"}}}
    first.ask("POST", "/v1/items", {"items": [new]})
    read(lambda shown: shown["version"]["catalogue"] != catalogue)
    assert first.ask("DELETE", "/v1/shoppers/s-1")[0] == 200
    assert second.ask("GET", PATH)[0] == 404
