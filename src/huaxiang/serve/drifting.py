"""Whether shoppers still do what they did when the model was made, looked for every few minutes.

What is looked at is bounded, and it is looked at beside the requests: no answer waits for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from huaxiang.errors import HuaxiangError
from huaxiang.feedback.drift import FILE, Comparison, Reference
from huaxiang.feedback.live_log import seen_lately
from huaxiang.profile.update import milliseconds
from huaxiang.runs import read_part
from huaxiang.serve.live import LiveShop
from huaxiang.serve.metrics import Metrics
from huaxiang.store.models import models_of

FIRST_S = 5.0
"""Seconds after the start until it is looked for the first time."""


def compare(shop: LiveShop) -> Comparison | None:
    """Return how far shoppers have moved; None where the run was made without anything to compare with."""
    serving, now = shop.serving, shop.clock()
    with shop.store.read() as tx:
        folders = {row.name: Path(row.folder) for row in models_of(tx, shop.shop_id)}
    folder = folders.get(serving.model.name)
    if folder is None or not (folder / FILE).is_file():
        return None
    newest = datetime.fromtimestamp(shop.newest_ms / 1000, tz=UTC)
    since = min(now, newest) - timedelta(days=shop.settings.drift_days)
    seen = seen_lately(
        shop.store,
        shop.shop_id,
        serving.model.catalogue,
        since_ms=milliseconds(since),
        row_of_no=None if serving.row_of_no is None else serving.row_of_no.tolist(),
    )
    found = Reference.from_json(read_part(folder, FILE)).drift(seen)
    return Comparison(compared_at=now, since=since, model=serving.model.name, found=found)


async def keep_comparing(shop: LiveShop, metrics: Metrics) -> None:
    """Look for drift for ever."""
    await asyncio.sleep(min(FIRST_S, shop.settings.drift_s))
    while True:
        with suppress(HuaxiangError):  # shown as it was last found, with the moment
            show(shop, await asyncio.to_thread(compare, shop), metrics)
        await asyncio.sleep(shop.settings.drift_s)


def show(shop: LiveShop, comparison: Comparison | None, metrics: Metrics) -> None:
    """Let endpoint, console and counters show a comparison."""
    shop.drift = comparison
    for one in () if comparison is None else comparison.found:
        metrics.drift.labels(shop.shop_id, one.name).set(one.index)
        metrics.is_drifting.labels(shop.shop_id, one.name).set(one.verdict in ("moved", "large"))
