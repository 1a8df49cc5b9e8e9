"""Claims: a million shoppers of 30 item events: <= 0.8 GiB in process, <= 0.6 GiB of Redis; start <= 10 s.

The states are real ones, made by `build_states`: 50,000 different ones, each under 20 shoppers' ids, which
changes neither what a state takes nor what it costs to read. The service is a process of its own, started
with an empty snapshot and with one of a million states, by turns. Its store holds the shoppers and the
head of the log as if all their events had been taken; the events' own rows are left out, as nothing lies
after the snapshot and so none is read at the start. In process means: what the process has more, resident,
than the same with no states; the peak is that of the start.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import polars as pl

from huaxiang.evaluate.hardware import hardware
from huaxiang.profile.bulk import build_states
from huaxiang.records import EventType
from huaxiang.serve.process import Process
from huaxiang.serve.pseudonyms import Pseudonyms
from huaxiang.serve.start import prepare, pseudonyms_of, snapshot_file
from huaxiang.shop.base import EVENT_COLUMNS
from huaxiang.store import Store, open_store, positions, schema
from huaxiang.store.models import serving_model
from huaxiang.store.sql import insert_rows, rows_of
from huaxiang.store.states import Cached, MemoryStates
from huaxiang.store.states.redis import _key, _written
from huaxiang.store.states.snapshot import save_snapshot
from service.redis_server import DURABILITY, redis_server
from service.served import Served, served
from service.shop import linked_run

SHOP = "default"
N_STATES, N_DIFFERENT, N_EVENTS, N_REPEATS = 1_000_000, 50_000, 30, 5
KINDS = [EventType.VIEW_ITEM] * 6 + [EventType.ADD_TO_CART] * 2 + [EventType.PURCHASE, EventType.REVIEW]
MOMENT = pl.Datetime("ms", "UTC")
YEAR_MS = 365 * 86_400_000
GIB = 2**30
AT_ONCE = 20_000


@dataclass(frozen=True)
class Start:
    """How one start went."""

    ready_s: float
    rss_gib: float
    peak_gib: float


def different_states(n: int, n_items: int) -> list[bytes]:
    """Return packed states of shoppers with 30 item events each."""
    rng, total = np.random.default_rng(5), n * N_EVENTS
    newest_ms = int(time.time() * 1000)
    drawn = pl.DataFrame(
        {
            "event_id": [f"e-{number}" for number in range(total)],
            "shopper_id": np.repeat([f"d-{shopper}" for shopper in range(n)], N_EVENTS),
            "type": rng.choice(np.array([kind.code for kind in KINDS]), total),
            "item_row": rng.integers(0, n_items, total),
            "occurred_at": pl.Series(newest_ms - rng.integers(0, YEAR_MS, total)).cast(MOMENT),
            "price_minor": rng.integers(99, 9_999, total),
            "quantity": np.ones(total),
            "new_order": np.ones(total, dtype=bool),
            "channel": rng.choice(np.array(["web", "app"]), total),
        }
    )
    table = drawn.select(
        (pl.col(name) if name in drawn.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in EVENT_COLUMNS.items()
    )
    states = build_states(table, order_only=False)
    return [state.to_bytes() for state in states.states(states.shopper_ids)]


def million(different: Sequence[bytes], names: Pseudonyms, n: int) -> Iterator[tuple[str, int, bytes]]:
    """Yield shopper, position of the newest event, and state."""
    for shopper in range(n):
        position = (shopper + 1) * N_EVENTS - 1
        yield names.of(SHOP, f"m-{shopper}"), position, different[shopper % len(different)]


def fill_store(store: Store, names: Pseudonyms, n: int) -> None:
    """Write the shoppers and the head of the log, after what is there already."""
    columns = ("shop_id", "shopper_id", "n_events", "n_state_events", "last_position")
    with store.begin() as tx:
        before = rows_of(tx, "SELECT count FROM log_heads WHERE shop_id = ?", SHOP)[0][0]
        for first in range(0, n, AT_ONCE):
            rows = [
                (SHOP, name, N_EVENTS, N_EVENTS, before + position)
                for name, position in sorted(
                    (names.of(SHOP, f"m-{shopper}"), (shopper + 1) * N_EVENTS - 1)
                    for shopper in range(first, min(first + AT_ONCE, n))
                )
            ]
            insert_rows(tx, schema.shoppers, columns, rows)
        tx.exec_driver_sql("UPDATE log_heads SET count = count + ? WHERE shop_id = ?", (n * N_EVENTS, SHOP))


def write_snapshots(process: Process, store: Store, states: MemoryStates, home: Path) -> dict[str, Path]:
    """Write a snapshot without and one with the states, both up to the end of the log."""
    with store.read() as tx:
        version = serving_model(tx, SHOP)
        upto = positions(tx, SHOP)
    assert version is not None
    files = {"empty": home / "empty.states", "full": home / "full.states"}
    for name, kept in (("empty", MemoryStates()), ("full", states)):
        save_snapshot(kept.all(SHOP), files[name], positions=upto, model=version.name)
    return files


def start(run: Path, snapshot: Path, place: Path, *, known: str | None) -> Start:
    """Start the service on a snapshot; return how long it took and what it holds."""
    shutil.copyfile(snapshot, place)
    began = time.perf_counter()
    with served(run) as live:
        ready_s = time.perf_counter() - began
        rss_gib = live.rss_mib() / 1024
        peak_gib = peak_mib(live) / 1024
        if known is not None:
            check(live, known)
    return Start(ready_s, rss_gib, peak_gib)


def check(live: Served, shopper_id: str) -> None:
    """Make sure that a shopper's state was there and was not built from the log, which lacks the events."""
    header = {"Authorization": f"Bearer {live.key}"}
    for path in (f"/v1/shoppers/{shopper_id}/profile", "/metrics"):
        with urlopen(Request(f"http://{live.host}:{live.port}{path}", headers=header)) as answer:
            said = answer.read().decode()
        rebuilt = [line for line in said.splitlines() if line.startswith("huaxiang_states_rebuilt{")]
        assert path != "/metrics" or float(rebuilt[0].rsplit(" ", 1)[1]) == 0, rebuilt


