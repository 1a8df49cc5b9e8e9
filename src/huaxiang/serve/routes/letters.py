"""Dead letters: events that could not be taken yet, for operators: listed, retried, dropped."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from huaxiang.serve.answers import json_answer
from huaxiang.serve.bodies import described, read_stated
from huaxiang.serve.letters import retry_chosen
from huaxiang.serve.service import service_of
from huaxiang.store.letters import Chosen, drop_letters, letters_by_reason, letters_of

router = APIRouter(tags=["operations"])
MOST_LISTED = 500

Ids = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=MOST_LISTED)]
Reason = Annotated[str | None, Query(description="Code of the refusal: unknown_item, photo_unreachable, …")]


class Meant(BaseModel):
    """Which letters are meant: those that fit everything that is said; nothing said is all."""

    model_config = ConfigDict(extra="forbid")

    letter_ids: Ids | None = Field(default=None, examples=[None])
    item_ids: Ids | None = Field(default=None, examples=[["i-4"]])
    reason: Annotated[str, Field(max_length=100)] | None = Field(default=None, examples=["unknown_item"])

    def chosen(self) -> Chosen:
        """Return it as the store takes it."""
        return Chosen(letter_ids=self.letter_ids, item_ids=self.item_ids, reason=self.reason)


@router.get("/v1/letters", summary="Events that wait to be retried")
async def list_letters(
    request: Request,
    reason: Reason = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="Most letters listed.")] = 50,
) -> Response:
    """Answer with the dead letters, the oldest first: which item and why; never who, or what they said."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    with shop.store.read() as tx:
        letters = letters_of(tx, shop.shop_id, Chosen(reason=reason), limit=limit)
        by_reason = letters_by_reason(tx, shop.shop_id)
    return json_answer({"letters": [one.as_json() for one in letters], "by_reason": dict(by_reason)})


@router.post("/v1/letters/retry", summary="Retry dead letters", openapi_extra=described(Meant))
async def retry_letters(request: Request) -> Response:
    """Let the events enter the log where the reason has passed; each is there once, whoever retries it."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    meant = await read_stated(service, request, Meant)
    return json_answer((await retry_chosen(service, shop, meant.chosen())).as_json())


@router.post("/v1/letters/drop", summary="Drop dead letters", openapi_extra=described(Meant))
async def drop(request: Request) -> Response:
    """Forget dead letters for good."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "admin"))
    meant = await read_stated(service, request, Meant)
    forget = partial(drop_letters, shop_id=shop.shop_id, chosen=meant.chosen())
    n_dropped = await asyncio.wrap_future(service.writer.run(forget))
    return json_answer({"dropped": n_dropped})
