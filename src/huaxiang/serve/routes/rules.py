"""Shop rules: what is in force, and what other rules would do; the file itself is the shop's."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.errors import InputError
from huaxiang.knowledge.rules.conditions import PLACEMENTS
from huaxiang.model.ruling import Occasion
from huaxiang.serve.answers import json_answer
from huaxiang.serve.ruling import MOST_TRIED, checked, tried
from huaxiang.serve.service import service_of

router = APIRouter(tags=["rules"])

_YAML = {
    "requestBody": {
        "required": True,
        "description": "Shop rules, as docs/rules.md explains them; at most 1 MiB.",
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "example": "version: 1\nrules:\n- {name: no hats, items: {category: hat}, exclude: true}\n",
            }
        },
    }
}


@router.get("/v1/rules", summary="The shop's rules")
async def in_force(request: Request) -> Response:
    """Answer with what is in force, since when, and what is questionable; needs the scope admin."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    return json_answer(shop.rules.as_json())


@router.post("/v1/rules/check", summary="Check rules", openapi_extra=_YAML)
async def check(request: Request) -> Response:
    """Answer with what is questionable about the rules in the body, 422 where they can't be understood."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    body = await service.body(request)
    return json_answer(await asyncio.to_thread(checked, shop, body))


@router.post("/v1/rules/try", summary="Try rules on shoppers", openapi_extra=_YAML)
async def try_out(
    request: Request,
    shoppers: Annotated[int, Query(description="How many of those last seen.", ge=0, le=MOST_TRIED)] = 50,
    k: Annotated[int, Query(description="Length of the lists.", ge=1, le=200)] = 10,
    placement: Annotated[str, Query(description="home, item or cart")] = "home",
    channel: Annotated[str, Query(max_length=100)] = "",
    language: Annotated[str, Query(description="en or zh")] = "en",
) -> Response:
    """Answer with whose lists the rules in the body would change, and how; nothing is put in force."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    if placement not in PLACEMENTS:
        remedy = f"choose one of {', '.join(PLACEMENTS)}"
        raise InputError("no such placement", column="placement", value=placement, remedy=remedy)
    body = await service.body(request)
    occasion = Occasion(
        k=k, placement=placement, channel=channel or None, language=language, now=shop.clock()
    )
    found = await asyncio.to_thread(tried, shop, body, n_shoppers=shoppers, occasion=occasion)
    return json_answer(found.as_json())
