"""What the service says of itself is complete: who may ask, what is answered, and an example of each body."""

from __future__ import annotations

from typing import Any

import pytest

from huaxiang.serve.problems import PROBLEM
from serve.talking import Talk

OPEN = {"/healthz", "/readyz"}


@pytest.fixture
def stated(talk: Talk) -> dict[str, dict[str, Any]]:
    paths = talk.get("/openapi.json").json()["paths"]
    return {f"{method} {path}": one for path, methods in paths.items() for method, one in methods.items()}


def test_every_operation_says_who_may_ask_and_how_it_refuses(stated: dict[str, dict[str, Any]]) -> None:
    for name, one in stated.items():
        if name.partition(" ")[2] not in OPEN:
            assert one["security"], name
            assert {"401", "403", "422", "429", "503"} <= one["responses"].keys(), name
            assert PROBLEM in one["responses"]["422"]["content"], name


def test_every_operation_says_in_words_what_it_is_for(stated: dict[str, dict[str, Any]]) -> None:
    assert [name for name, one in stated.items() if not (one.get("summary") and one.get("description"))] == []


def test_nothing_of_the_framework_is_described_that_nobody_is_answered(talk: Talk) -> None:
    assert "HTTPValidationError" not in talk.get("/openapi.json").text
