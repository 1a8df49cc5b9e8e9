"""Requests as plain as nearly all are, answered without the framework's reading of them.

A route states its parameters once, and FastAPI describes them, reads them and says what is wrong with them.
That takes as long as finding a kept answer. So where every parameter of a request is written in the plainest
way, the route is called at once; all other requests go FastAPI's way. Nothing that FastAPI would refuse or
read as something else is plain, so both ways answer the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi.params import Header
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from huaxiang.errors import HuaxiangError
from huaxiang.serve.problems import answer_of, answer_of_http

Read = Callable[[str], Any]
"""Returns what is written; a KeyError says that it is not written plainly."""
_NUMBERS = re.compile("0|[1-9][0-9]{0,8}")
_TRUTHS = {"true": True, "false": False}
_PLACE = re.compile(r"\{(\w+):path\}")


class Plain:
    """ASGI middleware of the API.

    Parameters
    ----------
    routes
        Those asked most, of which the ones that read or are sent something are answered here. The request is
        the first argument of each, and none stands behind another route that has some of its addresses.
    """

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = [
            PlainRoute.of(one)
            for one in routes
            if isinstance(one, APIRoute) and one.methods in ({"GET"}, {"POST"})
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a plain request."""
        if scope["type"] == "http" and not scope.get("root_path"):
            for one in self._routes:
                given = one.given(scope) if scope["method"] == one.method else None
                if given is not None:
                    scope["route"] = one.route
                    response = await _answer(one.route, Request(scope, receive, send), given)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRoute:
    """A route, and how what it is given is written plainly.

    Parameters
    ----------
    first, place, last
        Its address before and after the one place that a request fills in; `place` is None where it has none.
    one, several
        How each parameter of a query is read: those that may be given once, and those that are lists.
    headers
        Parameter → the header that it is.
    """

    route: APIRoute
    method: str
    first: str
    place: str | None
    last: str
    one: Mapping[str, Read]
    several: Mapping[str, Read]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, route: APIRoute) -> PlainRoute:
        """Return how a route is asked plainly, by the parameters that it states."""
        parts = [*_PLACE.split(route.path), None, ""]
        first, place, last = parts[0] or "", parts[1], parts[2] or ""
        one: dict[str, Read] = {}
        several: dict[str, Read] = {}
        headers: dict[str, str] = {}
        for name, stated in get_type_hints(route.endpoint, include_extras=True).items():
            kind, *said = get_args(stated) if get_origin(stated) is Annotated else (stated,)
            if name in (place, "return") or kind is Request:
                continue
            if any(isinstance(about, Header) for about in said):
                headers[name] = name.replace("_", "-")
            elif (listed := _listed(kind)) is not None:
                several[name] = _read(listed)
            else:
                one[name] = _read(kind)
        return cls(
            route=route,
            method=next(iter(route.methods or ())),
            first=first,
            place=place,
            last=last,
            one=one,
            several=several,
            headers=headers,
        )

    def given(self, scope: Scope) -> dict[str, Any] | None:
        """Return what a request gives the route, None where it isn't for it or not plain."""
        path: str = scope["path"]
        if self.place is None:
            if path != self.first:
                return None
            given = {}
        else:
            upto = len(path) - len(self.last)
            if not (path.startswith(self.first) and path.endswith(self.last) and len(self.first) <= upto):
                return None
            given = {self.place: path[len(self.first) : upto]}
        try:
            self._read_query(scope["query_string"], given)
        except KeyError:
            return None
        self._read_headers(scope, given)
        return None if "\n" in path else given

    def _read_query(self, query: bytes, given: dict[str, Any]) -> None:
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ():
            if name in self.several:
                given.setdefault(name, []).append(self.several[name](value))
            elif name in given:
                raise KeyError(name)
            else:
                given[name] = self.one[name](value)

    def _read_headers(self, scope: Scope, given: dict[str, Any]) -> None:
        for name, header in self.headers.items():
            written = header.encode()
            found = next((value for sent, value in scope["headers"] if sent == written), None)
            if found is not None:
                given[name] = found.decode("latin-1")


async def _answer(route: APIRoute, request: Request, given: Mapping[str, Any]) -> Response:
    try:
        answer: Response = await route.endpoint(request, **given)
    except HuaxiangError as error:
        return answer_of(error)
    except HTTPException as error:
        return answer_of_http(error)
    return answer


def _read(kind: Any) -> Read:
    """Return how a parameter of a kind is read."""
    if kind is int:
        return _number
    if kind is bool:
        return _TRUTHS.__getitem__
    if get_origin(kind) is Literal:
        return {word: word for word in get_args(kind)}.__getitem__
    if kind is str:
        return str
    raise TypeError(f"no plain way to write {kind}")


def _number(written: str) -> int:
    if _NUMBERS.fullmatch(written) is None:
        raise KeyError(written)
    return int(written)


def _listed(kind: Any) -> Any:
    """Return what a list holds that may be left out; None for what is no such list."""
    lists = [part for part in get_args(kind) if get_origin(part) is list] if type(kind) is UnionType else []
    return get_args(lists[0])[0] if lists else None
