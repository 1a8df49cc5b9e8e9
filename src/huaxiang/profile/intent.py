"""What the shopper is here for right now: the stage and the subject of the current visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from huaxiang.errors import SettingsError
from huaxiang.profile.contents import Contents
from huaxiang.profile.state import ProfileState, StateEvent
from huaxiang.profile.update import milliseconds
from huaxiang.records import EventType, Evidence, Intent
from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.lexicon import load_lexicon

STAGES = ("browsing", "comparing", "deciding", "buying")

MINUTE_MS = 60_000

Rows = Sequence[int]
Citing = Callable[[Iterable[int]], tuple[Evidence, ...]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED = (EventType.VIEW_ITEM.code, EventType.SELECT_ITEM.code)
_SEARCH = EventType.SEARCH.code
_IN_CART, _OUT_OF_CART = EventType.ADD_TO_CART.code, EventType.REMOVE_FROM_CART.code
_WISHED = EventType.ADD_TO_WISHLIST.code
_PAYING = (EventType.BEGIN_CHECKOUT.code, EventType.PURCHASE.code)
_BY_THE_SHOP = EventType.REFUND.code


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the current visit.

    Parameters
    ----------
    gap_minutes
        A longer pause ends a visit. > 0.
    most_events
        Newest events of a visit that are read. >= 1.
    focus_share
        Share of the visit that a value must have to be its subject, 0 to 1.
    focus_events
        How many events must agree on it. >= 1.
    most_focus, most_evidence
        Subjects and events named. >= 1.
    """

    gap_minutes: float = 30.0
    most_events: int = 60
    focus_share: float = 0.5
    focus_events: int = 2
    most_focus: int = 5
    most_evidence: int = 5

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("gap_minutes", "most_events", "focus_events", "most_focus", "most_evidence"):
            if getattr(self, name) <= 0:
                raise _out_of_range(name, getattr(self, name), "make it positive")
        if not 0 <= self.focus_share <= 1:
            raise _out_of_range("focus_share", self.focus_share, "make it 0 to 1")


_DEFAULTS = Config()


def intent_of(
    state: ProfileState,
    *,
    catalogue: Catalogue,
    contents: Contents,
    now: datetime | None,
    shopper_id: str | None = None,
    cite: Citing | None = None,
    config: Config | None = None,
) -> Intent | None:
    """Return what the current visit is about; None when nobody is here, or where times are unknown.

    The stage is the furthest that the visit shows:

    buying      began to pay or bought, and looked at nothing since
    deciding    has something in the cart, wished for something, or came back to an item
    comparing   looked at two or more items of one category
    browsing    anything else

    Parameters
    ----------
    now
        None takes the moment of the newest event.
    shopper_id
        Whose events these are, so that their ids are found among everybody's.
    cite
        Turns positions in `state.events()` into evidence; None names the events' ids.
    """
    config = config or _DEFAULTS
    events = state.events()
    rows = [] if state.order_only else _visit(events, now, config)
    if not rows:
        return None
    stage, shown_by = _stage(events, rows, catalogue)
    focus, agreeing = _focus(events, rows, catalogue, contents, config)
    evidence_rows = list(dict.fromkeys([*shown_by, *agreeing, *reversed(rows)]))[: config.most_evidence]
    cite = cite or (lambda cited: _event_ids(events, cited, contents, shopper_id))
    return Intent(
        stage=stage,
        started_at=_EPOCH + timedelta(milliseconds=events[rows[0]].occurred_ms),
        n_events=len(rows),
        queries=tuple(text for _, text in _queries(events, rows, contents)),
        focus=focus,
        evidence=cite(sorted(evidence_rows)),
    )


def _visit(events: Sequence[StateEvent], now: datetime | None, config: Config) -> list[int]:
    """Return the events of the visit that `now` lies in, oldest first; none when it is over."""
    gap_ms = config.gap_minutes * MINUTE_MS
    next_ms = None if now is None else milliseconds(now)
    rows: list[int] = []
    for row in reversed(range(len(events))):
        occurred_ms = events[row].occurred_ms
        if events[row].type == _BY_THE_SHOP or (next_ms is not None and occurred_ms > next_ms):
            continue
        if next_ms is not None and next_ms - occurred_ms > gap_ms or len(rows) == config.most_events:
            break
        rows.append(row)
        next_ms = occurred_ms
    return rows[::-1]


def _stage(events: Sequence[StateEvent], rows: Rows, catalogue: Catalogue) -> tuple[str, Rows]:
    """Return the stage and the events that show it."""
    for stage, shown_by in (
        ("buying", _paying(events, rows)),
        ("deciding", _deciding(events, rows)),
        ("comparing", _comparing(events, rows, catalogue)),
    ):
        if shown_by:
            return stage, shown_by
    return "browsing", ()


