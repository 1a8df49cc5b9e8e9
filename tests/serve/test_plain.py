"""Plain requests: a route is given the same by either way, and what is plain goes the short one."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute
from hypothesis import example, given, settings
from hypothesis import strategies as some
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

from huaxiang.errors import InputError
from huaxiang.serve.answers import json_answer
from huaxiang.serve.plain import Plain
from huaxiang.serve.routes import events, items, lists, profiles

LIST = "/v1/shoppers/s-1/recommendations"


def echoing(route: APIRoute) -> APIRouter:
    """Return a route that states the same, and answers with what it is given."""

    @functools.wraps(route.endpoint)
    async def echo(*args: Any, **told: Any) -> Response:
        bound = inspect.signature(route.endpoint).bind(*args, **told)
        bound.apply_defaults()
        return json_answer([route.path, {k: v for k, v in bound.arguments.items() if k != "request"}])

    router = APIRouter()
    router.add_api_route(route.path, echo, methods=list(route.methods or ()))
    return router


ROUTERS = [
    echoing(route)
    for part in (profiles, lists, events, items)
    for route in part.router.routes
    if isinstance(route, APIRoute)
]
HOT = [route for router in ROUTERS[: -len(items.router.routes)] for route in router.routes]
LONG = FastAPI()
for router in ROUTERS:
    LONG.include_router(router)


async def nothing(scope: Scope, receive: object, send: object) -> None:
    raise AssertionError("this went the long way")


def asked(
    app: ASGIApp, path: str, query: str = "", *, method: str = "GET", **headers: str
) -> tuple[int, bytes]:
    """Return status and body of an answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": named}
    whole = {**scope, "query_string": query.encode(), "scheme": "http", "server": ("here", 80)}
    asyncio.run(app(whole, receive, send))  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"]


NAMES = [
    "placement",
    "of",
    "k",
    "item_id",
    "language",
    "explain",
    "repeat",
    "vector",
    "shopper_id",
    "other",
    "",
]
VALUES = [
    "home",
    "10",
    "0",
    "-1",
    "007",
    "1e3",
    "１",
    " 5",
    "9" * 12,
    "true",
    "True",
    "1",
    "no",
    "quick",
    "full",
    "",
]
QUERIES = some.lists(
    some.tuples(some.sampled_from(NAMES), some.sampled_from(VALUES) | some.text(max_size=3)), max_size=4
)
PATHS = [
    LIST,
    "/v1/shoppers//recommendations",
    "/v1/shoppers/recommendations",
    "/v1/shoppers/a/b\n/recommendations",
    "/v1/shoppers/名/profile/recommendations",
    "/v1/shoppers/s/recommendations/profile",
    "/v1/shoppers/s-1/profile",
    "/v1/shoppers/profile",
    "/v1/recommendations",
    "/v1/recommendations/",
    "/v1/items/i/similar",
    "/v1/items/similar",
]


@given(some.sampled_from(PATHS), QUERIES, some.none() | some.sampled_from(['W/"a"', "*", "", "é"]))
@example(LIST, [("k", "10"), ("k", "5")], None)
@example(LIST, [("item_id", "a"), ("item_id", "b")], None)
@settings(max_examples=300, deadline=None)
def test_both_ways_answer_the_same(path: str, query: list[tuple[str, str]], tag: str | None) -> None:
    written = urlencode(query, quote_via=quote, errors="surrogatepass")
    headers = {} if tag is None else {"if_none_match": tag}
    short = asked(Plain(LONG, routes=HOT), path, written, **headers)
    assert short == asked(LONG, path, written, **headers)


@pytest.mark.parametrize(
    "query", ["%6b=10", "k", "k=1&k=1", "&&k=3", "k=3;of=brand", "of=a%00b", "of=%ff", "=", "a"]
)
def test_queries_written_oddly_are_read_the_same(query: str) -> None:
    assert asked(Plain(LONG, routes=HOT), LIST, query) == asked(LONG, LIST, query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (LIST, ""),
        (LIST, "k=10&placement=item&item_id=i-1&item_id=i-2&language=zh&explain=full&repeat=true&of=brand"),
        ("/v1/recommendations", "k=5"),
        ("/v1/shoppers/s-1/profile", "vector=true"),
        ("/v1/items/i-1/similar", "k=5"),
    ],
)
def test_what_is_asked_most_goes_the_short_way(path: str, query: str) -> None:
    short = asked(Plain(nothing, routes=HOT), path, query, if_none_match="tag")
    assert short == asked(LONG, path, query, if_none_match="tag")


def test_what_is_sent_goes_the_short_way_unless_something_is_asked_beside_it() -> None:
    short = asked(Plain(nothing, routes=HOT), "/v1/events", method="POST")
    assert short == asked(LONG, "/v1/events", method="POST")
    assert asked(Plain(LONG, routes=HOT), "/v1/events", "k=1", method="POST") == short
    assert asked(Plain(LONG, routes=HOT), "/v1/events")[0] == 405


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (InputError("No such thing"), 422, b"No such thing"),
        (HTTPException(413, "Too long"), 413, b"too long"),
    ],
)
def test_what_a_route_refuses_is_answered_at_once(error: Exception, status: int, title: bytes) -> None:
    router = APIRouter()

    @router.get("/v1/refused")
    async def refused(request: Request) -> Response:
        raise error

    given, body = asked(Plain(nothing, routes=router.routes), "/v1/refused")
    assert (given, title in body) == (status, True)
