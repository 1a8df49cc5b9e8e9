"""Claim: beside a shopper with 10,000 events and 50 more a second, others' p99 changes by < 20 %.

Others ask for lists at the same rate all the while (open loop). Rounds take turns: others alone, others
beside the heavy shopper (its events one by one, and its own lists), and others beside the very same requests
spread over ordinary shoppers, which tells what is due to the heavy one and what to the requests. The load
comes from this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import numpy as np

from huaxiang.evaluate.hardware import hardware
from service.load import Answers, as_fast_as_possible, at_rate, request
from service.served import TYPES, Served, served
from service.shop import linked_run

N_HEAVY, BATCH, N_ROUNDS = 10_000, 500, 5
HEAVY = "heavy"
KINDS = ("alone", "beside ordinary ones", "beside the heavy one")


def event(number: int, shopper_id: str, item_ids: list[str], *, age: timedelta) -> dict[str, object]:
    """Return one event as the service takes it."""
    return {
        "event_id": f"h-{number}",
        "shopper_id": shopper_id,
        "type": TYPES[number % len(TYPES)],
        "item_id": item_ids[number * 7919 % len(item_ids)],
        "occurred_at": (datetime.now(UTC) - age).isoformat().replace("+00:00", "Z"),
        "value": {"quantity": 1, "price": 9.9, "currency": "USD"},
    }


def make_heavy(live: Served, item_ids: list[str], n_events: int) -> None:
    """Let the log take the heavy shopper's past."""
    bodies = []
    for first in range(0, n_events, BATCH):
        numbers = range(first, min(first + BATCH, n_events))
        events = [event(n, HEAVY, item_ids, age=timedelta(minutes=10 * (n_events - n))) for n in numbers]
        bodies.append(
            request("POST", "/v1/events", key=live.key, body=json.dumps({"events": events}).encode())
        )
    answers = asyncio.run(as_fast_as_possible(live.host, live.port, bodies, n_connections=1))
    assert answers.n_failed() == 0, answers.bodies[:1]


def lists(key: str, shopper_ids: list[str]) -> Iterator[bytes]:
    """Yield requests for lists, one shopper after the other."""
    for shopper_id in cycle(shopper_ids):
        yield request("GET", f"/v1/shoppers/{shopper_id}/recommendations?k=10", key=key)


def new_events(key: str, shopper_ids: list[str], item_ids: list[str], *, first: int) -> Iterator[bytes]:
    """Yield requests with one new event each."""
    for number, shopper_id in enumerate(cycle(shopper_ids), first):
        one = event(number, shopper_id, item_ids, age=timedelta())
        yield request("POST", "/v1/events", key=key, body=json.dumps({"events": [one]}).encode())


class Rounds:
    """Rounds of the same load of others, beside what differs."""

    def __init__(self, live: Served, item_ids: list[str], asked: argparse.Namespace, n_others: int) -> None:
        self.live, self.item_ids, self.asked = live, item_ids, asked
        self.others = [f"s-{number}" for number in range(n_others)]
        self._n_sent = N_HEAVY * 10

    async def take(self, kind: str) -> tuple[float, float]:
        """Return p50 and p99 of others' lists in one round, milliseconds."""
        live, seconds = self.live, self.asked.seconds
        who = [HEAVY] if kind == KINDS[2] else self.others[::-1]
        loads = [(lists(live.key, self.others), self.asked.per_s)]
        if kind != KINDS[0]:
            self._n_sent += 100_000
            loads.append(
                (new_events(live.key, who, self.item_ids, first=self._n_sent), self.asked.events_per_s)
            )
            loads.append((lists(live.key, who), self.asked.lists_per_s))
        taken: list[Answers] = await asyncio.gather(
            *(at_rate(live.host, live.port, asks, per_s=per_s, seconds=seconds) for asks, per_s in loads)
        )
        assert not any(answers.n_failed() for answers in taken), kind
        p50, p99 = taken[0].percentile_ms(50, 99)
        return p50, p99


def measure(rounds: Rounds, n_rounds: int) -> None:
    """Let the kinds of rounds take turns and print the rows."""
    for kind in KINDS:
        asyncio.run(rounds.take(kind))  # not counted
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for number in range(n_rounds):
        for kind in KINDS if number % 2 else KINDS[::-1]:
            taken[kind].append(asyncio.run(rounds.take(kind)))
    for kind, waits in taken.items():
        p50, p99 = (np.array(column) for column in zip(*waits, strict=True))
        print(
            f"others' lists, {kind:<22} p50 {np.median(p50):.2f} ms [{p50.min():.2f}, {p50.max():.2f}]   "
            f"p99 {np.median(p99):.2f} ms [{p99.min():.2f}, {p99.max():.2f}]"
        )
    for before, note in ((KINDS[0], " (within 20 %)"), (KINDS[1], "")):
        ratios = [h[1] / b[1] for h, b in zip(taken[KINDS[2]], taken[before], strict=True)]
        print(
            f"p99 {KINDS[2]} / {before:<22} {statistics.median(ratios):.2f} "
            f"[{min(ratios):.2f}, {max(ratios):.2f}]{note}"
        )


def main() -> None:
    """Serve a drawn shop and measure beside a heavy shopper."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a drawn run that is there already; it is not written to")
    parser.add_argument("--per-s", type=float, default=100.0, help="others' lists")
    parser.add_argument("--events-per-s", type=float, default=50.0)
    parser.add_argument("--lists-per-s", type=float, default=5.0, help="lists of the heavy shopper")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    parser.add_argument("--heavy", type=int, default=N_HEAVY, help="events of the heavy shopper")
    asked = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        run, item_ids = linked_run(Path(home), asked.run, n_shoppers=300, n_items=500)
        with served(run) as live:
            make_heavy(live, item_ids, asked.heavy)
            print(
                f"{len(item_ids):,} items, {asked.heavy:,} events of the heavy one; SQLite FULL; "
                f"others {asked.per_s:.0f} lists/s, beside them {asked.events_per_s:.0f} events/s and "
                f"{asked.lists_per_s:.0f} lists/s"
            )
            measure(Rounds(live, item_ids, asked, n_others=300), asked.rounds)


if __name__ == "__main__":
    main()
