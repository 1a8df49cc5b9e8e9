"""The write-ahead log is moved into the database; where it can't be, that is counted and said."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import generate_latest

from huaxiang.errors import StorageError
from huaxiang.serve.checkpoints import keep_checkpointing
from huaxiang.serve.metrics import Metrics


class Failing:
    """A store that fails as often as it is told, and then no more."""

    def __init__(self, n_failures: int) -> None:
        self.n_failures = n_failures
        self.n_asked = 0

    def checkpoint(self) -> None:
        self.n_asked += 1
        if self.n_asked <= self.n_failures:
            raise StorageError.full("store.sqlite")


def checkpointed(store: Any, metrics: Metrics, n: int) -> None:
    async def some() -> None:
        task = asyncio.create_task(keep_checkpointing(store, metrics, every_s=0))
        while store.n_asked < n:
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(some())


def test_failures_are_counted_and_the_first_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    store, metrics = Failing(3), Metrics()
    with caplog.at_level(logging.WARNING):
        checkpointed(store, metrics, 5)
    assert "huaxiang_checkpoint_failures_total 3.0" in generate_latest(metrics.registry).decode()
    assert [one.message for one in caplog.records] == ["the write-ahead log was not moved into the database"]


def test_moving_it_counts_no_failure() -> None:
    store, metrics = Failing(0), Metrics()
    checkpointed(store, metrics, 3)
    assert "huaxiang_checkpoint_failures_total 0.0" in generate_latest(metrics.registry).decode()
