"""What the service says of itself at /openapi.json, besides what its routes state.

A route states what it takes and what it is for. Who may ask, and how they are refused, is the same everywhere
and is said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from huaxiang.serve.answer_shapes import ANSWERS
from huaxiang.serve.problems import PROBLEM

_OPEN = ("/healthz", "/readyz")
_REFUSALS = {
    "401": "No key was given, or none that is valid.",
    "403": "The key may not do this, or the shopper has not allowed it.",
    "404": "There is no such shopper, item or version.",
    "409": "It can't be done with what is there.",
    "412": "The profile has changed since it was read.",
    "413": "The body is too long.",
    "422": "What was sent is not what is taken; `field` and `remedy` say why.",
    "429": "The key asks too often; Retry-After says when to come back.",
    "503": "Not now; Retry-After says when to come back.",
    "507": "The disk of the service is full; nothing was taken.",
}
_ONE_BY_ONE = ("/v1/events", "/v1/items")
"""Where each part of what was sent is refused for itself, the answer is the same when all are."""
_PLAIN: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "object": {}}
"""Examples of what says no more than its type."""
_TEXT = {"/metrics": "text/plain"}
_EXAMPLE = {
    "type": "https://huaxiang.invalid/problems/unknown_shopper",
    "title": "no such shopper",
    "status": 404,
    "code": "unknown_shopper",
    "remedy": "check the id, or send an event first",
}
_SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457; `code` is stable, `title` is for people.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "field": {"type": "string"},
        "value": {"type": "string"},
        "remedy": {"type": "string"},
    },
}


def describe(app: FastAPI) -> None:
    """Let the application describe itself completely."""

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(
                get_openapi(
                    title=app.title, version=app.version, description=app.description, routes=app.routes
                )
            )
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]


def completed(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description with who may ask, and every refusal of every operation."""
    parts = described.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's own, which nobody is answered
        schemas.pop(name, None)
    schemas["Problem"] = dict(_SCHEMA)
    _, shapes = models_json_schema(
        [(shape, "serialization") for shape in dict.fromkeys(ANSWERS.values())],
        ref_template="#/components/schemas/Answer{model}",
    )
    schemas |= {f"Answer{name}": shape for name, shape in shapes["$defs"].items()}
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer hx_…"},
        "key as user": {"type": "http", "scheme": "basic", "description": "As Segment's libraries send it."},
    }
    for path, operations in described["paths"].items():
        for method, stated in operations.items():
            _complete(path, method, stated)
            _show_answer(path, method, stated, schemas)
    return described


def _show_answer(path: str, method: str, stated: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Say what is answered when all goes well, with an example that is made of those of its parts."""
    shape = ANSWERS.get(f"{method} {path}")
    if shape is not None:
        name = f"Answer{shape.__name__}"
        content = stated["responses"]["200"].setdefault("content", {}).setdefault("application/json", {})
        content["schema"] = {"$ref": f"#/components/schemas/{name}"}
        content.setdefault("example", _example_of(schemas[name], schemas))
        if method == "post" and path in _ONE_BY_ONE:  # where none of what was sent is taken
            stated["responses"]["422"]["content"]["application/json"] = {"schema": content["schema"]}


def _example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return _example_of(schema["anyOf"][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" not in schema and schema.get("type") != "array":
        return _PLAIN.get(str(schema.get("type")))
    if schema.get("type") == "array":
        return [_example_of(schema["items"], schemas)]
    needed = schema.get("required", ())
    return {name: _example_of(part, schemas) for name, part in schema["properties"].items() if name in needed}


def _complete(path: str, method: str, stated: dict[str, Any]) -> None:
    answers = stated.setdefault("responses", {})
    if _is_the_frameworks(answers.get("422")):
        del answers["422"]
    for status in refusals_of(path, method, stated):
        if status not in answers:
            answers[status] = _problem(_REFUSALS[status])
    if path in _TEXT:
        answers["200"]["content"] = {_TEXT[path]: {"schema": {"type": "string"}}}
    if path not in _OPEN:
        stated["security"] = [{"key": []}, {"key as user": []}]
    for parameter in stated.get("parameters", ()):
        if parameter["in"] == "header" and parameter["name"].lower() == "if-none-match":
            answers["304"] = {"description": "The answer is the one that the caller has."}


def refusals_of(path: str, method: str, stated: Mapping[str, Any]) -> list[str]:
    """Return the statuses with which an operation may refuse.

    Examples
    --------
    >>> refusals_of("/readyz", "get", {}), refusals_of("/v1/models", "get", {})
    (['503'], ['401', '403', '413', '422', '429', '503'])
    """
    if path in _OPEN:
        return ["503"] if path == "/readyz" else []
    named = ["404"] if "{" in path or "/items" in path or "recommendations" in path else []
    writes = [] if method == "get" else ["409", "507"]
    changed = ["412"] if method == "patch" else []
    return sorted(["401", "403", "413", "422", "429", "503", *named, *writes, *changed])


def _problem(description: str) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _EXAMPLE}}
    return {"description": description, "content": content}


def _is_the_frameworks(answer: Mapping[str, Any] | None) -> bool:
    return answer is not None and "HTTPValidationError" in str(answer)
