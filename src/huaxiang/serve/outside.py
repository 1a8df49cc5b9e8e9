"""Around every request: a name for it, a limit on its time, its count, and an answer whatever happens."""

from __future__ import annotations

import asyncio
import time
from secrets import token_hex

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiang.errors import HuaxiangError, StorageError, is_disk_full
from huaxiang.serve.metrics import Metrics
from huaxiang.serve.problems import answer_of, internal, problem

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]


class Outside:
    """ASGI middleware of the API.

    Parameters
    ----------
    request_s
        Longest time until an answer begins.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, request_s: float) -> None:
        self._app = app
        self._metrics = metrics
        self._request_s = request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(
            ("/v1", "/healthz", "/readyz", "/metrics")
        ):
            await self._app(scope, receive, send)
            return
        started, status, request_id = time.perf_counter(), 0, token_hex(8).encode()

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS, (b"x-request-id", request_id)]
            await send(message)

        try:
            async with asyncio.timeout(self._request_s):
                await self._app(scope, receive, named)
        except Exception as error:
            if status:  # half an answer is sent: the connection ends here
                raise
            await _answer(error)(scope, receive, named)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._metrics.requests.labels(route, scope["method"], status).inc()
            self._metrics.latency_s.labels(route).observe(time.perf_counter() - started)


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
        return problem(error.status_code, str(error.detail), code=f"http_{error.status_code}")
    if is_disk_full(error):
        return answer_of(StorageError.full(None))
    return internal(error)
