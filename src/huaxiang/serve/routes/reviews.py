"""What the reviews of an item say."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.errors import UnknownItemError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.live import LiveShop
from huaxiang.serve.service import service_of
from huaxiang.serve.wire_fields import plain_id

router = APIRouter(tags=["items"])

Language = Annotated[Literal["en", "zh"], Query(description="Of quoted sentences, where there are enough.")]


@router.get("/v1/items/{item_id:path}/reviews/insight", summary="What an item's reviews say")
async def insight(request: Request, item_id: str, language: Language = "en") -> Response:
    """Answer with what is praised and blamed, since when, against the category, and what to improve.

    Every statement names events; quoted sentences have e-mail addresses, numbers and the like masked. A
    review counts as soon as it was acknowledged, and is gone with its shopper.
    """
    service = service_of(request)
    shop = service.shop(service.caller(request, "reviews:read"))
    return json_answer(await asyncio.to_thread(answer_of, shop, plain_id(item_id), language))


def answer_of(shop: LiveShop, item_id: str, language: str) -> dict[str, object]:
    """Return the answer.

    Raises
    ------
    UnknownItemError
        When the catalogue has no such item.
    """
    if item_id not in shop.item_no_of:
        raise UnknownItemError("no such item", column="item_id", value=item_id, remedy="check the id")
    book, is_whole = shop.reviews.book(shop)
    said = book.insight(item_id, language=language).as_json()
    return said if is_whole else {**said, "degraded": [*said["degraded"], "not_all_read"]}
