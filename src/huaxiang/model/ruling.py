"""Shop rules on a model: read for it, and tried on shoppers before they are in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from huaxiang.errors import InputError
from huaxiang.knowledge.rules import (
    Circumstances,
    Problem,
    Rule,
    Rulebook,
    RulesOnGoods,
    Ruling,
    problems,
    read_rules,
)
from huaxiang.knowledge.rules.base import LEAVING_OUT
from huaxiang.knowledge.rules.read import read_rules_file
from huaxiang.model.lists import Wanted, listed
from huaxiang.records import Profile, Ranked, Slate

if TYPE_CHECKING:
    from huaxiang.model.whole import Model

MOST_SHOWN = 20
"""Changed lists that a dry run shows; all are counted."""


def clock_of(model: Model) -> tzinfo:
    """Return where the shop's days begin; UTC where it doesn't say."""
    try:
        return ZoneInfo(model.shop.timezone) if model.shop.timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def rules_from(model: Model, source: Path | str | bytes, *, file: str = "rules") -> RulesOnGoods:
    """Return the rules of a file, or of a text, on the model's items.

    Raises
    ------
    RulesError
        Something of it is not understood.
    """
    clock = clock_of(model)
    read = read_rules_file(source, clock=clock) if isinstance(source, Path) else None
    rules = read or read_rules(source, file=file, clock=clock)  # type: ignore[arg-type]
    return RulesOnGoods(rules, model.goods)


def use_rules(model: Model, file: Path) -> tuple[Problem, ...]:
    """Let the rules of a file be in force for a model; return what is questionable about them."""
    on_goods = rules_from(model, file)
    book = model.rules if model.rules is not None else Rulebook()
    book.put(on_goods)
    model.rules = book
    return problems(on_goods, now=model.newest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One list that rules change.

    Parameters
    ----------
    before, after
        Item ids, best first.
    came, went, moved
        Items that are new, that are gone, and that stand elsewhere beside each other.
    why
        Item id → the rules that brought it or took it away.
    """

    shopper_id: str | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    moved: tuple[str, ...]
    why: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]

    def as_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        return {
            "shopper_id": self.shopper_id,
            "before": list(self.before),
            "after": list(self.after),
            "came": list(self.came),
            "went": list(self.went),
            "moved": list(self.moved),
            "why": {item: list(rules) for item, rules in self.why.items()},
            "titles": dict(self.titles),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """What one rule did in a dry run, in lists: held, took items away, and is named in a reason."""

    rule: str
    action: str
    held: int
    took: int
    named: int

    def as_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        return {
            "rule": self.rule,
            "action": self.action,
            "held": self.held,
            "took": self.took,
            "named": self.named,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What rules would change: how many lists, by which rules, and the first of them whole."""

    n_lists: int
    n_changed: int
    n_empty: int
    rules: tuple[RuleCount, ...]
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        return {
            "n_lists": self.n_lists,
            "n_changed": self.n_changed,
            "n_empty": self.n_empty,
            "rules": [one.as_json() for one in self.rules],
            "changes": [one.as_json() for one in self.changes],
            "problems": [one.as_json() for one in self.problems],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Where and when the lists of a dry run would be shown."""

    k: int = 10
    placement: str = "home"
    channel: str | None = None
    language: str = "en"
    now: datetime | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.k <= 200:
            raise InputError("not a length of a list", column="k", value=str(self.k), remedy="give 1 to 200")


@dataclass(slots=True)
class _Counts:
    held: Counter[str] = field(default_factory=Counter)
    took: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)


def try_rules(
    model: Model,
    rules: RulesOnGoods,
    profiles: Iterable[Profile],
    *,
    occasion: Occasion | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> DryRun:
    """Return what other rules would change in the lists of some shoppers, beside those in force."""
    occasion = occasion or Occasion()
    wanted = Wanted(k=occasion.k, of="item", repeat=False, language=occasion.language, is_checked=False)
    counts, n_lists, n_changed, n_empty = _Counts(), 0, 0, 0
    changes: list[Change] = []
    for profile in profiles:
        under = _under(model, profile, occasion)
        now_in_force = None if model.rules is None else model.rules.ruling(model.goods, under)
        ruling = rules.ruling(under)
        before = listed(model, profile, wanted, ruling=now_in_force)
        after = listed(model, profile, wanted, ruling=ruling)
        change = _change(rules, ruling, before, after, under.now)
        _count(counts, ruling, change, after)
        n_lists += 1
        n_empty += not after.items
        if change.before != change.after:
            n_changed += 1
            changes += [change] if len(changes) < MOST_SHOWN else []
        progress(n_lists)
    return DryRun(
        n_lists=n_lists,
        n_changed=n_changed,
        n_empty=n_empty,
        rules=tuple(
            RuleCount(
                rule=rule.name,
                action=rule.action,
                held=counts.held[rule.name],
                took=counts.took[rule.name],
                named=counts.named[rule.name],
            )
            for rule in rules.rules.rules
        ),
        changes=tuple(changes),
        problems=problems(rules, now=occasion.now or model.newest),
    )


def _under(model: Model, profile: Profile, occasion: Occasion) -> Circumstances:
    return Circumstances(
        profile=profile,
        now=occasion.now or profile.as_of or model.newest,
        channel=occasion.channel,
        placement=occasion.placement,
        language=occasion.language,
    )


def _change(rules: RulesOnGoods, ruling: Ruling, before: Slate, after: Slate, now: datetime | None) -> Change:
    old, new = _ids(before.items), _ids(after.items)
    went = tuple(one for one in old if one not in set(new))
    came = tuple(one for one in new if one not in set(old))
    stayed = [one for one in old if one not in set(went)]
    moved = tuple(
        one
        for one, other in zip(stayed, (one for one in new if one not in set(came)), strict=True)
        if one != other
    )
    full = _full_caps(rules, ruling, new)
    why = {one: _taken_by(rules, ruling, one, now, full) for one in went}
    why |= {one.item_id: tuple(reason.rule for reason in one.reasons if reason.rule) for one in after.items}
    titles = {one.item_id: one.title for one in (*before.items, *after.items)}
    return Change(
        shopper_id=after.shopper_id,
        before=old,
        after=new,
        came=came,
        went=went,
        moved=moved,
        why={item: names for item, names in why.items() if names},
        titles=titles,
    )


def _taken_by(
    rules: RulesOnGoods,
    ruling: Ruling,
    item_id: str,
    now: datetime | None,
    full: Mapping[str, frozenset[int]],
) -> tuple[str, ...]:
    """Return the rules that leave an item out, or keep it from a place: a cap, or being buried."""
    row = rules.goods.catalogue.row_of[item_id]
    out = [rule.name for rule in _leaving(ruling) if rules.left_out(rule, now)[row]]
    if out:
        return tuple(out)
    capped = [
        cap.rule.name for cap in ruling.caps if full[cap.rule.name].intersection(cap.values_of.get(row, ()))
    ]
    return tuple(capped + [one.rule.name for one in ruling.on(row) if one.strength < 0])


def _full_caps(rules: RulesOnGoods, ruling: Ruling, listed_ids: Sequence[str]) -> dict[str, frozenset[int]]:
    """Return the values of which a list has as many items as each cap allows."""
    rows = [rules.goods.catalogue.row_of[one] for one in listed_ids]
    full = {}
    for cap in ruling.caps:
        counts = Counter(value for row in rows for value in cap.values_of.get(row, ()))
        values = {value for of_row in cap.values_of.values() for value in of_row} if not cap.most else counts
        full[cap.rule.name] = frozenset(value for value in values if counts[value] >= cap.most)
    return full


def _leaving(ruling: Ruling) -> Sequence[Rule]:
    return [rule for rule in ruling.in_force if rule.action in LEAVING_OUT]


def _count(counts: _Counts, ruling: Ruling, change: Change, after: Slate) -> None:
    counts.held.update(rule.name for rule in ruling.in_force)
    counts.took.update({name for item in change.went for name in change.why.get(item, ())})
    counts.named.update({reason.rule for one in after.items for reason in one.reasons if reason.rule})


def _ids(items: Sequence[Ranked]) -> tuple[str, ...]:
    return tuple(one.item_id for one in items)


__all__ = [
    "Change",
    "DryRun",
    "Occasion",
    "RuleCount",
    "clock_of",
    "rules_from",
    "try_rules",
    "use_rules",
]
