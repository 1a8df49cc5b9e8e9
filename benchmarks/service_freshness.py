"""Claim: event sent → list that has used it received: p99 ≤ 25 ms, and no stale answer in 100,000 trials.

One trial: a shopper buys the first item of their list, and the list is asked for at once. An answer is stale
if the item is still in it: what was bought is never listed again.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson

from huaxiang.evaluate.hardware import hardware
from service.load import Connection, request
from service.served import Served, served
from service.shop import synthetic_run

N_SHOPPERS, N_ITEMS, N_TRIALS = 20_000, 2_000, 100_000
N_CONNECTIONS, N_ALONE = 4, 2_000


async def trials(live: Served, shoppers: list[int], *, prefix: str) -> tuple[list[float], int]:
    """Return how long each trial took, seconds, and how many answers were stale."""
    connection, took, n_stale = Connection(live.host, live.port), [], 0
    prefix = f"{prefix}-{secrets.token_hex(4)}"  # a run that is kept has the events of the last time
    item_of: dict[int, str] = {}
    for number, shopper in enumerate(shoppers):
        ask = request("GET", f"/v1/shoppers/s-{shopper}/recommendations?k=10", key=live.key)
        if shopper not in item_of:
            item_of[shopper] = _first(await connection.ask(ask))
        bought = item_of[shopper]
        event = {"event_id": f"{prefix}-{number}", "shopper_id": f"s-{shopper}", "type": "purchase"}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = orjson.dumps({"events": [{**event, "item_id": bought, "occurred_at": now}]})
        sent = time.perf_counter()
        status, accepted = await connection.ask(request("POST", "/v1/events", key=live.key, body=body))
        answer = await connection.ask(ask)
        took.append(time.perf_counter() - sent)
        assert status == 200 and orjson.loads(accepted)["accepted"] == 1, accepted
        n_stale += bought in _items(answer)
        item_of[shopper] = _first(answer)
    connection.close()
    return took, n_stale


async def together(live: Served, *, n_trials: int, n_shoppers: int, seed: int) -> tuple[list[float], int]:
    """Run trials on several connections, each with shoppers of its own."""
    drawn = np.random.default_rng(seed).integers(0, n_shoppers // N_CONNECTIONS, n_trials)
    parts = [
        trials(live, (part * N_CONNECTIONS + place).tolist(), prefix=f"f{seed}-{place}")
        for place, part in enumerate(np.array_split(drawn, N_CONNECTIONS))
    ]
    done = await asyncio.gather(*parts)
    return [second for took, _ in done for second in took], sum(stale for _, stale in done)


def _items(answer: tuple[int, bytes]) -> list[str]:
    assert answer[0] == 200, answer
    return [one["item_id"] for one in orjson.loads(answer[1])["items"]]


def _first(answer: tuple[int, bytes]) -> str:
    return _items(answer)[0]


def main() -> None:
    """Measure one connection alone, then many trials at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="where the run is kept; made if it is not there")
    parser.add_argument("--trials", type=int, default=N_TRIALS)
    parser.add_argument("--shoppers", type=int, default=N_SHOPPERS)
    parser.add_argument("--items", type=int, default=N_ITEMS)
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        folder = given.run or Path(home) / "run"
        run, _ = synthetic_run(folder, n_shoppers=given.shoppers, n_items=given.items)
        with served(run) as live:
            rng = np.random.default_rng(7)
            warm = rng.integers(0, given.shoppers, 200).tolist()
            asyncio.run(trials(live, warm, prefix="warm"))
            alone, stale = asyncio.run(
                trials(live, rng.integers(0, given.shoppers, N_ALONE).tolist(), prefix="alone")
            )
            show("one connection", alone, stale)
            many, stale = asyncio.run(
                together(live, n_trials=given.trials, n_shoppers=given.shoppers, seed=1)
            )
            show(f"{N_CONNECTIONS} connections", many, stale)


def show(name: str, took: list[float], n_stale: int) -> None:
    """Print the figures of some trials."""
    p50, p99 = np.percentile(took, (50, 99)) * 1000
    print(f"{name:<16} {len(took):>7,} trials: p50 {p50:.1f} ms, p99 {p99:.1f} ms, stale answers {n_stale}")


if __name__ == "__main__":
    main()
