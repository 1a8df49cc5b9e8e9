"""How both clients reach the service."""

from __future__ import annotations

from typing import Any

import httpx

from huaxiang.errors import InputError, UnavailableError


def connection(url: str, key: str, *, shopper_token: str | None, timeout_s: float) -> dict[str, Any]:
    """Return what an HTTP client needs to know.

    Raises
    ------
    InputError
        The address is none, or the key can't be sent.
    """
    _check_url(url)
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InputError("this is no key", column="key", remedy="make one with huaxiang keys create")
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    if shopper_token is not None:
        headers["X-Huaxiang-Shopper-Token"] = shopper_token
    return {"base_url": url.rstrip("/"), "headers": headers, "timeout": timeout_s}


def _check_url(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InputError(
            "this is no address", column="url", value=url, remedy="write it as http://127.0.0.1:8000"
        )


def unreachable(url: str, error: httpx.TransportError) -> UnavailableError:
    """Return the error of a service that gave no answer.

    Examples
    --------
    >>> str(unreachable("http://127.0.0.1:1", httpx.ConnectError("refused")))
    "the service gave no answer (refused): 'http://127.0.0.1:1'; check that it runs there"
    """
    said = str(error) or type(error).__name__
    return UnavailableError(
        f"the service gave no answer ({said})",
        code="unreachable",
        value=url,
        remedy="check that it runs there",
    )
