"""The nouns of the shop: what every stage takes and returns.

An `Item` is sold, an `Event` is something a shopper did or said, a `Profile` is what the events show,
and a `Slate` is a list made from a profile. Everything here is plain, free of arithmetic and frozen, an event
for type checkers only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from huaxiang.notes import Note

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

Side = Literal["liked", "disliked"]
Source = Literal["stated", "inferred", "corrected"]

DEFAULT_SHOP = "default"
_PLAIN = frozenset((str, int, bool, type(None)))
"""What JSON takes as it is."""


class EventType(StrEnum):
    """What a shopper did. GA4's e-commerce names, then ours; the order is stored and never changes."""

    VIEW_ITEM_LIST = "view_item_list"
    SELECT_ITEM = "select_item"
    VIEW_ITEM = "view_item"
    SEARCH = "search"
    ADD_TO_CART = "add_to_cart"
    REMOVE_FROM_CART = "remove_from_cart"
    ADD_TO_WISHLIST = "add_to_wishlist"
    BEGIN_CHECKOUT = "begin_checkout"
    PURCHASE = "purchase"
    REFUND = "refund"
    REVIEW = "review"
    RATE = "rate"
    DISLIKE = "dislike"
    STATE = "state"
    CORRECT = "correct"
    CONSENT = "consent"
    ALIAS = "alias"

    @property
    def code(self) -> int:
        """The number stored for this type, 0 to 16."""
        return _CODES[self]


EVENT_TYPES: tuple[EventType, ...] = tuple(EventType)
_CODES = {kind: code for code, kind in enumerate(EventType)}

