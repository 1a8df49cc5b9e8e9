"""Claim: an event of a body of 100 is read, checked and made a record in at most 12 µs of one core."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from typing import Any

import orjson

from huaxiang.evaluate.hardware import hardware
from huaxiang.serve.segment import parse_segment
from huaxiang.serve.wire import Parsed, Reading, parse_events

BATCH, N_BODIES, N_REPEATS = 100, 200, 7
KINDS = ("view_item", "view_item", "add_to_cart", "purchase")
NAMES = ("Product Viewed", "Product Clicked", "Product Added", "Product Removed")
MOMENT = "2026-01-31T12:00:00.123+08:00"


def plain(number: int) -> dict[str, Any]:
    """Return what most shops send: an item, a time, a price."""
    return {
        "event_id": f"e-{number}",
        "shopper_id": f"s-{number % 37}",
        "type": KINDS[number % 4],
        "item_id": f"i-{number % 91}",
        "occurred_at": MOMENT,
        "value": {"quantity": 1, "price": 19.99, "currency": "USD"},
    }


def full(number: int) -> dict[str, Any]:
    """Return an event with everything there is around it."""
    around = {"channel": "web", "device": "mobile", "placement": "home", "slate_id": "x" * 16, "position": 3}
    return {**plain(number), "session_id": "v-1", "order_id": "o-1", "context": around}


def searched(number: int) -> dict[str, Any]:
    """Return words."""
    about = {"event_id": f"e-{number}", "shopper_id": "s-1", "occurred_at": MOMENT}
    return {**about, "type": "search", "query": "红色 running shoes"}


def refused(number: int) -> dict[str, Any]:
    """Return an event that can't be taken: the nearest word is looked for."""
    return {**plain(number), "type": "purchased"}


def tracked(number: int) -> dict[str, Any]:
    """Return a message of Segment's libraries."""
    properties = {"product_id": f"i-{number % 91}", "price": 19.99, "quantity": 1, "currency": "USD"}
    return {
        "type": "track",
        "event": NAMES[number % 4],
        "messageId": f"m-{number}",
        "userId": f"s-{number % 37}",
        "timestamp": MOMENT,
        "properties": properties,
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
    }


def microseconds(read: Any, body: bytes, reading: Reading) -> list[float]:
    """Return CPU microseconds of one event, for each repeat."""
    taken = []
    for _ in range(N_REPEATS):
        started = time.process_time()
        for _ in range(N_BODIES):
            answer: Parsed = read(body, reading)
        taken.append((time.process_time() - started) / N_BODIES / BATCH * 1e6)
        assert len(answer.events) + len(answer.rejected) == BATCH
    return sorted(taken)


def main() -> None:
    """Measure each kind of event."""
    print(hardware())
    reading = Reading(now=datetime(2026, 3, 1, tzinfo=UTC), currency="USD")
    for make in (plain, full, searched, refused):
        body = orjson.dumps({"events": [make(number) for number in range(BATCH)]})
        show(make.__name__, microseconds(parse_events, body, reading))
    body = orjson.dumps({"batch": [tracked(number) for number in range(BATCH)], "sentAt": MOMENT})
    show("Segment's", microseconds(parse_segment, body, reading))


def show(name: str, taken: list[float]) -> None:
    """Print the median and the range."""
    print(f"{name:<10} {statistics.median(taken):6.1f} µs an event   [{taken[0]:.1f}, {taken[-1]:.1f}]")


if __name__ == "__main__":
    main()
