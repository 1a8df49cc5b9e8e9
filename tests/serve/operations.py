"""Every operation of a service, as it describes them itself: a new endpoint can't be forgotten by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

_SIMPLE = {"integer": 1, "number": 1.0, "boolean": True}
METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Parameters
    ----------
    example
        A body that the description gives as an example; None where it takes none.
    """

    method: str
    path: str
    example: Any = None
    queries: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Method and path, as a test's report shows them."""
        return f"{self.method.upper()} {self.path}"

    @property
    def names(self) -> list[str]:
        """What stands in braces in the path."""
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]

    def filled(self, **names: str) -> str:
        """Return the path with its names replaced, each written so that it stays one name."""
        path = self.path
        for name in self.names:
            path = path.replace("{" + name + "}", quote(names.get(name, "x-1"), safe=""))
        return path


def operations(client: httpx.Client) -> list[Operation]:
    """Return every operation that the service describes."""
    described = client.get("/openapi.json").json()
    return [
        Operation(method, path, _example(stated, described), _queries(stated))
        for path, methods in described["paths"].items()
        for method, stated in methods.items()
        if method in METHODS
    ]


def _queries(stated: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one["name"]: one.get("schema", {}) for one in stated.get("parameters", ()) if one["in"] == "query"
    }


def _example(stated: Mapping[str, Any], described: Mapping[str, Any]) -> Any:
    if "requestBody" not in stated:
        return None
    content = next(iter(stated["requestBody"]["content"].values()))
    if "example" in content:
        return content["example"]
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    return _made(content["schema"], described)


def _made(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Any:
    """Return a value of a schema, its own examples where it has them."""
    if "$ref" in schema:
        return _made(described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], described)
    stated = [schema[key] for key in ("example", "const", "default") if key in schema]
    listed = [one for key in ("examples", "enum") for one in schema.get(key, ())[:1]]
    if stated or listed:
        return (stated + listed)[0]
    if schema.get("type") == "object":
        return {name: _made(part, described) for name, part in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_made(schema.get("items", {}), described)]
    ways = schema.get("anyOf", schema.get("oneOf"))
    return _made(ways[0], described) if ways else _SIMPLE.get(schema.get("type", ""), "x")
