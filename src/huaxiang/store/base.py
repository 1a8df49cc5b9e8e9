"""What the store takes and returns: events as the log has them, and what is known of a shopper's log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import msgspec
import numpy as np

from huaxiang.records import Event, Slate, Vector


class LoggedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event, and the numbers by which states name it.

    Parameters
    ----------
    event
        With the shopper's id of the log. Once read from the log it has its `position`.
    event_key
        40 bits of the hash of the event id.
    item_no
        The log's number of its item; None where it names none.
    content
        63 bits of the hash of its words or photo; 0 for none.
    new_order
        Whether it is the first line of its order; what the log said, True before it is there.
    """

    event: Event
    event_key: int
    item_no: int | None = None
    content: int = 0
    new_order: bool = True
    excluded: bool = False

    @property
    def position(self) -> int:
        """Its place in the log; -1 before it is there."""
        return -1 if self.event.position is None else self.event.position


@dataclass(frozen=True, slots=True)
class Head:
    """What the log knows of one id: how many events it has, and what was answered and stated.

    Parameters
    ----------
    n_state_events
        Those that a state counts; a state is up to date if it counts as many.
    group_id
        The least id among those that were joined with it; None where it stands alone.
    consent
        Purpose → {allowed, at_ms, key, source}, the newest answer of each.
    """

    shopper_id: str
    n_events: int = 0
    n_state_events: int = 0
    last_position: int = 0
    group_id: str | None = None
    consent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of events, one entry each.

    Parameters
    ----------
    positions
        Of a duplicate the place that it has already; -1 where dropped.
    dropped
        Whether it is older than the erasure of its shopper.
    """

    positions: list[int]
    is_new: list[bool]
    new_orders: list[bool]
    dropped: list[bool]

    def add(
        self, position: int, *, is_new: bool = False, new_order: bool = False, dropped: bool = False
    ) -> None:
        """Add what became of the next event."""
        self.positions.append(position)
        self.is_new.append(is_new)
        self.new_orders.append(new_order)
        self.dropped.append(dropped)

    def split(self, lengths: Sequence[int]) -> list[Appended]:
        """Return the parts of several batches that were appended as one.

        Examples
        --------
        >>> both = Appended([0, 1, 2], [True] * 3, [True] * 3, [False] * 3)
        >>> [list(part.positions) for part in both.split([1, 2])]
        [[0], [1, 2]]
        """
        ends = [0, *accumulate(lengths)]
        return [
            Appended(self.positions[a:b], self.is_new[a:b], self.new_orders[a:b], self.dropped[a:b])
            for a, b in pairwise(ends)
        ]


@dataclass(frozen=True, slots=True)
class Content:
    """Words or the place of a photo that events name, and their vector in one space, None until read."""

    content: int
    space: str
    kind: str
    said: str
    vector: Vector | None = None

    def vector_bytes(self) -> bytes | None:
        """Return the vector as little-endian float32."""
        return None if self.vector is None else np.asarray(self.vector, dtype="<f4").tobytes()


@dataclass(frozen=True, slots=True)
class SlateRow:
    """One list that was shown, as it is kept to learn what came of it.

    Parameters
    ----------
    items
        Item id, score and propensity of each place, from the first.
    """

    slate_id: str
    shopper_id: str | None
    model: str
    placement: str
    shown_ms: int
    of: str
    items: Sequence[tuple[str, float, float | None]]
    n_candidates: int = 0

    @classmethod
    def of_slate(
        cls, slate: Slate, *, shopper_id: str | None, placement: str, shown_ms: int, n_candidates: int = 0
    ) -> SlateRow:
        """Return a slate as a row."""
        return cls(
            slate_id=slate.slate_id,
            shopper_id=shopper_id,
            model=slate.model,
            placement=placement,
            shown_ms=shown_ms,
            of=slate.of,
            items=[(one.item_id, one.score, one.propensity) for one in slate.items],
            n_candidates=n_candidates,
        )
