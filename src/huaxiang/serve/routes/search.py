"""Search: by words, by a photo, by both, and the words that finish what is being typed."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from huaxiang.errors import InputError
from huaxiang.search.base import Query as Asked
from huaxiang.search.base import Sort
from huaxiang.search.filters import narrowed
from huaxiang.serve.answers import json_answer
from huaxiang.serve.auth import Caller
from huaxiang.serve.bodies import checked, described
from huaxiang.serve.limits import read_body
from huaxiang.serve.searching import event_of, is_an_event, jpeg, search
from huaxiang.serve.service import Service, service_of
from huaxiang.serve.wire import read_json

router = APIRouter(tags=["search"])
SCOPE = "search:read"
MOST_SUGGESTED = 50

Words = Annotated[
    str,
    Query(
        description="What is looked for, in English or Chinese: at least a letter or digit.",
        examples=["red dress"],
    ),
]
"""Left out, it is refused as empty words are: by then it is known who asks."""
Shopper = Annotated[str | None, Query(description="Id of the shopper it is for; nobody if left out.")]
Narrow = Annotated[
    list[str] | None,
    Query(alias="filter", description="dimension=value; several of one dimension are alternatives."),
]
Category = Annotated[str | None, Query(description="Only this category: whole, or its last part.")]
Brand = Annotated[str | None, Query(description="Only this brand.")]
Price = Annotated[float | None, Query(description="In whole units of the shop's currency.")]
InStock = Annotated[bool, Query(description="Whether what can't be bought now is left out.")]
Order = Annotated[Sort, Query(description="The order; what is not relevance is the same for everybody.")]
Length = Annotated[int, Query(description="Items of a page, at least 1.")]
Offset = Annotated[int, Query(description="After how many items the page begins.")]
Strength = Annotated[
    float | None, Query(description="How far the profile moves items; 0 is the same for everybody.")
]
Verbatim = Annotated[bool, Query(description="Whether the words are searched as they are written.")]
Language = Annotated[str, Query(description="Language of titles, reasons and counts: en or zh.")]
Channel = Annotated[str, Query(description="web, app, … as the shop's rules call it.")]
Log = Annotated[bool, Query(description="Whether the query enters the log as an event of the shopper.")]


class PhotoQuery(BaseModel):
    """A photo to search with, and words that go with it."""

    model_config = ConfigDict(extra="forbid")

    image: str = Field(
        min_length=1,
        description="base64, a data: URL, or an address on a host that the service may ask",
        examples=["data:image/jpeg;base64,/9j/4AAQSkZJRg=="],
    )
    q: str | None = Field(default=None, examples=["in blue"])


@router.get("/v1/search", summary="Search by words")
async def search_words(  # noqa: PLR0913 - one argument per parameter of the query
    request: Request,
    q: Words = "",
    shopper: Shopper = None,
    narrow: Narrow = None,
    category: Category = None,
    brand: Brand = None,
    price_min: Price = None,
    price_max: Price = None,
    in_stock: InStock = True,
    sort: Order = "relevance",
    k: Length = 10,
    offset: Offset = 0,
    strength: Strength = None,
    verbatim: Verbatim = False,
    language: Language = "en",
    channel: Channel = "",
    log: Log = True,
) -> Response:
    """Answer with the items that answer the words, how the words were read, and what to narrow by.

    For a shopper the order suits their profile, and the query is an event: the next list knows it.
    """
    service = service_of(request)
    caller = service.caller(request, SCOPE, shopper_id=shopper)
    shop = service.shop(caller)
    filters = narrowed(
        narrow or (),
        category=category,
        brand=brand,
        price_min=price_min,
        price_max=price_max,
        in_stock=in_stock,
        currency=shop.serving.model.catalogue.currency,
    )
    asked = Asked(
        text=q,
        filters=filters,
        sort=sort,
        k=k,
        offset=offset,
        strength=strength,
        verbatim=verbatim,
        language=language,
        channel=channel or None,
    )
    return await _answer(service, caller, shopper, asked, is_logged=log)


@router.post(
    "/v1/search/image",
    summary="Search by a photo",
    openapi_extra=described(PhotoQuery, "image/jpeg", "image/png", "image/webp"),
)
async def search_photo(  # noqa: PLR0913 - one argument per parameter of the query
    request: Request,
    q: Annotated[str | None, Query(description="Words that go with the photo.")] = None,
    shopper: Shopper = None,
    narrow: Narrow = None,
    category: Category = None,
    price_min: Price = None,
    price_max: Price = None,
    in_stock: InStock = True,
    k: Length = 10,
    offset: Offset = 0,
    language: Language = "en",
    channel: Channel = "",
    log: Log = True,
) -> Response:
    """Answer with the items that look like a photo: the body is the photo itself, or JSON that names one."""
    service = service_of(request)
    caller = service.caller(request, SCOPE, shopper_id=shopper)
    shop = service.shop(caller)
    picture, words = await _photo(service, request)
    filters = narrowed(
        narrow or (),
        category=category,
        price_min=price_min,
        price_max=price_max,
        in_stock=in_stock,
        currency=shop.serving.model.catalogue.currency,
    )
    asked = Asked(
        text=words or q,
        image=jpeg(picture),
        filters=filters,
        k=k,
        offset=offset,
        language=language,
        channel=channel or None,
    )
    return await _answer(service, caller, shopper, asked, is_logged=log, picture=picture)


@router.get("/v1/search/suggest", summary="Finish a query")
async def suggest(
    request: Request,
    q: Annotated[str, Query(description="What has been typed so far.", examples=["run"])] = "",
    k: Annotated[int, Query(description="How many, at least 1.")] = 8,
) -> Response:
    """Answer with ways to go on: kinds of things, brands, and words that titles have."""
    service = service_of(request)
    shop = service.shop(service.caller(request, SCOPE))
    if not 1 <= k <= MOST_SUGGESTED:
        remedy = f"give 1 to {MOST_SUGGESTED}"
        raise InputError("not a length of a list", column="k", value=str(k), remedy=remedy)
    found = shop.serving.model.suggest(q[:200], k=k)
    return json_answer(
        {"suggestions": [{"text": one.text, "kind": one.kind, "n_items": one.n_items} for one in found]}
    )


async def _photo(service: Service, request: Request) -> tuple[Image.Image, str | None]:
    """Return the photo that a request is about, and the words beside it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await read_body(
        request.stream(),
        encoding=request.headers.get("content-encoding", "").strip().lower(),
        most_bytes=2
        * service.settings.limits.picture_bytes,  # base64 is a third longer than what it stands for
    )
    pictures = service.photos.pictures
    if kind != "application/json":
        return await asyncio.to_thread(pictures.decode, content), None
    said = checked(PhotoQuery, read_json(content)[0])
    return await asyncio.to_thread(pictures.read, said.image), said.q


async def _answer(
    service: Service,
    caller: Caller,
    shopper_id: str | None,
    asked: Asked,
    *,
    is_logged: bool,
    picture: Image.Image | None = None,
) -> Response:
    started = time.perf_counter()
    shop = service.shop(caller)
    answered = search(shop, shopper_id, asked)
    if shopper_id is not None:
        service.audit.note(caller, "search", answered.person.ids[0])
    if is_logged and is_an_event(answered):
        photo = None if picture is None else await asyncio.to_thread(shop.photos.keep, picture)
        await shop.accept([event_of(shop, answered, asked, photo=photo)])
    for note in answered.result.degraded:
        service.metrics.degraded.labels(caller.shop_id, note.partition(";")[0][:60]).inc()
    service.metrics.search_s.observe(time.perf_counter() - started)
    return json_answer(answered.result.as_json(), headers={"Cache-Control": "private, no-store"})
