"""A shopper's profile: read with its evidence, corrected by the shopper."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from huaxiang.serve import statements
from huaxiang.serve.answers import json_answer, written_answer
from huaxiang.serve.bodies import described, read_stated
from huaxiang.serve.etag import check_match, etag_of, is_same
from huaxiang.serve.service import service_of

router = APIRouter(tags=["profiles"])


class Correction(BaseModel):
    """What a shopper says is wrong or right about them."""

    model_config = ConfigDict(extra="forbid")

    dimension: str = Field(min_length=1, max_length=100, examples=["colour"])
    value: str = Field(min_length=1, max_length=200, examples=["red"])
    side: Literal["liked", "disliked", "withdrawn"] = Field(
        description="withdrawn lets the events speak again", examples=["disliked"]
    )


@router.get("/v1/shoppers/{shopper_id:path}/profile", summary="A shopper's profile, with evidence")
async def read_profile(
    request: Request,
    shopper_id: str,
    vector: Annotated[bool, Query(description="Add the profile vector.")] = False,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Answer with facets, interests, intent, activity and portrait, each with its evidence."""
    service = service_of(request)
    caller = service.caller(request, "profile:read", shopper_id=shopper_id)
    shop = service.shop(caller)
    purpose = None if caller.shopper_id else caller.purpose
    with service.audit.reading(caller, "profile", shop.people.hashed(shopper_id)):
        answer = shop.profile_answer(shopper_id, purpose=purpose, vector=vector)
    headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache"}
    if is_same(if_none_match, answer.etag):
        return Response(status_code=304, headers=headers)
    return written_answer(answer.body, headers=headers)


@router.patch(
    "/v1/shoppers/{shopper_id:path}/profile",
    summary="Correct a profile",
    openapi_extra=described(Correction),
)
async def correct_profile(
    request: Request,
    shopper_id: str,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Set what a shopper likes or dislikes outright, and answer with the new profile.

    The correction is an event: it wins over everything inferred until it is withdrawn.
    """
    service = service_of(request)
    caller = service.caller(request, "profile:write", shopper_id=shopper_id)
    shop = service.shop(caller)
    correction = await read_stated(service, request, Correction)
    hashed = shop.people.hashed(shopper_id)
    with service.audit.reading(caller, "correct", hashed):
        before, _ = shop.profile(shopper_id, purpose=None)
        check_match(if_match, etag_of(before))
    said = statements.correction(hashed, **correction.model_dump(), now=shop.clock(), shop_id=shop.shop_id)
    await shop.accept([said])
    after, _ = shop.profile(shopper_id, purpose=None)
    return json_answer(after.as_json(), headers={"ETag": etag_of(after, False)})
