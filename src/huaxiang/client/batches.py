"""Events or items, any number of them → bodies of requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from huaxiang.errors import InputError
from huaxiang.records import Event, Item

AnyEvent = Event | Mapping[str, Any]
AnyItem = Item | Mapping[str, Any]
"""A whole item, or a JSON object as `POST /v1/items` takes it: also of stock or price, or a deletion."""

MOST_EVENTS = 500
MOST_BYTES = 1 << 20


@dataclass
class Collector:
    """Events or items that wait to be sent together.

    Parameters
    ----------
    size
        Most of them in a batch, 1 to 500.
    flush_s
        A batch is also complete when the next one comes this much after its first; None waits for `size`.
    of
        What they are: events or items.

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
    of: str = "events"
    _waiting: list[bytes] = field(default_factory=list)
    _n_bytes: int = 0
    _since_s: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_EVENTS:
            remedy = f"give 1 to {MOST_EVENTS}"
            raise InputError("no such size of a batch", column="size", value=str(self.size), remedy=remedy)

    def add(self, one: AnyEvent | AnyItem) -> bytes | None:
        """Return the body that became complete with this one, if one did."""
        written = written_as_json(one)
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
        body = body_of(self._waiting, of=self.of)
        self._waiting, self._n_bytes = [], 0
        return body

    def _is_complete(self) -> bool:
        is_late = self.flush_s is not None and self.clock_s() - self._since_s >= self.flush_s
        return len(self._waiting) >= self.size or is_late


def bodies(all_of_them: Iterable[AnyEvent | AnyItem], collector: Collector) -> Iterator[bytes]:
    """Yield the bodies of requests that send all of them."""
    for one in all_of_them:
        if (body := collector.add(one)) is not None:
            yield body
    if (body := collector.rest()) is not None:
        yield body


def written_as_json(one: AnyEvent | AnyItem) -> bytes:
    """Return one event or item as JSON.

    Raises
    ------
    InputError
        It holds what JSON can't.
    """
    try:
        return orjson.dumps(one.as_json() if isinstance(one, Event | Item) else dict(one))
    except (TypeError, ValueError) as error:
        remedy = "use texts, numbers, lists and dictionaries"
        name, said = _named(one)
        raise InputError("what is sent is not JSON", column=name, value=said, remedy=remedy) from error


def _named(one: AnyEvent | AnyItem) -> tuple[str, str]:
    """Return which id tells it from the others, and that id."""
    said = one.as_json() if isinstance(one, Event | Item) else one
    name = "event_id" if "event_id" in said else "item_id"
    return name, str(said.get(name))


def body_of(written: Sequence[bytes], *, of: str = "events") -> bytes:
    """Return the body of `POST /v1/events`, or of `/v1/items`."""
    return b'{"' + of.encode() + b'":[' + b",".join(written) + b"]}"
