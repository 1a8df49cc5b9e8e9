"""What each call of the service asks, and how its answer is read: the same for both clients."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
import orjson

from huaxiang.client.answers import (
    ItemsSent,
    KeptItem,
    Receipt,
    Sent,
    ShopperProfile,
    items_sent_of,
    json_of,
    kept_item_of,
    profile_of,
    sent_of,
    slate_of,
)
from huaxiang.records import Slate

Answer = TypeVar("Answer")
_COMPRESSED_FROM = 1024
_COMPRESSION = 1
"""Events repeat themselves so much that the quickest level already makes a tenth of them."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[Answer]):
    """One request, and how its answer is read.

    Parameters
    ----------
    repeatable
        Whether doing it twice is the same as once, so that it may be repeated when no answer came.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


def path(*parts: str) -> str:
    """Return the path of a call; ids may hold any letter.

    Examples
    --------
    >>> path("shoppers", "s/17", "profile"), path("items", "..", "similar")
    ('/v1/shoppers/s%2F17/profile', '/v1/items/%2E%2E/similar')
    """
    quoted = ["%2E" * len(part) if part in (".", "..") else quote(part, safe="") for part in parts]
    return "/v1/" + "/".join(quoted)


def _sending(method: str, where: str, said: object, read: Callable[[httpx.Response], Answer]) -> Call[Answer]:
    return _with_body(method, where, orjson.dumps(said), read)


def _with_body(
    method: str, where: str, body: bytes, read: Callable[[httpx.Response], Answer], **headers: str
) -> Call[Answer]:
    headers = {"Content-Type": "application/json", **headers}
    if len(body) >= _COMPRESSED_FROM:
        body = gzip.compress(body, compresslevel=_COMPRESSION, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Call(method=method, path=where, read=read, body=body, headers=headers)


def send(body: bytes) -> Call[Sent]:
    """Send one batch of events, already written."""
    return _with_body("POST", path("events"), body, sent_of)


def change_items(body: bytes) -> Call[ItemsSent]:
    """Send one batch of changes of items, already written: twice is the same as once."""
    return _with_body("POST", path("items"), body, items_sent_of)


def item(item_id: str) -> Call[KeptItem]:
    """Read what is kept of an item."""
    return Call(method="GET", path=path("items", item_id), read=kept_item_of)


def stock_changes(in_stock: Mapping[str, bool]) -> list[dict[str, Any]]:
    """Return the changes that say what can be bought.

    Examples
    --------
    >>> stock_changes({"mug": False})
    [{'action': 'stock', 'item_id': 'mug', 'in_stock': False}]
    """
    return [{"action": "stock", "item_id": name, "in_stock": is_there} for name, is_there in in_stock.items()]


def price_changes(prices: Mapping[str, float], *, currency: str | None = None) -> list[dict[str, Any]]:
    """Return the changes that say what items cost, in whole units of the shop's currency or of `currency`."""
    stated = {} if currency is None else {"currency": currency}
    return [{"action": "price", "item_id": name, "price": price, **stated} for name, price in prices.items()]


