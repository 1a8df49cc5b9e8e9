"""Reads a field of a rule as what it should be: text, number, choice, range; or says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from huaxiang.knowledge.rules.yaml_tree import Node

MOST_VALUES = 10_000
_LONGEST = 500
_PRIVATE = frozenset({"shopper_id", "shopper", "user_id", "email", "customer_id"})


def nearest(written: str, known: Collection[str]) -> str | None:
    """Return the known word that is most like one, None where there is no word at all.

    Examples
    --------
    >>> nearest("exclud", ["exclude", "require"])
    'exclude'
    """
    return next(iter(get_close_matches(written, sorted(known), n=1, cutoff=0.0)), None)


def mapping(node: Node, known: Collection[str]) -> Mapping[str, Node]:
    """Return the fields of a mapping, all of which are known."""
    if not isinstance(node.value, dict):
        raise node.wrong(
            "this should be a mapping", value=_shown(node), remedy=f"write {next(iter(known))}: …"
        )
    for name, inner in node.value.items():
        if name in _PRIVATE and name not in known:
            raise inner.wrong(
                "a rule may not read who a shopper is",
                value=name,
                remedy="ask for what the profile shows: likes, lifecycle, orders",
            )
        if name not in known:
            raise inner.wrong(
                "no such field",
                value=name,
                remedy=f"the nearest is {nearest(name, known)}; there are {', '.join(known)}",
            )
    return node.value


def text(node: Node) -> str:
    """Return a text that is not empty."""
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.wrong("this should be a text", value=_shown(node), remedy="write it after the colon")
    if len(node.value) > _LONGEST:
        raise node.wrong("the text is too long", value=node.value, remedy=f"at most {_LONGEST} characters")
    return node.value.strip()


def texts(node: Node) -> tuple[str, ...]:
    """Return one text, or a list of them, as a tuple without repeats."""
    if not isinstance(node.value, list):
        return (text(node),)
    if not node.value:
        raise node.wrong("an empty list", remedy="name at least one, or leave the field out")
    if len(node.value) > MOST_VALUES:
        raise node.wrong("too many values", value=str(len(node.value)), remedy=f"at most {MOST_VALUES}")
    return tuple(dict.fromkeys(text(inner) for inner in node.value))


def choices(node: Node, known: Collection[str]) -> tuple[str, ...]:
    """Return some of the known words."""
    chosen = texts(node)
    for one in chosen:
        if one not in known:
            remedy = f"the nearest is {nearest(one, known)}; there are {', '.join(known)}"
            raise node.wrong("no such value", value=one, remedy=remedy)
    return chosen


def truth(node: Node) -> bool:
    """Return true or false."""
    written = text(node).lower()
    if written not in ("true", "false"):
        raise node.wrong("neither true nor false", value=written, remedy="write true or false")
    return written == "true"


def number(node: Node, *, low: float | None = None, high: float | None = None) -> float:
    """Return a number, within bounds."""
    written = text(node)
    try:
        found = float(written)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise node.wrong("not a number", value=written, remedy="write a number such as 2 or 0.5")
    if (low is not None and found < low) or (high is not None and found > high):
        bounds = " and ".join(
            [f"at least {low:g}"] * (low is not None) + [f"at most {high:g}"] * (high is not None)
        )
        raise node.wrong("out of range", value=written, remedy=f"give {bounds}")
    return found


def whole(node: Node, *, low: int, high: int) -> int:
    """Return a whole number, within bounds."""
    found = number(node, low=low, high=high)
    if not found.is_integer():
        raise node.wrong("not a whole number", value=text(node), remedy="write a number such as 2")
    return int(found)


def span(node: Node) -> tuple[float | None, float | None]:
    """Return the ends of a range, at least one of which is given."""
    given = mapping(node, ("min", "max"))
    low, high = (number(given[end], low=0) if end in given else None for end in ("min", "max"))
    if low is None and high is None:
        raise node.wrong("a range without ends", remedy="write min, max, or both")
    if low is not None and high is not None and low > high:
        raise node.wrong("min is above max", value=f"{low:g} > {high:g}", remedy="exchange them")
    return low, high


def _shown(node: Node) -> str:
    if isinstance(node.value, str):
        return node.value
    return "a list" if isinstance(node.value, list) else "a mapping"
