"""A file of rules is read strictly: whatever is not understood is refused, with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import RulesError
from huaxiang.knowledge.rules import read_rules
from huaxiang.knowledge.rules.read import read_rules_file
from huaxiang.knowledge.rules.yaml_tree import MOST_BYTES

EXAMPLE = Path(__file__).parents[3] / "examples" / "rules.yaml"


def rules_with(line: str) -> str:
    """Return a file of one rule, whose third line from the top is the one in question."""
    return f"version: 1\nrules:\n- {line}\n"


def test_the_example_is_understood() -> None:
    rules = read_rules_file(EXAMPLE)
    assert rules.rules[0].name == "no candles this week"  # the highest priority
    assert {"exclude", "cap", "price_floor", "pin", "boost", "bury"} == {rule.action for rule in rules.rules}


def test_rules_come_by_priority_and_then_as_the_file_has_them() -> None:
    text = "version: 1\nrules:\n" + "".join(
        f"- {{name: {name}, priority: {priority}, items: {{brand: x}}, exclude: true}}\n"
        for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", -1))
    )
    assert [rule.name for rule in read_rules(text).rules] == ["b", "a", "c", "d"]


def test_a_rule_that_is_off_is_read_and_does_nothing() -> None:
    rules = read_rules(rules_with("{name: a, on: false, items: {brand: x}, exclude: true}"))
    assert (rules.rules, rules.n_off) == ((), 1)


def test_text_stays_as_it_is_written() -> None:
    rule = read_rules(rules_with("{name: 🎉 促销, items: {item_id: [007, NO, 1e3]}, exclude: true}")).rules[0]
    assert (rule.name, rule.items.values) == ("🎉 促销", ("007", "NO", "1e3"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{name: a, items: {brand: x}, exlude: true}", "nearest is exclude"),
        ("{name: a, items: {brnad: x}, exclude: true}", "nearest is brand"),
        ("{name: a, items: {shopper_id: x}, exclude: true}", "may not read who a shopper is"),
        ("{name: a, when: {profile: {shopper_id: x}}, items: {brand: x}, exclude: true}", "may not read who"),
        ("{name: a, items: {brand: x}}", "a rule does nothing"),
        ("{name: a, items: {brand: x}, exclude: true, boost: 1}", "does several things"),
        ("{items: {brand: x}, exclude: true}", "has no name"),
        ("{name: '', items: {brand: x}, exclude: true}", "should be a text"),
        ("{name: a, exclude: true}", "names no items"),
        ("{name: a, items: {}, exclude: true}", "no items are named"),
        ("{name: a, items: {any: []}, exclude: true}", "an empty list"),
        ("{name: a, items: {brand: []}, exclude: true}", "an empty list"),
        ("{name: a, items: {brand: {x: y}}, exclude: true}", "should be a text"),
        ("{name: a, items: {brand: x}, boost: much}", "not a number"),
        ("{name: a, items: {brand: x}, boost: nan}", "not a number"),
        ("{name: a, items: {brand: x}, boost: 9}", "out of range"),
        ("{name: a, items: {brand: x}, pin: 0}", "out of range"),
        ("{name: a, items: {brand: x}, pin: 1.5}", "not a whole number"),
        ("{name: a, items: {brand: x}, exclude: perhaps}", "neither true nor false"),
        ("{name: a, items: {price: {min: 9, max: 1}}, exclude: true}", "min is above max"),
        ("{name: a, when: {placement: hoem}, items: {brand: x}, exclude: true}", "nearest is home"),
        ("{name: a, when: {time: {from: soon}}, items: {brand: x}, exclude: true}", "not a day or a time"),
        ("{name: a, when: {time: {hours: 9}}, items: {brand: x}, exclude: true}", "not hours of a day"),
        ("{name: a, items: {group: g}, exclude: true}", "no such group"),
        ("{name: a, items: &x {brand: x}, exclude: true}", "anchors and aliases"),
        ("{name: a, items: !!python/name:os.system x, exclude: true}", "can't have a tag"),
        ("{name: a, name: b, items: {brand: x}, exclude: true}", "a field is there twice"),
        ("{name: a, items: {brand: x}, exclude: true", "not YAML"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_line(line: str, said: str) -> None:
    with pytest.raises(RulesError) as caught:
        read_rules(rules_with(line), file="shop.yaml")
    error = caught.value
    assert said in str(error)
    assert error.line in (2, 3, 4)
    assert error.file == "shop.yaml"
    assert error.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "there are no rules"),
        (b"# only a comment\n", "there are no rules"),
        (b"rules: []", "the version is missing"),
        (b"version: 2\nrules: []", "not a version"),
        (b"version: 1", "there are no rules"),
        (b"version: 1\nrules: {}", "should be a list"),
        (b"- version: 1", "should be a mapping"),
        (b"version: 1\nrules: []\n---\nversion: 1\n", "a second document"),
        (b"version: 1\n# \xff\n", "not UTF-8"),
        (b"version: 1\ntimezone: Mars/Base\nrules: []", "no such time zone"),
        (b"#" * (MOST_BYTES + 1), "too long"),
        (b"[" * 100, "too deep"),
        (b"version: 1\nrules:\n\t- name: a", "not YAML"),
    ],
)
def test_a_file_that_is_none_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(RulesError, match=said):
        read_rules(text)


def test_a_billion_laughs_is_refused_before_it_is_told() -> None:
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(RulesError, match="anchors and aliases"):
        read_rules("\n".join(lines))


def test_groups_in_a_circle_are_refused_and_named() -> None:
    groups = "groups:\n  a: {group: b}\n  b: {any: [{brand: x}, {not: {group: c}}]}\n  c: {group: a}\n"
    with pytest.raises(RulesError, match="a → c → a|a → b → c → a|circle"):
        read_rules(f"version: 1\n{groups}rules: []")


def test_groups_of_groups_are_no_circle() -> None:
    groups = "groups:\n  a: {group: [b, c]}\n  b: {group: c}\n  c: {brand: x}\n"
    assert set(read_rules(f"version: 1\n{groups}rules: []").groups) == {"a", "b", "c"}


def test_two_rules_of_one_name_are_refused() -> None:
    rule = "- {name: a, items: {brand: x}, exclude: true}\n"
    with pytest.raises(RulesError, match="two rules have one name"):
        read_rules(f"version: 1\nrules:\n{rule}{rule}")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="can't be read"):
        read_rules_file(tmp_path / "none.yaml")


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_is_read_is_rules_or_refused(text: str | bytes) -> None:
    try:
        read_rules(text)
    except RulesError as error:
        assert error.remedy


_TREES = st.recursive(
    st.sampled_from(["1", "true", "home", "x", "2026-01-01", "9-17", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "items",
                    "when",
                    "pin",
                    "cap",
                    "brand",
                    "any",
                    "not",
                    "time",
                    "profile",
                    "query",
                    "price",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_TREES)
def test_whatever_a_rule_says_it_is_a_rule_or_refused(tree: object) -> None:
    import json

    try:
        read_rules(json.dumps({"version": "1", "rules": [tree]}))
    except RulesError as error:
        assert error.line is not None
