"""Lists: what a shopper is recommended, and what is like an item."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.serve.answers import json_answer
from huaxiang.serve.live import Wanted
from huaxiang.serve.service import service_of

router = APIRouter(tags=["lists"])

Placement = Annotated[str, Query(description="home, item or cart", examples=["home"])]
Of = Annotated[str, Query(description="item, category, brand, price_band or another dimension")]
Length = Annotated[int, Query(description="Length of the list, at least 1.")]
ItemIds = Annotated[list[str] | None, Query(description="What the page shows, or what is in the cart.")]
Language = Annotated[str, Query(description="Language of titles and reasons: en or zh.")]
Repeat = Annotated[bool, Query(description="Whether what was bought before may be listed again.")]


@router.get("/v1/shoppers/{shopper_id}/recommendations", summary="A shopper's list, with reasons")
async def recommendations(  # noqa: PLR0913 - one argument per parameter of the query
    request: Request,
    shopper_id: str,
    placement: Placement = "home",
    of: Of = "item",
    k: Length = 10,
    item_id: ItemIds = None,
    language: Language = "en",
    repeat: Repeat = False,
) -> Response:
    """Answer with the best list for a shopper; popular, and `degraded` says so, where nothing is known."""
    service = service_of(request)
    caller = service.caller(request, "recommend:read", shopper_id=shopper_id)
    wanted = Wanted(
        k=k,
        of=of,
        placement=placement,
        item_ids=tuple(item_id or ()),
        repeat=repeat,
        language=language,
        purpose=caller.purpose,
    )
    return json_answer(service.shop(caller).recommend(shopper_id, wanted).as_json())


@router.get("/v1/recommendations", summary="A list for somebody without an id")
async def anonymous_recommendations(
    request: Request,
    placement: Placement = "home",
    of: Of = "item",
    k: Length = 10,
    item_id: ItemIds = None,
    language: Language = "en",
) -> Response:
    """Answer with a list for a visitor of whom nothing but the page is known."""
    service = service_of(request)
    caller = service.caller(request, "recommend:read")
    wanted = Wanted(
        k=k,
        of=of,
        placement=placement,
        item_ids=tuple(item_id or ()),
        language=language,
        purpose=caller.purpose,
    )
    return json_answer(service.shop(caller).recommend(None, wanted).as_json())
