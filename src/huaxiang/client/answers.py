"""What the service answers, as records; and its problems, as errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
import orjson

from huaxiang.errors import (
    ConflictError,
    NotAcceptedError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    UnavailableError,
)
from huaxiang.records import Item, Ranked, Reason, Slate, Text

_ERRORS: Mapping[int, type[ServiceError]] = {
    400: NotAcceptedError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    405: NotAcceptedError,
    409: ConflictError,
    412: ConflictError,
    413: NotAcceptedError,
    415: NotAcceptedError,
    422: NotAcceptedError,
    429: UnavailableError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why one event was not taken. `index` counts from the first event that was sent."""

    index: int
    event_id: str | None
    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of events.

    Parameters
    ----------
    accepted
        New, durable, and known to every later answer.
    duplicates
        There already.
    position
        Newest position in the log among them; None where none was taken.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: tuple[Refused, ...] = ()
    position: int | None = None

    @property
    def n_events(self) -> int:
        """How many events were sent."""
        return self.accepted + self.duplicates + len(self.rejected)

    def then(self, later: Sent) -> Sent:
        """Return the sum of this and what was sent after it.

        Examples
        --------
        >>> first = Sent(accepted=2, position=7)
        >>> why = Refused(index=0, event_id="e", field="type", code="unknown_type", message="not known")
        >>> both = first.then(Sent(rejected=(why,)))
        >>> both.n_events, both.rejected[0].index, both.position
        (3, 2, 7)
        """
        behind = tuple(replace(one, index=one.index + self.n_events) for one in later.rejected)
        return Sent(
            accepted=self.accepted + later.accepted,
            duplicates=self.duplicates + later.duplicates,
            rejected=self.rejected + behind,
            position=later.position if self.position is None else max(self.position, later.position or 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedItem:
    """Why one change of an item, or one photo of it, was not taken. `index` counts from the first sent."""

    index: int
    item_id: str | None
    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsSent:
    """What became of changes of items.

    Parameters
    ----------
    accepted
        Durable; events may name the items, and lists have them within a second.
    degraded
        Photos that could not be had: their items were taken without them.
    change
        Number of the newest change of the shop's items.
    """

    accepted: int = 0
    rejected: tuple[RefusedItem, ...] = ()
    degraded: tuple[RefusedItem, ...] = ()
    change: int = 0

    def then(self, later: ItemsSent) -> ItemsSent:
        """Return the sum of this and what was sent after it.

        Examples
        --------
        >>> why = RefusedItem(index=0, item_id="a", field="prise", code="unknown_field", message="not known")
        >>> both = ItemsSent(accepted=2).then(ItemsSent(rejected=(why,), change=7))
        >>> both.rejected[0].index, both.change
        (2, 7)
        """
        n_before = self.accepted + len(self.rejected)
        rejected, degraded = (
            tuple(replace(one, index=one.index + n_before) for one in found)
            for found in (later.rejected, later.degraded)
        )
        return ItemsSent(
            accepted=self.accepted + later.accepted,
            rejected=self.rejected + rejected,
            degraded=self.degraded + degraded,
            change=max(self.change, later.change),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptItem:
    """An item as the service keeps it.

    Parameters
    ----------
    inferred
        Dimension → what was read from its words, photo and nearest items: value and confidence.
    is_listed
        It is in stock, not deleted, and in the catalogue of the process that answered.
    change, is_served
        Number of its newest change, and whether lists have that change already.
    """

    item: Item
    inferred: Mapping[str, tuple[tuple[str, float], ...]]
    is_deleted: bool
    is_listed: bool
    change: int
    is_served: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperProfile:
    """A profile as the service shows it.

    Parameters
    ----------
    content
        The JSON object: facets, interests, intent, activity, portrait, consent, version, degraded.
    etag
        Names what it was made from; `correct(…, if_match=etag)` is refused if that has changed.
    """

    shopper_id: str | None
    n_events: int
    content: Mapping[str, Any] = field(repr=False)
    etag: str = ""

    def facets(self, dimension: str) -> tuple[Mapping[str, Any], ...]:
        """Return the facets of one dimension, as `category` or `brand`."""
        return tuple(facet for facet in self.content["facets"] if facet["dimension"] == dimension)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased of a person: the service can check that it gave this receipt."""

    content: Mapping[str, Any]


def checked(answer: httpx.Response) -> httpx.Response:
    """Return the answer.

    Raises
    ------
    ServiceError
        It is a refusal or a failure; the class says which.
    """
    if answer.is_success:
        return answer
    raise problem_of(answer)


def problem_of(answer: httpx.Response) -> ServiceError:
    """Return the error that an answer tells of, from its problem+json where it has one."""
    said = _said(answer)
    kind = _ERRORS.get(answer.status_code, ServiceError)
    return kind(
        _text(said.get("title")) or f"the service answered {answer.status_code}",
        status=answer.status_code,
        code=_text(said.get("code")) or f"http_{answer.status_code}",
        column=_text(said.get("field")),
        value=_text(said.get("value")),
        remedy=_text(said.get("remedy")),
    )


def _said(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        said = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None


def json_of(answer: httpx.Response) -> Any:
    """Return the JSON of a good answer.

    Raises
    ------
    ServiceError
        It is none, or the answer is a refusal.
    """
    content = checked(answer).content
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        remedy = "check that the address is that of the service"
        raise ServiceError("the answer is no JSON", status=answer.status_code, remedy=remedy) from error


def _said_of_batch(answer: httpx.Response) -> Mapping[str, Any]:
    said = _said(answer)
    if not (answer.is_success or (answer.status_code == 422 and "rejected" in said)):
        raise problem_of(answer)
    if "accepted" not in said:
        remedy = "check that the address is that of the service"
        raise ServiceError("the answer is not of the service", status=answer.status_code, remedy=remedy)
    return said


def sent_of(answer: httpx.Response) -> Sent:
    """Return what became of a batch; that all were refused is an answer, too."""
    said = _said_of_batch(answer)
    known = ("index", "event_id", "field", "code", "message")
    return Sent(
        accepted=said["accepted"],
        duplicates=said["duplicates"],
        rejected=tuple(Refused(**{name: one.get(name) for name in known}) for one in said["rejected"]),
        position=said["position"] if said["accepted"] or said["duplicates"] else None,
    )


def items_sent_of(answer: httpx.Response) -> ItemsSent:
    """Return what became of a batch of items; that all were refused is an answer, too."""
    said = _said_of_batch(answer)
    known = ("index", "item_id", "field", "code", "message")
    rejected, degraded = (
        tuple(RefusedItem(**{name: one.get(name) for name in known}) for one in said[part])
        for part in ("rejected", "degraded")
    )
    return ItemsSent(
        accepted=said["accepted"], rejected=rejected, degraded=degraded, change=int(said["change"])
    )


def kept_item_of(answer: httpx.Response) -> KeptItem:
    """Return an item as the service keeps it."""
    said = json_of(answer)
    inferred = {
        dimension: tuple((one["value"], one["confidence"]) for one in values)
        for dimension, values in said["inferred"].items()
    }
    flags = {name: said[name] for name in ("is_deleted", "is_listed", "change", "is_served")}
    return KeptItem(item=_item(said["item"]), inferred=inferred, **flags)


def _item(said: Mapping[str, Any]) -> Item:
    valid_from = said.get("valid_from")
    return Item(
        item_id=said["item_id"],
        group_id=said.get("group_id"),
        texts={code: Text(**words) for code, words in said.get("texts", {}).items()},
        category=tuple(said.get("category", ())),
        brand=said.get("brand"),
        price_minor=said.get("price_minor"),
        currency=said.get("currency"),
        attributes={name: tuple(values) for name, values in said.get("attributes", {}).items()},
        images=tuple(said.get("images", ())),
        in_stock=said.get("in_stock", True),
        valid_from=None if valid_from is None else datetime.fromisoformat(valid_from),
    )


def profile_of(answer: httpx.Response) -> ShopperProfile:
    """Return a profile with its tag."""
    said = json_of(answer)
    return ShopperProfile(
        shopper_id=said["shopper_id"],
        n_events=said["n_events"],
        content=said,
        etag=answer.headers.get("etag", ""),
    )


def slate_of(answer: httpx.Response) -> Slate:
    """Return a list as the record that a model in this process gives."""
    said = json_of(answer)
    return Slate(
        shopper_id=said["shopper_id"],
        model=said["model"],
        slate_id=said["slate_id"],
        items=tuple(_ranked(item) for item in said["items"]),
        of=said.get("of", "item"),
        degraded=tuple(said["degraded"]),
    )


def _ranked(said: Mapping[str, Any]) -> Ranked:
    names = ("rank", "item_id", "title", "score", "propensity")
    reasons = tuple(_reason(reason) for reason in said.get("reasons", ()))
    return Ranked(**{name: said[name] for name in names}, reasons=reasons)


def _reason(said: Mapping[str, Any]) -> Reason:
    names = ("kind", "text", "event_id", "item_id", "type", "contribution")
    return Reason(**{name: said[name] for name in names if name in said})
