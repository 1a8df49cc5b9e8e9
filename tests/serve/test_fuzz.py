"""Whatever is sent, it is never our fault: every operation of the API, with what schemathesis makes up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from serve.talking import ADMIN_KEY, opened

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def api(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    run = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("fuzz") / "run"))
    with opened(run) as talk:
        yield schemathesis.openapi.from_asgi("/openapi.json", talk.client.app)


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_ends_in_an_error_of_ours(case: Any) -> None:
    answer = case.call(headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    assert answer.status_code < 500, answer.text
