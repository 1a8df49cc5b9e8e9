"""Photos that items and events name: taken from allowed hosts, kept, or refused aloud; no file of ours."""

from __future__ import annotations

import io
import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from huaxiang.console.reading import photo as shown_photo
from huaxiang.serve.pictures import Pictures
from serve.talking import NUMBERS, Talk, event, opened
from serve.test_pictures import names, photo
from serve.test_pictures import server as server


@pytest.fixture(scope="module")
def talk(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """Yield one service for the tests of this file."""
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("photos") / "run"))
    with opened(run) as talk:
        yield talk


@pytest.fixture
def reachable(talk: Talk, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Let the service reach a host of the test's own under the name photos.example."""
    names(monkeypatch, {"photos.example": ["127.0.0.1"]})
    pictures = Pictures(
        hosts=("photos.example",),
        most_bytes=100_000,
        most_pixels=10_000,
        timeout_s=2.0,
        may_reach=lambda address: address.is_loopback,
        ports={"http": server.server_port}.get,
    )
    monkeypatch.setattr(talk.client.app.state.service.photos, "pictures", pictures)  # type: ignore[attr-defined]
    return talk


def send(talk: Talk, *images: str, item_id: str = "pictured", **more: object) -> Any:
    item = {"item_id": item_id, "texts": {"en": {"title": "Red boots"}}, "images": list(images), **more}
    return talk.client.post("/v1/items", json={"items": [item]}).json()


def images_of(talk: Talk, item_id: str = "pictured") -> list[str]:
    return list(talk.get(f"/v1/items/{item_id}").json()["item"].get("images", []))


def test_a_photo_of_an_allowed_host_is_kept_and_its_name_may_be_sent_again(reachable: Talk) -> None:
    assert send(reachable, "http://photos.example/photo")["degraded"] == []
    (name,) = images_of(reachable)
    with Image.open(reachable.shop.photos[name]) as picture:
        assert picture.size == (8, 6)
    assert send(reachable, name)["degraded"] == []
    assert images_of(reachable) == [name]


def test_a_photo_may_come_as_base64(talk: Talk) -> None:
    item_id = f"sent {next(NUMBERS)}"
    assert send(talk, b64encode(photo()).decode(), item_id=item_id)["degraded"] == []
    assert len(images_of(talk, item_id)) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("http://elsewhere.example/photo", "photo_not_allowed"),
        ("http://127.0.0.1/photo", "photo_not_allowed"),
        ("http://169.254.169.254/latest/meta-data/", "photo_not_allowed"),
        ("http://photos.example/inwards", "photo_not_allowed"),
        ("http://photos.example/missing", "photo_unreachable"),
        ("http://photos.example/text", "photo_unreadable"),
        ("http://photos.example/large", "photo_too_large"),
        ("/etc/passwd", "photo_unreadable"),
        ("../../run/manifest.json", "photo_unreadable"),
    ],
)
def test_a_photo_that_is_refused_is_named_and_the_item_taken(reachable: Talk, given: str, code: str) -> None:
    item_id = f"refused {next(NUMBERS)}"
    answer = send(reachable, given, item_id=item_id)
    assert answer["accepted"] == 1
    assert [(one["field"], one["code"]) for one in answer["degraded"]] == [("images.0", code)]
    assert answer["degraded"][0]["message"]
    assert images_of(reachable, item_id) == []


def test_a_bomb_is_refused_before_it_is_unpacked(talk: Talk) -> None:
    written = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(written, "PNG")
    answer = send(talk, "data:image/png;base64," + b64encode(written.getvalue()).decode(), item_id="bomb")
    assert [one["code"] for one in answer["degraded"]] == ["photo_too_large"]


def test_the_photo_before_stays_where_the_new_one_can_not_be_had(reachable: Talk) -> None:
    send(reachable, "http://photos.example/photo", item_id="steady")
    before = images_of(reachable, "steady")
    assert send(reachable, "http://photos.example/missing", item_id="steady")["degraded"]
    assert images_of(reachable, "steady") == before != []
    send(reachable, item_id="steady")
    assert images_of(reachable, "steady") == []


def test_an_event_with_a_photo_is_taken_and_keeps_it_under_a_name(reachable: Talk) -> None:
    shown = event("looker", "search", image="http://photos.example/photo")
    assert reachable.send(shown).json()["accepted"] == 1
    told = reachable.get("/v1/shoppers/looker/export").json()["events"][0]["image"]
    assert told in reachable.shop.photos


def test_an_event_whose_photo_can_not_be_had_waits_and_is_taken_when_it_can(
    reachable: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = reachable.client.app.state.service.photos  # type: ignore[attr-defined]
    allowed = photos.pictures
    monkeypatch.setattr(photos, "pictures", replace(allowed, hosts=()))
    answer = reachable.send(event("patient", "state", image="http://photos.example/photo"))
    assert answer.status_code == 422
    assert [(one["field"], one["code"], one["kept"]) for one in answer.json()["rejected"]] == [
        ("image", "photo_not_allowed", True)
    ]
    monkeypatch.setattr(photos, "pictures", allowed)
    meant = {"reason": "photo_not_allowed"}
    assert reachable.client.post("/v1/letters/retry", json=meant).json()["accepted"] == 1
    assert reachable.get("/v1/shoppers/patient/profile").json()["n_events"] == 1


def test_an_event_opens_no_file_of_this_machine(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "private.png"
    file.write_bytes(photo())
    answer = talk.send(event("curious", "search", image=str(file))).json()
    assert [(one["code"], one["kept"]) for one in answer["rejected"]] == [("photo_unreadable", False)]


def test_an_erased_shopper_leaves_no_photo_but_those_that_others_name_too(reachable: Talk) -> None:
    own, shared = (b64encode(photo((3, size))).decode() for size in (3, 4))
    reachable.send(*[event("leaver", "search", image=one) for one in (own, shared)])
    reachable.send(event("stayer", "search", image=shared))
    told = reachable.get("/v1/shoppers/leaver/export").json()["events"]
    names = [one["image"] for one in sorted(told, key=lambda one: one["event_id"])]
    assert all(name in reachable.shop.photos for name in names)
    receipt = reachable.client.delete("/v1/shoppers/leaver").json()
    assert receipt["rows"]["photos"] == 1
    assert [name in reachable.shop.photos for name in names] == [False, True]


def test_the_console_shows_a_photo_that_was_sent(talk: Talk) -> None:
    item_id = f"shown {next(NUMBERS)}"
    send(talk, b64encode(photo((40, 30))).decode(), item_id=item_id)
    end = time.monotonic() + 30
    while (found := shown_photo(talk.shop, item_id)) is None and time.monotonic() < end:
        time.sleep(0.02)
    with Image.open(io.BytesIO(found or b"")) as picture:
        assert picture.size == (40, 30)
