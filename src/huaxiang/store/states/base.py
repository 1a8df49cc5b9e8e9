"""What a cache of states promises: bytes in, bytes out, and a loss is never worse than a rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Cached(msgspec.Struct, frozen=True, gc=False):
    """A state as it was last put, and the steps since.

    Parameters
    ----------
    position
        Everything of the shopper up to this position of the log is in `packed`.
    packed
        The state as bytes; empty for a shopper who had done nothing.
    pending
        (position, step) in the order in which they were appended.
    """

    position: int
    packed: bytes
    pending: tuple[tuple[int, bytes], ...] = ()


Step = tuple[str, int, bytes]
"""Shopper, position in the log, and the step as bytes."""


class StateCache(Protocol):
    """Where states are kept between requests."""

    def get(self, shop_id: str, shopper_ids: Sequence[str]) -> list[Cached | None]:
        """Return what is kept of each shopper, None where there is nothing."""

    def append(self, shop_id: str, steps: Sequence[Step]) -> None:
        """Add steps to what is kept, also where nothing is kept yet."""

    def replace(self, shop_id: str, shopper_id: str, seen: Cached | None, new: Cached) -> None:
        """Put `new` where `seen` is still what is kept; whoever was quicker wins, and that is no error."""

    def remove(self, shop_id: str, shopper_ids: Sequence[str]) -> None:
        """Forget shoppers."""
