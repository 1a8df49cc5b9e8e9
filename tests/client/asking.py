"""One call, by either client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from huaxiang.client import AsyncClient, Client, Patience

KEY = "hx_test_" + "t" * 43
Ask = Callable[..., Any]


def ask_at_once(url: str, call: Callable[[Any], Any], *, key: str = KEY, **more: Any) -> Any:
    """Return the answer of the client whose calls return."""
    with Client(url, key, **more) as client:
        return call(client)


def ask_awaited(url: str, call: Callable[[Any], Any], *, key: str = KEY, **more: Any) -> Any:
    """Return the answer of the client whose calls are awaited."""
    if "sleep" in more:
        pause = more["sleep"]

        async def sleep(seconds: float) -> None:
            pause(seconds)

        more["sleep"] = sleep

    async def ask() -> Any:
        async with AsyncClient(url, key, **more) as client:
            return await call(client)

    return asyncio.run(ask())


QUICK = Patience(first_s=1.0, longest_s=60.0, tries=4)
