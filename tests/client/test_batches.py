"""How many events travel together."""

from __future__ import annotations

import json

import pytest

from huaxiang.client.answers import Refused, Sent
from huaxiang.client.batches import MOST_BYTES, Collector, bodies
from huaxiang.errors import InputError
from huaxiang.records import Event, EventType, Item


def sizes(collector: Collector, events: list[dict[str, str]]) -> list[int]:
    return [len(json.loads(body)["events"]) for body in bodies(events, collector)]


def test_a_batch_is_full_at_its_size() -> None:
    assert sizes(Collector(size=3), [{"event_id": str(n)} for n in range(7)]) == [3, 3, 1]


def test_long_words_make_short_batches() -> None:
    words = [{"event_id": str(n), "text": "x" * (MOST_BYTES // 3)} for n in range(5)]
    assert sizes(Collector(), words) == [2, 2, 1]


def test_what_waits_too_long_is_sent() -> None:
    moments = iter([0.0, 0.0, 0.6, 1.2, 9.0, 9.1])
    collector = Collector(flush_s=1.0, clock_s=lambda: next(moments))
    assert sizes(collector, [{"event_id": str(n)} for n in range(4)]) == [3, 1]


def test_records_are_written_as_the_service_takes_them() -> None:
    event = Event(event_id="e", shopper_id="s", type=EventType.SEARCH, query="红")
    (body,) = bodies([event], Collector())
    assert json.loads(body) == {"events": [event.as_json()]}


def test_items_travel_as_items() -> None:
    (body,) = bodies([Item(item_id="mug", brand="Acme"), {"item_id": "pot"}], Collector(of="items"))
    assert json.loads(body) == {
        "items": [{"item_id": "mug", "brand": "Acme", "in_stock": True}, {"item_id": "pot"}]
    }


@pytest.mark.parametrize("event", [{"event_id": "e", "value": object()}, {"event_id": "e", "text": "\ud800"}])
def test_what_json_cannot_hold_is_named(event: dict[str, object]) -> None:
    with pytest.raises(InputError, match="event_id 'e'"):
        list(bodies([event], Collector()))


@pytest.mark.parametrize("size", [0, 501])
def test_no_such_size(size: int) -> None:
    with pytest.raises(InputError, match="1 to 500"):
        Collector(size=size)


def test_sums_keep_the_place_of_what_was_refused() -> None:
    why = Refused(index=1, event_id="e", field=None, code="c", message="m")
    parts = [
        Sent(accepted=2, position=3),
        Sent(duplicates=1, rejected=(why,), position=1),
        Sent(rejected=(why,)),
    ]
    total = parts[0].then(parts[1]).then(parts[2])
    assert ([one.index for one in total.rejected], total.position, total.n_events) == ([3, 5], 3, 5)
