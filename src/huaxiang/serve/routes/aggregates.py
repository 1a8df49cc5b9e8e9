"""Counts of shoppers that may be published."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from huaxiang.errors import ScopeError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.auth import Caller
from huaxiang.serve.published import PURPOSE, Question, answer
from huaxiang.serve.service import service_of

router = APIRouter(tags=["privacy"])

Of = Annotated[str, Query(description="category, brand or another dimension", examples=["category"])]
Type = Annotated[str, Query(description="purchase, add_to_cart, add_to_wishlist or view_item")]
First = Annotated[str | None, Query(alias="from", description="First day, UTC.", examples=["2026-01-01"])]
Last = Annotated[str | None, Query(alias="to", description="Last day, UTC.", examples=["2026-01-31"])]


@router.get("/v1/aggregates", summary="How many shoppers, with noise that hides each of them")
async def aggregates(
    request: Request, of: Of = "category", type: Type = "purchase", first: First = None, last: Last = None
) -> Response:
    """Answer with how many shoppers took each value most; small groups are withheld.

    Each new question spends ε of the day's budget, 429 when it is spent; what was answered today is answered
    again for nothing. The key's purpose must be research.
    """
    service = service_of(request)
    caller = service.caller(request, "marketing:use")
    _check_purpose(caller)
    shop = service.shop(caller)
    values = shop.serving.model.population.values
    question = Question.read(values, of=of, type=type, first=first, last=last, now=shop.clock())
    return json_answer(await asyncio.to_thread(answer, shop, question))


def _check_purpose(caller: Caller) -> None:
    if caller.purpose != PURPOSE and "admin" not in caller.scopes:
        raise ScopeError(
            "the key reads for another purpose",
            column="purpose",
            value=caller.purpose,
            remedy=f"use a key that was made with --purpose {PURPOSE}",
        )
