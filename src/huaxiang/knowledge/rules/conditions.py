"""Under what a rule holds: read from the file, and asked of the circumstances of one list."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from huaxiang.knowledge.rules import fields
from huaxiang.knowledge.rules.base import Circumstances, Test
from huaxiang.knowledge.rules.yaml_tree import Node
from huaxiang.records import Facet, Profile

PLACEMENTS = ("home", "item", "cart", "similar", "search")
LANGUAGES = ("en", "zh")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LIFECYCLES = ("new", "active", "loyal", "at_risk", "lapsed", "unknown")
CONDITIONS = ("placement", "channel", "language", "query", "time", "profile", "any", "all", "not")
"""Fields of `when`; several of them must all hold, of several values of one any does."""
_OF_QUERY = ("is", "has")
_OF_TIME = ("from", "until", "weekdays", "hours")
_OF_PROFILE = (
    "known",
    "likes",
    "dislikes",
    "stated",
    "least_confidence",
    "lifecycle",
    "orders",
    "last_seen_days",
)
_UNSAID = frozenset({"likes", "dislikes", "lifecycle", "orders", "last_seen_days"})
_OF_TIMES = frozenset({"from", "until", "weekdays", "hours"})
DAY_S = 86_400.0


def read_condition(node: Node, clock: tzinfo) -> Test:
    """Return what a condition says; several in a list are any of them."""
    if isinstance(node.value, list):
        parts = tuple(read_condition(inner, clock) for inner in node.value)
        if not parts:
            raise node.wrong("an empty list", remedy="name conditions, or leave the field out for always")
        return Test(kind="any", parts=parts, line=node.line)
    given = fields.mapping(node, CONDITIONS)
    parts = tuple(part for name, inner in given.items() for part in _read(name, inner, clock))
    return parts[0] if len(parts) == 1 else Test(kind="all", parts=parts, line=node.line)


def _read(name: str, node: Node, clock: tzinfo) -> Iterator[Test]:  # noqa: C901 - one question after another
    if name in ("any", "all"):
        if not isinstance(node.value, list) or not node.value:
            raise node.wrong("this should be a list of conditions", remedy=f"write {name}: [ … ]")
        parts = tuple(read_condition(inner, clock) for inner in node.value)
        yield Test(kind=name, parts=parts, line=node.line)
    elif name == "not":
        yield Test(kind="not", parts=(read_condition(node, clock),), line=node.line)
    elif name == "placement":
        yield Test(kind=name, values=fields.choices(node, PLACEMENTS), line=node.line)
    elif name == "language":
        yield Test(kind=name, values=fields.choices(node, LANGUAGES), line=node.line)
    elif name == "channel":
        yield Test(kind=name, values=tuple(map(_plain, fields.texts(node))), line=node.line)
    elif name == "query":
        yield from _query(node)
    elif name == "time":
        yield from _time(node, clock)
    else:
        yield from _profile(node)


def _query(node: Node) -> Iterator[Test]:
    given = fields.mapping(node, _OF_QUERY) if isinstance(node.value, dict) else {"has": node}
    for name, inner in given.items():
        yield Test(kind=f"query_{name}", values=tuple(map(_words, fields.texts(inner))), line=inner.line)


def _time(node: Node, clock: tzinfo) -> Iterator[Test]:
    given = fields.mapping(node, _OF_TIME)
    ends: dict[str, float] = {}
    for name, inner in given.items():
        if name == "weekdays":
            chosen = fields.choices(inner, WEEKDAYS)
            yield Test(kind=name, values=chosen, line=inner.line)
        elif name == "hours":
            spans = tuple(_hours(inner, span) for span in fields.texts(inner))
            yield Test(kind=name, values=spans, line=inner.line)
        else:
            ends[name] = _moment(inner, clock, is_end=name == "until")
    if "from" in ends and "until" in ends and ends["from"] >= ends["until"]:
        raise node.wrong("the end is not after the start", remedy="exchange from and until")
    if ends:
        yield Test(kind="dates", low=ends.get("from"), high=ends.get("until"), line=node.line)


def _moment(node: Node, clock: tzinfo, *, is_end: bool) -> float:
    """Return seconds since 1970; a day alone begins at midnight of the shop, and as an end, ends there."""
    written = fields.text(node)
    try:
        if len(written) == len("2026-01-31"):
            day = date.fromisoformat(written) + timedelta(days=int(is_end))
            return datetime.combine(day, time(), tzinfo=clock).timestamp()
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=clock)).timestamp()
    except (ValueError, OverflowError):
        remedy = "write 2026-11-11 or 2026-11-11T20:00"
        raise node.wrong("not a day or a time", value=written, remedy=remedy) from None


def _hours(node: Node, written: str) -> str:
    start, dash, end = written.partition("-")
    try:
        if not dash:
            raise ValueError
        minutes = _minutes(start), _minutes(end)
    except ValueError:
        remedy = "write hours as 18:00-22:00; 22:00-02:00 goes over midnight"
        raise node.wrong("not hours of a day", value=written, remedy=remedy) from None
    if minutes[0] == minutes[1]:
        raise node.wrong("hours that never hold", value=written, remedy="leave hours out for all day")
    return f"{minutes[0]}-{minutes[1]}"


def _minutes(written: str) -> int:
    """Return the minutes since midnight.

    Examples
    --------
    >>> _minutes("18:30"), _minutes("24"), _minutes("7")
    (1110, 1440, 420)
    """
    hours, _, minutes = written.strip().partition(":")
    found = int(hours) * 60 + int(minutes or 0)
    if not (0 <= found <= 1440 and 0 <= int(minutes or 0) < 60):
        raise ValueError(written)
    return found


def _profile(node: Node) -> Iterator[Test]:
    given = fields.mapping(node, _OF_PROFILE)
    sure = fields.number(given["least_confidence"], low=0, high=1) if "least_confidence" in given else 0.0
    for name, inner in given.items():
        if name == "known":
            yield Test(kind=name, values=(str(fields.truth(inner)),), line=inner.line)
        elif name == "lifecycle":
            yield Test(kind=name, values=fields.choices(inner, LIFECYCLES), line=inner.line)
        elif name in ("orders", "last_seen_days"):
            low, high = fields.span(inner)
            yield Test(kind=name, low=low, high=high, line=inner.line)
        elif name != "least_confidence":
            yield from _facets(name, inner, sure)


def _facets(name: str, node: Node, sure: float) -> Iterator[Test]:
    if not isinstance(node.value, dict) or not node.value:
        raise node.wrong("this should name a dimension", remedy=f"write {name}: {{brand: Nike}}")
    for dimension, inner in node.value.items():
        values = tuple(map(_plain, fields.texts(inner)))
        yield Test(kind=name, dimension=dimension, values=values, low=sure, line=inner.line)


def reads_the_whole_profile(test: Test) -> bool:
    """Return whether a condition asks for more than what a shopper stated, which takes longer to derive."""
    return test.kind in _UNSAID or any(map(reads_the_whole_profile, test.parts))


def holds(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    """Return whether a condition holds."""
    if test.kind == "all":
        return all(holds(part, under, clock) for part in test.parts)
    if test.kind == "any":
        return any(holds(part, under, clock) for part in test.parts)
    if test.kind == "not":
        return not holds(test.parts[0], under, clock)
    return _LEAVES[test.kind](test, under, clock)


def _placement(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return under.placement in test.values


def _channel(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return under.channel is not None and _plain(under.channel) in test.values


def _language(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return under.language in test.values


def _query_is(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return under.query is not None and _words(under.query) in test.values


def _query_has(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    if under.query is None:
        return False
    asked = _words(under.query)
    return any(_is_in(words, asked) for words in test.values)


def _is_in(words: str, asked: str) -> bool:
    """Return whether words are said, whole ones where a script has spaces."""
    return (f" {words} " in f" {asked} ") if words.isascii() else words in asked


def _dates(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    if under.now is None:
        return False
    now_s = under.now.timestamp()
    return (test.low is None or now_s >= test.low) and (test.high is None or now_s < test.high)


def _weekdays(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return under.now is not None and WEEKDAYS[under.now.astimezone(clock).weekday()] in test.values


def _in_hours(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    if under.now is None:
        return False
    own = under.now.astimezone(clock)
    minute = own.hour * 60 + own.minute
    for span in test.values:
        start, end = map(int, span.split("-"))
        if start <= minute < end or (start > end and (minute >= start or minute < end)):
            return True
    return False


def _known(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    is_known = under.profile is not None and under.profile.n_events > 0
    return is_known == (test.values[0] == "True")


def _likes(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return any(facet.side == "liked" for facet in _meant(test, under.profile))


def _dislikes(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return any(facet.side == "disliked" for facet in _meant(test, under.profile))


def _stated(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    return any(facet.side == "liked" and facet.source != "inferred" for facet in _meant(test, under.profile))


def _meant(test: Test, profile: Profile | None) -> Iterator[Facet]:
    for facet in () if profile is None else profile.facets:
        if facet.dimension == test.dimension and facet.confidence >= (test.low or 0.0):
            if _plain(facet.value) in test.values:
                yield facet


def _lifecycle(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    activity = None if under.profile is None else under.profile.activity
    return activity is not None and activity.lifecycle in test.values


def _orders(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    activity = None if under.profile is None else under.profile.activity
    return activity is not None and _within(test, activity.n_orders)


def _last_seen(test: Test, under: Circumstances, clock: tzinfo) -> bool:
    activity = None if under.profile is None else under.profile.activity
    if activity is None or activity.last_seen is None or under.now is None:
        return False
    return _within(test, (under.now - activity.last_seen).total_seconds() / DAY_S)


def _within(test: Test, found: float) -> bool:
    return (test.low is None or found >= test.low) and (test.high is None or found <= test.high)


_LEAVES: Mapping[str, Callable[[Test, Circumstances, tzinfo], bool]] = {
    "placement": _placement,
    "channel": _channel,
    "language": _language,
    "query_is": _query_is,
    "query_has": _query_has,
    "dates": _dates,
    "weekdays": _weekdays,
    "hours": _in_hours,
    "known": _known,
    "likes": _likes,
    "dislikes": _dislikes,
    "stated": _stated,
    "lifecycle": _lifecycle,
    "orders": _orders,
    "last_seen_days": _last_seen,
}
OF_TIME = frozenset({"dates", "weekdays", "hours"})


def _plain(said: str) -> str:
    return unicodedata.normalize("NFKC", said).casefold().strip()


def _words(said: str) -> str:
    """Return words without case, marks and doubled spaces.

    Examples
    --------
    >>> _words("  Running-Shoes,  ＢＩＧ ")
    'running shoes big'
    """
    kept = "".join(letter if letter.isalnum() else " " for letter in _plain(said))
    return " ".join(kept.split())
