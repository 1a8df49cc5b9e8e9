"""Claim: durable ingest over HTTP, batches of 100, one worker: SQLite 15,000 events/s, PostgreSQL 8,000.

Every answer means that its events are on the disk and in every later list. The load comes from this process.
Beside the rates it is printed what an event costs: processor time of the service, bytes that are written, and
how often the disk is waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from huaxiang.evaluate.hardware import hardware
from service.load import Answers, as_fast_as_possible, request
from service.served import Served, event_batches, served
from service.shop import linked_run
from service.syncs import Used, syncs_of_process, wal_of_postgresql

BATCH, N_BATCHES, N_REPEATS, N_CONNECTIONS = 100, 400, 5, 48
N_SHOPPERS, N_ITEMS = 100_000, 12_000


def ingest(
    live: Served,
    item_ids: list[str],
    *,
    repeat: int,
    n_batches: int = N_BATCHES,
    n_connections: int = N_CONNECTIONS,
) -> Answers:
    """Send batches of new events as fast as they are acknowledged."""
    bodies = islice(event_batches(item_ids, n_shoppers=N_SHOPPERS, size=BATCH, seed=repeat), n_batches)
    requests = [request("POST", "/v1/events", key=live.key, body=body) for body in bodies]
    return asyncio.run(as_fast_as_possible(live.host, live.port, requests, n_connections=n_connections))


def measure(
    name: str, run: Path, item_ids: list[str], environment: Mapping[str, str], *, reach: float
) -> None:
    """Print events per second, median and range of several runs, and what an event costs."""
    with served(run, environment=environment) as live:
        ingest(live, item_ids, repeat=99)
        rates, waits = [], []
        before = Used.by(live.process.pid)
        for repeat in range(N_REPEATS):
            answers = ingest(live, item_ids, repeat=repeat)
            assert answers.n_failed() == 0, answers.bodies[:1]
            rates.append(BATCH * N_BATCHES / answers.seconds)
            waits.append(answers.percentile_ms(50, 99))
        after, n_events = Used.by(live.process.pid), BATCH * N_BATCHES * N_REPEATS
        rates.sort()
        p50, p99 = (statistics.median(column) for column in zip(*waits, strict=True))
        print(
            f"{name:<12} {statistics.median(rates):>9,.0f} events/s   [{rates[0]:,.0f}, {rates[-1]:,.0f}]"
            f"   (at least {reach:,.0f})   a batch: p50 {p50:.0f} ms, p99 {p99:.0f} ms"
        )
        cpu_us = (after.cpu_s - before.cpu_s) / n_events * 1e6
        written = (after.written - before.written) / n_events  # PostgreSQL's own processes are not in it
        print(
            f"{'':<12} the service: {cpu_us:.0f} µs of processor time, {written:,.0f} bytes written an event"
        )
        print_syncs(live, item_ids, environment.get("HUAXIANG_STORE"))


def print_syncs(live: Served, item_ids: list[str], postgresql: str | None) -> None:
    """Print how often the disk is waited for, while everything waits in groups and one batch at a time."""
    for n_connections in (N_CONNECTIONS, 1):
        n_batches = N_BATCHES if n_connections > 1 else N_BATCHES // 4
        repeat = 100 + n_connections

        def work(n_batches: int = n_batches, n: int = n_connections, repeat: int = repeat) -> None:
            answers = ingest(live, item_ids, repeat=repeat, n_batches=n_batches, n_connections=n)
            assert answers.n_failed() == 0, answers.bodies[:1]

        if postgresql is not None:
            with wal_of_postgresql(postgresql) as wal:
                work()
            said = f"{wal['syncs'] / n_batches:.3f} syncs of the write-ahead log a batch"
            said += f", {wal['bytes'] / n_batches / BATCH:,.0f} bytes of it an event"
        elif (syncs := syncs_of_process(live.process.pid, work)) is None:
            said = "syncs not counted: strace is not here, or may not be used"
        else:
            each = ", ".join(f"{n / n_batches:.3f} {name} a batch" for name, n in syncs.items())
            said = f"{each}, {sum(syncs.values()) / n_batches * 1000 / BATCH:.1f} in all for 1,000 events"
        print(f"{'':<12} {n_connections:>2} connections: {said}", flush=True)


def main() -> None:
    """Measure each store that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", help="URL of an empty database; left out where not given")
    parser.add_argument("--run", type=Path, help="a drawn run that is there already; it is not written to")
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        run, item_ids = linked_run(Path(home), given.run, n_shoppers=1000, n_items=N_ITEMS)
        measure("SQLite FULL", run, item_ids, {}, reach=15_000)
        if given.postgresql:
            where = {"HUAXIANG_STORE": given.postgresql, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
            measure("PostgreSQL", run, item_ids, where, reach=8_000)


if __name__ == "__main__":
    main()
