"""Claim: 541,909 lines of Online Retail read, checked and turned into every state within 10 s; sums agree."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from huaxiang.evaluate.hardware import hardware
from huaxiang.profile.bulk import build_states
from huaxiang.shop.read import read_shop

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "online_retail"


def main(n_runs: int = 5) -> None:
    """Print the seconds of each stage over several runs."""
    if not DATA.exists():
        sys.exit("skipped: ../shared/data/online_retail is absent")
    reading, building = [], []
    for _ in range(n_runs):
        started = time.perf_counter()
        shop = read_shop(DATA)
        read = time.perf_counter()
        states = build_states(shop.events, order_only=shop.order_only)
        built = time.perf_counter()
        reading.append(read - started)
        building.append(built - read)
        assert shop.accounting.agrees
    sums = shop.accounting
    print(hardware())
    set_aside, quarantined = sum(sums.set_aside.values()), sum(sums.quarantined.values())
    print(f"{sums.lines_read:,} lines = {sums.n_events:,} events + {set_aside:,} set aside")
    print(f"  + {quarantined:,} quarantined; {len(states.shopper_ids):,} states")
    for name, seconds in (("read and check", reading), ("states", building)):
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        print(f"{name:<16} median {statistics.median(seconds):5.2f} s   {spread}")
    both = [a + b for a, b in zip(reading, building, strict=True)]
    print(f"{'both':<16} median {statistics.median(both):5.2f} s   (at most 10)")


if __name__ == "__main__":
    main()