def peak_mib(live: Served) -> float:
    """Return the most memory that the process ever had, MiB."""
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def print_redis(states: Iterator[tuple[str, int, bytes]], n: int, home: Path) -> None:
    """Print what Redis uses for the same states."""
    import redis

    with redis_server(home) as url:
        client = redis.Redis.from_url(url)
        before = client.info("memory")["used_memory"]
        pipe = client.pipeline(transaction=False)
        for number, (name, position, packed) in enumerate(states, 1):
            pipe.set(_key(SHOP, name), _written(Cached(position, packed)))  # as `RedisStates` puts it
            if number % AT_ONCE == 0 or number == n:
                pipe.execute()
        info, version = client.info("memory"), client.info("server")["redis_version"]
        assert client.dbsize() == n
        used_gib = (info["used_memory"] - before) / GIB
        print(
            f"Redis {version} ({DURABILITY}), used_memory  {used_gib * 1e6 / n:.3f} GiB per million "
            f"(at most 0.6)   resident {info['used_memory_rss'] / GIB * 1e6 / n:.3f} GiB"
        )


def print_starts(starts: dict[str, list[Start]], n: int) -> None:
    """Print memory in process and the time until the service was ready."""
    empty, full = starts["empty"], starts["full"]
    more = sorted(f.rss_gib - e.rss_gib for e, f in zip(empty, full, strict=True))
    peak = statistics.median(one.peak_gib for one in full)
    print(
        f"in process, {n:,} states  {statistics.median(more):.3f} GiB [{more[0]:.3f}, {more[-1]:.3f}] "
        f"(at most {0.8 * n / 1e6:.1f})   "
        f"whole process {statistics.median(s.rss_gib for s in full):.2f} GiB, "
        f"at most {peak:.2f} GiB during the start"
    )
    for name, taken, note in ((f"{n:,} states", full, " (at most 10)"), ("no states", empty, "")):
        seconds = sorted(one.ready_s for one in taken)
        print(
            f"ready from a snapshot of {name:<18} {statistics.median(seconds):.1f} s "
            f"[{seconds[0]:.1f}, {seconds[-1]:.1f}]{note}"
        )


def main() -> None:
    """Measure memory in process and in Redis, and the start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a drawn run that is there already; it is not written to")
    parser.add_argument("--states", type=int, default=N_STATES)
    parser.add_argument("--repeats", type=int, default=N_REPEATS)
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given)


def measure(home: Path, given: argparse.Namespace) -> None:
    """Prepare a store and snapshots, let starts take turns, fill a Redis."""
    run, item_ids = linked_run(home, given.run, n_shoppers=300, n_items=500)
    different = different_states(min(N_DIFFERENT, given.states), len(item_ids))
    sizes = sorted(map(len, different))
    print(f"{given.states:,} states of {statistics.median(sizes):.0f} bytes [{sizes[0]}, {sizes[-1]}]")
    process = Process.of({}, run=run)
    prepare(process)
    store = open_store(process.where.store)
    print(f"SQLite: {store.settings()}; {len(item_ids):,} items")
    names = pseudonyms_of(process, store)
    fill_store(store, names, given.states)
    states = MemoryStates()
    states.fill(SHOP, million(different, names, given.states))
    files = write_snapshots(process, store, states, home)
    del states
    store.close()
    place = snapshot_file(process, SHOP)
    starts: dict[str, list[Start]] = {"empty": [], "full": []}
    for _ in range(given.repeats):
        for name, taken in starts.items():
            known = f"m-{given.states // 2}" if name == "full" else None
            taken.append(start(run, files[name], place, known=known))
    print_starts(starts, given.states)
    if shutil.which("redis-server") is None:
        print("Redis: skipped, there is no redis-server here")
    else:
        print_redis(million(different, names, given.states), given.states, home)


if __name__ == "__main__":
    main()
