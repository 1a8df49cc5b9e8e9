"""What is acknowledged is there, once, whatever is killed, stopped or flushed; against real processes."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from huaxiang.model import load
from serve.processes import Served
from serve.talking import event
from store.servers import postgresql_server, redis_server

pytestmark = pytest.mark.slow
N_KILLS = 20


def bought(served: Served, shopper_id: str, item_id: str) -> dict[str, object]:
    one = event(shopper_id, "purchase", item_id=item_id, value={"quantity": 1})
    status, answer = served.ask("POST", "/v1/events", {"events": [one]})
    assert (status, answer["accepted"]) == (200, 1), answer
    return one


def listed(served: Served, shopper_id: str) -> list[str]:
    status, answer = served.ask("GET", f"/v1/shoppers/{shopper_id}/recommendations?k=20")
    assert status == 200, answer
    return [one["item_id"] for one in answer["items"]]


def load_until_killed(served: Served, acknowledged: list[str], *, prefix: str) -> None:
    """Send single events as fast as they are acknowledged, and note each that was."""
    number = 0
    while True:
        one = event("loaded", "search", query="red", event_id=f"{prefix}-{number}")
        try:
            status, _ = served.ask("POST", "/v1/events", {"events": [one]})
        except (OSError, HTTPException):
            return
        if status == 200:
            acknowledged.append(str(one["event_id"]))
        number += 1


def test_every_acknowledged_event_is_there_once_after_twenty_kills(live_run: Path) -> None:
    served, acknowledged = Served(live_run), []
    rng = random.Random(5)
    for kill in range(N_KILLS):
        served.start()
        sender = threading.Thread(
            target=load_until_killed, args=(served, acknowledged), kwargs={"prefix": f"k{kill}"}
        )
        sender.start()
        time.sleep(rng.uniform(0.05, 0.4))
        served.kill()
        sender.join()
    served.start()
    whole = served.ask("GET", "/v1/shoppers/loaded/export")[1]
    ids = [one["event_id"] for one in whole["events"]]
    assert len(acknowledged) > N_KILLS
    assert set(acknowledged) <= set(ids)
    assert len(ids) == len(set(ids))
    assert whole["profile"]["n_events"] == len(ids)
    assert served.stop() in (0, -15)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url


def test_no_worker_lists_what_another_one_acknowledged_as_bought(
    live_run: Path, database: str, redis: str
) -> None:
    where = {"HUAXIANG_STORE": database, "HUAXIANG_STATE": redis, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
    served = Served(live_run, where, workers=2).start()
    try:
        for number in range(30):
            shopper_id = f"buyer-{number % 3}"
            item_id = listed(served, shopper_id)[0]
            bought(served, shopper_id, item_id)
            assert all(item_id not in listed(served, shopper_id) for _ in range(4))
        before = served.ask("GET", "/v1/shoppers/buyer-0/profile")[1]
        subprocess.run(["redis-cli", "-s", redis.removeprefix("unix://"), "flushall"], check=True)
        after = served.ask("GET", "/v1/shoppers/buyer-0/profile")[1]
        assert (after["n_events"], after["activity"]) == (before["n_events"], before["activity"])
        subprocess.run(["redis-cli", "-s", redis.removeprefix("unix://"), "shutdown", "nosave"], check=False)
        item_id = listed(served, "buyer-0")[0]
        bought(served, "buyer-0", item_id)
        assert item_id not in listed(served, "buyer-0")
    finally:
        served.stop()


def test_states_from_a_snapshot_are_those_built_from_the_log(live_run: Path) -> None:
    served = Served(live_run).start()
    item_ids = load(live_run).catalogue.item_ids
    for number in range(40):
        bought(served, f"s-{number % 5}", item_ids[number % len(item_ids)])
    profiles = [served.ask("GET", f"/v1/shoppers/s-{number}/profile")[1] for number in range(5)]
    served.stop()
    snapshot = live_run.with_name("run.live") / "default.states"
    assert snapshot.exists()
    served.start()
    from_snapshot = [served.ask("GET", f"/v1/shoppers/s-{number}/profile")[1] for number in range(5)]
    served.kill()
    snapshot.write_bytes(snapshot.read_bytes()[:-7])
    served.start()
    rebuilt = [served.ask("GET", f"/v1/shoppers/s-{number}/profile")[1] for number in range(5)]
    served.stop()
    for parts in zip(profiles, from_snapshot, rebuilt, strict=True):
        assert (
            len({str((one["n_events"], one["version"], one["activity"]["n_orders"])) for one in parts}) == 1
        )
