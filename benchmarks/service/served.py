"""A served shop for the benchmarks: a run of any size, a real process, keys, and requests to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import numpy as np

HUAXIANG = str(Path(sys.executable).with_name("huaxiang"))
READY_S = 120
TYPES = ("view_item", "view_item", "view_item", "add_to_cart", "purchase")


@dataclass(frozen=True)
class Served:
    """A process that is ready, and an admin key."""

    host: str
    port: int
    key: str
    process: subprocess.Popen[str]
    live: Path

    def rss_mib(self) -> float:
        """Return the memory of the process, MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def served(
    run: Path,
    *,
    port: int | None = None,
    settings: Path | None = None,
    environment: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Served]:
    """Yield a served run, on a port that is free where none is given; the process is stopped afterwards."""
    port = port or free_port()
    key = "hx_bench_" + "b" * 43
    variables = {**os.environ, "HUAXIANG_ADMIN_KEY": key, **(environment or {})}
    command = [HUAXIANG, "serve", "--run", str(run), "--port", str(port), "--workers", str(workers)]
    command += ["--settings", str(settings)] if settings else []
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=sys.stderr, text=True
    )
    try:
        wait_until_ready(port, process)
        yield Served("127.0.0.1", port, key, process, run.with_name(run.name + ".live"))
    finally:
        process.terminate()
        process.wait(timeout=60)


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def wait_until_ready(port: int, process: subprocess.Popen[str], *, most_s: float = READY_S) -> float:
    """Return after how many seconds the service was ready."""
    started = time.perf_counter()
    while time.perf_counter() - started < most_s:
        if process.poll() is not None:
            raise SystemExit(f"the service stopped with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - started
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the service was not ready in time")


def event_batches(item_ids: list[str], *, n_shoppers: int, size: int, seed: int) -> Iterator[bytes]:
    """Yield bodies of `POST /v1/events`, each of `size` new events of random shoppers.

    Their ids are new each time: a run that is kept has the events of the last time in its log.
    """
    rng, number, prefix = np.random.default_rng(seed), 0, token_hex(4)
    while True:
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        shoppers, items = rng.integers(0, n_shoppers, size), rng.integers(0, len(item_ids), size)
        kinds = rng.integers(0, len(TYPES), size)
        events = [
            {
                "event_id": f"{prefix}-{number + place}",
                "shopper_id": f"s-{shoppers[place]}",
                "type": TYPES[kinds[place]],
                "item_id": item_ids[items[place]],
                "occurred_at": moment,
                "value": {"quantity": 1, "price": 9.9, "currency": "USD"},
            }
            for place in range(size)
        ]
        number += size
        yield json.dumps({"events": events}).encode()
