"""A served run in a process of its own, as a shop has it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ADMIN_KEY = "hx_running_" + "r" * 43
READY_S = 90


@dataclass(frozen=True)
class Running:
    """Where a process serves, and its admin key."""

    url: str
    key: str
    process: subprocess.Popen[str]


@contextmanager
def running(
    run: Path, environment: Mapping[str, str] | None = None, *, settings: Path | None = None
) -> Iterator[Running]:
    """Yield a service in a process of its own; it is stopped afterwards."""
    port = _free_port()
    command = [sys.executable, "-m", "huaxiang", "serve", "--run", str(run), "--port", str(port)]
    command += ["--settings", str(settings)] if settings else []
    variables = {**os.environ, "HUAXIANG_ADMIN_KEY": ADMIN_KEY, **(environment or {})}
    log = run.with_name("serve.log")
    with log.open("w") as said:
        process = subprocess.Popen(command, env=variables, stdout=said, stderr=said, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield Running(url, ADMIN_KEY, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[str], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")
