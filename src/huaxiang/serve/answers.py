"""JSON answers, written by orjson."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response


def json_answer(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON body.

    Examples
    --------
    >>> json_answer({"k": 1}).body
    b'{"k":1}'
    """
    return written_answer(written(content), status=status, headers=headers)


def written(content: object) -> bytes:
    """Return an object as JSON."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def written_answer(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer whose body is JSON already."""
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers or {}))
