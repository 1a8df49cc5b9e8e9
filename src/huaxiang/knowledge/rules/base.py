"""The nouns of shop rules: what a rule says, what a list is made under, and what came of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Profile, Vector
from huaxiang.shop.catalogue import Catalogue

ACTIONS = (
    "exclude",
    "require",
    "price_floor",
    "in_stock_only",
    "age_limit",
    "cap",
    "pin",
    "boost",
    "bury",
)
"""What a rule may do; it does exactly one of them."""
LEAVING_OUT = ("exclude", "require", "price_floor", "in_stock_only", "age_limit")
"""Actions that leave items out: nothing brings those back."""
MOST_STRENGTH = 3.0
"""Strongest boost or bury, one rule's and that of several together, in spans of the scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One question about an item, or about the circumstances of a list; `parts` where it is made of others.

    Parameters
    ----------
    kind
        all, any, not, group; item_id, …; placement, …: see `selectors` and `conditions`.
    dimension
        Of the catalogue, where values of one are asked for.
    low, high
        Ends of a range, both inclusive; None is open.
    line
        Of the file.
    """

    __test__ = False  # no test of pytest's

    kind: str
    values: tuple[str, ...] = ()
    dimension: str = ""
    low: float | None = None
    high: float | None = None
    parts: tuple[Test, ...] = ()
    line: int = 0


ALWAYS = Test(kind="all")
"""What holds of every item, and under all circumstances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """If `when` holds, then do `action` to the items that `items` names.

    Parameters
    ----------
    priority
        Of two pins on one place the higher is served first; of equal ones, the first in the file.
    place, most
        Of a pin: its place, from 1, and how many of the items are pinned from there on. `most` is also a
        cap's.
    strength
        Of boost and bury, in spans of the scores (best minus middle); above 0.
    of
        Dimension of which a cap counts the values; "" counts all items that the rule names as one.
    low, high
        Of a price floor, in units of the currency, and of an age limit, in days.
    reasons
        language → why, in the shop's words.
    """

    name: str
    action: str
    when: Test = ALWAYS
    items: Test = ALWAYS
    priority: int = 0
    place: int = 0
    most: int = 1
    strength: float = 0.0
    of: str = ""
    low: float | None = None
    high: float | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one file, highest priority first.

    Parameters
    ----------
    fingerprint
        Of the text: equal texts, equal rules.
    clock
        Where the shop's days begin.
    n_off
        Rules that are switched off in the file.
    """

    rules: tuple[Rule, ...]
    groups: Mapping[str, Test] = field(default_factory=dict)
    clock: tzinfo
    fingerprint: str = ""
    file: str = "rules"
    n_off: int = 0


@dataclass(frozen=True, kw_only=True)
class Goods:
    """The items that rules are about.

    Parameters
    ----------
    group_ids
        Id of each item's product, (I,); empty where rules needn't name products by their ids.
    paths
        Category path of each item, parts joined by " > ", (I,); empty where only the catalogue's own
        categories and departments are known.
    """

    catalogue: Catalogue
    group_ids: Sequence[str] = ()
    paths: Sequence[str | None] = ()

    @cached_property
    def rows_of_path(self) -> Mapping[str, list[int]]:
        """Part of a path, or path down to it, without case → the items below it."""
        rows_of: dict[str, list[int]] = {}
        names_of: dict[str, tuple[str, ...]] = {}
        for row, path in enumerate(self.paths):
            if path:
                for name in names_of.get(path) or names_of.setdefault(path, _names_in(path)):
                    rows_of.setdefault(name, []).append(row)
        return rows_of

    @cached_property
    def rows_of_group(self) -> Mapping[str, list[int]]:
        """Id of a product → its items."""
        rows_of: dict[str, list[int]] = {}
        for row, group in enumerate(self.group_ids):
            rows_of.setdefault(group, []).append(row)
        return rows_of


def _names_in(path: str) -> tuple[str, ...]:
    """Return what may name a path's items: each part, and the way down to it.

    Examples
    --------
    >>> _names_in("Shoes > Boots")
    ('shoes', 'boots', 'shoes > boots')
    """
    parts = [part.strip() for part in path.casefold().split(">")]
    ways = [" > ".join(parts[: place + 1]) for place in range(len(parts))]
    return tuple(dict.fromkeys((*parts, *ways)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Under what a list is made.

    Parameters
    ----------
    profile
        Rules read what it shows, never whose it is; None where nobody is known.
    query
        What was searched for.
    now
        Timezone-aware; None in shops that know no time, where no condition on time holds.
    placement
        home, item, cart, similar or search.
    channel
        web, app, …, as the shop calls it.
    """

    profile: Profile | None = None
    query: str | None = None
    now: datetime | None = None
    channel: str | None = None
    placement: str = "home"
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The best `most` of some items, from `place` (from 1) on."""

    rule: Rule
    item_rows: NDArray[np.int64]
    place: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `most` of the items that have one value.

    Parameters
    ----------
    values_of
        Item row → the values it counts for; an item that is not there counts for none.
    """

    rule: Rule
    most: int
    values_of: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """That a rule holds for an item of a list; `strength` is that of a boost, below 0 of a bury."""

    rule: Rule
    strength: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the rules in force say of one list.

    Parameters
    ----------
    allowed_I
        Which items may be listed. Read-only.
    boosts_I
        What each item gains, in spans of the scores (best minus middle), −3 to 3; None where nothing does.
    pins
        The first to be served first.
    on_items
        Rules of which an item's reason speaks (require, boost, bury), and the items that each names, (I,).
    in_force
        Every rule whose condition holds.
    tag
        Equal tags, equal rulings on the same items.
    """

    allowed_I: NDArray[np.bool_]
    boosts_I: Vector | None = None
    pins: tuple[Pin, ...] = ()
    caps: tuple[Cap, ...] = ()
    on_items: tuple[tuple[Applied, NDArray[np.bool_]], ...] = ()
    in_force: tuple[Rule, ...] = ()
    tag: str = ""

    def on(self, item_row: int) -> tuple[Applied, ...]:
        """Return the rules that hold for one item, beside its pin."""
        return tuple(applied for applied, names_I in self.on_items if names_I[item_row])


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A rule that does not do what its author may think.

    Parameters
    ----------
    kind
        unknown: it names something that the catalogue lacks; dead: it can never do anything; conflict:
        another rule undoes it; unordered: only its place in the file decides between it and another.
    other
        The rule that it is in conflict with.
    text_zh
        `text` in Chinese.
    """

    kind: Literal["unknown", "dead", "conflict", "unordered"]
    rule: str
    line: int
    text: str
    text_zh: str
    other: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        return {
            "kind": self.kind,
            "rule": self.rule,
            "line": self.line,
            "other": self.other,
            "text": self.text,
            "text_zh": self.text_zh,
        }

    def said(self, language: str) -> str:
        """Return it in a language."""
        return self.text_zh if language == "zh" else self.text
