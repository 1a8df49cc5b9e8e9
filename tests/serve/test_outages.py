"""Servers that stop, workers that are killed, a full disk: nothing acknowledged is lost, and it goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from serve.processes import KEY, Served
from serve.senders import Senders, check_all_there
from serve.talking import event
from store.servers import PostgreSQL, postgresql, redis_server

pytestmark = pytest.mark.slow
WAIT_S = 60


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@dataclass(frozen=True)
class Cluster:
    """Two workers over a database and a cache."""

    served: Served
    database: PostgreSQL

    def workers(self) -> set[int]:
        """Return the processes that answer: the children of the one that was started, but for its helper."""
        assert self.served.process is not None
        pid = self.served.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        return {child for child, line in lines.items() if b"spawn_main" in line}

    def is_whole(self) -> bool:
        """Return whether there are two workers and each of them answers while the other is held."""
        workers = self.workers()
        return len(workers) == 2 and all(self._answers(held=worker) for worker in workers)

    def _answers(self, *, held: int) -> bool:
        os.kill(held, signal.SIGSTOP)
        try:
            return httpx.get(f"http://127.0.0.1:{self.served.port}/readyz", timeout=2).status_code == 200
        except httpx.TimeoutException:
            return False
        finally:
            os.kill(held, signal.SIGCONT)


@pytest.fixture(scope="module")
def cluster(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("cluster") / "run"))
    with postgresql() as database, redis_server() as redis:
        where = {"HUAXIANG_STORE": database.url, "HUAXIANG_STATE": redis, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
        with Served(run, where, workers=2) as served:
            cluster = Cluster(served, database)
            wait_for(cluster.is_whole, "two workers")
            yield cluster
            assert served.stop() == 0


def test_a_database_that_stops_is_waited_for_and_nothing_acknowledged_is_lost(cluster: Cluster) -> None:
    served, before = cluster.served, cluster.workers()
    senders = Senders(served, seed=3, is_patient=True)
    threads = senders.start()
    wait_for(lambda: senders.n_acknowledged > 10, "events before")
    cluster.database.stop()
    wait_for(lambda: senders.codes[503] > 10, "answers that say so")
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers=headers) as client:
        for path in ("/readyz", "/v1/shoppers/sender-0/profile", "/v1/shoppers/s-1/recommendations"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), path
            assert answer.headers["content-type"] == "application/problem+json"
            assert str(cluster.database.home) not in answer.text
        assert client.get("/healthz").status_code == 200
    cluster.database.start()
    n_before = senders.n_acknowledged
    wait_for(lambda: senders.n_acknowledged > n_before + 20, "events after")
    senders.end(threads)
    wait_for(lambda: served.ask("GET", "/readyz")[0] == 200, "ready again")
    check_all_there(served, senders.acknowledged)
    assert cluster.workers() == before
    assert set(senders.codes) == {200, 503}


def test_a_worker_that_is_killed_is_replaced_and_the_other_goes_on(cluster: Cluster) -> None:
    served, n_kills = cluster.served, 0
    senders = Senders(served, seed=4, is_patient=True)
    threads = senders.start()
    wait_for(lambda: senders.n_acknowledged > 10, "events before")
    while n_kills < 5 and not senders.codes[0]:  # until one had a request on its way to it
        killed = min(cluster.workers())
        os.kill(killed, signal.SIGKILL)
        n_kills, n_before = n_kills + 1, senders.n_acknowledged
        wait_for(lambda before=n_before: senders.n_acknowledged > before + 20, "events after")  # type: ignore[misc]
        wait_for(cluster.is_whole, "two workers again")
        assert killed not in cluster.workers()
    senders.end(threads)
    check_all_there(served, senders.acknowledged)
    assert 0 < senders.codes[0] < 10 * n_kills


def test_the_same_batch_ten_times_at_once_counts_once(cluster: Cluster) -> None:
    served = cluster.served
    item_ids = [one["item_id"] for one in served.ask("GET", "/v1/recommendations?k=10")[1]["items"]]
    batch = {"events": [event("again", "purchase", item_id=item_id) for item_id in item_ids]}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: served.ask("POST", "/v1/events", batch), range(30)))
    assert {status for status, _ in answers} == {200}
    assert sum(said["accepted"] for _, said in answers) == len(item_ids)
    assert sum(said["duplicates"] for _, said in answers) == 29 * len(item_ids)
    for _ in range(4):  # whichever worker answers
        activity = served.ask("GET", "/v1/shoppers/again/profile")[1]["activity"]
        assert (activity["n_orders"], activity["n_units"]) == (len(item_ids), len(item_ids))


def test_events_that_come_out_of_order_by_days_make_the_same_profile_and_list(cluster: Cluster) -> None:
    served, rng = cluster.served, random.Random(8)
    item_ids = [one["item_id"] for one in served.ask("GET", "/v1/recommendations?k=20")[1]["items"]]
    kinds = ("view_item", "add_to_cart", "purchase", "dislike")
    in_order = [
        event("early", rng.choice(kinds), item_id=rng.choice(item_ids), occurred_at=days_ago(60 - day))
        for day in range(60)
    ]
    late = [{**one, "shopper_id": "late"} for one in in_order]
    rng.shuffle(late)
    for one in in_order:
        served.ask("POST", "/v1/events", {"events": [one]})
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: served.ask("POST", "/v1/events", {"events": [one]}), late))
    late_profile, late_scores = made_of(served, "late")
    early_profile, early_scores = made_of(served, "early")
    assert late_profile == early_profile
    assert late_scores == pytest.approx(early_scores, abs=0.005)  # sales go on between the two lists


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days, minutes=1)).isoformat()


def made_of(served: Served, shopper_id: str) -> tuple[object, dict[str, float]]:
    """Return the profile but for its name and its places in the log, and the score of each item listed."""
    profile = served.ask("GET", f"/v1/shoppers/{shopper_id}/profile?vector=true")[1]
    listed = served.ask("GET", f"/v1/shoppers/{shopper_id}/recommendations?k=20")[1]["items"]
    facets = [(one["dimension"], one["value"], one["side"], one["evidence"]) for one in profile["facets"]]
    kept = {name: profile[name] for name in ("n_events", "activity", "interests", "intent")}
    assert profile["n_events"] == 60
    return (kept, facets), {one["item_id"]: one["score"] for one in listed}


@dataclass(frozen=True)
class SmallDisk:
    """A file system of a few megabytes in memory."""

    folder: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / "filler").unlink()


@pytest.fixture
def small_disk(live_run: Path) -> Iterator[SmallDisk]:
    folder = live_run.with_name("run.live")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_reads_go_on_and_writes_too_once_there_is_room(
    live_run: Path, small_disk: SmallDisk
) -> None:
    with Served(live_run) as served:
        senders = Senders(served, seed=5, is_patient=True)
        threads = senders.start()
        wait_for(lambda: senders.n_acknowledged > 10, "events before")
        small_disk.fill()
        wait_for(lambda: senders.codes[507] > 10, "answers that say so")
        long = event("ann", "search", query="red " * 2000)
        status, said = served.ask("POST", "/v1/events", {"events": [long]})
        assert (status, said["code"]) == (507, "storage")
        assert "free some space" in said["remedy"]
        for path in ("/readyz", "/v1/shoppers/sender-0/profile", "/v1/shoppers/s-1/recommendations"):
            assert served.ask("GET", path)[0] == 200, path
        check_all_there(served, senders.acknowledged)
        small_disk.empty()
        n_before = senders.n_acknowledged
        wait_for(lambda: senders.n_acknowledged > n_before + 20, "events after")
        senders.end(threads)
        check_all_there(served, senders.acknowledged)
        assert set(senders.codes) == {200, 507}
        assert served.stop() == 0
