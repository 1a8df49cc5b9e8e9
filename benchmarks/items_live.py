"""Claim: a change in a catalogue of 12,000 items is right in lists within a second of its acknowledgement.

One change at a time is sent over HTTP to a served run; a second connection asks for lists until one shows it.
Lists are asked for all the while at a steady rate, to see what the swaps cost them. Then a feed of new items
comes in, and it is measured how long "sold out" takes beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.evaluate.hardware import hardware
from service.load import Connection, at_rate, request
from service.served import Served, served
from service.shop import synthetic_run

N_SHOPPERS, N_ITEMS = 1000, 12_000
N_TRIALS, N_FED = 60, 1000
MOST_S = 60.0
K = 10
PAUSE_S = 0.01
SHOPPER = "s-1"


@dataclass
class Shop:
    """A served shop, over two connections: one changes, one looks; idle ones are closed."""

    live: Served
    waits_s: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._change = Connection(self.live.host, self.live.port)
        self._look = Connection(self.live.host, self.live.port)

    async def change(self, *items: dict[str, Any]) -> None:
        """Send changes; return when they are acknowledged."""
        body = json.dumps({"items": items}).encode()
        status, answer = await self._change.ask(request("POST", "/v1/items", key=self.live.key, body=body))
        assert status == 200, answer

    async def listed(self) -> list[str]:
        """Return the list of one shopper."""
        path = f"/v1/shoppers/{SHOPPER}/recommendations?k={K}&repeat=true"
        _, answer = await self._look.ask(request("GET", path, key=self.live.key))
        return [one["item_id"] for one in json.loads(answer)["items"]]

    async def similar(self, item_id: str) -> list[str] | None:
        """Return what is like an item, None while no list knows it."""
        path = f"/v1/items/{item_id}/similar?k=100"
        status, answer = await self._look.ask(request("GET", path, key=self.live.key))
        return [one["item_id"] for one in json.loads(answer)["items"]] if status == 200 else None

    async def wait(self, what: str, is_right: Callable[[list[str]], bool]) -> None:
        """Note how long it takes from now until a list is right."""
        started = time.perf_counter()
        while not is_right(await self.listed()):
            assert time.perf_counter() - started < MOST_S, what
            await asyncio.sleep(PAUSE_S)
        self.waits_s.setdefault(what, []).append(time.perf_counter() - started)


async def one_by_one(shop: Shop, n_trials: int) -> None:
    """Sell out, restock, add and delete items, one after the other."""
    for number in range(n_trials):
        item_id = (await shop.listed())[0]
        await shop.change({"action": "stock", "item_id": item_id, "in_stock": False})
        await shop.wait("sold out", lambda found, gone=item_id: gone not in found)  # type: ignore[misc]
        await shop.change({"action": "stock", "item_id": item_id, "in_stock": True})
        await shop.wait("back in stock", lambda found, back=item_id: back in found)  # type: ignore[misc]
        await shop.change({"action": "delete", "item_id": item_id})
        await shop.wait("deleted", lambda found, gone=item_id: gone not in found)  # type: ignore[misc]
        await shop.change(_new(number))
        await _known(shop, f"new-{number}")


async def _known(shop: Shop, item_id: str) -> None:
    """Note how long it takes until a new item has a list of what is like it."""
    started = time.perf_counter()
    while await shop.similar(item_id) is None:
        assert time.perf_counter() - started < MOST_S, item_id
        await asyncio.sleep(PAUSE_S)
    shop.waits_s.setdefault("new", []).append(time.perf_counter() - started)


def _new(number: int, prefix: str = "new") -> dict[str, Any]:
    colour, kind = ("red", "blue", "green")[number % 3], ("dress", "mug", "lamp")[number % 3]
    title = f"{colour} {kind} number {number} of this season"
    return {
        "item_id": f"{prefix}-{number}",
        "texts": {"en": {"title": title, "description": "Made to last, of the best cloth and clay."}},
        "category": [kind],
        "brand": f"brand {number % 60}",
        "price": 20 + number % 50,
        "attributes": {"colour": [colour]},
    }


async def beside_a_feed(shop: Shop, n_fed: int) -> float:
    """Feed new items in; sell out others meanwhile; return after how many seconds all are served."""
    started = time.perf_counter()
    for first in range(0, n_fed, 500):
        await shop.change(*(_new(number, "fed") for number in range(first, min(first + 500, n_fed))))
    while await shop.similar(f"fed-{n_fed - 1}") is None:
        item_id = (await shop.listed())[0]
        await shop.change({"action": "stock", "item_id": item_id, "in_stock": False})
        await shop.wait("sold out, beside a feed", lambda found, gone=item_id: gone not in found)  # type: ignore[misc]
    return time.perf_counter() - started


def _lists(key: str) -> Iterator[bytes]:
    return repeat(request("GET", f"/v1/shoppers/{SHOPPER}/recommendations?k=10", key=key))


async def lists_meanwhile(live: Served, seconds: float, per_s: float) -> list[float]:
    """Return percentiles of the latency of lists, milliseconds."""
    answers = await at_rate(live.host, live.port, _lists(live.key), per_s=per_s, seconds=seconds)
    assert answers.n_failed() == 0
    return answers.percentile_ms(50, 99)


async def measure(live: Served, *, n_trials: int, n_fed: int, per_s: float) -> None:
    """Print how long changes take to be right in lists."""
    quiet = await lists_meanwhile(live, 5, per_s)
    shop = Shop(live)
    meanwhile = asyncio.create_task(lists_meanwhile(live, 15, per_s))
    await one_by_one(shop, n_trials)
    busy = await meanwhile
    fed_s = await beside_a_feed(Shop(live, shop.waits_s), n_fed)
    for what, waits in shop.waits_s.items():
        p50, p99, most = np.percentile(np.array(waits) * 1000, (50, 99, 100))
        print(
            f"{what:<24} {len(waits):>4} times  p50 {p50:>6.0f} ms   p99 {p99:>6.0f} ms   max {most:>5.0f} ms"
        )
    print(f"a feed of {n_fed:,} new items   all served after {fed_s:.1f} s")
    print(f"lists at {per_s:.0f}/s, quiet           p50 {quiet[0]:>6.1f} ms   p99 {quiet[1]:>6.1f} ms")
    print(f"lists at {per_s:.0f}/s, beside changes  p50 {busy[0]:>6.1f} ms   p99 {busy[1]:>6.1f} ms")


def main() -> None:
    """Serve a drawn shop and change it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a drawn run that is there already; it is not written to")
    parser.add_argument("--trials", type=int, default=N_TRIALS)
    parser.add_argument("--fed", type=int, default=N_FED)
    parser.add_argument("--per-s", type=float, default=20.0, help="lists asked for meanwhile")
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        run = given.run
        if run is None:
            run, _ = synthetic_run(Path(home) / "run", n_shoppers=N_SHOPPERS, n_items=N_ITEMS)
        linked = Path(home) / "linked"
        os.symlink(run.resolve(), linked)
        with served(linked) as live:
            asyncio.run(measure(live, n_trials=given.trials, n_fed=given.fed, per_s=given.per_s))


if __name__ == "__main__":
    main()