STRONG_TYPES = frozenset(
    {
        EventType.PURCHASE,
        EventType.REFUND,
        EventType.REVIEW,
        EventType.RATE,
        EventType.ADD_TO_WISHLIST,
        EventType.DISLIKE,
        EventType.STATE,
        EventType.CORRECT,
    }
)
LIGHT_TYPES = frozenset(
    {
        EventType.VIEW_ITEM,
        EventType.SELECT_ITEM,
        EventType.ADD_TO_CART,
        EventType.REMOVE_FROM_CART,
        EventType.SEARCH,
        EventType.BEGIN_CHECKOUT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An item's words in one language."""

    title: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something the shop sells."""

    item_id: str
    group_id: str | None = None
    texts: Mapping[str, Text] = field(default_factory=dict)
    category: tuple[str, ...] = ()
    brand: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    in_stock: bool = True
    valid_from: datetime | None = None

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `POST /v1/items` takes for the whole item; what isn't said is left out.

        Examples
        --------
        >>> Item(item_id="mug", texts={"en": Text(title="Blue mug")}, brand="Acme").as_json()
        {'item_id': 'mug', 'texts': {'en': {'title': 'Blue mug'}}, 'brand': 'Acme', 'in_stock': True}
        """
        said: dict[str, object] = {
            "item_id": self.item_id,
            "group_id": self.group_id if self.group_id != self.item_id else None,
            "texts": {code: _said(text) for code, text in self.texts.items()},
            "category": list(self.category),
            "brand": self.brand,
            "price_minor": self.price_minor,
            "currency": None if self.price_minor is None else self.currency,
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "images": list(self.images),
            "in_stock": self.in_stock,
            "valid_from": _json_value(self.valid_from),
        }
        return {name: value for name, value in said.items() if value not in (None, [], {})}


def _said(text: Text) -> dict[str, str]:
    return {"title": text.title} | ({"description": text.description} if text.description else {})


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an event was worth: a rating of 1 to 5, a quantity, a unit price."""

    quantity: float = 1.0
    price_minor: int | None = None
    currency: str | None = None
    rating: float | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something a shopper did or said, once.

    Parameters
    ----------
    item_id, query, text, image
        What it is about: exactly one of them, none for `begin_checkout`, `consent` and `alias`;
        a `review` may have both an item and a text.
    occurred_at
        UTC and timezone-aware; None in shops that only know an order.
    utc_offset_minutes
        The shopper's clock minus UTC.
    context
        channel, device, placement, slate_id, position, propensity; for `correct` also
        dimension, value and side ("liked", "disliked" or "withdrawn");
        for `refund` reason ("not_as_described").
    """

    event_id: str
    shopper_id: str
    type: EventType
    occurred_at: datetime | None = None
    received_at: datetime | None = None
    item_id: str | None = None
    query: str | None = None
    text: str | None = None
    image: str | None = None
    value: Value = Value()
    session_id: str | None = None
    order_id: str | None = None
    utc_offset_minutes: int = 0
    context: Mapping[str, Any] = msgspec.field(default_factory=dict)
    shop_id: str = DEFAULT_SHOP
    position: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `POST /v1/events` takes; what isn't said is left out.

        The time is the shopper's own, with its offset. Shop, position and moment of receipt are the log's.

        Examples
        --------
        >>> Event(event_id="1", shopper_id="s-17", type=EventType.SEARCH, query="red dress").as_json()
        {'event_id': '1', 'shopper_id': 's-17', 'type': 'search', 'query': 'red dress'}
        """
        said: dict[str, object] = {"event_id": self.event_id, "shopper_id": self.shopper_id}
        said["type"] = self.type.value
        for name in ("item_id", "query", "text", "image", "session_id", "order_id"):
            if (words := getattr(self, name)) is not None:
                said[name] = words
        if self.occurred_at is not None:
            said["occurred_at"] = _on_the_clock(self.occurred_at, self.utc_offset_minutes)
        if self.value != _NO_VALUE:
            worth = msgspec.structs.asdict(self.value)
            said["value"] = {name: number for name, number in worth.items() if number is not None}
        if self.context:
            said["context"] = dict(self.context)
        return said


_NO_VALUE = Value()


def _on_the_clock(moment: datetime, utc_offset_minutes: int) -> str:
    clock = timezone(timedelta(minutes=utc_offset_minutes)) if utc_offset_minutes else UTC
    return moment.astimezone(clock).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """Who it is: stated traits, joined ids, and what may be done with the profile."""

    shopper_id: str
    traits: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    consent: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a claim comes from: an event of the log, a span of a described text, or a described photo."""

    event_id: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None
    image: str | None = None

    def as_json(self) -> str | dict[str, object]:
        """Return the event id alone, or the span or the photo as an object."""
        if self.event_id is not None:
            return self.event_id
        if self.image is not None:
            return {"image": self.image}
        return {"text": self.text, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One value of one dimension that the shopper likes or dislikes.

    `share` is 0 to 1, `lift` is over the population (1 is average), `confidence` is 0 to 1.
    """

    dimension: str
    value: str
    side: Side
    share: float
    lift: float
    confidence: float
    half_life_days: float | None
    last_seen: datetime | None
    source: Source
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """One of up to five directions in the shopper's events; `vector` has unit length.

    `name` and `title` (of the most typical item) are in the shop's first language, `names` and `titles` in
    each language that the portrait speaks; without an item there is no title.
    """

    name: str
    weight: float
    item_id: str | None
    title: str | None
    evidence: tuple[Evidence, ...]
    names: Mapping[str, str]
    titles: Mapping[str, str]
    vector: Vector = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the current session is about; `stage` is browsing, comparing, deciding or buying."""

    stage: str
    started_at: datetime | None
    n_events: int
    queries: tuple[str, ...]
    focus: tuple[tuple[str, str, float], ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """How recently, how often and for how much; times are None where the shop knows only an order."""

    first_seen: datetime | None
    last_seen: datetime | None
    recency_days: float | None
    n_orders: int
    n_units: int
    spend_minor: int
    currency: str | None
    lifecycle: str
    active_hours: tuple[int, ...]
    channels: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of the portrait and what it rests on."""

    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which log position, model and catalogue a profile was derived from."""

    position: int
    model: str
    catalogue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything the events show about one shopper, derived as of one moment.

    `state` is what the profile was derived from: the recommender reads it and nothing else.
    It is opaque here, so that this file stays at the bottom of the house.
    """

    shopper_id: str | None
    as_of: datetime | None
    version: Version
    n_events: int
    facets: tuple[Facet, ...]
    interests: tuple[Interest, ...]
    intent: Intent | None
    activity: Activity | None
    portrait: Mapping[str, tuple[Sentence, ...]]
    vector: Vector = field(repr=False, compare=False)
    consent: Mapping[str, bool] = field(default_factory=dict)
    degraded: tuple[Note, ...] = ()
    state: Any = field(default=None, repr=False, compare=False)

    def as_json(self, *, vector: bool = False) -> dict[str, object]:
        """Return the stable JSON object of `huaxiang profile --json`."""
        shown: dict[str, object] = {
            "shopper_id": self.shopper_id,
            "as_of": _json_value(self.as_of),
            "version": asdict(self.version),
            "n_events": self.n_events,
            "facets": [_json_value(facet) for facet in self.facets],
            "interests": [_json_object(interest, but="vector") for interest in self.interests],
            "intent": _json_value(self.intent),
            "activity": _json_value(self.activity),
            "portrait": {language: _json_value(list(said)) for language, said in self.portrait.items()},
            "consent": dict(self.consent),
            "degraded": list(self.degraded),
        }
        if vector:
            shown["vector"] = [round(float(x), 6) for x in self.vector]
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an item is listed. `contribution` is in the units of the ranked item's score.

    `relation` says how the listed item stands to `item_id`: complement, substitute, or None where neither.
    `rule` is the name of the shop's rule that it speaks of; then `type` is what that rule does.
    """

    kind: Literal["personal", "impersonal", "rule"]
    text: str
    event_id: str | None = None
    item_id: str | None = None
    type: str | None = None
    contribution: float = 0.0
    relation: str | None = None
    rule: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as a list shows it; written out, for a list has dozens of them."""
        shown: dict[str, object] = {
            "kind": self.kind,
            "text": self.text,
            "event_id": self.event_id,
            "item_id": self.item_id,
            "type": self.type,
            "contribution": round(self.contribution, 6),
        }
        if self.relation is not None:
            shown["relation"] = self.relation
        if self.rule is not None:
            shown["rule"] = self.rule
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One listed item, or one listed brand, category or price band (then `item_id` is its value).

    `propensity` is the chance with which the policy put it at its place; None where nothing was drawn. What a
    rule of the shop `is_pinned` at its place is never drawn.
    """

    rank: int
    item_id: str
    title: str
    score: float
    propensity: float | None
    reasons: tuple[Reason, ...] = ()
    is_pinned: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """What its reasons say, each once: several events may be told in the same words.

        Examples
        --------
        >>> seen = Reason(kind="personal", text="Because you looked at it")
        >>> Ranked(rank=1, item_id="i", title="", score=1, propensity=None, reasons=(seen, seen)).said
        ('Because you looked at it',)
        """
        return tuple(dict.fromkeys(reason.text for reason in self.reasons))

    def as_json(self) -> dict[str, object]:
        """Return it as a list shows it."""
        return {
            "rank": self.rank,
            "item_id": self.item_id,
            "title": self.title,
            "score": round(self.score, 6),
            "propensity": None if self.propensity is None else round(self.propensity, 6),
            "reasons": [reason.as_json() for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Slate:
    """One list shown to one shopper."""

    shopper_id: str | None
    model: str
    slate_id: str
    items: tuple[Ranked, ...]
    of: str = "item"
    degraded: tuple[Note, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the stable JSON object of `huaxiang recommend --json`."""
        return {
            "shopper_id": self.shopper_id,
            "model": self.model,
            "slate_id": self.slate_id,
            "of": self.of,
            "items": [ranked.as_json() for ranked in self.items],
            "degraded": list(self.degraded),
        }


def _json_value(value: Any) -> Any:
    """Return `value` as JSON knows it: records as objects, times as ISO 8601, evidence as ids."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return round(value, 6)
    if kind is tuple:
        return [_json_value(inner) for inner in value]
    if kind is Evidence:
        return value.as_json()
    if hasattr(kind, "__dataclass_fields__"):
        return _json_object(value)
    return _other_json_value(value)


def _json_object(record: Any, *, but: str | None = None) -> dict[str, Any]:
    names = [name for name in record.__dataclass_fields__ if name != but]
    return {name: _json_value(getattr(record, name)) for name in names}


def _other_json_value(value: Any) -> Any:
    """Return what is met seldom: these checks take long."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, np.ndarray):
        return [float(x) for x in value]
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {str(key): _json_value(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json_value(inner) for inner in value]
    return value
