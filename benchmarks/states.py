"""Claims: updates one by one >= 100,000/s; states in bulk >= 1,000,000 events/s; 30 item events <= 400 bytes.

CPU seconds, not wall seconds, so that a busy machine doesn't blur them. Run with POLARS_MAX_THREADS=1 for a
figure of one core alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from huaxiang.evaluate.hardware import hardware
from huaxiang.profile.bulk import build_states
from huaxiang.profile.state import PURCHASE, ProfileState, StateEvent, Totals
from huaxiang.profile.update import state_event, update
from huaxiang.records import Event, EventType, Value
from huaxiang.shop.base import EVENT_COLUMNS

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "online_retail"
N_REPEATS = 7
START_MS = 1_767_225_600_000
YEAR_MS = 365 * 86_400_000
TYPES = [EventType.VIEW_ITEM] * 6 + [EventType.ADD_TO_CART] * 2 + [EventType.PURCHASE, EventType.REVIEW]


def cpu_seconds(work: Callable[[], object], n_repeats: int = N_REPEATS) -> list[float]:
    """Return the CPU seconds of several runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(n_repeats):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return seconds


def show_rate(name: str, n: int, seconds: Sequence[float], *, reach: float) -> None:
    """Print events per second: median, lowest and highest."""
    rates = sorted(n / s for s in seconds)
    middle = statistics.median(rates)
    print(f"{name:<44} {middle:>12,.0f}/s   {rates[0]:,.0f}–{rates[-1]:,.0f}   (at least {reach:,.0f})")


def drawn_events(n: int, *, seed: int, types: Sequence[int]) -> list[StateEvent]:
    """Return events at random milliseconds of a year, of one shopper, as they arrive."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(START_MS, START_MS + YEAR_MS, n)).tolist()
    keys, items = rng.integers(0, 2**40, n).tolist(), rng.integers(0, 100_000, n).tolist()
    kinds = rng.choice(np.array(types), n).tolist()
    return [
        StateEvent(ms, key, kind, item_no=item, quantity=1, offset_quarters=32, channel=1)
        for ms, key, kind, item in zip(times, keys, kinds, items, strict=True)
    ]


def grow(events: Sequence[StateEvent]) -> ProfileState:
    """Return the state after all the events, one by one."""
    state = ProfileState()
    for event in events:
        state = update(state, event, totals=Totals(event.occurred_ms, event.occurred_ms, 1, 1, 990, 1))
    return state


def drawn_table(n_events: int, n_shoppers: int, *, seed: int) -> pl.DataFrame:
    """Return a shop's table of events, in the order in which they happened."""
    rng = np.random.default_rng(seed)
    codes = np.array([kind.code for kind in TYPES])
    times = pl.Series(np.sort(rng.integers(START_MS, START_MS + YEAR_MS, n_events)))
    table = pl.DataFrame(
        {
            "event_id": [f"e-{number:09d}" for number in range(n_events)],
            "shopper_id": [f"s-{shopper}" for shopper in rng.integers(0, n_shoppers, n_events)],
            "type": rng.choice(codes, n_events),
            "item_row": rng.integers(0, 100_000, n_events),
            "occurred_at": times.cast(pl.Datetime("ms", "UTC")),
            "price_minor": rng.integers(99, 9_999, n_events),
            "quantity": np.ones(n_events),
            "new_order": np.ones(n_events, dtype=bool),
            "channel": rng.choice(np.array(["web", "app"]), n_events),
        }
    )
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in EVENT_COLUMNS.items()
    )


def one_by_one() -> None:
    """Time `update` alone on short and on full states, then with the making of the event."""
    mixed = [kind.code for kind in TYPES]
    thirty = [drawn_events(30, seed=seed, types=mixed) for seed in range(2_000)]
    show_rate("update, 30 events each", 60_000, cpu_seconds(lambda: list(map(grow, thirty))), reach=1e5)
    for name, kinds in (("update, full states", mixed), ("update, 1,024 bought items and more", [PURCHASE])):
        events = drawn_events(60_000, seed=1, types=kinds)
        show_rate(name, len(events), cpu_seconds(lambda events=events: grow(events)), reach=1e5)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    records = [
        Event(
            event_id=f"e-{n}",
            shopper_id="s",
            type=TYPES[n % len(TYPES)],
            occurred_at=moment + timedelta(seconds=97 * n),
            value=Value(price_minor=990),
        )
        for n in range(30_000)
    ]

    def learn() -> ProfileState:
        state = ProfileState()
        for n, record in enumerate(records):
            event, totals = state_event(record, item_no=n % 5_000)
            state = update(state, event, totals=totals)
        return state

    show_rate("state_event + update, full states", len(records), cpu_seconds(learn), reach=1e5)


def in_bulk(n_events: int = 1_000_000) -> None:
    """Time `build_states` on shops of short and of long histories."""
    for n_shoppers in (33_000, 4_000):
        table = drawn_table(n_events, n_shoppers, seed=3)
        seconds = cpu_seconds(lambda table=table: build_states(table, order_only=False))
        show_rate(f"build_states, {n_events // n_shoppers} events each", n_events, seconds, reach=1e6)


def sizes() -> None:
    """Print the bytes of states with 30 item events at random milliseconds, and of full ones."""
    mixed = [kind.code for kind in TYPES]
    for name, n, kinds, reach in (
        ("30 item events, of every type", 30, mixed, "   (at most 400)"),
        ("30 purchases", 30, [PURCHASE], "   (at most 400)"),
        ("full: 128 + 128 events, 1,024 bought", 30_000, mixed, ""),
    ):
        states = [grow(drawn_events(n, seed=seed, types=kinds)) for seed in range(300 if n == 30 else 3)]
        stored = [state.to_bytes() for state in states]
        assert [ProfileState.from_bytes(one) for one in stored] == states
        show_sizes(name, stored, reach)


def show_sizes(name: str, stored: Sequence[bytes], note: str = "") -> None:
    """Print the sizes of stored states."""
    lengths = sorted(map(len, stored))
    print(f"{name:<44} {statistics.median(lengths):>8,.0f} bytes   {lengths[0]:,}–{lengths[-1]:,}{note}")


def real() -> None:
    """Print the same for Online Retail, where it is there."""
    if not DATA.exists():
        print("Online Retail: skipped, ../shared/data/online_retail is absent")
        return
    from huaxiang.shop.read import read_shop

    shop = read_shop(DATA)
    n_events = len(shop.events)
    seconds = cpu_seconds(lambda: build_states(shop.events, order_only=False), 5)
    show_rate(f"Online Retail, {n_events:,} events", n_events, seconds, reach=1e6)
    table = build_states(shop.events, order_only=False)
    states = table.states(table.shopper_ids)
    stored = {state: state.to_bytes() for state in states}
    thirty = [state_bytes for state, state_bytes in stored.items() if len(state.events()) == 30]
    show_sizes("Online Retail, states of 30 events", thirty, "   (at most 400)")
    show_sizes("Online Retail, every state", list(stored.values()))


def main() -> None:
    """Print every figure."""
    print(hardware())
    one_by_one()
    in_bulk()
    sizes()
    real()


if __name__ == "__main__":
    main()
