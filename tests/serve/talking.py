"""A service in the test's own process, and a few words to talk with it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from fastapi.dependencies import models
from fastapi.testclient import TestClient

from huaxiang.serve.process import Process
from huaxiang.serve.start import open_app, prepare

ADMIN_KEY = "hx_testadmin_" + "k" * 43
NUMBERS = count()


@dataclass
class Talk:
    """A client that is signed in, and what is behind it."""

    client: TestClient
    run: Path

    def get(self, path: str, **more: Any) -> Any:
        """Ask, with the admin key unless other headers are given."""
        return self.client.get(path, **more)

    def send(self, *events: Mapping[str, object], **more: Any) -> Any:
        """Send events."""
        return self.client.post("/v1/events", json={"events": list(events)}, **more)

    def until(self, is_so: Callable[[], bool], *, seconds: float = 240) -> None:
        """Wait until something is so; fail when it never is."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.05)

    @property
    def shop(self) -> Any:
        """The shop that is served."""
        return self.client.app.state.service.shops["default"]  # type: ignore[attr-defined]


def event(shopper_id: str, type: str = "view_item", **more: object) -> dict[str, object]:
    """Return an event of now."""
    return {
        "event_id": f"t-{next(NUMBERS)}",
        "shopper_id": shopper_id,
        "type": type,
        "occurred_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        **more,
    }


@contextmanager
def opened(run: Path, environment: Mapping[str, str] | None = None) -> Iterator[Talk]:
    """Yield a service over a run."""
    variables = {"HUAXIANG_ADMIN_KEY": ADMIN_KEY, **(environment or {})}
    process = Process.of(variables, run=run)
    prepare(process)
    try:
        with TestClient(open_app(process), headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as client:
            yield Talk(client, run)
    finally:
        let_go_of_apps()


def let_go_of_apps() -> None:
    """Free what closed services had in memory: FastAPI remembers routes, and by them every application."""
    for cached in vars(models).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    gc.collect()
