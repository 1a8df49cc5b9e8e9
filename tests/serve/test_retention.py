"""A service lets go of what is old by itself; its states stay what a rebuild from the log would be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from command_line import call
from huaxiang.errors import SettingsError
from huaxiang.records import Event, EventType
from huaxiang.serve.retention import Retainer
from huaxiang.serve.settings import Retention, serve_settings_from
from huaxiang.serve.states import state_of
from huaxiang.store import group, of_shopper
from serve.talking import Talk, event, opened

OLD = "2020-01-01T00:00:00Z"
WORDS = "a hat for the rain in autumn"


def let_go(talk: Talk, **days: Any) -> Any:
    talk.shop.settings = replace(talk.shop.settings, retention=Retention(every_s=1e-3, **days))
    retainer = Retainer(talk.shop, talk.client.app.state.service.privacy.rewrite_states)  # type: ignore[attr-defined]
    return asyncio.run(retainer.sweep_if_due())


def is_as_rebuilt(talk: Talk, shopper_id: str) -> bool:
    shop = talk.shop
    with shop.store.read() as tx:
        (head,) = group(tx, "default", shop.people.hashed(shopper_id))
        (state,) = shop.states.states(tx, [head])
        again = state_of(of_shopper(tx, "default", [head.shopper_id]), empty=shop.states.empty)
    return state.to_bytes() == again.to_bytes()


def some_events(talk: Talk) -> None:
    item_ids = talk.shop.serving.model.catalogue.item_ids
    views = [event("ann", "view_item", item_id=item, occurred_at=OLD) for item in item_ids[:5]]
    bought = event("ann", "purchase", item_id=item_ids[9], occurred_at=OLD)
    talk.send(*views, bought, event("ann", "search", query=WORDS, occurred_at=OLD))
    talk.send(event("ann", "view_item", item_id=item_ids[7]))


def test_the_state_is_what_is_left(talk: Talk) -> None:
    some_events(talk)
    before = talk.get("/v1/shoppers/ann/profile").json()
    gone = let_go(talk, events_days={"view_item": 30})
    after = talk.get("/v1/shoppers/ann/profile")
    assert gone.events["view_item"] >= 5
    assert (before["n_events"], after.json()["n_events"]) == (8, 3)
    assert is_as_rebuilt(talk, "ann")
    assert (
        talk.get("/v1/shoppers/ann/profile", headers={"If-None-Match": after.headers["etag"]}).status_code
        == 304
    )


def test_old_words_are_in_no_file_and_no_profile(live_run: Path) -> None:
    live = live_run.with_name("run.live")
    with opened(live_run) as talk:
        some_events(talk)
        assert talk.get("/v1/shoppers/ann/profile").json()["interests"]
        talk.shop.writer.submit("default", []).result(timeout=10)
        gone = let_go(talk, words_days=30)
        assert gone.words >= 1
        assert is_as_rebuilt(talk, "ann")
        assert WORDS not in talk.get("/v1/shoppers/ann/export").text
    assert [
        file.name for file in live.iterdir() if file.is_file() and WORDS.encode() in file.read_bytes()
    ] == []


def test_photos_that_nobody_shows_any_longer_go_with_their_events(talk: Talk) -> None:
    shop = talk.shop
    old, same = (shop.photos.keep(Image.new("RGB", (40, 40), colour)) for colour in ("red", "blue"))
    for image, days in ((old, 90), (same, 90), (same, 1)):
        moment = shop.clock() - timedelta(days=days)
        shown = Event(
            event_id=f"{image}-{days}",
            shopper_id=shop.people.hashed("ann"),
            type=EventType.STATE,
            image=image,
            occurred_at=moment,
            received_at=moment,
        )
        shop.writer.submit("default", [shop.logged(shown)]).result(timeout=30)
    let_go(talk, words_days=30)
    assert (old in shop.photos, same in shop.photos) == (False, True)


def test_a_changed_profile_has_another_tag_though_nothing_new_happened(talk: Talk) -> None:
    some_events(talk)
    first = talk.get("/v1/shoppers/ann/profile").headers["etag"]
    let_go(talk, events_days={"view_item": 30})
    answer = talk.get("/v1/shoppers/ann/profile", headers={"If-None-Match": first})
    assert answer.status_code == 200


def test_the_command_does_what_the_service_does(live_run: Path, tmp_path: Path) -> None:
    with opened(live_run) as talk:
        some_events(talk)
    settings = tmp_path / "settings.toml"
    settings.write_text("[serve.retention.events_days]\nview_item = 30\n")
    asked = ("retain", "--run", live_run, "--settings", settings, "--json")
    would, done = call(*asked, "--dry-run").json, call(*asked).json
    assert would["shops"] == done["shops"]
    assert call(*asked).json["shops"]["default"]["events"] == {}
    with opened(live_run) as talk:
        assert talk.get("/v1/shoppers/ann/profile").json()["n_events"] == 3
        assert is_as_rebuilt(talk, "ann")


def test_a_service_hears_of_what_a_command_let_go(live_run: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[serve.retention]\nwords_days = 30\n")
    with opened(live_run) as talk:
        some_events(talk)
        retainer = Retainer(talk.shop, lambda shop: None)
        assert WORDS in str(talk.get("/v1/shoppers/ann/profile").json())
        call("retain", "--run", live_run, "--settings", settings)
        retainer.look()
        assert is_as_rebuilt(talk, "ann")
        assert WORDS not in str(talk.get("/v1/shoppers/ann/profile").json())


def test_without_an_end_there_is_nothing_to_do(live_run: Path) -> None:
    answer = call("retain", "--run", live_run)
    assert (answer.code, "nothing has an end" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        ({"events_days": {"consent": 3}}, "always kept"),
        ({"events_days": {"view_itm": 3}}, "view_item"),
        ({"words_days": 0}, "above zero"),
        ({"word_days": 3}, "serve.retention.words_days"),
    ],
)
def test_settings_that_make_no_sense_are_refused(retention: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        serve_settings_from({"retention": retention})
