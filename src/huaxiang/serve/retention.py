"""What is old goes, as the settings say: by the service itself, once an hour, or by a command.

Of several processes one does it at a time. The others hear of it by a mark in the store, and let go of what
they keep in memory: it is read again from the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from huaxiang.errors import HuaxiangError
from huaxiang.profile.update import milliseconds
from huaxiang.records import EventType
from huaxiang.serve.item_photos import forget_photos
from huaxiang.serve.live import LiveShop
from huaxiang.serve.settings import ALL, Retention
from huaxiang.store import Store
from huaxiang.store.meta import read_meta, write_meta
from huaxiang.store.retention import KEPT, Cutoffs, Gone, sweep, take_turn

LOG = logging.getLogger(__name__)
LOOK_S = 5.0
"""Seconds until a process hears what another let go."""
PAUSE_S = 0.02
"""Between two steps, so that those who write have their turn."""
Rewrite = Callable[[LiveShop], None]


def cutoffs_of(retention: Retention, *, now: datetime) -> Cutoffs:
    """Return the moments before which things go.

    Examples
    --------
    >>> from datetime import UTC
    >>> settings = Retention(events_days={"all": 30, "view_item_list": 7}, audit_days=1)
    >>> found = cutoffs_of(settings, now=datetime(1970, 2, 1, tzinfo=UTC))
    >>> found.events[EventType.PURCHASE.code], found.events[EventType.VIEW_ITEM_LIST.code], found.words
    (86400000, 2073600000, None)
    >>> cutoffs_of(Retention(words_days=1, dead_letters_days=2), now=datetime(1970, 1, 4, tzinfo=UTC))
    Cutoffs(events={}, words=172800000, lists=None, dead_letters=172800000, audit=None)
    """

    def before_ms(days: float | None) -> int | None:
        return None if days is None else milliseconds(now - timedelta(days=days))

    words, letters = before_ms(retention.words_days), before_ms(retention.dead_letters_days)
    if words is not None:  # events that wait have their words too
        letters = max(words, letters or words)
    named = {EventType(kind).code: days for kind, days in retention.events_days.items() if kind != ALL}
    if ALL in retention.events_days:
        rest = [kind.code for kind in EventType if kind not in (*KEPT, EventType.CORRECT)]
        named = dict.fromkeys(rest, retention.events_days[ALL]) | named
    return Cutoffs(
        events={code: milliseconds(now - timedelta(days=days)) for code, days in named.items()},
        words=words,
        lists=before_ms(retention.lists_days),
        dead_letters=letters,
        audit=before_ms(retention.audit_days),
    )


def mark(store: Store, shop_id: str, *, now_ms: int) -> str:
    """Let every process know that something went; return the mark."""
    with store.begin() as tx:
        write_meta(tx, _name(shop_id), str(now_ms))
    return str(now_ms)


def finish(store: Store) -> None:
    """Empty SQLite's write-ahead log, which still has the pages as they were."""
    if not store.is_shared:
        with store.raw() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


class Retainer:
    """What one process does for one shop."""

    def __init__(self, shop: LiveShop, rewrite_states: Rewrite) -> None:
        self._shop = shop
        self._rewrite_states = rewrite_states
        self._seen = self._mark()

    async def follow(self) -> None:
        """Let go of what is old, for ever, and hear of what other processes let go."""
        while True:
            await asyncio.sleep(min(LOOK_S, self._shop.settings.retention.every_s))
            with suppress(HuaxiangError):
                self.look()
            with suppress(HuaxiangError):
                await self.sweep_if_due()

    def look(self) -> None:
        """Forget what is kept in memory if something went elsewhere."""
        found = self._mark()
        if found != self._seen:
            self._seen = found
            self._shop.forget()

    async def sweep_if_due(self) -> Gone | None:
        """Let go of what is old if it is time, and nobody else does; return what went."""
        shop, settings = self._shop, self._shop.settings.retention
        now = shop.clock()
        cutoffs = cutoffs_of(settings, now=now)
        if cutoffs == Cutoffs():
            return None
        with shop.store.begin() as tx:
            every_ms = round(1000 * settings.every_s)
            is_due = take_turn(tx, shop.shop_id, now_ms=milliseconds(now), every_ms=every_ms)
        return await self._sweep(cutoffs, now_ms=milliseconds(now)) if is_due else None

    async def _sweep(self, cutoffs: Cutoffs, *, now_ms: int) -> Gone:
        shop, whole = self._shop, Gone()
        steps = sweep(shop.store, shop.shop_id, cutoffs, now_ms=now_ms)
        while (gone := await asyncio.to_thread(next, steps, None)) is not None:
            self._forget(gone)
            whole.add(gone)
            await asyncio.sleep(PAUSE_S)
        if whole.shoppers:
            self._forget(whole)  # a state that was read while its events went may have been put back
            self._seen = mark(shop.store, shop.shop_id, now_ms=now_ms)
            await asyncio.to_thread(self._rewrite_states, shop)
            await asyncio.to_thread(forget_photos, shop, whole.photos)
            await asyncio.to_thread(finish, shop.store)
        LOG.info("what was old is gone", extra={"shop": shop.shop_id, **shown(whole)})
        return whole

    def _forget(self, gone: Gone) -> None:
        if gone.shoppers:
            self._shop.forget(sorted(gone.shoppers))

    def _mark(self) -> str | None:
        with self._shop.store.read() as tx:
            return read_meta(tx, _name(self._shop.shop_id))


def shown(gone: Gone) -> dict[str, object]:
    """Return how much went, as people and logs read it: nobody's name is in it."""
    return {
        "events": dict(sorted(gone.events.items())),
        "words": gone.words,
        "lists": gone.lists,
        "dead_letters": gone.dead_letters,
        "audit": gone.audit,
        "shoppers": len(gone.shoppers),
    }


def _name(shop_id: str) -> str:
    return f"retained:{shop_id}"
