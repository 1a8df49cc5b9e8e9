"""A shop in which everybody walks through the items in equal steps, so that the next purchase is known."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from huaxiang.records import Event, EventType

N_ITEMS, N_SHOPPERS, N_BUYS = 48, 160, 20
START = datetime(2026, 1, 1, tzinfo=UTC)
OPENED = START + timedelta(days=30)
"""Until here goes the log that the first model learns from; what comes later is served."""

TOML = """
[shop]
name = "Ring"
languages = ["en"]
currency = "EUR"
timezone = "UTC"
[items]
file = "items.csv"
[events]
file = "events.csv"
"""

SETTINGS = ("--image", "none", "--set", "recommend.members=['popular','closed_form']")
"""Members of which one learns only when it is fitted, so that retraining is what makes the difference."""


def purchases(step_on: Callable[[float], int], *, seed: int = 0) -> list[Event]:
    """Return the purchases of all shoppers; `step_on(day)` items lie between one and the next."""
    rng = np.random.default_rng(seed)
    events = []
    for shopper in range(N_SHOPPERS):
        at = int(rng.integers(N_ITEMS))
        for number in range(N_BUYS):
            day = 3 * number + 2.5 * float(rng.random())
            events.append(bought(f"s-{shopper}", at, day, event_id=f"e-{shopper}-{number}"))
            at = (at + step_on(day)) % N_ITEMS
    return sorted(events, key=_when)


def robots(n_robots: int = 200, *, first_day: float = 31, step: int = 11) -> list[Event]:
    """Return what robots do for a week: they walk in other steps."""
    rng = np.random.default_rng(1)
    firsts = rng.integers(N_ITEMS, size=n_robots).tolist()
    return [
        bought(
            f"robot-{robot}",
            (first + number * step) % N_ITEMS,
            first_day + 0.3 * number,
            event_id=f"r-{robot}-{number}",
        )
        for robot, first in enumerate(firsts)
        for number in range(24)
    ]


def bought(shopper_id: str, item: int, day: float, *, event_id: str) -> Event:
    moment = START + timedelta(seconds=round(86_400 * day))
    return Event(
        event_id=event_id,
        shopper_id=shopper_id,
        type=EventType.PURCHASE,
        item_id=f"i{item}",
        occurred_at=moment,
        received_at=moment,
    )


def until_opening(events: list[Event]) -> list[Event]:
    return [event for event in events if _when(event) < OPENED]


def since_opening(events: list[Event]) -> list[Event]:
    return [event for event in events if _when(event) >= OPENED]


def write_shop(folder: Path, events: list[Event]) -> Path:
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(TOML, encoding="utf-8")
    items = [(f"i{i}", f"thing number {i}", f"c{i % 4}", f"b{i % 3}", 10 + i) for i in range(N_ITEMS)]
    _write(folder / "items.csv", ("item_id", "title", "category", "brand", "price"), iter(items))
    header = ("event_id", "shopper_id", "type", "item_id", "occurred_at")
    _write(
        folder / "events.csv",
        header,
        ((e.event_id, e.shopper_id, e.type.value, e.item_id, _when(e).isoformat()) for e in events),
    )
    return folder


def _write(file: Path, header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        writer.writerows(rows)


def _when(event: Event) -> datetime:
    assert event.occurred_at is not None
    return event.occurred_at
