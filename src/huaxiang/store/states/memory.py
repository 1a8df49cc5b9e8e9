"""States in the process itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from huaxiang.store.states.base import Cached, Step

_NOTHING = Cached(-1, b"")


class MemoryStates:
    """A dictionary of states; one process sees it.

    A state without steps is kept as its position and its bytes alone, since most are.

    Examples
    --------
    >>> states = MemoryStates()
    >>> states.append("shop", [("ann", 3, b"step")])
    >>> states.get("shop", ["ann", "bo"])
    [Cached(position=-1, packed=b'', pending=((3, b'step'),)), None]
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, bytes | Cached]] = {}
        self._lock = threading.Lock()

    def get(self, shop_id: str, shopper_ids: Sequence[str]) -> list[Cached | None]:
        """Return what is kept of each shopper, None where there is nothing."""
        kept = self._kept.get(shop_id, {})
        return [_opened(kept.get(shopper_id)) for shopper_id in shopper_ids]

    def append(self, shop_id: str, steps: Sequence[Step]) -> None:
        """Add steps to what is kept, also where nothing is kept yet."""
        with self._lock:
            kept = self._kept.setdefault(shop_id, {})
            for shopper_id, position, step in steps:
                before = _opened(kept.get(shopper_id)) or _NOTHING
                kept[shopper_id] = Cached(before.position, before.packed, (*before.pending, (position, step)))

    def replace(self, shop_id: str, shopper_id: str, seen: Cached | None, new: Cached) -> None:
        """Put `new` where `seen` is still what is kept; whoever was quicker wins, and that is no error."""
        with self._lock:
            kept = self._kept.setdefault(shop_id, {})
            if _opened(kept.get(shopper_id)) == seen:
                kept[shopper_id] = _closed(new)

    def remove(self, shop_id: str, shopper_ids: Sequence[str]) -> None:
        """Forget shoppers."""
        with self._lock:
            for shopper_id in shopper_ids:
                self._kept.get(shop_id, {}).pop(shopper_id, None)

    def clear(self, shop_id: str) -> None:
        """Forget every shopper of a shop."""
        with self._lock:
            self._kept.pop(shop_id, None)

    def fill(self, shop_id: str, states: Iterator[tuple[str, int, bytes]]) -> None:
        """Take in many states at once: shopper, position, packed state."""
        with self._lock:
            kept = self._kept.setdefault(shop_id, {})
            for shopper_id, position, packed in states:
                kept[shopper_id] = position.to_bytes(8, "little", signed=True) + packed

    def all(self, shop_id: str) -> list[tuple[str, Cached]]:
        """Return everything that is kept of a shop, as of one moment."""
        with self._lock:
            kept = list(self._kept.get(shop_id, {}).items())
        return [(shopper_id, opened) for shopper_id, one in kept if (opened := _opened(one)) is not None]

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._kept.values())


def _closed(cached: Cached) -> bytes | Cached:
    if cached.pending:
        return cached
    return cached.position.to_bytes(8, "little", signed=True) + cached.packed


def _opened(kept: bytes | Cached | None) -> Cached | None:
    if isinstance(kept, bytes):
        return Cached(int.from_bytes(kept[:8], "little", signed=True), kept[8:])
    return kept
