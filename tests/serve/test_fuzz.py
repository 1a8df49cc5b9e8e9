"""Whatever schemathesis makes up for every operation: no error of ours, no answer that was not described."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serve.processes import KEY, Served

PROGRAM = Path(sys.executable).with_name("schemathesis")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM.exists(), reason="needs schemathesis"),
]


CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_no_request_ends_in_an_error_of_ours_or_is_answered_otherwise_than_described(
    small_run: Path, tmp_path: Path
) -> None:
    served = Served(Path(shutil.copytree(small_run, tmp_path / "run"))).start()
    command = [str(PROGRAM), "run", f"http://127.0.0.1:{served.port}/openapi.json", "--no-color"]
    command += ["-H", f"Authorization: Bearer {KEY}", "--checks", ",".join(CHECKS)]
    command += ["--max-examples", "25", "--phases", "examples,coverage,fuzzing", "--seed", "7"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
        assert served.ask("GET", "/readyz")[0] == 200
    finally:
        served.stop()
