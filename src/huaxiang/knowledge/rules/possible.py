"""Whether conditions can hold at once, as far as it can be told without trying every shopper.

Each way in which they could hold is a box: for each thing that a condition asks of (placement, language,
date, …) the values that are left. Where no box is left, they can't. `not` over more than one thing counts as
possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import product

from huaxiang.knowledge.rules.base import Test
from huaxiang.knowledge.rules.conditions import LANGUAGES, LIFECYCLES, PLACEMENTS, WEEKDAYS

MOST_BOXES = 2000
"""Beyond so many, it counts as possible."""

Choice = frozenset[str] | tuple[float, float]
Box = Mapping[str, Choice]
_ALL_OF: Mapping[str, frozenset[str]] = {
    "placement": frozenset(PLACEMENTS),
    "language": frozenset(LANGUAGES),
    "weekdays": frozenset(WEEKDAYS),
    "lifecycle": frozenset(LIFECYCLES),
    "known": frozenset({"True", "False"}),
}
_SETS = frozenset({*_ALL_OF, "channel", "query_is"})
_RANGES = frozenset({"dates", "orders", "last_seen_days"})
_FAR = float("inf")


def can_hold(tests: tuple[Test, ...], *, now: datetime | None, clock: tzinfo) -> bool:
    """Return whether some circumstances from `now` on may meet all conditions."""
    boxes = list(_boxes(Test(kind="all", parts=tests)))
    if boxes and len(boxes) >= MOST_BOXES:
        return True
    from_s = -_FAR if now is None else now.timestamp()
    return any(_is_possible(box, from_s, clock) for box in boxes)


def _boxes(test: Test) -> Iterator[Box]:  # noqa: C901 - one question after another
    if test.kind == "all":
        n_boxes = 0
        for chosen in product(*(tuple(_first(_boxes(part))) for part in test.parts)):
            merged = _merged(chosen)
            n_boxes += 1
            if merged is not None:
                yield merged
            if n_boxes >= MOST_BOXES:
                return
    elif test.kind == "any":
        for part in test.parts:
            yield from _boxes(part)
    elif test.kind == "not":
        yield from _without(test.parts[0])
    elif test.kind in _SETS:
        yield {test.kind: frozenset(test.values)}
    elif test.kind in _RANGES:
        low = -_FAR if test.low is None else test.low
        yield {test.kind: (low, _FAR if test.high is None else test.high)}
    else:
        yield {}


def _first(boxes: Iterator[Box]) -> Iterator[Box]:
    for _, box in zip(range(MOST_BOXES), boxes, strict=False):
        yield box


def _without(test: Test) -> Iterator[Box]:
    if test.kind in _ALL_OF:
        yield {test.kind: _ALL_OF[test.kind] - frozenset(test.values)}
    elif test.kind == "all" and not test.parts:
        return
    else:
        yield {}


def _merged(boxes: tuple[Box, ...]) -> Box | None:
    """Return what all boxes leave, None where it is nothing."""
    left: dict[str, Choice] = {}
    for box in boxes:
        for name, choice in box.items():
            before = left.get(name, choice)
            met = _met(before, choice)
            if met is None:
                return None
            left[name] = met
    return left


def _met(first: Choice, second: Choice) -> Choice | None:
    if isinstance(first, frozenset) and isinstance(second, frozenset):
        return (first & second) or None
    assert isinstance(first, tuple) and isinstance(second, tuple)
    low, high = max(first[0], second[0]), min(first[1], second[1])
    return (low, high) if low <= high else None


def _is_possible(box: Box, from_s: float, clock: tzinfo) -> bool:
    """Return whether dates are not over, and a query is asked only where there is one."""
    dates = box.get("dates")
    if isinstance(dates, tuple) and not max(dates[0], from_s) < dates[1]:
        return False
    placements = box.get("placement")
    if "query_is" in box and isinstance(placements, frozenset) and "search" not in placements:
        return False
    return not (box.get("known") == frozenset({"False"}) and {"lifecycle", "orders"} <= set(box))
