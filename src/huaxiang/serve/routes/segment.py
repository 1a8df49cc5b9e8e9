"""Segment's own endpoints, so that its libraries work once they are pointed here."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from huaxiang.serve.answers import json_answer
from huaxiang.serve.auth import Caller
from huaxiang.serve.routes.events import count, reading_of, take_in
from huaxiang.serve.segment import Envelope, events_of, read_envelope
from huaxiang.serve.service import Service, service_of

router = APIRouter(tags=["Segment's wire format"])

_MESSAGE = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": "s-17",
    "timestamp": "2026-01-31T12:00:00Z",
    "properties": {
        "order_id": "o-1",
        "currency": "USD",
        "products": [{"product_id": "i-4", "price": 59.9, "quantity": 1}],
    },
}


def _body(required: str, example: object) -> dict[str, Any]:
    schema = {"type": "object", "required": [required]}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/v1/batch",
    summary="Several messages",
    openapi_extra=_body("batch", {"batch": [_MESSAGE], "sentAt": "2026-01-31T12:00:01Z"}),
)
@router.post("/v1/import", include_in_schema=False)
async def batch(request: Request) -> Response:
    """Take a batch of messages, as Segment's libraries for servers send it.

    The key may come as the user of Basic authentication, or as `writeKey` in the body. What can't be taken is
    listed, and the answer is still 200: the libraries would throw away a whole batch for one bad message.
    """
    return await _take(request, kind=None)


@router.post("/v1/track", summary="What a shopper did", openapi_extra=_body("event", _MESSAGE))
async def track(request: Request) -> Response:
    """Take one event, by the names of Segment's e-commerce spec or the shop's own."""
    return await _take(request, kind="track")


@router.post(
    "/v1/identify",
    summary="Who a visitor is",
    openapi_extra=_body("userId", {"userId": "s-17", "anonymousId": "v-1", "traits": {"plan": "gold"}}),
)
async def identify(request: Request) -> Response:
    """Join a visitor with a shopper, and keep what the shopper states; never who they are."""
    return await _take(request, kind="identify")


@router.post(
    "/v1/alias",
    summary="Join two ids",
    openapi_extra=_body("previousId", {"previousId": "v-1", "userId": "s-17"}),
)
async def alias(request: Request) -> Response:
    """Join what was known of an id with a shopper."""
    return await _take(request, kind="alias")


async def ignored(request: Request) -> Response:
    """Accept what is no event of ours, and count it."""
    return await _take(request, kind=request.url.path.rpartition("/")[2])


for _kind in ("page", "screen", "group"):
    _said = _body("userId", {"userId": "s-17", "name": "Start"})
    router.add_api_route(
        f"/v1/{_kind}",
        ignored,
        methods=["POST"],
        name=_kind,
        summary=f"Accept a {_kind}",
        openapi_extra=_said,
    )


async def _take(request: Request, *, kind: str | None) -> Response:
    service, started = service_of(request), time.perf_counter()
    caller, envelope = await _opened(service, request, kind)
    shop = service.shop(caller)
    parsed = events_of(envelope, reading_of(shop, caller), names=shop.settings.segment_names)
    service.audit.events(caller, [*parsed.events, *(one.event for one in parsed.letters)])
    accepted = await take_in(service, shop, parsed)
    count(service, shop, parsed, accepted, took_s=time.perf_counter() - started)
    return json_answer(
        {
            "success": bool(parsed.events or not parsed.rejected),
            "accepted": accepted.n_new,
            "duplicates": accepted.n_duplicates,
            "ignored": parsed.ignored,
            "rejected": [one.as_json() for one in parsed.rejected],
            "position": accepted.position,
        }
    )


async def _opened(service: Service, request: Request, kind: str | None) -> tuple[Caller, Envelope]:
    """Return who asks and what; the body is looked into for a key only where no header has one."""
    if request.headers.get("authorization"):
        caller = service.caller(request, "events:write")
        return caller, read_envelope(await service.body(request), kind=kind)
    envelope = read_envelope(await service.body(request), kind=kind)
    caller = service.gate.caller(request.headers, write_key=envelope.write_key)
    return service.admitted(caller, "events:write"), envelope
