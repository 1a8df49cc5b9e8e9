"""SQLite's write-ahead log is moved into the database beside the requests, so that no commit has to."""

from __future__ import annotations

import asyncio
import logging

from huaxiang.errors import HuaxiangError
from huaxiang.serve.metrics import Metrics
from huaxiang.store import Store

LOG = logging.getLogger(__name__)
EVERY_S = 1.0


async def keep_checkpointing(store: Store, metrics: Metrics, *, every_s: float = EVERY_S) -> None:
    """Move it for ever. A failure loses nothing, but the log grows until it is mended: it is counted.

    Of failures in a row the first is logged.
    """
    has_failed = False
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(store.checkpoint)
            has_failed = False
        except HuaxiangError as error:
            metrics.checkpoint_failures.inc()
            if not has_failed:
                LOG.warning(
                    "the write-ahead log was not moved into the database", extra={"error": str(error)}
                )
            has_failed = True
