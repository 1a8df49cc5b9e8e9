"""Segment's track messages → our events: the names of its e-commerce spec, and what their properties say.

One message may tell of several products; each is an event of its own, named after the message and its place.

Source
------
Twilio Segment, Spec: V2 ecommerce events (and the names of V1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from huaxiang.records import EventType
from huaxiang.serve.wire_fields import Reading, RefusedError

Stated = dict[str, Any]

USUAL_NAMES: Mapping[str, str] = {
    "productlistviewed": "view_item_list",
    "productlistfiltered": "view_item_list",
    "viewedproductcategory": "view_item_list",
    "productclicked": "select_item",
    "productviewed": "view_item",
    "viewedproduct": "view_item",
    "productssearched": "search",
    "productadded": "add_to_cart",
    "addedproduct": "add_to_cart",
    "wishlistproductaddedtocart": "add_to_cart",
    "productremoved": "remove_from_cart",
    "removedproduct": "remove_from_cart",
    "productaddedtowishlist": "add_to_wishlist",
    "checkoutstarted": "begin_checkout",
    "ordercompleted": "purchase",
    "completedorder": "purchase",
    "orderrefunded": "refund",
    "ordercancelled": "refund",
    "productreviewed": "review",
}
"""Names of track events, without case, spaces, hyphens and underscores → our types.

The other names of the spec (promotions, coupons, checkout steps, sharing, updates) are no events of ours.
"""

_ITEM_IDS = ("product_id", "productId", "sku", "variant_id", "id")
_WORDS = {EventType.SEARCH: "query", EventType.STATE: "text"}
_MAY_LIST_NOTHING = EventType.VIEW_ITEM_LIST
_LONGEST = 100


def tracked(common: Stated, kind: str, message: Stated, reading: Reading) -> Iterator[Stated]:
    """Yield the events that a track message tells of.

    Parameters
    ----------
    common
        What all of them share: ids, time, context.

    Raises
    ------
    RefusedError
        The properties are no object, or there is no product where there must be one.
    """
    properties = message.get("properties")
    if properties is not None and type(properties) is not dict:
        raise RefusedError("properties", "not_an_object", "properties are a JSON object")
    properties = properties or {}
    type_ = EventType(kind)
    shared = {**common, "type": kind, **_order(properties)}
    if type_ in _WORDS:
        yield {**shared, _WORDS[type_]: properties.get(_WORDS[type_])}
    elif type_ is EventType.BEGIN_CHECKOUT:
        yield shared
    else:
        yield from _of_products(shared, type_, properties, reading)


def _of_products(shared: Stated, kind: EventType, properties: Stated, reading: Reading) -> Iterator[Stated]:
    products = properties.get("products")
    if type(products) is not list or not products:
        if kind is _MAY_LIST_NOTHING or (kind is EventType.REFUND and not _names_product(properties)):
            if kind is EventType.REFUND:
                message = "a refund names its products; what a whole order had is not looked up"
                raise RefusedError("properties.products", "missing", message)
            return
        products = [properties]
    for place, product in enumerate(products):
        if type(product) is not dict:
            raise RefusedError("properties.products", "not_an_object", "a product is a JSON object")
        event_id = shared["event_id"] if len(products) == 1 else f"{shared['event_id']}:{place}"
        yield _of_product({**shared, "event_id": event_id}, kind, {**_shared(properties), **product}, reading)


def _names_product(properties: Stated) -> bool:
    return any(properties.get(name) is not None for name in _ITEM_IDS)


def _shared(properties: Stated) -> Stated:
    """Return what all products of a message have in common."""
    names = ("currency", "placement", "slate_id", "reason")
    return {name: properties[name] for name in names if properties.get(name) is not None}


def _of_product(stated: Stated, kind: EventType, product: Stated, reading: Reading) -> Stated:
    stated = {**stated, "item_id": _item_id(product, reading), "value": _worth(product)}
    stated["context"] = {**stated["context"], **_shown(product)}
    if kind is not EventType.REVIEW:
        return stated
    body = product.get("review_body")
    if type(body) is str and body.strip():
        return {**stated, "text": body}
    return {**stated, "type": "rate"} if "rating" in stated["value"] else stated


def _item_id(product: Stated, reading: Reading) -> object:
    """Return the first of its ids that the catalogue has; else the first, so that its absence is said."""
    stated = [product[name] for name in _ITEM_IDS if product.get(name) not in (None, "")]
    for item_id in stated:
        if reading.has_item(str(item_id).strip().removesuffix(".0")):
            return item_id
    return stated[0] if stated else None


def _worth(product: Stated) -> Stated:
    """Return price, quantity and rating; the libraries of some languages send numbers as texts."""
    worth = {
        name: _as_number(product[name])
        for name in ("price", "quantity", "rating")
        if product.get(name) not in (None, "")
    }
    currency = product.get("currency")
    if "price" in worth and type(currency) is str and currency:
        worth["currency"] = currency.strip().upper()
    return worth


def _as_number(stated: object) -> object:
    if type(stated) is not str:
        return stated
    try:
        return float(stated)
    except ValueError:
        return stated


def _shown(product: Stated) -> Stated:
    """Return where it was shown: list, place in it, and why it was returned."""
    shown: Stated = {}
    for name in ("placement", "slate_id", "reason"):
        if type(product.get(name)) is str and len(product[name]) <= _LONGEST:
            shown[name] = product[name]
    if type(product.get("position")) is int and product["position"] >= 0:
        shown["position"] = product["position"]
    return shown


def _order(properties: Stated) -> Stated:
    order_id = properties.get("order_id") or properties.get("orderId")
    return {} if order_id in (None, "") else {"order_id": order_id}
