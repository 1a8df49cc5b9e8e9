"""Errors as HTTP answers: one table from error class to status, and RFC 9457 bodies.

Nothing of a shopper and nothing of the machine is in an answer: what isn't one of our own errors is answered
as an internal one, and the log has the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from huaxiang.errors import (
    ArtefactError,
    BusyError,
    ClockError,
    ConsentError,
    HuaxiangError,
    InputError,
    KeyRefusedError,
    LimitError,
    MissingExtraError,
    NotFittedError,
    PreconditionError,
    RequestError,
    ScopeError,
    StorageError,
    StoreError,
    TooManyRequestsError,
    UnknownItemError,
    UnknownShopperError,
)

LOG = logging.getLogger(__name__)
PROBLEM = "application/problem+json"

STATUS: Mapping[type[HuaxiangError], int] = {
    KeyRefusedError: 401,
    ScopeError: 403,
    ConsentError: 403,
    UnknownShopperError: 404,
    UnknownItemError: 404,
    PreconditionError: 412,
    LimitError: 413,
    TooManyRequestsError: 429,
    BusyError: 503,
    StoreError: 503,
    StorageError: 507,
    ClockError: 422,
    InputError: 422,
    RequestError: 400,
    ArtefactError: 409,
    NotFittedError: 500,
    MissingExtraError: 501,
    HuaxiangError: 500,
}
"""Error class → status; a subclass that isn't listed has its parent's."""

RETRY_AFTER_S = 1


def status_of(error: HuaxiangError) -> int:
    """Return the status that an error is answered with.

    Examples
    --------
    >>> status_of(UnknownShopperError("no such shopper"))
    404
    """
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    status: int,
    title: str,
    *,
    code: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return an RFC 9457 answer; `code` is stable, `title` is for people."""
    body = {
        "type": f"https://huaxiang.invalid/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Response(orjson.dumps(body), status_code=status, media_type=PROBLEM, headers=dict(headers or {}))


def answer_of(error: HuaxiangError) -> Response:
    """Return the answer to a request that failed on purpose."""
    status, remedy = status_of(error), error.remedy
    if isinstance(error, StoreError):  # where the store is, and what it says, is the service's own business
        LOG.warning("the store was not there", extra={"error": error.message, "remedy": error.remedy})
        remedy = "send it again; the log of the service says more"
    headers = {}
    if status in (429, 503):
        wait = error.retry_after_s if isinstance(error, TooManyRequestsError) else RETRY_AFTER_S
        headers["Retry-After"] = str(max(int(wait + 0.999), 1))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="huaxiang"'
    return problem(
        status,
        error.message,
        code=code_of(type(error)),
        headers=headers,
        field=error.column,
        value=None if error.value is None else error.value[:200],
        remedy=remedy,
        line=error.line,
    )


def answer_of_http(error: HTTPException) -> Response:
    """Return the answer to a request that the framework refuses."""
    said = str(error.detail).lower()
    return problem(error.status_code, said, code=f"http_{error.status_code}", headers=error.headers)


def internal(error: Exception) -> Response:
    """Return the answer to what nobody foresaw; the log has its traceback, the answer has nothing of it."""
    LOG.error("a request failed", exc_info=error)
    return problem(500, "an error of ours", code="internal", remedy="the log of the service says more")


def code_of(kind: type[HuaxiangError]) -> str:
    """Return the stable code of an error class.

    Examples
    --------
    >>> code_of(TooManyRequestsError)
    'too_many_requests'
    """
    name = kind.__name__.removesuffix("Error")
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