def deletions(item_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the changes that delete items."""
    return [{"action": "delete", "item_id": name} for name in item_ids]


def profile(shopper_id: str, *, vector: bool = False) -> Call[ShopperProfile]:
    """Read a profile."""
    params = {"vector": "true"} if vector else {}
    return Call(method="GET", path=path("shoppers", shopper_id, "profile"), params=params, read=profile_of)


def correct(
    shopper_id: str, dimension: str, value: str, side: str, *, if_match: str | None = None
) -> Call[ShopperProfile]:
    """Correct a profile: another correction each time, so it is not repeated where no answer came."""
    said = {"dimension": dimension, "value": value, "side": side}
    headers = {"Content-Type": "application/json", **({"If-Match": if_match} if if_match else {})}
    return Call(
        method="PATCH",
        path=path("shoppers", shopper_id, "profile"),
        body=orjson.dumps(said),
        headers=headers,
        read=profile_of,
        repeatable=False,
    )


def recommend(  # noqa: PLR0913 - as the API has them
    shopper_id: str | None,
    *,
    k: int = 10,
    placement: str = "home",
    of: str = "item",
    item_ids: Sequence[str] = (),
    repeat: bool = False,
    language: str = "en",
    channel: str | None = None,
) -> Call[Slate]:
    """Ask for a list; for nobody in particular where the id is None."""
    params: dict[str, Any] = {"k": k, "placement": placement, "of": of, "language": language}
    if channel is not None:
        params["channel"] = channel
    if item_ids:
        params["item_id"] = list(item_ids)
    if repeat:
        params["repeat"] = "true"
    where = path("recommendations") if shopper_id is None else path("shoppers", shopper_id, "recommendations")
    return Call(method="GET", path=where, params=params, read=slate_of)


def similar(item_id: str, *, k: int = 10, language: str = "en") -> Call[Slate]:
    """Ask for items like one."""
    params = {"k": k, "language": language}
    return Call(method="GET", path=path("items", item_id, "similar"), params=params, read=slate_of)


def graph(item_id: str, *, k: int = 10, language: str = "en") -> Call[dict[str, Any]]:
    """Read the edges of an item."""
    params = {"k": k, "language": language}
    return Call(method="GET", path=path("items", item_id, "graph"), params=params, read=json_of)


def insight(item_id: str, *, language: str = "en") -> Call[dict[str, Any]]:
    """Read what an item's reviews say."""
    where = path("items", item_id, "reviews", "insight")
    return Call(method="GET", path=where, params={"language": language}, read=json_of)


def rules() -> Call[dict[str, Any]]:
    """Read which rules are in force."""
    return Call(method="GET", path=path("rules"), read=json_of)


def check_rules(text: str) -> Call[dict[str, Any]]:
    """Ask what is questionable about rules; nothing is put in force, so it may be asked again."""
    return _of_rules(path("rules", "check"), text, {})


def try_rules(text: str, **more: Any) -> Call[dict[str, Any]]:
    """Ask what rules would change; what is None is left out, and nothing is put in force."""
    return _of_rules(path("rules", "try"), text, _given(more))


def _of_rules(where: str, text: str, params: Mapping[str, Any]) -> Call[dict[str, Any]]:
    headers = {"Content-Type": "application/yaml"}
    return Call(method="POST", path=where, params=params, body=text.encode(), headers=headers, read=json_of)


def _given(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def search(words: str, **more: Any) -> Call[dict[str, Any]]:
    """Search by words; what is None is left out, and `filters` are sent as `filter`."""
    return Call(method="GET", path=path("search"), params={"q": words, **_narrowed(more)}, read=json_of)


def search_photo(photo: bytes, **more: Any) -> Call[dict[str, Any]]:
    """Search by a photo, with words beside it or without."""
    headers = {"Content-Type": "application/octet-stream"}
    return Call(
        method="POST",
        path=path("search", "image"),
        params=_narrowed(more),
        body=photo,
        headers=headers,
        read=json_of,
    )


def _narrowed(more: Mapping[str, Any]) -> dict[str, Any]:
    params = _given(more)
    params["filter"] = list(params.pop("filters", ()))
    return params


def suggest(typed: str, *, k: int) -> Call[list[str]]:
    """Ask how a query may go on."""
    return Call(method="GET", path=path("search", "suggest"), params={"q": typed, "k": k}, read=_texts_of)


def _texts_of(answer: httpx.Response) -> list[str]:
    return [one["text"] for one in json_of(answer)["suggestions"]]


def consent(shopper_id: str) -> Call[dict[str, bool]]:
    """Read what a shopper allows."""
    return Call(method="GET", path=path("shoppers", shopper_id, "consent"), read=_consent_of)


def set_consent(shopper_id: str, purposes: Mapping[str, bool], *, source: str) -> Call[dict[str, bool]]:
    """Keep what a shopper allows and refuses; saying it twice changes nothing."""
    said = {"purposes": dict(purposes), "source": source}
    return _sending("PUT", path("shoppers", shopper_id, "consent"), said, _consent_of)


def _consent_of(answer: httpx.Response) -> dict[str, bool]:
    return dict(json_of(answer)["consent"])


def export(shopper_id: str) -> Call[dict[str, Any]]:
    """Ask for everything about a person."""
    return Call(method="GET", path=path("shoppers", shopper_id, "export"), read=json_of)


def erase(shopper_id: str) -> Call[Receipt]:
    """Erase a person."""
    where = path("shoppers", shopper_id)
    return Call(method="DELETE", path=where, read=lambda answer: Receipt(content=json_of(answer)))


def is_genuine(receipt: Receipt) -> Call[bool]:
    """Ask whether a receipt is the service's own."""
    return _sending("POST", path("receipts", "check"), dict(receipt.content), _truth_of)


def _truth_of(answer: httpx.Response) -> bool:
    return bool(json_of(answer)["is_genuine"])


def models() -> Call[dict[str, Any]]:
    """List the versions of the model."""
    return Call(method="GET", path=path("models"), read=json_of)


def promote(name: str) -> Call[dict[str, Any]]:
    """Serve a version."""
    return Call(method="POST", path=path("models", name, "promote"), read=json_of)


def outcomes() -> Call[dict[str, Any]]:
    """Ask what came of the lists."""
    return Call(method="GET", path=path("outcomes"), read=json_of)
