"""Claim: `GET recommendations`, 12,000 items, 100,000 shoppers, 300 a second beside 1,000 events a second.

p50 ≤ 5 ms, p99 ≤ 20 ms. Open loop: a request's latency counts from the moment at which it should have
left. The load comes from this process, the service is another; both share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from huaxiang.evaluate.hardware import hardware
from service.load import Answers, at_rate, request
from service.served import Served, event_batches, served
from service.shop import synthetic_run

N_SHOPPERS, N_ITEMS = 100_000, 12_000
LISTS_PER_S, EVENTS_PER_S, BATCH = 300, 1000, 20
SECONDS, N_ROUNDS = 20, 5


def lists(key: str, *, n_shoppers: int, seed: int) -> Iterator[bytes]:
    """Yield requests for the list of a random shopper."""
    rng = np.random.default_rng(seed)
    while True:
        for shopper in rng.integers(0, n_shoppers, 1000).tolist():
            yield request("GET", f"/v1/shoppers/s-{shopper}/recommendations?k=10", key=key)


def events(key: str, item_ids: list[str], *, n_shoppers: int, seed: int) -> Iterator[bytes]:
    """Yield requests that bring new events."""
    for body in event_batches(item_ids, n_shoppers=n_shoppers, size=BATCH, seed=seed):
        yield request("POST", "/v1/events", key=key, body=body)


async def both(
    live: Served, item_ids: list[str], *, per_s: float, n_shoppers: int, seconds: float, seed: int
) -> list[Answers]:
    """Ask for lists and send events at their rates at the same time."""
    asked = lists(live.key, n_shoppers=n_shoppers, seed=seed)
    sent = events(live.key, item_ids, n_shoppers=n_shoppers, seed=seed)
    return await asyncio.gather(
        at_rate(live.host, live.port, asked, per_s=per_s, seconds=seconds),
        at_rate(live.host, live.port, sent, per_s=EVENTS_PER_S / BATCH, seconds=seconds, n_connections=4),
    )


def main() -> None:
    """Measure five rounds after one that warms up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="where the run is kept; made if it is not there")
    parser.add_argument("--shoppers", type=int, default=N_SHOPPERS)
    parser.add_argument("--items", type=int, default=N_ITEMS)
    parser.add_argument("--per-s", type=float, default=LISTS_PER_S, help="lists a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a round")
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        folder = given.run or Path(home) / "run"
        run, item_ids = synthetic_run(folder, n_shoppers=given.shoppers, n_items=given.items)
        with served(run) as live:
            load = partial(both, live, item_ids, per_s=given.per_s, n_shoppers=given.shoppers)
            asyncio.run(load(seconds=5, seed=99))
            figures = []
            for seed in range(N_ROUNDS):
                answers, sent = asyncio.run(load(seconds=given.seconds, seed=seed))
                assert not answers.n_failed() + sent.n_failed(), answers.statuses[:5]
                figures.append((*answers.percentile_ms(50, 99), *sent.percentile_ms(50, 99)))
            memory = live.rss_mib()
    names = ("a list p50", "a list p99", f"{BATCH} events p50", f"{BATCH} events p99")
    for name, column in zip(names, zip(*figures, strict=True), strict=True):
        print(f"{name:<16} {statistics.median(column):6.1f} ms  [{min(column):.1f}, {max(column):.1f}]")
    print(f"{given.per_s:g}/s lists beside {EVENTS_PER_S}/s events; memory of the process {memory:,.0f} MiB")


if __name__ == "__main__":
    main()
