"""What shop rules do to an order: gains on the scale of the scores, caps, pins, and a reason for each.

An exclusion is in the mask of what may be listed, before anything is ordered: no pin, boost or draw sees what
it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.rules import Applied, Cap, Pin, Rule, Ruling
from huaxiang.ranking.wording import said
from huaxiang.records import Reason, Vector
from huaxiang.shop.catalogue import Catalogue

Thing = TypeVar("Thing")
Mask = NDArray[np.bool_]


def span_of(scores: Vector) -> float:
    """Return how far apart scores are, best minus middle, 1 where they are all alike.

    Examples
    --------
    >>> span_of(np.array([1, 2, 6], "f"))
    4.0
    """
    if not len(scores):
        return 1.0
    middle, n = len(scores) // 2, len(scores)
    parts = np.partition(scores, (middle - 1, middle) if n % 2 == 0 and n > 1 else middle)
    median = (parts[middle - 1] + parts[middle]) / 2 if n % 2 == 0 else parts[middle]
    return float(scores.max() - median) or 1.0


class Tally:
    """Counts what has a place against the caps in force.

    Examples
    --------
    >>> cap = Cap(rule=Rule(name="two", action="cap"), most=1, values_of={0: (5,), 1: (5,), 2: (6,)})
    >>> [row for row in (0, 1, 2, 3) if Tally.of([cap]).has_room(row)]
    [0, 1, 2, 3]
    >>> Tally.of([cap]).admitted([0, 1, 2, 3], most=9)
    [0, 2, 3]
    """

    def __init__(self, caps: Sequence[Cap]) -> None:
        self._caps = [(cap.most, cap.values_of) for cap in caps]
        self._counts: list[dict[int, int]] = [{} for _ in caps]

    @classmethod
    def of(cls, caps: Sequence[Cap]) -> Tally:
        """Return a tally in which nothing is counted yet."""
        return cls(caps)

    @property
    def is_counting(self) -> bool:
        """Whether there is any cap."""
        return bool(self._caps)

    def copy(self) -> Tally:
        """Return a tally that counts on from here, by itself."""
        other = Tally(())
        other._caps, other._counts = self._caps, [dict(counts) for counts in self._counts]
        return other

    def has_room(self, row: int) -> bool:
        """Return whether one more item may be listed."""
        for (most, values_of), counts in zip(self._caps, self._counts, strict=True):
            for value in values_of.get(row, ()):  # a loop, as it is asked of hundreds of items for each list
                if counts.get(value, 0) >= most:
                    return False
        return True

    def take(self, row: int) -> None:
        """Count an item that has a place."""
        for (_, values_of), counts in zip(self._caps, self._counts, strict=True):
            for value in values_of.get(row, ()):
                counts[value] = counts.get(value, 0) + 1

    def admitted(self, rows: Sequence[int], *, most: int) -> list[int]:
        """Return the first `most` of some items that fit, the best first, and count them."""
        if not self._caps:
            return list(rows[:most])
        if len(self._caps) == 1:
            return self._admitted_by_one(rows, most)
        fitting: list[int] = []
        for row in rows:
            if len(fitting) == most:
                break
            if self.has_room(row):
                self.take(row)
                fitting.append(row)
        return fitting

    def _admitted_by_one(self, rows: Sequence[int], most: int) -> list[int]:
        """Return the same under a single cap, in a loop without calls: every list goes through it."""
        (most_each, values_of), counts = self._caps[0], self._counts[0]
        fitting: list[int] = []
        for row in rows:
            if len(fitting) == most:
                break
            values = values_of.get(row, ())
            if not any([counts.get(value, 0) >= most_each for value in values]):
                for value in values:
                    counts[value] = counts.get(value, 0) + 1
                fitting.append(row)
        return fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """An item at a place, from 0, and the rule that put it there."""

    row: int
    rule: Rule


def rule_gains(scores_I: Vector, allowed_I: Mask, ruling: Ruling | None) -> Vector | None:
    """Return what rules add to each score, on its scale, (I,); None where they add nothing."""
    if ruling is None or ruling.boosts_I is None or not allowed_I.any():
        return None
    return np.asarray(span_of(scores_I[allowed_I]) * ruling.boosts_I, dtype=np.float32)


def pinned_places(
    ruling: Ruling | None, scores_I: Vector, allowed_I: Mask, catalogue: Catalogue, *, k: int, tally: Tally
) -> dict[int, Pinned]:
    """Return place (from 0) → what is pinned there; `tally` counts it.

    Pins are served in the order of the ruling. Where a place is taken, the next free one is given; what may
    not be listed, or is beyond a cap, isn't pinned; of a product only one variant is.
    """
    places: dict[int, Pinned] = {}
    groups: set[int] = set()
    for pin in () if ruling is None else ruling.pins:
        if all(place in places for place in range(pin.place - 1, k)):
            continue
        for row in _best_of(pin, scores_I, allowed_I, catalogue, groups, tally):
            place = next((one for one in range(pin.place - 1, k) if one not in places), None)
            if place is None:
                break
            places[place] = Pinned(row=row, rule=pin.rule)
            groups.add(int(catalogue.group_rows[row]))
            tally.take(row)
    return places


def _best_of(
    pin: Pin, scores_I: Vector, allowed_I: Mask, catalogue: Catalogue, groups: set[int], tally: Tally
) -> Iterator[int]:
    """Yield the best items of a pin that may be pinned."""
    rows = pin.item_rows[allowed_I[pin.item_rows]]
    n_found = 0
    for row in rows[np.argsort(-scores_I[rows], kind="stable")].tolist():
        if n_found == pin.most:
            return
        if int(catalogue.group_rows[row]) not in groups and tally.has_room(row):
            n_found += 1
            yield row


def in_places(placed: Mapping[int, Thing], others: Sequence[Thing], *, k: int) -> list[Thing]:
    """Return at most `k` things: some at their places, from 0, the others in order around them.

    Where the others run out before, what is placed moves up: a list has no holes.

    Examples
    --------
    >>> in_places({1: "pinned"}, ["a", "b", "c"], k=3), in_places({5: "pinned"}, ["a"], k=9)
    (['a', 'pinned', 'b'], ['a', 'pinned'])
    """
    waiting = iter(others)
    listed: list[Thing] = []
    left = dict(sorted((place, one) for place, one in placed.items() if place < k))
    while len(listed) < k:
        if len(listed) in left:
            listed.append(left.pop(len(listed)))
            continue
        other = next(waiting, None)
        if other is None:
            return (listed + list(left.values()))[:k]
        listed.append(other)
    return listed


def without_groups(allowed_I: Mask, pinned: Mapping[int, Pinned], catalogue: Catalogue) -> Mask:
    """Return what may be listed beside what is pinned: no other variant of it."""
    if not pinned:
        return allowed_I
    is_free_G = np.ones(int(catalogue.group_rows.max(initial=-1)) + 1, dtype=np.bool_)
    is_free_G[catalogue.group_rows[[one.row for one in pinned.values()]]] = False
    return allowed_I & is_free_G[catalogue.group_rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """One item of an order under rules; `gain` is what rules added to its score."""

    row: int
    gain: float = 0.0
    pinned: Rule | None = None


def arranged(
    rows: NDArray[np.integer],
    scores: Vector,
    ruling: Ruling | None,
    catalogue: Catalogue,
    *,
    k: int,
    allowed_I: Mask,
    scores_I: Vector | None = None,
) -> list[Arranged]:
    """Return at most `k` of some items in the order that the rules make of their scores.

    For orders that are found without scoring every item, such as what is like an item, or what a query finds.

    Parameters
    ----------
    rows, scores
        The candidates, each once, and how good they are; higher is better.
    allowed_I
        What may be listed. What the rules leave out is left out beside.
    scores_I
        What orders the items of one pin; None takes the candidates' scores, and 0 for all others.
    """
    if ruling is None:
        return [Arranged(row=int(row)) for row in rows[np.argsort(-scores, kind="stable")][:k]]
    allowed_I = allowed_I & ruling.allowed_I
    kept = allowed_I[rows]
    rows, scores = rows[kept], scores[kept]
    gains = np.zeros(len(rows), dtype=np.float32)
    if ruling.boosts_I is not None:
        gains = span_of(scores) * ruling.boosts_I[rows]
    if scores_I is None:
        scores_I = np.zeros(catalogue.n_items, dtype=np.float32)
        scores_I[rows] = scores + gains
    tally = Tally.of(ruling.caps)
    pinned = pinned_places(ruling, scores_I, allowed_I, catalogue, k=k, tally=tally)
    free = without_groups(allowed_I, pinned, catalogue)[rows]
    gain_of = dict(zip(rows.tolist(), gains.tolist(), strict=True))
    order = np.argsort(-(scores + gains)[free], kind="stable")
    others = tally.admitted(rows[free][order].tolist(), most=k)
    return in_places(
        {
            place: Arranged(row=one.row, gain=gain_of.get(one.row, 0.0), pinned=one.rule)
            for place, one in pinned.items()
        },
        [Arranged(row=row, gain=gain_of[row]) for row in others],
        k=k,
    )


def rule_reasons(
    ruling: Ruling | None, row: int, *, pinned: Rule | None, gain: float, language: str
) -> tuple[Reason, ...]:
    """Return a reason for each rule that holds for a listed item; boosts share what they added together."""
    if ruling is None:
        return ()
    held = ruling.on(row)
    summed = sum(one.strength for one in held)
    reasons = [] if pinned is None else [_reason(pinned, 0.0, language)]
    reasons += [_reason(one.rule, _share(one, summed, gain), language) for one in held]
    return tuple(reasons)


def _share(one: Applied, summed: float, gain: float) -> float:
    return gain * one.strength / summed if summed else 0.0


def _reason(rule: Rule, contribution: float, language: str) -> Reason:
    text = rule.reasons.get(language) or said("shop_rule", language=language, about=rule.name)
    return Reason(kind="rule", text=text, type=rule.action, rule=rule.name, contribution=contribution)
