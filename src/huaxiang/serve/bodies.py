"""Bodies read into a model by the route itself: only once it is known who asks, and within the limits.

A framework that reads them first would take a body of any size from anybody, and would answer a stranger with
what is wrong with it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from huaxiang.errors import InputError, LimitError
from huaxiang.serve.service import Service
from huaxiang.serve.wire import read_json
from huaxiang.serve.wire_fields import RefusedError, check_plain

_DEEPEST = 8
_MOST_BYTES = 1 << 16
"""Statements have a few hundred bytes; a model takes seconds to say all that is wrong with megabytes."""
Body = TypeVar("Body", bound=BaseModel)


async def read_stated(service: Service, request: Request, kind: type[Body]) -> Body:
    """Return what a body says.

    Raises
    ------
    InputError
        It is no JSON, not as databases can keep it, or not what the model says.
    LimitError
        It is too long.
    """
    return checked(kind, await read_object(service, request))


def checked(kind: type[Body], whole: object) -> Body:
    """Return what an object says.

    Raises
    ------
    InputError
        It is not what the model says.
    """
    try:
        return kind.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(first["msg"].lower(), column=place[:100] or "body", remedy="see /docs") from error


async def read_object(service: Service, request: Request) -> dict[str, Any]:
    """Return a body that is one JSON object, every text and number of it such as databases keep.

    Raises
    ------
    InputError, LimitError
        It is none, or too long.
    """
    body = await service.body(request)
    if len(body) > _MOST_BYTES:
        raise LimitError("the body is too long", value=f"> {_MOST_BYTES} bytes", remedy="say less at once")
    whole, _ = read_json(body)
    if type(whole) is not dict:
        raise InputError("the body is no JSON object", column="body", remedy="send {…}")
    try:
        check_plain(whole, "body", deepest=_DEEPEST)
    except RefusedError as refused:
        raise InputError(
            "the body can't be kept as it is", column=refused.field, remedy=refused.message
        ) from refused
    return whole


def described(kind: type[BaseModel], *files: str) -> dict[str, Any]:
    """Return how the service's description shows such a body, or one that is a file of these types."""
    content: dict[str, Any] = {"application/json": {"schema": kind.model_json_schema()}}
    content |= {one: {"schema": {"type": "string", "format": "binary"}} for one in files}
    return {"requestBody": {"required": True, "content": content}}
