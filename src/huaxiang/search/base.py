"""What a search takes, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from huaxiang.encoders.base import ImageInput
from huaxiang.errors import InputError
from huaxiang.notes import Note
from huaxiang.records import Ranked
from huaxiang.search.filters import NOTHING_FILTERED, Filters

Sort = Literal["relevance", "price", "-price", "newest", "popular"]
MOST_LISTED = 1_000
"""Places of a result, counted from its top, that can be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for.

    Parameters
    ----------
    text, image
        Words, a photo, or both.
    k, offset
        How many are listed, and after how many; together at most 1,000.
    strength
        How far the shopper's profile moves items; None is the setting of the shop.
    verbatim
        Whether the words are searched exactly as they are written, without corrections.
    explain
        Whether each item says why it is there.
    channel
        web, app, … as the shop's rules call it.
    """

    text: str | None = None
    image: ImageInput = None
    filters: Filters = NOTHING_FILTERED
    sort: Sort = "relevance"
    k: int = 10
    offset: int = 0
    strength: float | None = None
    verbatim: bool = False
    language: str = "en"
    explain: bool = True
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.sort not in get_args(Sort):
            remedy = f"choose one of {', '.join(get_args(Sort))}"
            raise InputError("no such order", column="sort", value=str(self.sort)[:40], remedy=remedy)
        if self.k < 1 or self.offset < 0 or self.k + self.offset > MOST_LISTED:
            remedy = f"k is at least 1, offset at least 0, both together at most {MOST_LISTED}"
            raise InputError("no such page", column="k", value=f"{self.k} + {self.offset}", remedy=remedy)
        if self.strength is not None and not 0 <= self.strength <= 10:
            remedy = "give 0 (the same for everybody) to 10"
            raise InputError("out of range", column="strength", value=str(self.strength), remedy=remedy)
        if self.text is None and self.image is None:
            raise InputError("nothing is searched for", column="q", remedy="give words, a photo, or both")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue:
    """A value that the query names; `use` is what became of it."""

    dimension: str
    value: str
    label: str
    use: Literal["preferred", "refused"]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadQuery:
    """How the query was read, so that a page can show and undo it.

    Parameters
    ----------
    text, searched
        As it was asked, and as it was searched; the spans of values point into the latter.
    did_you_mean
        Another query that the shopper may have meant.
    min_minor, max_minor
        The prices it names, in minor units.
    """

    text: str
    searched: str
    did_you_mean: str | None = None
    values: tuple[NamedValue, ...] = ()
    min_minor: int | None = None
    max_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetCount:
    """How many of the items found have a value."""

    dimension: str
    value: str
    label: str
    n_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """One page of what was found.

    Parameters
    ----------
    query
        None where only a photo was searched with.
    n_found
        Products found, of which the page lists some.
    is_personal
        Whether a profile had a part in the order.
    """

    shopper_id: str | None
    model: str
    slate_id: str
    query: ReadQuery | None
    n_found: int
    items: tuple[Ranked, ...]
    facets: tuple[FacetCount, ...] = ()
    is_personal: bool = False
    degraded: tuple[Note, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        """Return the stable JSON object of `huaxiang search --json`."""
        return {
            "shopper_id": self.shopper_id,
            "model": self.model,
            "slate_id": self.slate_id,
            "query": None if self.query is None else _query_json(self.query),
            "n_found": self.n_found,
            "items": [one.as_json() for one in self.items],
            "facets": _facets_json(self.facets),
            "is_personal": self.is_personal,
            "degraded": list(self.degraded),
        }


def _query_json(query: ReadQuery) -> dict[str, object]:
    values = [
        {
            "dimension": one.dimension,
            "value": one.value,
            "label": one.label,
            "use": one.use,
            "start": one.start,
            "end": one.end,
        }
        for one in query.values
    ]
    return {
        "text": query.text,
        "searched": query.searched,
        "did_you_mean": query.did_you_mean,
        "values": values,
        "price_min_minor": query.min_minor,
        "price_max_minor": query.max_minor,
    }


def _facets_json(facets: tuple[FacetCount, ...]) -> list[dict[str, object]]:
    """Return the counts by dimension, in the order in which they came."""
    by_dimension: dict[str, list[dict[str, object]]] = {}
    for one in facets:
        row = {"value": one.value, "label": one.label, "n_items": one.n_items}
        by_dimension.setdefault(one.dimension, []).append(row)
    return [{"dimension": name, "values": values} for name, values in by_dimension.items()]
