"""What an erasure costs: the rows of one shopper, and the file written anew so that nothing is left.

`erase` deletes the rows in one transaction; `scrub` writes what is on the disk anew (SQLite's VACUUM), which
takes as long as the file is large.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from huaxiang.evaluate.hardware import hardware
from huaxiang.profile.update import event_key
from huaxiang.records import Event, EventType
from huaxiang.store import LoggedEvent, append, open_store
from huaxiang.store.erasure import erase, scrub

N_EVENTS, N_EACH, GROUP, N_REPEATS = 1_000_000, 30, 4_000, 3
START = datetime(2026, 1, 1, tzinfo=UTC)


def groups(n_events: int, *, seed: int = 0) -> Iterator[list[LoggedEvent]]:
    """Yield the events of a shop, `N_EACH` of each shopper on average."""
    rng = np.random.default_rng(seed)
    for first in range(0, n_events, GROUP):
        numbers = range(first, min(first + GROUP, n_events))
        shoppers = rng.integers(0, n_events // N_EACH, len(numbers))
        items = rng.integers(0, 12_000, len(numbers))
        yield [
            LoggedEvent(
                Event(
                    event_id=f"e-{number}",
                    shopper_id=f"shopper-{shopper:022d}",
                    type=EventType.VIEW_ITEM,
                    occurred_at=START + timedelta(seconds=number),
                    received_at=START + timedelta(seconds=number),
                    item_id=f"i-{item}",
                ),
                event_key(f"e-{number}"),
                item_no=item,
            )
            for number, shopper, item in zip(numbers, shoppers.tolist(), items.tolist(), strict=True)
        ]


def main() -> None:
    """Fill a log, then erase one shopper after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=N_EVENTS)
    given = parser.parse_args()
    print(hardware())
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "store.sqlite"
        store = open_store(f"sqlite:///{path}")
        for group in groups(given.events):
            with store.begin() as tx:
                append(tx, "shop", group)
            store.checkpoint()
        print(f"{given.events:,} events, {path.stat().st_size / 2**20:,.0f} MiB")
        for number in range(N_REPEATS):
            shopper_id = f"shopper-{number:022d}"
            started, before = time.perf_counter(), os.times()
            with store.begin() as tx:
                gone = erase(tx, "shop", [shopper_id], subjects=[f"{number:032x}"], at_ms=0)
            rows_s = time.perf_counter() - started
            scrub(store)
            whole_s, after = time.perf_counter() - started, os.times()
            cpu_s = after.user + after.system - before.user - before.system
            print(
                f"{gone['events']} events of one shopper: rows {rows_s:.2f} s, "
                f"file written anew {whole_s - rows_s:.1f} s, {cpu_s:.1f} s of processor time"
            )
        store.close()


if __name__ == "__main__":
    main()
