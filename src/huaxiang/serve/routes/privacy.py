"""Consent, export and erasure."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from huaxiang.serve import statements
from huaxiang.serve.answers import json_answer
from huaxiang.serve.bodies import described, read_object, read_stated
from huaxiang.serve.service import service_of

router = APIRouter(tags=["privacy"])


class Answers(BaseModel):
    """What a shopper allows and refuses."""

    model_config = ConfigDict(extra="forbid")

    purposes: dict[str, bool] = Field(min_length=1, examples=[{"recommend": True, "ads": False}])
    source: str = Field(default="shop", max_length=200, examples=["cookie banner"])


class Receipt(BaseModel):
    """A receipt as an erasure answered it, unchanged."""

    receipt_id: str = Field(examples=["5c1e2f0a9b8d7c6e5f4a3b2c"])
    signature: str = Field(examples=["00" * 32])


@router.put(
    "/v1/shoppers/{shopper_id:path}/consent",
    summary="Allow or refuse purposes",
    openapi_extra=described(Answers),
)
async def put_consent(request: Request, shopper_id: str) -> Response:
    """Keep a shopper's answers as an event, and answer with the consent that holds from now on."""
    service = service_of(request)
    caller = service.caller(request, "privacy:manage", shopper_id=shopper_id)
    shop = service.shop(caller)
    answers = await read_stated(service, request, Answers)
    hashed = shop.people.hashed(shopper_id)
    said = statements.consent(
        hashed,
        answers.purposes,
        source=answers.source,
        now=shop.clock(),
        shop_id=shop.shop_id,
    )
    service.audit.note(caller, "consent", hashed)
    await shop.accept([said])
    with shop.store.read() as tx:
        return json_answer({"consent": dict(shop.people.find(tx, shopper_id).consent)})


@router.get("/v1/shoppers/{shopper_id:path}/consent", summary="What is allowed")
async def get_consent(request: Request, shopper_id: str) -> Response:
    """Answer with the consent that holds; for an unknown shopper, what holds until somebody is asked."""
    service = service_of(request)
    caller = service.caller(request, "privacy:manage", shopper_id=shopper_id)
    shop = service.shop(caller)
    service.audit.note(caller, "read consent", shop.people.hashed(shopper_id))
    with shop.store.read() as tx:
        return json_answer({"consent": dict(shop.people.find(tx, shopper_id).consent)})


@router.get("/v1/shoppers/{shopper_id:path}/export", summary="Everything about a person")
async def export(request: Request, shopper_id: str) -> Response:
    """Answer with all events, lists, traits, consent and the profile of a person, in one object."""
    service = service_of(request)
    caller = service.caller(request, "privacy:manage", shopper_id=shopper_id)
    shop = service.shop(caller)
    with service.audit.reading(caller, "export", shop.people.hashed(shopper_id)):
        whole = service.privacy.export(shop, shopper_id)
    return json_answer(whole)


@router.delete("/v1/shoppers/{shopper_id:path}", summary="Erase a person")
async def erase(request: Request, shopper_id: str) -> Response:
    """Erase a person with every id that was joined, and answer with a receipt that can be checked."""
    service = service_of(request)
    caller = service.caller(request, "privacy:manage", shopper_id=shopper_id)
    shop = service.shop(caller)
    with service.audit.changing(caller, "erase", shop.people.hashed(shopper_id)):
        receipt = await service.privacy.erase(shop, shopper_id, key_id=caller.key_id)
    return json_answer(receipt)


@router.post("/v1/receipts/check", summary="Check a receipt of an erasure", openapi_extra=described(Receipt))
async def check_receipt(request: Request) -> Response:
    """Answer whether a receipt was given by this service and is unchanged, and what is still to be done."""
    service = service_of(request)
    caller = service.caller(request, "privacy:manage")
    receipt = await read_object(service, request)
    return json_answer(service.privacy.check(service.shop(caller), receipt))
