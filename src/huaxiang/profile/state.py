"""The state of one shopper: their newest events and nothing derived from them.

Everything a profile says is computed from this, at the moment of reading. So a state depends only on *which*
events happened, never on the order in which they arrived, and it stays small however long a shopper stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from huaxiang.records import LIGHT_TYPES, STRONG_TYPES, EventType

N_STRONG = 128
"""How many strong events (purchase, review, statement, …) a state keeps: the newest."""
N_LIGHT = 128
"""How many light events (view, cart, search, …) a state keeps: the newest."""
N_BOUGHT = 1024
"""How many bought items a state remembers once their purchase has made room for newer events."""

NO_ITEM = -1

STRONG = frozenset(kind.code for kind in STRONG_TYPES)
LIGHT = frozenset(kind.code for kind in LIGHT_TYPES)
PURCHASE = EventType.PURCHASE.code

CHANNELS = ("", "web", "app", "store", "email", "phone", "chat", "social", "marketplace", "kiosk", "other")
"""Names of the channel codes; new ones are added at the end. "" is unknown."""


class StateEvent(NamedTuple):
    """One event as a state keeps it. Compares by time, then by key: that is the order of a shopper's events.

    Parameters
    ----------
    occurred_ms
        Milliseconds since 1970; the event's ordinal in a shop that knows only an order.
    key
        40 bits that stand for the event id (`update.event_key`).
    type
        `EventType.code`.
    item_no
        Number of the item, `NO_ITEM` where the event is words or a photo.
    rating
        In tenths, 10 to 50; 0 for none. A refund of what was not as described has 10.
    quantity
        Whole units, at least 0.
    content
        63 bits that stand for a text or photo (`update.content_hash`); 0 for none.
    offset_quarters
        The shopper's clock minus UTC, in quarters of an hour.
    channel
        Row in `CHANNELS`.
    """

    occurred_ms: int
    key: int
    type: int
    item_no: int = NO_ITEM
    rating: int = 0
    quantity: int = 1
    content: int = 0
    offset_quarters: int = 0
    channel: int = 0


class Totals(NamedTuple):
    """Lifetime sums, of one event or of all; refunds subtract. Times are 0 where there are no events."""

    first_seen_ms: int = 0
    last_seen_ms: int = 0
    n_orders: int = 0
    n_units: int = 0
    spend_minor: int = 0
    n_events: int = 0

    def plus(self, other: Totals) -> Totals:
        """Return the totals of both sets of events.

        Examples
        --------
        >>> Totals(5, 5, 1, 2, 300, 1).plus(Totals(3, 3, 0, 1, 50, 1))
        Totals(first_seen_ms=3, last_seen_ms=5, n_orders=1, n_units=3, spend_minor=350, n_events=2)
        """
        if not self.n_events or not other.n_events:
            return self if self.n_events else other
        return Totals(
            min(self.first_seen_ms, other.first_seen_ms),
            max(self.last_seen_ms, other.last_seen_ms),
            self.n_orders + other.n_orders,
            self.n_units + other.n_units,
            self.spend_minor + other.spend_minor,
            self.n_events + other.n_events,
        )


NOTHING = Totals()


@dataclass(frozen=True, slots=True)
class ProfileState:
    """The newest events of a shopper, what they bought before those, and a few lifetime sums.

    Two states are equal when they came from the same events, and then so are their bytes.

    Parameters
    ----------
    strong, light
        The newest events of either kind, oldest first.
    bought
        Item number → when it was last bought, for purchases that have left `strong`; the newest of them.
        Read it through `bought_items`.
    order_only
        Times are ordinals: no decay, no gaps, no dates.
    """

    strong: tuple[StateEvent, ...] = ()
    light: tuple[StateEvent, ...] = ()
    bought: dict[int, int] = field(default_factory=dict, hash=False)
    totals: Totals = NOTHING
    order_only: bool = False
    _events: tuple[StateEvent, ...] | None = field(default=None, init=False, repr=False, compare=False)

    def events(self) -> tuple[StateEvent, ...]:
        """Return strong and light events together, oldest first."""
        if self._events is None:  # every part of a profile asks, and a state never changes
            object.__setattr__(self, "_events", tuple(sorted(self.strong + self.light)))
        return self._events  # type: ignore[return-value]

    def bought_items(self) -> frozenset[int]:
        """Return the numbers of all items known to have been bought, also of those sent back."""
        still_here = (event.item_no for event in self.strong if event.type == PURCHASE)
        return frozenset(self.bought).union(still_here) - {NO_ITEM}

    def to_bytes(self) -> bytes:
        """Return the state as bytes, the same for equal states; about 12 for each event."""
        from huaxiang.profile.packed import packed_state  # which itself needs this file

        return packed_state(self)

    @classmethod
    def from_bytes(cls, stored: bytes) -> ProfileState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        ArtefactError
            When the bytes are not a state, are cut short, or were written by a newer version.

        Examples
        --------
        >>> state = ProfileState(strong=(StateEvent(1_000, 7, PURCHASE, item_no=3),))
        >>> ProfileState.from_bytes(state.to_bytes()) == state
        True
        """
        from huaxiang.profile.packed import unpacked_state

        return unpacked_state(stored)


EMPTY_STATE = ProfileState()
"""The state of a shopper who has done nothing yet, in a shop that knows times."""
