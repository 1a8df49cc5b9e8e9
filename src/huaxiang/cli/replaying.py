"""A shop's past, sent to a service as if it happened now.

Events go in the order in which they occurred, at any speed, with the ids they have in the shop: sending them
again changes nothing, so a replay may be stopped and gone on with at any point.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from huaxiang.client import Client, Sent
from huaxiang.errors import InputError
from huaxiang.files import write_whole
from huaxiang.shop.base import Shop
from huaxiang.shop.event_records import event_records

SCHEMA = "huaxiang.replay_position/1"
_LONGEST_WAIT_S = 0.25
_SOON_S = 0.001
"""What is due so soon leaves now: a shorter sleep may be too short to move a clock."""
_KEEP_EVERY_S = 1.0
_MOST_EXAMPLES = 5

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which of a shop's events are sent.

    Parameters
    ----------
    since, until
        From the first moment on, before the second; None is without end.
    n_shoppers
        Those of this many shoppers who come first; None is all.
    """

    since: datetime | None = None
    until: datetime | None = None
    n_shoppers: int | None = None


@dataclass
class Tally:
    """What became of the events so far."""

    n_sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, object]] = field(default_factory=list)
    position: int | None = None

    def add(self, sent: Sent) -> None:
        """Take in what became of one batch. Examples name the field and the reason, never the shopper."""
        self.n_sent += sent.n_events
        self.accepted += sent.accepted
        self.duplicates += sent.duplicates
        self.position = sent.position if sent.position is not None else self.position
        for one in sent.rejected:
            self.rejected[one.code] += 1
            if len(self.examples) < _MOST_EXAMPLES and self.rejected[one.code] == 1:
                shown = {"field": one.field, "code": one.code, "message": one.message}
                self.examples.append({"event_id": one.event_id, **shown})


def read_speed(written: str) -> float:
    """Return how many times faster than it happened; infinite for `max`.

    Raises
    ------
    InputError
        It is no speed.

    Examples
    --------
    >>> read_speed("1000x"), read_speed("max"), read_speed("0.5")
    (1000.0, inf, 0.5)
    """
    if written.strip().lower() == "max":
        return float("inf")
    try:
        speed = float(written.strip().lower().removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise InputError(
            "no such speed", column="--speed", value=written, remedy="write it as 1x, 1000x or max"
        )
    return speed


def in_time_order(shop: Shop, part: Part, *, speed: float) -> Shop:
    """Return the shop with only the events to send, in the order in which they occurred.

    Raises
    ------
    InputError
        There are none, or the shop knows no times and the speed is not `max`.
    """
    events = shop.events
    is_timed = part.since is not None or part.until is not None or speed < float("inf")
    if shop.order_only and is_timed:
        remedy = "say --speed max, without --from and --until"
        raise InputError(
            "this shop knows the order of its events, not their times", column="--speed", remedy=remedy
        )
    if part.since is not None:
        events = events.filter(pl.col("occurred_at") >= part.since)
    if part.until is not None:
        events = events.filter(pl.col("occurred_at") < part.until)
    if not shop.order_only:
        events = events.sort("occurred_at", maintain_order=True)
    if part.n_shoppers is not None:
        first = events["shopper_id"].unique(maintain_order=True).head(part.n_shoppers)
        events = events.filter(pl.col("shopper_id").is_in(first.implode()))
    if events.is_empty():
        raise InputError("no events to send", file=shop.name, remedy="check --shop, --from and --until")
    return replace(shop, events=events)


def send_all(
    shop: Shop,
    client: Client,
    *,
    speed: float,
    place: Place,
    tally: Tally,
    tell: Tell = lambda done, total, note: None,
) -> None:
    """Send the events of a shop.

    Parameters
    ----------
    shop
        Its events in the order in which they are to be sent.
    place
        Where to begin; it is kept as the replay goes on, and also when it is stopped.
    tally
        What became of the events is added to it.
    tell
        Called with (events done, events, what to say about it).
    """
    n_events, started_s = len(shop.events), time.monotonic()
    kept_s = started_s
    try:
        for start, stop in due_parts(shop, place.next, speed=speed):
            if stop > start:
                tally.add(client.send(event_records(shop, start, stop)))
                place.next = stop
            now_s = time.monotonic()
            tell(place.next, n_events, f"{tally.n_sent / max(now_s - started_s, 1e-9):,.0f} events/s")
            if now_s - kept_s >= _KEEP_EVERY_S:
                place.keep()
                kept_s = now_s
    finally:
        place.keep()
    place.forget()


def due_parts(
    shop: Shop,
    first: int,
    *,
    speed: float,
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    size: int = 500,
) -> Iterator[tuple[int, int]]:
    """Yield the rows to send next, from and up to, once they are due; nothing to send while it waits."""
    n_events = len(shop.events)
    if speed == float("inf"):
        yield from ((start, min(start + size, n_events)) for start in range(first, n_events, size))
        return
    due_s = _due_s(shop, first, speed)
    started_s = clock_s()
    while first < n_events:
        elapsed_s = clock_s() - started_s
        n_due = int(np.searchsorted(due_s, elapsed_s + _SOON_S, side="right"))
        stop = min(n_due, first + size)
        if stop > first:
            yield first, stop
            first = stop
        else:
            sleep(min(float(due_s[first]) - elapsed_s, _LONGEST_WAIT_S))
            yield first, first


def _due_s(shop: Shop, first: int, speed: float) -> NDArray[np.float64]:
    """Return after how many seconds each event is due, (E,); those before `first` are past."""
    occurred_ms = shop.events["occurred_at"].dt.epoch("ms").to_numpy()
    begin_ms = occurred_ms[min(first, len(occurred_ms) - 1)]
    return np.asarray((occurred_ms - begin_ms) / 1000 / speed, dtype=np.float64)


@dataclass
class Place:
    """How far a replay has come, kept in a small file.

    Parameters
    ----------
    about
        Names the shop, the part of it and the service: a place is only good for the same three.
    """

    file: Path
    about: str
    next: int = 0

    @classmethod
    def of(cls, file: Path | None, *, shop: Shop, part: Part, url: str, cache: Path) -> Place:
        """Return the beginning; its file is in the cache where none is named."""
        written = orjson.dumps([shop.fingerprint, shop.name, url, repr(part)])
        about = blake2b(written, digest_size=12).hexdigest()
        return cls(file or cache / "replays" / f"{about}.json", about)

    def resume(self) -> None:
        """Go to where the last replay stopped.

        Raises
        ------
        InputError
            There is no such place, or it is of another shop, part or service.
        """
        try:
            said = orjson.loads(self.file.read_bytes())
            about, row = said["about"], int(said["next"])
        except FileNotFoundError:
            raise InputError(
                "no replay was stopped here", file=str(self.file), remedy="leave --resume out"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                "this is no place of a replay", file=str(self.file), remedy="delete it"
            ) from error
        if about != self.about:
            remedy = "give the same --shop, --to, --from, --until and --shoppers, or leave --resume out"
            raise InputError("the place is of another replay", file=str(self.file), remedy=remedy)
        self.next = row

    def keep(self) -> None:
        """Write it down."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        written = {"schema": SCHEMA, "about": self.about, "next": self.next}
        said = orjson.dumps({**written, "kept_at": datetime.now(UTC).isoformat()})
        write_whole(self.file, said)

    def forget(self) -> None:
        """Remove the file: the replay has come to its end."""
        self.file.unlink(missing_ok=True)
