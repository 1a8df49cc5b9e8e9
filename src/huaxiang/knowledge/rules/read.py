"""Reads a file of shop rules, strictly: what is not understood is refused, with its line and a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from huaxiang.errors import RulesError
from huaxiang.knowledge.rules import fields
from huaxiang.knowledge.rules.base import ACTIONS, MOST_STRENGTH, Rule, RuleSet, Test
from huaxiang.knowledge.rules.conditions import LANGUAGES, read_condition
from huaxiang.knowledge.rules.selectors import parts_of, read_selector
from huaxiang.knowledge.rules.yaml_tree import Node, tree_of

VERSION = 1
MOST_RULES = 10_000
LAST_PLACE = 1000
_TOP = ("version", "timezone", "groups", "rules")
_OF_RULE = ("name", "on", "priority", "when", "items", *ACTIONS, "reason")
_MOST_PRIORITY = 1_000_000


def read_rules(text: str | bytes, *, file: str = "rules", clock: tzinfo = UTC) -> RuleSet:
    r"""Return the rules that a text holds.

    Parameters
    ----------
    file
        How errors call it.
    clock
        Where the shop's days begin, if the text doesn't say.

    Raises
    ------
    RulesError
        Something of it is not understood: the message names the line, what is there, and what could be.

    Examples
    --------
    >>> rules = read_rules("version: 1\nrules:\n- {name: no hats, items: {category: Hats}, exclude: true}")
    >>> [(rule.name, rule.action) for rule in rules.rules]
    [('no hats', 'exclude')]
    """
    top = tree_of(text, file=file)
    given = fields.mapping(top, _TOP)
    _check_version(top, given)
    if "timezone" in given:
        clock = _clock(given["timezone"])
    groups = _groups(given["groups"]) if "groups" in given else {}
    rules, n_off = _rules(given.get("rules"), top, clock)
    for rule, node in rules:
        _check_groups(rule.items, groups, node)
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return RuleSet(
        rules=tuple(sorted((rule for rule, _ in rules), key=lambda rule: -rule.priority)),
        groups=groups,
        clock=clock,
        fingerprint=blake2b(data + repr(clock).encode(), digest_size=8).hexdigest(),
        file=file,
        n_off=n_off,
    )


def read_rules_file(file: Path, *, clock: tzinfo = UTC) -> RuleSet:
    """Return the rules of a file; see `read_rules`."""
    try:
        data = file.read_bytes()
    except OSError as error:
        remedy = "check the path"
        raise RulesError(
            f"the rules can't be read ({error.strerror})", file=str(file), remedy=remedy
        ) from error
    return read_rules(data, file=str(file), clock=clock)


def _check_version(top: Node, given: Mapping[str, Node]) -> None:
    if "version" not in given:
        raise top.wrong("the version is missing", remedy=f"begin with version: {VERSION}")
    written = fields.text(given["version"])
    if written != str(VERSION):
        remedy = f"this release reads version {VERSION}"
        raise given["version"].wrong("not a version that can be read", value=written, remedy=remedy)


def _clock(node: Node) -> tzinfo:
    written = fields.text(node)
    try:
        if written[0] in "+-":
            offset = datetime.fromisoformat(f"2000-01-01T00:00:00{written}").utcoffset()
            return timezone(offset or timedelta())
        return ZoneInfo(written)
    except (ValueError, OSError, KeyError):
        remedy = "write a name such as Asia/Shanghai, or an offset such as +08:00"
        raise node.wrong("no such time zone", value=written, remedy=remedy) from None


def _groups(node: Node) -> dict[str, Test]:
    if not isinstance(node.value, dict):
        raise node.wrong("groups should be a mapping", remedy="write groups: {name: {brand: Nike}}")
    groups = {name: read_selector(inner) for name, inner in node.value.items()}
    for name, inner in node.value.items():
        _check_groups(groups[name], groups, inner)
    _check_no_circle(groups, node.value)
    return groups


def _check_groups(test: Test, groups: Mapping[str, Test], node: Node) -> None:
    """Raise where a selector names a group that is none."""
    for part in parts_of(test):
        for name in part.values if part.kind == "group" else ():
            if name not in groups:
                near = fields.nearest(name, groups)
                remedy = f"the nearest is {near}" if near else "define it under groups"
                raise node.wrong("no such group", value=name, remedy=remedy, line=part.line or node.line)


def _check_no_circle(groups: Mapping[str, Test], nodes: Mapping[str, Node]) -> None:
    """Raise where a group is made of itself, by however many others."""
    finished: set[str] = set()
    for start in groups:
        way: list[str] = []
        waiting: list[tuple[str, bool]] = [(start, False)]
        while waiting:
            name, is_left = waiting.pop()
            if is_left:
                finished.add(way.pop())
            elif name in way:
                circle = " → ".join([*way[way.index(name) :], name])
                remedy = "take one of these references out"
                raise nodes[name].wrong("groups refer to each other in a circle", value=circle, remedy=remedy)
            elif name not in finished:
                way.append(name)
                waiting.append((name, True))
                waiting += [(other, False) for other in _named_groups(groups[name])]


def _named_groups(test: Test) -> list[str]:
    return [name for part in parts_of(test) if part.kind == "group" for name in part.values]


def _rules(node: Node | None, top: Node, clock: tzinfo) -> tuple[list[tuple[Rule, Node]], int]:
    """Return the rules that are on, each with its place in the file, and how many are off."""
    if node is None or node.value == "":
        raise (node or top).wrong("there are no rules", remedy="write rules: and a list below it")
    if not isinstance(node.value, list):
        raise node.wrong("rules should be a list", remedy="begin each rule with - name: …")
    if len(node.value) > MOST_RULES:
        raise node.wrong("too many rules", value=str(len(node.value)), remedy=f"at most {MOST_RULES}")
    read = [(_rule(inner, clock), inner) for inner in node.value]
    seen: dict[str, int] = {}
    for (rule, _), inner in read:
        if rule.name in seen:
            raise inner.wrong(
                "two rules have one name",
                value=rule.name,
                remedy=f"rename this one, or that of line {seen[rule.name]}",
            )
        seen[rule.name] = rule.line
    kept = [(rule, inner) for (rule, is_on), inner in read if is_on]
    return kept, len(read) - len(kept)


def _rule(node: Node, clock: tzinfo) -> tuple[Rule, bool]:
    given = fields.mapping(node, _OF_RULE)
    if "name" not in given:
        raise node.wrong("a rule has no name", remedy="write name: what it is for")
    name = fields.text(given["name"])
    actions = [field for field in given if field in ACTIONS]
    if len(actions) != 1:
        remedy = f"give exactly one of {', '.join(ACTIONS)}"
        message = "a rule does nothing" if not actions else "a rule does several things"
        raise node.wrong(message, value=name if not actions else ", ".join(actions), remedy=remedy)
    rule = Rule(
        name=name,
        action=actions[0],
        priority=(
            fields.whole(given["priority"], low=-_MOST_PRIORITY, high=_MOST_PRIORITY)
            if "priority" in given
            else 0
        ),
        reasons=_reasons(given["reason"]) if "reason" in given else {},
        line=node.line,
    )
    if "when" in given:
        rule = replace(rule, when=read_condition(given["when"], clock))
    if "items" in given:
        rule = replace(rule, items=read_selector(given["items"]))
    elif rule.action in ("exclude", "require", "pin", "boost", "bury"):
        raise node.wrong("a rule names no items", value=name, remedy="add items: {brand: …}")
    return _with_action(rule, given[rule.action]), "on" not in given or fields.truth(given["on"])


def _with_action(rule: Rule, node: Node) -> Rule:
    """Return the rule with what its action says."""
    if rule.action in ("exclude", "require", "in_stock_only"):
        if not fields.truth(node):
            raise node.wrong("a rule that does nothing", value="false", remedy="write true, or on: false")
        return rule
    if rule.action in ("boost", "bury"):
        strength = fields.number(node, low=0, high=MOST_STRENGTH)
        if strength == 0:
            raise node.wrong("a rule that does nothing", value="0", remedy=f"give up to {MOST_STRENGTH:g}")
        return replace(rule, strength=strength)
    if rule.action == "price_floor":
        return replace(rule, low=fields.number(node, low=0))
    if rule.action == "age_limit":
        low, high = fields.span(node)
        return replace(rule, low=low, high=high)
    return _pin(rule, node) if rule.action == "pin" else _cap(rule, node)


def _pin(rule: Rule, node: Node) -> Rule:
    if isinstance(node.value, str):
        return replace(rule, place=fields.whole(node, low=1, high=LAST_PLACE))
    given = fields.mapping(node, ("place", "most"))
    if "place" not in given:
        raise node.wrong("a pin has no place", remedy="write pin: {place: 1}")
    most = fields.whole(given["most"], low=1, high=LAST_PLACE) if "most" in given else 1
    return replace(rule, place=fields.whole(given["place"], low=1, high=LAST_PLACE), most=most)


def _cap(rule: Rule, node: Node) -> Rule:
    given = fields.mapping(node, ("of", "most"))
    if "most" not in given:
        raise node.wrong("a cap has no number", remedy="write cap: {of: brand, most: 2}")
    of = fields.text(given["of"]) if "of" in given else ""
    return replace(rule, of=of, most=fields.whole(given["most"], low=0, high=LAST_PLACE))


def _reasons(node: Node) -> Mapping[str, str]:
    given = fields.mapping(node, LANGUAGES)
    return {language: fields.text(inner) for language, inner in given.items()}


def rule_names(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the names of rules."""
    return tuple(rule.name for rule in rules)
