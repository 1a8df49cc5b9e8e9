"""Lists: what a shopper is recommended, and what is like an item."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from huaxiang.errors import InputError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.auth import Caller
from huaxiang.serve.etag import is_same
from huaxiang.serve.live import Wanted
from huaxiang.serve.service import Service, service_of

router = APIRouter(tags=["lists"])
MOST_ALIKE = 100

Placement = Annotated[str, Query(description="home, item or cart", examples=["home"])]
Of = Annotated[str, Query(description="item, category, brand, price_band or another dimension")]
Length = Annotated[int, Query(description="Length of the list, at least 1.")]
ItemIds = Annotated[list[str] | None, Query(description="What the page shows, or what is in the cart.")]
Language = Annotated[str, Query(description="Language of titles and reasons: en or zh.")]
Explain = Annotated[
    Literal["quick", "full"],
    Query(
        description="full checks each reason by leaving its events out, which takes several times as long."
    ),
]
Seen = Annotated[str | None, Header(description="Tag of the list that is shown already.")]
Channel = Annotated[str, Query(description="web, app, … as the shop's rules call it.", max_length=100)]
Repeat = Annotated[bool, Query(description="Whether what was bought before may be listed again.")]


@router.get("/v1/shoppers/{shopper_id:path}/recommendations", summary="A shopper's list, with reasons")
async def recommendations(  # noqa: PLR0913 - one argument per parameter of the query
    request: Request,
    shopper_id: str,
    placement: Placement = "home",
    of: Of = "item",
    k: Length = 10,
    item_id: ItemIds = None,
    language: Language = "en",
    explain: Explain = "quick",
    repeat: Repeat = False,
    channel: Channel = "",
    if_none_match: Seen = None,
) -> Response:
    """Answer with the best list for a shopper; popular, and `degraded` says so, where nothing is known.

    With the tag of the list that a page still has, the answer is 304 where a new one would be as good: show
    the former again, under its `slate_id`.
    """
    service = service_of(request)
    caller = service.caller(request, "recommend:read", shopper_id=shopper_id)
    wanted = Wanted(
        k=k,
        of=of,
        placement=placement,
        item_ids=tuple(item_id or ()),
        repeat=repeat,
        language=language,
        explain=explain,
        channel=channel or None,
        purpose=caller.purpose,
    )
    return _listed(service, caller, shopper_id, wanted, if_none_match=if_none_match)


@router.get("/v1/recommendations", summary="A list for somebody without an id")
async def anonymous_recommendations(  # noqa: PLR0913 - one argument per parameter of the query
    request: Request,
    placement: Placement = "home",
    of: Of = "item",
    k: Length = 10,
    item_id: ItemIds = None,
    language: Language = "en",
    channel: Channel = "",
    if_none_match: Seen = None,
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
        channel=channel or None,
        purpose=caller.purpose,
    )
    return _listed(service, caller, None, wanted, if_none_match=if_none_match)


def _listed(
    service: Service, caller: Caller, shopper_id: str | None, wanted: Wanted, *, if_none_match: str | None
) -> Response:
    started = time.perf_counter()
    shop = service.shop(caller)
    asked = shop.asked(shopper_id, wanted)
    if shopper_id is not None:
        service.audit.note(caller, "list", asked.person.ids[0])
    etag = shop.list_tag(asked)
    headers = {"Cache-Control": "private, no-cache"} | ({"ETag": etag} if etag else {})
    if etag and is_same(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    slate = shop.listed(asked)
    for note in slate.degraded:
        service.metrics.degraded.labels(caller.shop_id, note.partition(";")[0][:60]).inc()
    service.pulse.list(time.perf_counter() - started)
    return json_answer(slate.as_json(), headers=headers)


@router.get("/v1/items/{item_id:path}/similar", summary="Items like an item")
async def similar(
    request: Request, item_id: str, k: Length = 10, language: Language = "en", channel: Channel = ""
) -> Response:
    """Answer with the items most like one: in stock, one of each product, none of its own variants."""
    service = service_of(request)
    shop = service.shop(service.caller(request, "recommend:read"))
    if k > MOST_ALIKE:
        raise InputError("not a length of a list", column="k", value=str(k), remedy=f"give 1 to {MOST_ALIKE}")
    slate = shop.serving.model.similar(
        item_id, k=k, language=language, channel=channel or None, now=shop.clock()
    )
    return json_answer(slate.as_json())
