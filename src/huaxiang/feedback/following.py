"""Lists as they were shown, and deeds that may have followed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from huaxiang.records import Event, EventType

Kind = Literal["clicked", "carted", "bought"]
KINDS: tuple[Kind, ...] = ("clicked", "carted", "bought")

_NAMED: dict[EventType, Kind] = {
    EventType.SELECT_ITEM: "clicked",
    EventType.VIEW_ITEM: "clicked",
    EventType.ADD_TO_CART: "carted",
    EventType.PURCHASE: "bought",
}
_UNNAMED = frozenset({EventType.SELECT_ITEM, EventType.ADD_TO_CART, EventType.PURCHASE})
"""What is joined by time; a page that was merely viewed may have been reached in any way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One list as it was shown.

    Parameters
    ----------
    shopper_id
        None where it was for nobody in particular: then only events that name the list follow from it.
    item_nos
        From the first place on.
    propensities
        The chance that each item stood at its place; empty where nothing was drawn.
    """

    slate_id: str
    shopper_id: str | None
    model: str
    placement: str
    shown_ms: int
    item_nos: tuple[int, ...]
    propensities: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something done with one item that may have followed from a list."""

    shopper_id: str
    kind: Kind
    item_no: int
    occurred_ms: int
    slate_id: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Followed:
    """One item of one list was clicked, carted or bought; `attributed` where no event named the list."""

    slate_id: str
    place: int
    kind: Kind
    attributed: bool


def deed_of(event: Event, *, item_no: int | None, occurred_ms: int | None) -> Deed | None:
    """Return what an event may say about lists; None for one that says nothing.

    Examples
    --------
    >>> bought = Event(event_id="1", shopper_id="s", type=EventType.PURCHASE, item_id="a")
    >>> deed_of(bought, item_no=4, occurred_ms=10).kind
    'bought'
    """
    named = event.context.get("slate_id")
    slate_id = named if isinstance(named, str) and named else None
    kind = _NAMED.get(event.type)
    if kind is None or item_no is None or occurred_ms is None:
        return None
    if slate_id is None and event.type not in _UNNAMED:
        return None
    return Deed(
        shopper_id=event.shopper_id, kind=kind, item_no=item_no, occurred_ms=occurred_ms, slate_id=slate_id
    )
