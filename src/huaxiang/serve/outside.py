"""Around every request: a name for it, limits on its time and size, its count, and always an answer."""

from __future__ import annotations

import asyncio
import time
from secrets import token_hex

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiang.errors import HuaxiangError, InputError, StorageError, is_disk_full
from huaxiang.serve.metrics import Metrics
from huaxiang.serve.problems import answer_of, answer_of_http, internal, problem
from huaxiang.serve.settings import Limits

_API = ("/v1", "/healthz", "/readyz", "/metrics")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


class Outside:
    """ASGI middleware of the API.

    Parameters
    ----------
    limits
        Longest time until an answer begins, and longest body, whoever reads it.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, limits: Limits) -> None:
        self._app = app
        self._metrics = metrics
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_API):
            await self._counted(scope, self._capped(receive), send)
        else:
            await self._app(scope, self._capped(receive), _with_headers(send, _HEADERS))

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0
        outer = _with_headers(send, [*_HEADERS, (b"x-request-id", token_hex(8).encode())])

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await outer(message)

        try:
            _check_address(scope)
            async with asyncio.timeout(self._limits.request_s):
                await self._app(scope, receive, named)
        except Exception as error:
            if status:  # half an answer is sent: the connection ends here
                raise
            await _answer(error)(scope, receive, named)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._metrics.requests.labels(route, scope["method"], status).inc()
            self._metrics.latency_s.labels(route).observe(time.perf_counter() - started)

    def _capped(self, receive: Receive) -> Receive:
        """Return what ends a body that is too long; routes need not think of it."""
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._limits.body_bytes:
                raise HTTPException(413, "the body is too long")
            return message

        return counted


def _check_address(scope: Scope) -> None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise InputError("an address has no NUL in it", column="path", remedy="check the ids in it")


def _with_headers(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return named


def _answer(error: Exception) -> Response:
    if isinstance(error, HuaxiangError):
        return answer_of(error)
    if isinstance(error, TimeoutError):
        return problem(
            503,
            "the request took too long",
            code="timeout",
            headers={"Retry-After": "1"},
            remedy="send it again, or ask for less",
        )
    if isinstance(error, HTTPException):
        return answer_of_http(error)
    if is_disk_full(error):
        return answer_of(StorageError.full(None))
    return internal(error)
