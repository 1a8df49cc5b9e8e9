"""A service as a process of its own, that can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "hx_process_" + "k" * 43


def free_port() -> int:
    """Return a port that nobody listens at."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Served:
    """A served run; `start` may be called again after `kill`."""

    run: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    settings: Path | None = None
    output: Path | None = None
    program: Sequence[str] = (str(Path(sys.executable).with_name("huaxiang")),)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Served:
        """Start and wait until it is ready."""
        command = [*self.program, "serve", "--run", str(self.run), "--port", str(self.port)]
        command += ["--workers", str(self.workers)]
        command += ["--settings", str(self.settings)] if self.settings else []
        variables = {**os.environ, "HUAXIANG_ADMIN_KEY": KEY, **self.environment}
        with ExitStack() as stack:
            said = None if self.output is None else stack.enter_context(self.output.open("ab"))
            self.process = subprocess.Popen(
                command, env=variables, start_new_session=True, stdout=said, stderr=said
            )
        for _ in range(600):
            assert self.process.poll() is None, "the service stopped"
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the service was not ready in time")

    def __enter__(self) -> Served:
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Leave nothing running, however the test ended."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of one answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
