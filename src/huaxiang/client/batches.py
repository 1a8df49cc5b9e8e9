"""Events, any number of them → bodies of requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from huaxiang.errors import InputError
from huaxiang.records import Event

AnyEvent = Event | Mapping[str, Any]
MOST_EVENTS = 500
MOST_BYTES = 1 << 20


@dataclass
class Collector:
    """Events that wait to be sent together.

    Parameters
    ----------
    size
        Most events of a batch, 1 to 500.
    flush_s
        A batch is also complete when the next event comes this much after its first; None waits for `size`.

    Examples
    --------
    >>> collector = Collector(size=2)
    >>> [collector.add({"event_id": name}) for name in "ab"]
    [None, b'{"events":[{"event_id":"a"},{"event_id":"b"}]}']
    >>> collector.rest() is None
    True
    """

    size: int = MOST_EVENTS
    flush_s: float | None = None
    clock_s: Callable[[], float] = time.monotonic
    _waiting: list[bytes] = field(default_factory=list)
    _n_bytes: int = 0
    _since_s: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_EVENTS:
            remedy = f"give 1 to {MOST_EVENTS}"
            raise InputError("no such size of a batch", column="size", value=str(self.size), remedy=remedy)

    def add(self, event: AnyEvent) -> bytes | None:
        """Return the body that became complete with this event, if one did."""
        written = written_event(event)
        before = None
        if self._waiting and self._n_bytes + len(written) > MOST_BYTES:
            before = self.rest()
        if not self._waiting:
            self._since_s = self.clock_s()
        self._waiting.append(written)
        self._n_bytes += len(written) + 1
        if before is not None:
            return before
        return self.rest() if self._is_complete() else None

    def rest(self) -> bytes | None:
        """Return the body of all that waits; None if nothing does."""
        if not self._waiting:
            return None
        body = body_of(self._waiting)
        self._waiting, self._n_bytes = [], 0
        return body

    def _is_complete(self) -> bool:
        is_late = self.flush_s is not None and self.clock_s() - self._since_s >= self.flush_s
        return len(self._waiting) >= self.size or is_late


def bodies(events: Iterable[AnyEvent], collector: Collector) -> Iterator[bytes]:
    """Yield the bodies of requests that send all events."""
    for event in events:
        if (body := collector.add(event)) is not None:
            yield body
    if (body := collector.rest()) is not None:
        yield body


def written_event(event: AnyEvent) -> bytes:
    """Return one event as JSON.

    Raises
    ------
    InputError
        It holds what JSON can't.
    """
    try:
        return orjson.dumps(event.as_json() if isinstance(event, Event) else dict(event))
    except (TypeError, ValueError) as error:
        said = event.event_id if isinstance(event, Event) else str(event.get("event_id"))
        remedy = "use texts, numbers, lists and dictionaries"
        raise InputError("an event is not JSON", column="event_id", value=said, remedy=remedy) from error


def body_of(written: Sequence[bytes]) -> bytes:
    """Return the body of `POST /v1/events`."""
    return b'{"events":[' + b",".join(written) + b"]}"
