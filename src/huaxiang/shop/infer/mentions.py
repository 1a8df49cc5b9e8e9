"""Values that an item's own words name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from huaxiang.shop.infer.base import Claim
from huaxiang.shop.lexicon import Lexicon, Mention

_TAIL = re.compile(
    r"\b(?:with|w/|for|in|on|from|by|and|&|inc|incl)\b|[,(/]| - |，|（"
    r"|\b\d+(?:\.\d+)?[\s-]*(?:oz|ounces?|fl|fluid|ml|g|kg|lb|count|inch|pack|cm|mm|wick)\b",
    re.IGNORECASE,
)
_OF = re.compile(
    r"^.*?\b(?:set|pack|box|bag|tin|pair|roll|case|packet|bunch|jar)\s*(?:/|of)\s*(?:\d+\s*)?", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class ItemWords:
    """One item's texts in one language."""

    item_row: int
    title: str
    description: str


def mention_claims(
    words: Sequence[ItemWords],
    lexicon: Lexicon,
    dimensions: Sequence[str],
    *,
    in_title: float,
    in_description: float,
) -> Iterator[Claim]:
    """Claim every value that the title names, else the first of a dimension that the description names.

    Parameters
    ----------
    in_title, in_description
        How sure a claim from there is, 0 to 1; 0 leaves it out.
    """
    for item in words:
        in_titles = lexicon.find(item.title)
        said = {said.dimension for said in in_titles}
        is_told = in_description and item.description and not said.issuperset(dimensions)
        in_descriptions = lexicon.find(item.description) if is_told else ()
        for dimension in dimensions:
            if dimension in said:
                named = (one.value for one in in_titles if one.dimension == dimension)
                yield from (
                    Claim(item.item_row, dimension, value, in_title) for value in dict.fromkeys(named)
                )
            else:
                first = next((one.value for one in in_descriptions if one.dimension == dimension), None)
                if first is not None:
                    yield Claim(item.item_row, dimension, first, in_description)


def thing_named(title: str, lexicon: Lexicon) -> str | None:
    """Return the category that a title's head noun names: the last one before "with", "for", a comma ….

    Examples
    --------
    >>> from huaxiang.shop.lexicon import load_lexicon
    >>> titles = ["SET OF 6 T-LIGHTS", "Coffee mug with spoon, in box", "HEART OF WICKER", "红色咖啡杯子"]
    >>> [thing_named(title, load_lexicon()) for title in titles]
    ['candle', 'mug', None, 'mug']
    """
    start = _start_of_thing(title)
    tail = _TAIL.search(title, start + 1)
    head = title[start : tail.start()] if tail else title[start:]
    named = [said for said in lexicon.find(head) if said.dimension == "category"]
    return _nearest_to_end(named).value if named else None


def _start_of_thing(title: str) -> int:
    of = _OF.match(title)
    return of.end() if of and of.end() < len(title) else 0


def _nearest_to_end(named: Sequence[Mention]) -> Mention:
    return max(named, key=lambda said: said.end)
