"""Pages that a browser may let talk with the service: those that a public key lists, no others (CORS).

A browser asks before it sends a key (a preflight, without the key). So what is answered is whether any public
key lists the page; whether it is this key's page is looked at when the key comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiang.errors import StoreError

METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, X-Huaxiang-Shopper-Token"
SHOWN = "ETag, Retry-After, X-Request-Id"
REMEMBERED_S = 1.0
_BROWSER_REMEMBERS_S = "600"


class Origins:
    """ASGI middleware of the API.

    Parameters
    ----------
    listed
        Returns the origins that public keys list now.
    """

    def __init__(self, app: ASGIApp, *, listed: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._listed = listed
        self._known: Collection[str] = ()
        self._known_at_s = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; let the listed pages read the answers to everything else."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        is_listed = origin in self._origins()

        async def shown(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if is_listed:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = SHOWN
            await send(message)

        if scope["method"] == "OPTIONS":
            await _preflight(is_listed)(scope, receive, shown)
        else:
            await self._app(scope, receive, shown)

    def _origins(self) -> Collection[str]:
        now_s = time.monotonic()
        if now_s - self._known_at_s > REMEMBERED_S:
            try:
                self._known = frozenset(self._listed())
            except StoreError:  # the request itself is going to hear of it
                return self._known
            self._known_at_s = now_s
        return self._known


def _preflight(is_listed: bool) -> Response:
    if not is_listed:
        return Response(status_code=403)
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": _BROWSER_REMEMBERS_S,
    }
    return Response(status_code=204, headers=headers)
