"""A shop's past is sent to a service: in order, at any speed, each event once, resumed where it stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from command_line import Answer, call
from huaxiang.cli.replaying import Part, due_parts, in_time_order, read_speed
from huaxiang.client import Client
from huaxiang.errors import InputError
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop
from running import Running, running

if TYPE_CHECKING:
    from conftest import SmallBuild

N_EVENTS, N_SHOPPERS = 42, 6
BEGIN = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def live(small_build: SmallBuild, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    copy = Path(shutil.copytree(small_build.run, tmp_path_factory.mktemp("replayed") / "run"))
    with running(copy) as live:
        yield live


@pytest.fixture
def past(small_build: SmallBuild, tmp_path: Path) -> Path:
    """Return a shop of the served items and one more, with one event an hour, written backwards."""
    folder = tmp_path / "past"
    folder.mkdir()
    items = pl.read_csv(small_build.shop / "items.csv", infer_schema_length=0)
    unsold = items.head(1).with_columns(pl.lit("unsold").alias("item_id"), pl.lit("unsold").alias("group_id"))
    pl.concat([items, unsold]).write_csv(folder / "items.csv")
    item_ids = items["item_id"].to_list()
    named = tmp_path.name
    events = [
        {
            "event_id": f"{named}-{hour}",
            "shopper_id": f"{named}-{hour % N_SHOPPERS}",
            "type": ("view_item", "purchase")[hour % 2],
            "item_id": item_ids[hour],
            "occurred_at": (BEGIN + timedelta(hours=hour)).isoformat(),
        }
        for hour in reversed(range(N_EVENTS))
    ]
    pl.DataFrame(events).write_csv(folder / "events.csv")
    (folder / "shop.toml").write_text('[shop]\nname = "past"\nlanguages = ["en", "zh"]\ncurrency = "CNY"\n')
    return folder


def replay(past: Path, live: Running, *more: str | Path) -> Answer:
    return call("replay", "--shop", past, "--to", live.url, "--key", live.key, "--json", *more)


def counts(answer: Answer) -> tuple[int, int, int]:
    assert answer.code == 0, answer.err
    return answer.json["accepted"], answer.json["duplicates"], sum(answer.json["rejected"].values())


def test_a_second_replay_changes_nothing(past: Path, live: Running, tmp_path: Path) -> None:
    assert counts(replay(past, live)) == (N_EVENTS, 0, 0)
    with Client(live.url, live.key) as client:
        before = client.profile(f"{tmp_path.name}-1").content
        assert counts(replay(past, live)) == (0, N_EVENTS, 0)
        assert client.profile(f"{tmp_path.name}-1").content == before
    assert before["n_events"] == N_EVENTS // N_SHOPPERS


def test_parts_of_a_past_are_sent(past: Path, live: Running) -> None:
    window = ("--from", "2025-05-01T10:00:00Z", "--until", "2025-05-01T20:00:00Z")
    assert counts(replay(past, live, *window)) == (10, 0, 0)
    assert counts(replay(past, live, "--shoppers", "2")) == (2 * 7 - 4, 4, 0)


def test_an_item_that_the_service_does_not_have_costs_only_its_own_events(past: Path, live: Running) -> None:
    events = (past / "events.csv").read_text().splitlines()
    name, shopper, kind, _, moment = events[1].split(",")
    events[1] = ",".join([name, shopper, kind, "unsold", moment])
    (past / "events.csv").write_text("\n".join(events) + "\n")
    answer = replay(past, live)
    assert counts(answer) == (N_EVENTS - 1, 0, 1)
    assert answer.json["rejected"] == {"unknown_item": 1}
    (example,) = answer.json["examples"]
    assert (example["event_id"], example["field"]) == (name, "item_id")


def test_a_service_that_takes_nothing_is_an_error(past: Path, live: Running) -> None:
    lines = [line.split(",") for line in (past / "events.csv").read_text().splitlines()]
    lines[1:] = [[*line[:3], "unsold", line[4]] for line in lines[1:]]
    (past / "events.csv").write_text("\n".join(",".join(line) for line in lines) + "\n")
    answer = replay(past, live)
    assert answer.code == 2
    assert "send it to /v1/items" in answer.err


def test_ctrl_c_keeps_the_place_and_resume_goes_on(past: Path, live: Running, tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    options = ["--shop", past, "--to", live.url, "--key", live.key, "--state", place]
    command = [sys.executable, "-m", "huaxiang", "replay", *map(str, options), "--speed", "3600x"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    with Client(live.url, live.key) as client:
        while client.recommend(f"{tmp_path.name}-1").degraded:
            assert process.poll() is None
            time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "go on with --resume" in said) == (130, True), said
    first = replay(past, live, "--state", place, "--resume")
    accepted, duplicates, _ = counts(first)
    assert 0 < accepted + duplicates < N_EVENTS
    assert counts(replay(past, live)) == (0, N_EVENTS, 0)
    assert not place.exists()


def test_a_place_is_good_for_its_own_replay_only(past: Path, live: Running, tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    assert "no replay was stopped here" in replay(past, live, "--state", place, "--resume").err
    place.write_text("not json")
    assert "no place of a replay" in replay(past, live, "--state", place, "--resume").err
    place.write_text('{"about": "another", "next": 3}')
    answer = replay(past, live, "--state", place, "--resume")
    assert (answer.code, "the place is of another replay" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--speed", "fast"), "1000x or max"),
        (("--speed", "0x"), "1000x or max"),
        (("--from", "May"), "--from 'May'"),
        (("--until", "2001-01-01"), "no events to send"),
        (("--to", "http://127.0.0.1:1", "--key", "hx_wrong"), "no answer"),
        (("--to", "nowhere"), "no address"),
    ],
)
def test_what_is_wrong_is_said(
    past: Path, live: Running, more: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    answer = replay(past, live, *more)
    assert answer.code == 2
    assert said in answer.err
    assert answer.json["error"]["message"]


def test_a_key_is_needed(past: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUAXIANG_KEY", "HUAXIANG_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    answer = call("replay", "--shop", past, "--to", "http://127.0.0.1:1")
    assert (answer.code, "set HUAXIANG_KEY" in answer.err) == (2, True)


# -- when what is due ------------------------------------------------------------------------------------


def waits_and_parts(
    shop: Shop, *, speed: float, first: int = 0, size: int = 500
) -> list[tuple[float, int, int]]:
    now_s = [100.0]

    def sleep(seconds: float) -> None:
        now_s[0] += seconds

    parts = due_parts(shop, first, speed=speed, clock_s=lambda: now_s[0], sleep=sleep, size=size)
    return [(round(now_s[0] - 100.0, 6), start, stop) for start, stop in parts if stop > start]


def test_events_leave_when_they_are_due(past: Path) -> None:
    shop = in_time_order(read_shop(past), Part(n_shoppers=1), speed=1.0)
    hours = [n * N_SHOPPERS for n in range(N_EVENTS // N_SHOPPERS)]
    assert waits_and_parts(shop, speed=3600.0) == [(float(h), n, n + 1) for n, h in enumerate(hours)]
    assert waits_and_parts(shop, speed=7200.0, first=5) == [(0.0, 5, 6), (3.0, 6, 7)]
    assert waits_and_parts(shop, speed=float("inf"), size=4) == [(0.0, 0, 4), (0.0, 4, 7)]
    assert waits_and_parts(shop, speed=1e9, size=4)[-1][2] == 7


def test_a_shop_without_times_goes_at_full_speed_only(past: Path) -> None:
    shop = replace(read_shop(past), order_only=True)
    assert len(in_time_order(shop, Part(), speed=read_speed("max")).events) == N_EVENTS
    for part, speed in ((Part(), 10.0), (Part(until=BEGIN), read_speed("max"))):
        with pytest.raises(InputError, match="the order of its events"):
            in_time_order(shop, part, speed=speed)
