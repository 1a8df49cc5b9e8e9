"""Rules that do not do what their author may think are found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from boutique import CATALOGUE
from huaxiang.knowledge.rules import Goods, RulesOnGoods, problems, read_rules

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def found(*rules: str) -> list[tuple[str, str, str | None]]:
    text = "version: 1\nrules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules)
    catalogue = replace(CATALOGUE, in_stock=np.array([True] * 7 + [False]))
    on_goods = RulesOnGoods(read_rules(text), Goods(catalogue=catalogue))
    return [(one.kind, one.rule, one.other) for one in problems(on_goods, now=NOW)]


def test_what_is_right_is_left_alone() -> None:
    assert (
        found("name: a, items: {brand: Nike}, boost: 1", "name: b, items: {category: Boots}, exclude: true")
        == []
    )


@pytest.mark.parametrize(
    "rule",
    [
        "items: {brand: Nkie}, exclude: true",
        "items: {attribute: {color: red}}, exclude: true",
        "items: {item_id: i-99}, exclude: true",
        "items: {category: Boot}, exclude: true",
        "when: {profile: {likes: {brand: Nkie}}}, items: {brand: Nike}, exclude: true",
        "cap: {of: color, most: 1}",
    ],
)
def test_words_that_the_catalogue_lacks_are_named(rule: str) -> None:
    assert ("unknown", "a", None) in found(f"name: a, {rule}")


@pytest.mark.parametrize(
    "rule",
    [
        "when: {time: {until: 2026-05-31}}, items: {brand: Nike}, exclude: true",
        "when: {all: [{placement: home}, {placement: cart}]}, items: {brand: Nike}, exclude: true",
        "when: {not: {placement: [home, item, cart, similar, search]}}, items: {brand: Nike}, exclude: true",
        "when: {placement: home, query: {is: shoes}}, items: {brand: Nike}, exclude: true",
        "when: {all: [{language: en}, {language: zh}]}, items: {item_id: i-0}, pin: 1",
        "items: {brand: Nike, not: {brand: Nike}}, boost: 1",
        "price_floor: 1",
        "items: {item_id: i-7}, pin: 1",
    ],
)
def test_a_rule_that_can_do_nothing_is_dead(rule: str) -> None:
    assert found(f"name: a, {rule}") == [("dead", "a", None)]


def test_a_pin_that_is_left_out_is_in_conflict() -> None:
    pin, out = "name: a, items: {item_id: i-5}, pin: 1", "name: b, items: {category: Boots}, exclude: true"
    assert found(pin, out) == [("conflict", "a", "b")]


def test_rules_that_never_hold_at_once_are_not_in_conflict() -> None:
    pin = "name: a, when: {placement: home}, items: {item_id: i-5}, pin: 1"
    out = "name: b, when: {placement: cart}, items: {category: Boots}, exclude: true"
    assert found(pin, out) == []


def test_two_pins_on_one_place_are_told_apart_by_priority_or_not_at_all() -> None:
    first = "name: a, items: {item_id: i-0}, pin: 1"
    assert found(first, "name: b, items: {item_id: i-1}, pin: 1") == [("unordered", "b", "a")]
    assert found(first, "name: b, priority: 1, items: {item_id: i-1}, pin: 1") == [("conflict", "a", "b")]
    assert found(first, "name: b, items: {item_id: i-1}, pin: 2") == []


def test_what_is_boosted_and_buried_is_in_conflict() -> None:
    boost, bury = "name: a, items: {item_id: i-0}, boost: 1", "name: b, items: {brand: Nike}, bury: 1"
    assert found(boost, bury) == [("conflict", "a", "b")]


def test_two_requirements_that_no_item_meets_are_in_conflict() -> None:
    one, other = (
        "name: a, items: {brand: Nike}, require: true",
        "name: b, items: {brand: Acme}, require: true",
    )
    assert ("conflict", "a", "b") in found(one, other)


def test_rules_that_leave_nothing_say_so() -> None:
    assert found("name: a, items: {brand: [Nike, Acme]}, exclude: true") == [("conflict", "a", None)]


def test_a_problem_is_said_in_both_languages() -> None:
    rules = read_rules("version: 1\nrules:\n- {name: a, items: {brand: Nkie}, exclude: true}")
    for one in problems(RulesOnGoods(rules, Goods(catalogue=CATALOGUE))):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in one.said("zh"))
        assert one.said("en") != one.said("zh")


def test_a_thousand_rules_are_checked() -> None:
    rules = [f"name: r{n}, items: {{item_id: i-{n % 7}}}, pin: {n + 1}" for n in range(500)]
    rules += [f"name: b{n}, items: {{brand: Nike}}, boost: 0.1" for n in range(500)]
    assert found(*rules) == []
