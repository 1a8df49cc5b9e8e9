"""Claim: durable ingest over HTTP, batches of 100, one worker: SQLite 15,000 events/s, PostgreSQL 8,000.

Every answer means that its events are on the disk and in every later list. The load comes from this process.
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
from service.shop import synthetic_run

BATCH, N_BATCHES, N_REPEATS, N_CONNECTIONS = 100, 400, 5, 48
N_SHOPPERS, N_ITEMS = 100_000, 12_000


def ingest(live: Served, item_ids: list[str], *, repeat: int) -> Answers:
    """Send batches of new events as fast as they are acknowledged."""
    bodies = islice(event_batches(item_ids, n_shoppers=N_SHOPPERS, size=BATCH, seed=repeat), N_BATCHES)
    requests = [request("POST", "/v1/events", key=live.key, body=body) for body in bodies]
    return asyncio.run(as_fast_as_possible(live.host, live.port, requests, n_connections=N_CONNECTIONS))


def measure(
    name: str, run: Path, item_ids: list[str], environment: Mapping[str, str], *, reach: float
) -> None:
    """Print events per second: median and range of several runs."""
    with served(run, environment=environment) as live:
        ingest(live, item_ids, repeat=99)
        rates, waits = [], []
        for repeat in range(N_REPEATS):
            answers = ingest(live, item_ids, repeat=repeat)
            assert answers.n_failed() == 0, answers.bodies[:1]
            rates.append(BATCH * N_BATCHES / answers.seconds)
            waits.append(answers.percentile_ms(50, 99))
    rates.sort()
    p50, p99 = (statistics.median(column) for column in zip(*waits, strict=True))
    print(
        f"{name:<12} {statistics.median(rates):>9,.0f} events/s   [{rates[0]:,.0f}, {rates[-1]:,.0f}]"
        f"   (at least {reach:,.0f})   a batch: p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    )


def main() -> None:
    """Measure each store that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", help="URL of an empty database; left out where not given")
    parser.add_argument("--run", type=Path, help="where a run is kept; made if it is not there")
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        run, item_ids = synthetic_run(given.run or Path(home) / "run", n_shoppers=1000, n_items=N_ITEMS)
        measure("SQLite FULL", run, item_ids, {}, reach=15_000)
        if given.postgresql:
            where = {"HUAXIANG_STORE": given.postgresql, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
            measure("PostgreSQL", run, item_ids, where, reach=8_000)


if __name__ == "__main__":
    main()
