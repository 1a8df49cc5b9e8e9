"""The last minute of one process, second by second: what a person watching wants to see."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

WINDOW_S = 60
MOST_PER_SECOND = 500
"""Latencies kept of one second; of more, the first ones."""
_RATE_S = 5


@dataclass(slots=True)
class _Second:
    at_s: int
    events: int = 0
    lists: int = 0
    list_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """One second of the curve."""

    ago_s: int
    events: int
    lists: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Rates over the last seconds and latencies over the last minute, None where there was no list."""

    events_per_s: float
    lists_per_s: float
    list_p50_ms: float | None
    list_p99_ms: float | None


class Pulse:
    """What happened in each of the last seconds.

    Examples
    --------
    >>> moment = 100.0
    >>> pulse = Pulse(clock_s=lambda: moment)
    >>> pulse.events(10); pulse.list(0.002)
    >>> pulse.summary().list_p50_ms, pulse.seconds()[-1].events
    (2.0, 10)
    """

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._seconds: deque[_Second] = deque(maxlen=WINDOW_S + 1)

    def events(self, n: int) -> None:
        """Count events that were acknowledged."""
        self._now().events += n

    def list(self, took_s: float) -> None:
        """Count one list and how long it took."""
        second = self._now()
        second.lists += 1
        if len(second.list_ms) < MOST_PER_SECOND:
            second.list_ms.append(took_s * 1000)

    def seconds(self) -> tuple[Shown, ...]:
        """Return the last minute, oldest first, also the seconds in which nothing happened."""
        now_s = int(self._clock_s())
        by_second = {second.at_s: second for second in self._seconds}
        empty = _Second(0)
        return tuple(
            Shown(ago, by_second.get(now_s - ago, empty).events, by_second.get(now_s - ago, empty).lists)
            for ago in range(WINDOW_S - 1, -1, -1)
        )

    def summary(self) -> Summary:
        """Return the rates and latencies of now; the second that has only begun counts for no rate."""
        minute = self.seconds()
        whole = minute[-_RATE_S - 1 : -1]
        since_s = int(self._clock_s()) - WINDOW_S
        list_ms = [ms for second in self._seconds if second.at_s > since_s for ms in second.list_ms]
        p50, p99 = np.percentile(list_ms, [50, 99]).tolist() if list_ms else (None, None)
        return Summary(
            events_per_s=sum(one.events for one in whole) / _RATE_S,
            lists_per_s=sum(one.lists for one in whole) / _RATE_S,
            list_p50_ms=p50,
            list_p99_ms=p99,
        )

    def _now(self) -> _Second:
        now_s = int(self._clock_s())
        if not self._seconds or self._seconds[-1].at_s != now_s:
            self._seconds.append(_Second(now_s))
        return self._seconds[-1]