def _paying(events: Sequence[StateEvent], rows: Rows) -> Rows:
    """Return the checkouts and purchases after the last look around."""
    looked = [row for row in rows if events[row].type in (*_LOOKED, _SEARCH)]
    since = looked[-1] if looked else -1
    return [row for row in rows if row > since and events[row].type in _PAYING]


def _deciding(events: Sequence[StateEvent], rows: Rows) -> Rows:
    """Return the events that put something into the cart or on the list, or that came back to an item."""
    undecided: dict[int, list[int]] = defaultdict(list)
    looks: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        kind, item_no = events[row].type, events[row].item_no
        if kind in (_IN_CART, _WISHED):
            undecided[item_no].append(row)
        elif kind in (_OUT_OF_CART, EventType.PURCHASE.code):
            undecided.pop(item_no, None)
        elif kind in _LOOKED and item_no >= 0:
            looks[item_no].append(row)
    came_back = [again for again in looks.values() if _came_back(events, again)]
    return sorted(row for shown_by in (*undecided.values(), *came_back) for row in shown_by)


def _came_back(events: Sequence[StateEvent], looks: Rows) -> bool:
    """Whether an item was looked at again after something else; a click on a list and its page are one."""
    return any(
        any(events[between].item_no != events[first].item_no for between in range(first + 1, second))
        for first, second in zip(looks, looks[1:], strict=False)
    )


def _comparing(events: Sequence[StateEvent], rows: Rows, catalogue: Catalogue) -> Rows:
    """Return the looks at items of the category in which most different items were looked at, if several."""
    looks: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if events[row].type in _LOOKED:
            for value, _ in _values(catalogue, "category", events[row].item_no):
                looks[value].append(row)
    n_items = {value: len({events[row].item_no for row in same}) for value, same in looks.items()}
    most = max(n_items, key=lambda value: n_items[value], default=None)
    return looks[most] if most is not None and n_items[most] >= 2 else ()


def _focus(
    events: Sequence[StateEvent], rows: Rows, catalogue: Catalogue, contents: Contents, config: Config
) -> tuple[tuple[tuple[str, str, float], ...], Rows]:
    """Return (dimension, value, share of the visit) of what most events agree on, and the events that do."""
    agreeing: dict[tuple[str, str], list[int]] = defaultdict(list)
    mass: dict[tuple[str, str], float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    for row, dimension, value, weight in _named(events, rows, catalogue, contents):
        agreeing[dimension, value].append(row)
        mass[dimension, value] += weight
        whole[dimension] += weight
    found = [
        (named[0], named[1], share)
        for named, weight in mass.items()
        if (share := weight / whole[named[0]]) >= config.focus_share
        and len(set(agreeing[named])) >= config.focus_events
    ]
    found.sort(key=lambda one: (-one[2] * len(agreeing[one[0], one[1]]), one[0] != "category", one))
    focus = tuple(found[: config.most_focus])
    return focus, agreeing[focus[0][0], focus[0][1]] if focus else ()


def _named(
    events: Sequence[StateEvent], rows: Rows, catalogue: Catalogue, contents: Contents
) -> Iterator[tuple[int, str, str, float]]:
    """Return what the visit's items and queries name: row, dimension, value, weight."""
    for row in rows:
        for name in catalogue.dimensions if events[row].item_no >= 0 else ():
            for value, weight in _values(catalogue, name, events[row].item_no):
                yield row, name, value, weight
    for row, text in _queries(events, rows, contents):
        for mention in load_lexicon().find(text):
            dimension = catalogue.dimensions.get(mention.dimension)
            if dimension is not None and mention.value in dimension.row_of:
                yield row, mention.dimension, mention.value, 1.0


def _values(catalogue: Catalogue, name: str, item_no: int) -> Iterator[tuple[str, float]]:
    """Return an item's values in a dimension and how much each is of it; none for items the model lacks."""
    dimension = catalogue.dimensions.get(name)
    if dimension is None or not 0 <= item_no < catalogue.n_items:
        return
    for entry in range(dimension.offsets[item_no], dimension.offsets[item_no + 1]):
        yield dimension.values[dimension.value_rows[entry]], float(dimension.weights[entry])


def _queries(events: Sequence[StateEvent], rows: Rows, contents: Contents) -> Iterator[tuple[int, str]]:
    """Return the different queries of the visit, oldest first."""
    asked: set[str] = set()
    for row in rows:
        text = contents.text(events[row].content) if events[row].type == _SEARCH else None
        if text is not None and text not in asked:
            asked.add(text)
            yield row, text


def _event_ids(
    events: Sequence[StateEvent], rows: Iterable[int], contents: Contents, shopper_id: str | None
) -> tuple[Evidence, ...]:
    return tuple(Evidence(event_id=contents.event_id(events[row].key, shopper_id=shopper_id)) for row in rows)


def _out_of_range(name: str, value: object, remedy: str) -> SettingsError:
    return SettingsError("setting out of range", column=name, value=str(value), remedy=remedy)
