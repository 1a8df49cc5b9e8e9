"""What is acknowledged is on the disk: after the power went, and after a kill before the states knew."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from serve.power_cut import PowerCut
from serve.processes import Served
from serve.senders import N_SENDERS, Senders, check_all_there
from serve.stored import states_in, states_of_the_log
from serve.talking import event
from store.servers import postgresql_server, redis_server

pytestmark = pytest.mark.slow
DYING = Path(__file__).with_name("killed_before_states.py")
N_CUTS = 6


def loaded_then_killed(served: Served, *, rng: random.Random) -> Senders:
    """Kill everything at an acknowledgement that is drawn by chance."""
    senders = Senders(served, seed=rng.randrange(1 << 30))
    threads, last = senders.start(), rng.randint(1, 80)
    while senders.n_acknowledged < last:
        time.sleep(0.001)
    served.kill()
    for thread in threads:
        thread.join()
    return senders


def test_every_acknowledged_event_was_on_the_disk_when_the_power_went(live_run: Path, tmp_path: Path) -> None:
    live, rng = live_run.with_name("run.live"), random.Random(11)
    power = PowerCut.over(live, tmp_path)
    often = tmp_path / "often.toml"
    often.write_text("[serve]\nsnapshot_s = 0.1\n")
    acknowledged: dict[str, list[str]] = {}
    with Served(live_run, power.environment, settings=often) as served:
        for _ in range(N_CUTS):
            for shopper_id, event_ids in loaded_then_killed(served, rng=rng).acknowledged.items():
                acknowledged.setdefault(shopper_id, []).extend(event_ids)
            power.happen("store.sqlite", rng)
            served.start()
        check_all_there(served, acknowledged)
        assert len(acknowledged) == N_SENDERS
        assert served.stop() == 0
    assert states_in(live) == states_of_the_log(live)


@pytest.mark.parametrize("where", ["in process", "in Redis"])
def test_an_event_that_the_log_has_and_no_state_is_in_the_next_list(live_run: Path, where: str) -> None:
    with servers(where) as environment:
        dying = (sys.executable, str(DYING), "2")
        with Served(live_run, environment, program=dying) as served:
            item_id = listed(served)[0]
            assert sent(served, event("dora", "search", query="red"))["accepted"] == 1
            bought = event("dora", "purchase", item_id=item_id)
            with pytest.raises((OSError, HTTPException)):
                sent(served, bought)
            assert served.process is not None
            assert served.process.wait(timeout=20) == -9
        with Served(live_run, environment) as served:
            assert item_id not in listed(served)
            again = sent(served, bought)
            assert (again["accepted"], again["duplicates"]) == (0, 1)
            assert item_id not in listed(served)
            assert served.ask("GET", "/v1/shoppers/dora/profile")[1]["activity"]["n_orders"] == 1


@contextmanager
def servers(where: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a service, its servers running."""
    if where == "in process":
        yield {}
        return
    with postgresql_server() as database, redis_server() as redis:
        yield {"HUAXIANG_STORE": database, "HUAXIANG_STATE": redis, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}


def listed(served: Served) -> list[str]:
    status, answer = served.ask("GET", "/v1/shoppers/dora/recommendations?k=20")
    assert status == 200, answer
    return [one["item_id"] for one in answer["items"]]


def sent(served: Served, one: dict[str, object]) -> dict[str, int]:
    status, answer = served.ask("POST", "/v1/events", {"events": [one]})
    assert status == 200, answer
    return dict(answer)
