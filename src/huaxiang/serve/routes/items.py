"""The catalogue: items added, changed, sold out and deleted while the service runs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from huaxiang.errors import UnknownItemError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.item_changes import Written, write_changes
from huaxiang.serve.item_photos import take_item_photos
from huaxiang.serve.items_shown import shown_item
from huaxiang.serve.live import LiveShop
from huaxiang.serve.service import Service, service_of
from huaxiang.serve.wire_fields import plain_id
from huaxiang.serve.wire_items import BODIES, ItemChange, ItemReading, RefusedItem, parse_items
from huaxiang.store import items_of

router = APIRouter(tags=["items"])

_EXAMPLE = {
    "items": [
        {
            "item_id": "i-4",
            "texts": {
                "en": {"title": "Red dress", "description": "Linen, with pockets."},
                "zh": {"title": "红色连衣裙"},
            },
            "category": ["Clothing", "Dresses"],
            "brand": "Acme",
            "price": 59.9,
            "currency": "USD",
            "attributes": {"colour": ["red"], "material": ["linen"]},
            "images": ["https://photos.example/i-4.jpg"],
            "group_id": "dress-4",
            "in_stock": True,
        },
        {"action": "stock", "item_id": "i-5", "in_stock": False},
        {"action": "price", "item_id": "i-6", "price": 39.9},
        {"action": "delete", "item_id": "i-7"},
    ]
}
_ANSWER = {
    "accepted": 3,
    "rejected": [
        {
            "index": 3,
            "item_id": "i-7",
            "field": "item_id",
            "code": "unknown_item",
            "message": "the catalogue has no such item; upsert it first",
        }
    ],
    "degraded": [],
    "change": 42,
}


def _one_of(action: str) -> dict[str, Any]:
    """Return the schema of one action, with everything that it refers to inside."""
    schema = BODIES[action].model_json_schema()
    definitions = schema.pop("$defs", {})
    schema["properties"] = {
        "action": {"const": action, **({"default": action} if action == "upsert" else {})},
        **schema["properties"],
    }
    if action != "upsert":
        schema["required"] = ["action", *schema["required"]]
    return dict(_inlined(schema, definitions))


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(one, definitions) for name, one in part.items()}


_BODY = {
    "type": "object",
    "required": ["items"],
    "additionalProperties": False,
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "items": {"anyOf": [_one_of(action) for action in BODIES]},
        }
    },
}


@router.post(
    "/v1/items",
    summary="Change the catalogue",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _BODY, "example": _EXAMPLE}},
        }
    },
    responses={
        200: {
            "description": "What became of the changes; those that were taken are durable.",
            "content": {"application/json": {"example": _ANSWER}},
        }
    },
)
async def post_items(request: Request) -> Response:
    """Take up to 500 changes: upsert (the default), stock, price, delete; in their order.

    What was taken is durable, events may name it at once, and every list has it within a second. A photo that
    can't be had is named under `degraded`; its item is taken without it.
    """
    service = service_of(request)
    shop = service.shop(service.caller(request, "items:write"))
    reading = ItemReading(currency=shop.serving.model.catalogue.currency, limits=shop.settings.limits)
    parsed = parse_items(await service.body(request), reading)
    changes, degraded = await take_item_photos(
        parsed.changes, service.photos, shop.photos, known=_known_images(shop, parsed.changes)
    )
    written = await _write(service, shop, changes)
    rejected = sorted([*parsed.rejected, *written.rejected], key=lambda one: one.index)
    _count(service, shop, written, rejected, degraded)
    return json_answer(
        {
            "accepted": written.n_accepted,
            "rejected": [one.as_json() for one in rejected],
            "degraded": [one.as_json() for one in degraded],
            "change": written.change,
        },
        status=422 if rejected and not written.n_accepted else 200,
    )


def _known_images(shop: LiveShop, changes: list[ItemChange]) -> dict[str, tuple[str, ...]]:
    """Return the names of the photos that items have, of those items that state some."""
    ids = [change.item_id for change in changes if change.item is not None and change.item.images]
    if not ids:
        return {}
    with shop.store.read() as tx:
        return {item_id: one.item.images for item_id, one in items_of(tx, shop.shop_id, ids).items()}


async def _write(service: Service, shop: LiveShop, changes: list[ItemChange]) -> Written:
    """Return once the changes are durable and events may name the items."""
    write = partial(write_changes, shop_id=shop.shop_id, changes=changes)
    written: Written = await asyncio.wrap_future(service.writer.run(write))
    shop.item_no_of.update(written.numbers)
    shop.items_changed.set()
    return written


def _count(
    service: Service,
    shop: LiveShop,
    written: Written,
    rejected: list[RefusedItem],
    degraded: list[RefusedItem],
) -> None:
    count = service.metrics.items.labels
    for outcome, n in (("accepted", written.n_accepted), ("rejected", len(rejected))):
        if n:
            count(shop.shop_id, outcome).inc(n)
    for one in degraded:
        service.metrics.photos.labels(shop.shop_id, one.code).inc()


@router.get(
    "/v1/items/{item_id:path}",
    summary="What is kept of an item",
)
async def get_item(request: Request, item_id: str) -> Response:
    """Answer with an item as `POST /v1/items` takes it, what was inferred, and whether lists have it."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "items:write"))
    with shop.store.read() as tx:
        stored = items_of(tx, shop.shop_id, [plain_id(item_id)]).get(plain_id(item_id))
    if stored is None:
        raise UnknownItemError("no such item", column="item_id", value=item_id, remedy="check the id")
    return json_answer(shown_item(stored, shop.serving))
