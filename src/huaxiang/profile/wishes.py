"""What a text asks for and what it refuses: values, prices, and the words that say so.

Refusals reach as far as the clause does: "no leather or wool" and 不要皮革和羊毛 refuse both,
"red but not blue" one. A thing refused for a quality ("no leather boots", 不要红色的裙子) refuses the quality
and leaves the thing alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from huaxiang.profile.acts import DISLIKED, LIKED
from huaxiang.profile.prices import PriceLimit, find_price_limit
from huaxiang.profile.words import Found, Words, lower

_REFUSAL = re.compile(
    r"\b(?:do(?:es)? ?n[o']?t (?:want|like|need|love|care for)|don'?t (?:want|like|need|love|wear|care for)|"
    r"dislikes?|hates?|avoid(?:ing)?|without|except(?: for)?|anything but|other than|rather than|instead of|"
    r"no longer|never|neither|nothing|not|no|non|isn'?t|can'?t stand|allergic to|tired of|sick of)\b"
    r"|不想要|不想买|不要|不喜欢|不爱|不需要|不接受|不考虑|不含|不带|不是|不能|不穿|不用|没有|讨厌|拒绝|避免|避开|除了|除去|别买|别给|别|非|过敏"
)
_NO_REFUSAL = re.compile(
    r"\b(?:not (?:too|very|so|that|overly)|not only|not just|no problem|no matter|not bad|"
    r"don'?t mind|doesn'?t matter|don'?t (?:dislike|hate))\b"
    r"|不是不喜欢|有没有|是不是|要不要|能不能|喜不喜欢|不要太|别太|不是很|不用太|不介意|不反感|不讨厌|不只是?|不仅|特别|别致|别的|没有关系|非常"
)
_CLAUSE_END = re.compile(
    r"[.;!?。；！？\n]|\bbut\b|\bhowever\b|\bthough\b|\b(?:i|we) (?:want|like|love|need|prefer)\b|"
    r"\bplease\b|\bjust\b"
    r"|但是?|可是|不过|而是|只要|只想|我要|我想|想要|喜欢|最好|希望"
)
_LIST = re.compile(
    r"\s*(?:,|，|、|/|\band\b|\bor\b|\bnor\b|和|或者?|与|及|跟|以及)*\s*(?:any |the |a |an |的)?\s*"
)
_OR = re.compile(r"\bn?or\b|或")
_ADJACENT = re.compile(r"[\s的\-]*")
_AFTERWARDS = re.compile(r"[\s-]free\b|的?\s*(?:以外|之外|就算了|不行|不要|不喜欢|过敏)")
_CONTRASTS = frozenset({"not", "isn't", "rather than", "instead of", "不是", "非"})
"""Refusals whose list a comma ends: "not blue, red"."""
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Wish:
    """Values that one span of a text asks for or refuses."""

    values: tuple[int, ...]
    side: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that a text asks for and refuses."""

    wishes: tuple[Wish, ...]
    limit: PriceLimit | None


def is_chinese(text: str) -> bool:
    """Return whether the text is to be answered in Chinese.

    Examples
    --------
    >>> is_chinese("我想要一双跑步鞋"), is_chinese("running shoes")
    (True, False)
    """
    return _CHINESE.search(text) is not None


def read_wishes(text: str, words: Words, *, things: frozenset[int], currency: str | None = None) -> Wishes:
    """Return what the text asks for and refuses.

    Parameters
    ----------
    words
        Finds values; see `Words`.
    things
        The values that are things (categories): a refused quality of a thing does not refuse the thing.
    currency
        The shop's; see `find_price_limit`.
    """
    limit = find_price_limit(text, currency=currency)
    found = [one for one in words.find(text) if limit is None or not _overlaps(one, limit)]
    refused = _refused(lower(text), found)
    kept = [
        Wish(one.values, DISLIKED if n in refused else LIKED, one.start, one.end)
        for n, one in enumerate(found)
        if not _is_spared(n, found, refused, text, things)
    ]
    return Wishes(tuple(kept), limit)


def _overlaps(found: Found, limit: PriceLimit) -> bool:
    return found.start < limit.end and limit.start < found.end


def _refused(text: str, found: list[Found]) -> set[int]:
    """Return which of the found spans the text refuses."""
    refused: set[int] = set()
    for cue in _cues(text, found):
        refused.update(_reach(cue, text, found))
    for n, one in enumerate(found):
        if _AFTERWARDS.match(text, one.end) and not _next_starts(n, one, text, found):
            refused.add(n)
    return refused


def _next_starts(n: int, one: Found, text: str, found: list[Found]) -> bool:
    """Whether the refusal right after this span is about the next one: 红色不要蓝色 is not."""
    match = _AFTERWARDS.match(text, one.end)
    return match is not None and n + 1 < len(found) and found[n + 1].start == match.end()


def _cues(text: str, found: list[Found]) -> Iterator[re.Match[str]]:
    harmless = [match.span() for match in _NO_REFUSAL.finditer(text)]
    for match in _REFUSAL.finditer(text):
        inside_harmless = any(start <= match.start() < end for start, end in harmless)
        inside_name = any(one.start <= match.start() < one.end for one in found)
        if not inside_harmless and not inside_name:
            yield match


def _reach(cue: re.Match[str], text: str, found: list[Found]) -> list[int]:
    """Return the spans after a cue that it refuses: the first of its clause, and the list this begins."""
    reached: list[int] = []
    at = cue.end()
    for n, one in enumerate(found):
        if one.start < cue.end():
            continue
        between = text[at : one.start]
        if reached and not _goes_on(between, found[reached[-1]], one, is_contrast=cue.group() in _CONTRASTS):
            break
        if not reached and (_CLAUSE_END.search(between) or _has_comma(between)):
            break
        reached.append(n)
        at = one.end
    return reached


def _has_comma(between: str) -> bool:
    return "," in between or "，" in between


def _goes_on(between: str, last: Found, one: Found, *, is_contrast: bool) -> bool:
    """Whether a refused list goes on: one noun phrase, "or", or "and" and commas between akin values."""
    if _ADJACENT.fullmatch(between):
        return True
    if not _LIST.fullmatch(between) or (is_contrast and _has_comma(between)):
        return False
    return bool(_OR.search(between)) or _are_akin(last, one) or "、" in between


def _are_akin(last: Found, one: Found) -> bool:
    return bool(set(last.kinds) & set(one.kinds))


def _is_spared(n: int, found: list[Found], refused: set[int], text: str, things: frozenset[int]) -> bool:
    """Whether a refused thing is only the bearer of the refused quality right before it."""
    if n not in refused or n == 0 or n - 1 not in refused or not things.issuperset(found[n].values):
        return False
    before = found[n - 1]
    return not things.issuperset(before.values) and bool(
        _ADJACENT.fullmatch(text[before.end : found[n].start])
    )
