"""How often somebody may try keys at the console's door."""

from __future__ import annotations

from collections import OrderedDict, deque

from huaxiang.errors import TooManyRequestsError

_WINDOW_S = 60.0
_MOST_ADDRESSES = 10_000


class Door:
    """Counts the keys that were refused, by the address they came from.

    Examples
    --------
    >>> door = Door(1)
    >>> door.refused("192.0.2.1", now_s=0)
    >>> door.check("192.0.2.2", now_s=1)
    >>> door.check("192.0.2.1", now_s=60)
    >>> door.check("192.0.2.1", now_s=1)
    Traceback (most recent call last):
    huaxiang.errors.TooManyRequestsError: too many keys were refused; wait as long as Retry-After says
    """

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._refused_s: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str, *, now_s: float) -> None:
        """Raise `TooManyRequestsError` where too many keys from there were refused within a minute."""
        times_s = self._refused_s.get(address, ())
        recent = [time_s for time_s in times_s if time_s > now_s - _WINDOW_S]
        if len(recent) >= self._most:
            raise TooManyRequestsError(
                "too many keys were refused",
                retry_after_s=recent[0] + _WINDOW_S - now_s,
                remedy="wait as long as Retry-After says",
            )

    def refused(self, address: str, *, now_s: float) -> None:
        """Count a key that was refused."""
        self._refused_s.setdefault(address, deque(maxlen=self._most)).append(now_s)
        self._refused_s.move_to_end(address)
        if len(self._refused_s) > _MOST_ADDRESSES:
            self._refused_s.popitem(last=False)
