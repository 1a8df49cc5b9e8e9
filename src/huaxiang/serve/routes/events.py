"""Events in: acknowledged once they are durable and every later answer knows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from huaxiang.serve.answers import json_answer
from huaxiang.serve.auth import Caller
from huaxiang.serve.item_photos import take_event_photos
from huaxiang.serve.letters import keep_letters
from huaxiang.serve.live import Accepted, LiveShop
from huaxiang.serve.service import Service, service_of
from huaxiang.serve.wire import Parsed, Reading, RefusedError, parse_events

router = APIRouter(tags=["events"])
ANONYMOUS = "anonymous:"
"""Ids that begin so are visitors nobody knows: the only ones that a browser's key may write of."""

_EXAMPLE = {
    "events": [
        {
            "event_id": "e-1",
            "shopper_id": "s-17",
            "type": "purchase",
            "item_id": "i-4",
            "occurred_at": "2026-01-31T12:00:00+08:00",
            "value": {"quantity": 1, "price": 59.9, "currency": "USD"},
        }
    ]
}


@router.post(
    "/v1/events",
    summary="Send events",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["events"],
                        "properties": {
                            "events": {"type": "array", "items": {"type": "object"}, "maxItems": 500}
                        },
                    },
                    "example": _EXAMPLE,
                }
            },
        }
    },
)
async def post_events(request: Request) -> Response:
    """Take up to 500 events; those that can't be taken are listed with the reason, the others count."""
    service = service_of(request)
    started = time.perf_counter()
    caller = service.caller(request, "events:write")
    shop = service.shop(caller)
    parsed = parse_events(await service.body(request), reading_of(shop, caller))
    service.audit.events(caller, [*parsed.events, *(one.event for one in parsed.letters)])
    accepted = await take_in(service, shop, parsed)
    count(service, shop, parsed, accepted, took_s=time.perf_counter() - started)
    return json_answer(
        {
            "accepted": accepted.n_new,
            "duplicates": accepted.n_duplicates,
            "rejected": [one.as_json() for one in parsed.rejected],
            "position": accepted.position,
        },
        status=422 if parsed.rejected and not parsed.events else 200,
    )


async def take_in(service: Service, shop: LiveShop, parsed: Parsed) -> Accepted:
    """Let events enter the log with their photos; those that may be taken later are kept as dead letters."""
    outcomes = await take_event_photos(parsed, service.photos, shop.photos)
    for outcome, n in outcomes.items():
        service.metrics.photos.labels(shop.shop_id, outcome).inc(n)
    accepted = await shop.accept(parsed.events)
    await keep_letters(service, shop, parsed)
    return accepted


def reading_of(shop: LiveShop, caller: Caller) -> Reading:
    """Return what the events of a caller are read with: their shoppers' ids come out hashed."""
    hashed = shop.people.hashed

    def shopper(shopper_id: str) -> str:
        if caller.shopper_id is not None and shopper_id != caller.shopper_id:
            raise RefusedError("shopper_id", "not_allowed", "the token speaks for another shopper")
        if caller.is_public and caller.shopper_id is None and not shopper_id.startswith(ANONYMOUS):
            message = f"a public key writes of ids that begin with {ANONYMOUS}"
            raise RefusedError("shopper_id", "not_allowed", message)
        return hashed(shopper_id)

    def linked(other_id: str) -> str:
        if caller.is_public and not other_id.startswith(ANONYMOUS):
            message = f"a public key joins ids that begin with {ANONYMOUS}"
            raise RefusedError("context.other", "not_allowed", message)
        return hashed(other_id)

    is_server = caller.shopper_id is None and not caller.is_public  # it may write of anybody
    return Reading(
        now=shop.clock(),
        shopper=hashed if is_server else shopper,
        linked=linked,
        has_item=_has_item(shop),
        currency=shop.serving.model.catalogue.currency,
        shop_id=shop.shop_id,
        future=timedelta(seconds=shop.settings.future_s),
        limits=shop.settings.limits,
    )


def _has_item(shop: LiveShop) -> Callable[[str], bool]:
    """Return whether the shop has an item; what another process has just added is looked for once."""
    has_looked = False

    def has_item(item_id: str) -> bool:
        nonlocal has_looked
        if item_id not in shop.item_no_of and not has_looked:
            has_looked = True
            shop.renumber()
        return item_id in shop.item_no_of

    return has_item


def count(service: Service, shop: LiveShop, parsed: Parsed, accepted: Accepted, *, took_s: float) -> None:
    """Count what became of the events of a request."""
    of = service.metrics.events.labels
    for outcome, n in (
        ("accepted", accepted.n_new),
        ("duplicate", accepted.n_duplicates),
        ("erased", accepted.n_dropped),
        ("rejected", len(parsed.rejected)),
        ("clamped", parsed.n_clamped),
        ("unpriced", parsed.n_unpriced),
        ("ignored", sum(parsed.ignored.values())),
    ):
        if n:
            of(shop.shop_id, outcome).inc(n)
    service.metrics.freshness_s.observe(took_s)
    service.pulse.events(accepted.n_new)
