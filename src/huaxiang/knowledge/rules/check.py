"""Finds rules that do not do what their author may think: unknown words, dead rules, conflicts.

Two rules are in conflict only if both can hold at once. What conditions rule out for certain is found: other
placements, languages, channels, dates, weekdays, queries. What isn't certain counts as possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations

import numpy as np

from huaxiang.knowledge.rules.base import LEAVING_OUT, Problem, Rule, Test
from huaxiang.knowledge.rules.fields import nearest
from huaxiang.knowledge.rules.on_goods import RulesOnGoods
from huaxiang.knowledge.rules.possible import can_hold
from huaxiang.knowledge.rules.selectors import Mask, is_everything, parts_of, rows_under, value_rows

MOST_PROBLEMS = 1000
MOST_PAIRS = 200_000
"""Pairs of rules that are compared; of a larger file the first pairs are."""


def problems(on_goods: RulesOnGoods, *, now: datetime | None = None) -> tuple[Problem, ...]:
    """Return what is questionable about rules on some goods, in the order of the file.

    Parameters
    ----------
    now
        Dates that are over are dead from here on; None lets every date come.
    """
    found = [*_unknown(on_goods), *_dead(on_goods, now), *_conflicts(on_goods, now)]
    in_order = sorted(found, key=lambda one: (one.line, one.kind))
    return tuple(in_order[:MOST_PROBLEMS])


def _unknown(on_goods: RulesOnGoods) -> Iterator[Problem]:
    """Yield what rules name and the catalogue lacks."""
    for name, test in on_goods.rules.groups.items():
        for part in parts_of(test):
            yield from _missing(on_goods, part, name)
    for rule in on_goods.rules.rules:
        for part in (*parts_of(rule.items), *parts_of(rule.when)):
            yield from _missing(on_goods, part, rule.name)
        dimensions = on_goods.goods.catalogue.dimensions
        if rule.of and rule.of not in dimensions:
            yield _no_such("dimension", "维度", rule.of, tuple(dimensions), rule.name, rule.line)


def _missing(on_goods: RulesOnGoods, part: Test, rule: str) -> Iterator[Problem]:  # noqa: C901 - one question after another
    goods, catalogue = on_goods.goods, on_goods.goods.catalogue
    if part.kind in ("value", "likes", "dislikes", "stated"):
        dimension = catalogue.dimensions.get(part.dimension)
        if dimension is None:
            known = tuple(catalogue.dimensions)
            yield _no_such("dimension", "维度", part.dimension, known, rule, part.line)
            return
        for value in part.values:
            if part.kind == "value" and not value_rows(catalogue, part.dimension, (value,)):
                yield _no_such(
                    part.dimension, part.dimension, value, tuple(dimension.values), rule, part.line
                )
        if part.kind != "value" and not value_rows(catalogue, part.dimension, part.values):
            said = ", ".join(part.values)
            yield _no_such(part.dimension, part.dimension, said, tuple(dimension.values), rule, part.line)
    elif part.kind == "category":
        for value in part.values:
            in_catalogue = any(value_rows(catalogue, of, (value,)) for of in ("category", "department"))
            if not in_catalogue and not rows_under(goods, (value,)):
                known = _categories(on_goods)
                yield _no_such("category", "类目", value, known, rule, part.line)
    elif part.kind in ("item_id", "variants_of", "group_id"):
        known_ids = goods.rows_of_group if part.kind == "group_id" else catalogue.row_of
        for value in part.values:
            if value not in known_ids:
                few = tuple(known_ids)[:2000]
                yield _no_such(part.kind, "编号", value, few, rule, part.line)


def _categories(on_goods: RulesOnGoods) -> tuple[str, ...]:
    dimensions = on_goods.goods.catalogue.dimensions
    return tuple(
        value for of in ("category", "department") if of in dimensions for value in dimensions[of].values
    )


def _no_such(what: str, what_zh: str, value: str, known: tuple[str, ...], rule: str, line: int) -> Problem:
    near = nearest(value, known)
    english = f"; the nearest is {near}" if near else ""
    chinese = f"；最接近的是 {near}" if near else ""
    return Problem(
        kind="unknown",
        rule=rule,
        line=line,
        text=f"the catalogue has no {what} {value!r}{english}",
        text_zh=f"商品目录中没有{what_zh}“{value}”{chinese}",
    )


def _dead(on_goods: RulesOnGoods, now: datetime | None) -> Iterator[Problem]:
    """Yield rules that can't do anything."""
    clock = on_goods.rules.clock
    for rule in on_goods.rules.rules:
        if not can_hold((rule.when,), now=now, clock=clock):
            yield _problem("dead", rule, "its condition can never hold", "条件永远不会成立")
            continue
        named_I = on_goods.mask(rule.items, now)
        if not named_I.any():
            yield _problem("dead", rule, "it names no item", "没有任何商品符合")
        elif rule.action in LEAVING_OUT and rule.action != "require":
            if not on_goods.left_out(rule, now).any():
                yield _problem("dead", rule, "it leaves nothing out", "没有排除任何商品")
        elif rule.action == "pin" and not (named_I & on_goods.goods.catalogue.in_stock).any():
            yield _problem(
                "dead",
                rule,
                "all its items are out of stock: nothing is pinned until one is back",
                "所有商品都缺货：到货之前不会置顶",
            )


