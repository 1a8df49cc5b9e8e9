"""Rules on the items of one catalogue: each selector found once, each ruling made once.

A ruling depends on which rules hold, and on nothing else. So for a list only the conditions are asked, which
takes microseconds, and what the same rules said the last time is said again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.rules.base import (
    LEAVING_OUT,
    MOST_STRENGTH,
    Applied,
    Cap,
    Circumstances,
    Goods,
    Pin,
    Rule,
    RuleSet,
    Ruling,
    Test,
)
from huaxiang.knowledge.rules.conditions import OF_TIME, holds, reads_the_whole_profile
from huaxiang.knowledge.rules.selectors import DAY_MS, Mask, Selecting, parts_of, value_rows
from huaxiang.records import Vector

MOST_KEPT_BYTES = 64 << 20
_OF_FACETS = ("likes", "dislikes", "stated")


class RulesOnGoods:
    """The rules of one file on the items of one catalogue."""

    def __init__(self, rules: RuleSet, goods: Goods) -> None:
        self.goods = goods
        self.rules = replace(rules, rules=tuple(_in_values(rule, goods) for rule in rules.rules))
        self._lock = Lock()
        self._day = 0
        self._selecting = Selecting(goods, rules.groups, now_ms=None)
        self._kept: dict[tuple[tuple[int, ...], int], Ruling] = {}
        self._caps: dict[int, Cap] = {}

    @cached_property
    def reads_the_whole_profile(self) -> bool:
        """Whether some rule asks for more of a shopper than what they stated."""
        return any(reads_the_whole_profile(rule.when) for rule in self.rules.rules)

    @cached_property
    def reads_ages(self) -> bool:
        """Whether some rule depends on how long items have been on sale."""
        groups = [part for test in self.rules.groups.values() for part in parts_of(test)]
        own = [part for rule in self.rules.rules for part in parts_of(rule.items)]
        return any(part.kind == "age_days" for part in groups + own) or any(
            rule.action == "age_limit" for rule in self.rules.rules
        )

    @cached_property
    def _times(self) -> tuple[Test, ...]:
        tests = (part for rule in self.rules.rules for part in parts_of(rule.when))
        return tuple(part for part in tests if part.kind in OF_TIME)

    def tag(self, now: datetime | None) -> str:
        """Return what changes whenever the passing of time, or another file, changes some list."""
        under = Circumstances(now=now)
        truths = "".join("01"[holds(test, under, self.rules.clock)] for test in self._times)
        return f"{self.rules.fingerprint}.{self._day_of(now)}.{truths}"

    def ruling(self, under: Circumstances) -> Ruling:
        """Return what the rules say under some circumstances."""
        clock = self.rules.clock
        in_force = tuple(
            place for place, rule in enumerate(self.rules.rules) if holds(rule.when, under, clock)
        )
        key = (in_force, self._day_of(under.now))
        found = self._kept.get(key)
        if found is None:
            with self._lock:
                found = self._ruling(in_force, key[1])
                if len(self._kept) >= self._most_kept:
                    self._kept.clear()
                self._kept[key] = found
        return found

    def mask(self, test: Test, now: datetime | None = None) -> Mask:
        """Return which items a selector names, (I,)."""
        with self._lock:
            return self._at(self._day_of(now)).mask(test)

    def left_out(self, rule: Rule, now: datetime | None = None) -> Mask:
        """Return which items a rule leaves out, (I,)."""
        with self._lock:
            return self._left_out(rule, self._at(self._day_of(now)))

    @property
    def _most_kept(self) -> int:
        return max(4, min(256, MOST_KEPT_BYTES // max(5 * self.goods.catalogue.n_items, 1)))

    def _day_of(self, now: datetime | None) -> int:
        """Return the day that ages are counted for, 0 where they don't matter; UTC, as items' days are."""
        return int(now.timestamp() * 1000) // DAY_MS if now is not None and self.reads_ages else 0

    def _at(self, day: int) -> Selecting:
        if day != self._day:
            now_ms = (day + 1) * DAY_MS - 1 if day else None
            self._day, self._selecting = day, Selecting(self.goods, self.rules.groups, now_ms=now_ms)
        return self._selecting

    def _ruling(self, in_force: tuple[int, ...], day: int) -> Ruling:
        select = self._at(day)
        held = [self.rules.rules[place] for place in in_force]
        allowed_I = select.everything()
        for rule in held:
            if rule.action in LEAVING_OUT:
                allowed_I &= ~self._left_out(rule, select)
        allowed_I.flags.writeable = False
        return Ruling(
            allowed_I=allowed_I,
            boosts_I=_boosts(held, select),
            pins=tuple(
                Pin(
                    rule=rule,
                    item_rows=np.flatnonzero(select.mask(rule.items) & allowed_I),
                    place=rule.place,
                    most=rule.most,
                )
                for rule in held
                if rule.action == "pin"
            ),
            caps=tuple(self._cap(place, select) for place in in_force if self._is_cap(place)),
            on_items=tuple(
                (Applied(rule=rule, strength=_signed(rule)), select.mask(rule.items))
                for rule in held
                if rule.action in ("require", "boost", "bury")
            ),
            in_force=tuple(held),
            tag=f"{self.rules.fingerprint}.{day}.{'-'.join(map(str, in_force))}",
        )

    def _left_out(self, rule: Rule, select: Selecting) -> Mask:
        named_I = select.mask(rule.items)
        if rule.action == "exclude":
            return named_I
        if rule.action == "require":
            return ~named_I
        if rule.action == "in_stock_only":
            return named_I & ~self.goods.catalogue.in_stock
        if rule.action == "price_floor":
            return named_I & ~select.mask(Test(kind="price", low=rule.low))
        return named_I & ~select.mask(Test(kind="age_days", low=rule.low, high=rule.high))

    def _is_cap(self, place: int) -> bool:
        return self.rules.rules[place].action == "cap"

    def _cap(self, place: int, select: Selecting) -> Cap:
        rule = self.rules.rules[place]
        if self.reads_ages or place not in self._caps:
            rows = np.flatnonzero(select.mask(rule.items)).tolist()
            self._caps[place] = Cap(rule=rule, most=rule.most, values_of=self._values(rule.of, rows))
        return self._caps[place]

    def _values(self, of: str, rows: Sequence[int]) -> dict[int, tuple[int, ...]]:
        if not of:
            return dict.fromkeys(rows, (0,))
        dimension = self.goods.catalogue.dimensions.get(of)
        if dimension is None:
            return {}
        ends, values = dimension.offsets.tolist(), dimension.value_rows.tolist()
        return {row: tuple(values[ends[row] : ends[row + 1]]) for row in rows}


def _boosts(held: Sequence[Rule], select: Selecting) -> Vector | None:
    """Return what items gain, in spans; several add up, and no item gains or loses more than one may."""
    moving = [rule for rule in held if rule.action in ("boost", "bury")]
    if not moving:
        return None
    boosts_I = np.zeros(len(select.everything()), dtype=np.float32)
    for rule in moving:
        boosts_I[select.mask(rule.items)] += _signed(rule)
    found: NDArray[np.float32] = np.clip(boosts_I, -MOST_STRENGTH, MOST_STRENGTH)
    found.flags.writeable = False
    return found


def _signed(rule: Rule) -> float:
    return -rule.strength if rule.action == "bury" else rule.strength


def _in_values(rule: Rule, goods: Goods) -> Rule:
    """Return the rule with what its condition asks of a profile in the catalogue's own values."""
    return replace(rule, when=_named(rule.when, goods))


def _named(test: Test, goods: Goods) -> Test:
    if test.kind in _OF_FACETS:
        dimension = goods.catalogue.dimensions.get(test.dimension)
        rows = value_rows(goods.catalogue, test.dimension, test.values)
        own = () if dimension is None else tuple(dimension.values[row].casefold() for row in rows)
        return replace(test, values=tuple(dict.fromkeys((*test.values, *own))))
    if not test.parts:
        return test
    return replace(test, parts=tuple(_named(part, goods) for part in test.parts))