def _conflicts(on_goods: RulesOnGoods, now: datetime | None) -> Iterator[Problem]:
    """Yield pairs of rules that undo each other, and rules that leave no item."""
    masks = {rule.name: on_goods.mask(rule.items, now) for rule in on_goods.rules.rules}
    out = {
        rule.name: on_goods.left_out(rule, now) for rule in on_goods.rules.rules if rule.action in LEAVING_OUT
    }
    yield from _nothing_left(on_goods, out)
    clock = on_goods.rules.clock
    for first, second in _pairs(on_goods.rules.rules):
        found = _clash(first, second, masks, out)
        if found is not None and can_hold((first.when, second.when), now=now, clock=clock):
            yield found


def _pairs(rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    """Yield pairs that may be in conflict: what leaves out or moves items, beside what shows them."""
    pins = [rule for rule in rules if rule.action == "pin"]
    boosts = [rule for rule in rules if rule.action == "boost"]
    leaving = [rule for rule in rules if rule.action in LEAVING_OUT]
    buries = [rule for rule in rules if rule.action == "bury"]
    requires = [rule for rule in rules if rule.action == "require"]
    several = (
        ((shown, gone) for shown in (*pins, *boosts) for gone in leaving),
        combinations(pins, 2),
        ((up, down) for up in boosts for down in buries),
        combinations(requires, 2),
    )
    n_pairs = 0
    for pairs in several:
        for pair in pairs:
            n_pairs += 1
            if n_pairs > MOST_PAIRS:
                return
            yield pair


def _clash(first: Rule, second: Rule, masks: Mapping[str, Mask], out: Mapping[str, Mask]) -> Problem | None:
    if second.action in LEAVING_OUT and first.action in ("pin", "boost"):
        rows = np.flatnonzero(masks[first.name])
        n_gone = int(np.count_nonzero(out[second.name][rows]))
        if n_gone < max(len(rows), 1):
            return None
        return _problem(
            "conflict",
            first,
            f"all its items are left out by {second.name!r}, which wins",
            f"其全部商品都被规则“{second.name}”排除，以排除为准",
            other=second.name,
        )
    if first.action == second.action == "require":
        if (masks[first.name] & masks[second.name]).any():
            return None
        return _problem(
            "conflict",
            first,
            f"no item meets it and {second.name!r}: where both hold, lists are empty",
            f"没有商品同时满足它和规则“{second.name}”：两者同时成立时列表为空",
            other=second.name,
        )
    if first.action == "boost":
        n_both = int(np.count_nonzero(masks[first.name] & masks[second.name]))
        return (
            None
            if not n_both or n_both < int(np.count_nonzero(masks[first.name]))
            else _problem(
                "conflict",
                first,
                f"{second.name!r} buries all {n_both} of its items: the two are added up",
                f"规则“{second.name}”压低了它的全部 {n_both} 件商品：两者相加计算",
                other=second.name,
            )
        )
    return _two_pins(first, second)


def _two_pins(first: Rule, second: Rule) -> Problem | None:
    """Return that two pins want one place; the first is of higher priority, or stands first in the file."""
    meets = first.place < second.place + second.most and second.place < first.place + first.most
    if not meets:
        return None
    if first.priority == second.priority:
        kind, how = "unordered", ("since it stands first in the file", "因为它在文件中靠前")
    else:
        kind, how = "conflict", ("since its priority is higher", "因为它的优先级更高")
    return _problem(
        kind,
        second,
        f"it shares a place with {first.name!r}, which is served first {how[0]}",
        f"与规则“{first.name}”争同一位置，后者优先，{how[1]}",
        other=first.name,
    )


def _nothing_left(on_goods: RulesOnGoods, out: Mapping[str, Mask]) -> Iterator[Problem]:
    """Yield the rule with which those that always hold leave no item."""
    left_I = np.ones(on_goods.goods.catalogue.n_items, dtype=np.bool_)
    for rule in on_goods.rules.rules:
        if rule.action in LEAVING_OUT and is_everything(rule.when) and left_I.any():
            left_I = left_I & ~out[rule.name]
            if not left_I.any():
                yield _problem(
                    "conflict",
                    rule,
                    "with the rules before it, it leaves no item: every list is empty",
                    "与前面的规则一起，没有剩下任何商品：所有列表都为空",
                )


def _problem(kind: str, rule: Rule, text: str, text_zh: str, *, other: str | None = None) -> Problem:
    return Problem(
        kind=kind,  # type: ignore[arg-type]
        rule=rule.name,
        line=rule.line,
        text=text,
        text_zh=text_zh,
        other=other,
    )
