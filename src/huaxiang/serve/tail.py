"""What is learnt with each event, off the path on which events are acknowledged.

Every process reads the log in its order, its own events and those of others alike, and lets popularity,
neighbours and the population's shares learn from them. So all processes end up knowing the same. Of who
refuses to be learnt from, under any of their ids, nothing is learnt; what was learnt of them before stays
until the next retraining, which draws its events without them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from huaxiang.feedback.following import deed_of
from huaxiang.feedback.training_log import PURPOSE, Allowing
from huaxiang.model import Known
from huaxiang.profile.contents import Contents
from huaxiang.profile.update import milliseconds
from huaxiang.serve.live import LiveShop
from huaxiang.serve.standing import learnt_until
from huaxiang.serve.states import IN_A_STATE
from huaxiang.store import LoggedEvent, group, positions, read_after

LOG = logging.getLogger(__name__)
MOST_AT_ONCE = 500
MOST_CAUGHT_UP = 100_000
"""Positions that a version goes back, at most, when it begins to learn."""
SLICE = 4
"""Events that are learnt from before requests have their turn."""
SHARE, BUSY_SHARE = 0.2, 0.04
"""Of the processor's time, at most; the latter while events wait to be written."""
SWAP_S = 0.01
"""Pause before it is asked again whether another catalogue is in place."""
FOLD_EVERY = 50_000
"""Pairs of items that wait before a list has to take them in."""
RETRY_S, MOST_RETRY_S = 1.0, 60.0
"""Pause before what could not be learnt is tried again: at first, and at most, doubling in between."""


@dataclass
class Tail:
    """How far one process has learnt from one shop's log.

    Parameters
    ----------
    learnt
        Partition → position up to which events were learnt.
    name
        Of the version that learns; another one learns nothing here.
    heard
        The same for what came of lists, which is counted once, whichever version learns.
    taught
        Positions that were learnt from in a slice which then failed: they are not counted again.
    """

    shop: LiveShop
    learnt: dict[int, int]
    name: str
    heard: dict[int, int]
    taught: set[int] = field(default_factory=set)

    def fetch(self) -> list[LoggedEvent]:
        """Return the next events of the log."""
        with self.shop.store.read() as tx:
            return read_after(tx, self.shop.shop_id, self.learnt, limit=MOST_AT_ONCE)

    def learn(self, events: Sequence[LoggedEvent]) -> None:
        """Learn from some of the events that were fetched, in their order.

        Where it fails, it goes on with the first of them that was not learnt from when it is asked again.
        """
        shop = self.shop
        with shop.store.read() as tx:
            self._teach(tx, [one for one in events if one.event.type in IN_A_STATE])
        self._hear(events)
        for one in events:
            part = one.position % shop.store.n_partitions
            self.learnt[part] = max(self.learnt.get(part, -1), one.position)
        self.taught.clear()
        occurred = [milliseconds(one.event.occurred_at) for one in events if one.event.occurred_at]
        shop.newest_ms = max([shop.newest_ms, *occurred])

    def _hear(self, events: Sequence[LoggedEvent]) -> None:
        """Count what came of lists."""
        for one in events:
            part = one.position % self.shop.store.n_partitions
            if one.position <= self.heard.get(part, -1):
                continue
            self.heard[part] = one.position
            moment = one.event.occurred_at
            deed = deed_of(
                one.event, item_no=one.item_no, occurred_ms=None if moment is None else milliseconds(moment)
            )
            if deed is not None:
                self.shop.outcomes.learn_deed(deed)

    def _teach(self, tx: Connection, events: Sequence[LoggedEvent]) -> None:
        """Let the model learn, shopper by shopper: what they did before is the context of what is new."""
        shop, model = self.shop, self.shop.serving.model
        if model.name != self.name:  # it has changed just now, and begins at its own time
            return
        by_shopper: dict[str, list[LoggedEvent]] = {}
        for one in events:
            if one.position not in self.taught:
                by_shopper.setdefault(one.event.shopper_id, []).append(one)
        groups = [found for shopper_id in by_shopper if (found := group(tx, shop.shop_id, shopper_id))]
        allowed = PURPOSE in shop.settings.privacy.allowed
        people = Allowing.of([one for found in groups for one in found], purpose=PURPOSE, allowed=allowed)
        heads = [found[0] for found in groups if people.may_learn_from(found[0].shopper_id)]
        nothing = Contents()
        for head, state in zip(heads, shop.states.states(tx, heads), strict=True):
            own = by_shopper[head.shopper_id]
            keys = np.array([one.event_key for one in own], dtype=np.int64)
            model.teach(Known(state=shop.serving.in_rows(state), contents=nothing), keys)
            self.taught.update(one.position for one in own)


def _step(shop: LiveShop) -> int:
    """Return a number that grows whenever profiles are derived as of another moment."""
    return int(shop.clock().timestamp() // shop.settings.as_of_s)


def _age_s(events: Sequence[LoggedEvent], now: datetime) -> float:
    """Return how long the first of the events has been waiting, 0 where there is none."""
    received = events[0].event.received_at if events else None
    return 0.0 if received is None else max(0.0, (now - received).total_seconds())


def begin(shop: LiveShop, *, heard: Mapping[int, int] | None = None) -> Tail:
    """Return the tail of the version that is served: it goes on where that version stopped learning.

    Where more than `MOST_CAUGHT_UP` events came since, the older ones wait for the next retraining.
    """
    with shop.store.read() as tx:
        newest = positions(tx, shop.shop_id)
    name = shop.serving.model.name
    learnt = learnt_until(shop.store, shop.shop_id, name)
    if learnt is None:  # nobody noted it: what comes from now on
        learnt = newest
    furthest = {part: position - MOST_CAUGHT_UP for part, position in newest.items()}
    if any(learnt.get(part, -1) < position for part, position in furthest.items() if position > 0):
        LOG.warning("older events wait for the next retraining", extra={"shop": shop.shop_id})
    near = {part: max(learnt.get(part, -1), position) for part, position in furthest.items()}
    return Tail(shop, near, name, dict(newest if heard is None else heard))


async def keep_learning(shop: LiveShop, *, failed: Callable[[], None] = lambda: None) -> None:
    """Learn for ever, a little at a time, so that requests in between wait for a few milliseconds at most.

    Of the processor's time it takes at most `SHARE`, and hardly any while events wait to be written: a burst
    of events is learnt from when it is over. A version that takes the place of another learns what came since
    its own time. What could not be learnt is tried again until it can: until then `lag_s` grows, and nothing
    is left out.

    Parameters
    ----------
    failed
        Called each time that something could not be learnt.
    """
    tail, shown, pause_s = None, _step(shop), RETRY_S
    while True:
        try:
            if tail is None or tail.name != shop.serving.model.name:
                tail = begin(shop, heard=None if tail is None else tail.heard)
            if shown != _step(shop):  # within one moment profiles stay as they are
                shown = _step(shop)
                shop.serving.model.population.renew()
                shop.kept.forget()
            n_learnt = await _learn_next(shop, tail)
            pause_s = RETRY_S
            if tail.name == shop.serving.model.name:  # in a thread: sums of large tables let others go on
                await asyncio.to_thread(shop.serving.model.recommenders.new.fold)
            if n_learnt < MOST_AT_ONCE and tail.name == shop.serving.model.name:
                await asyncio.sleep(shop.settings.poll_s)
        except Exception as error:  # whatever it was: it must not be the end of all learning
            failed()
            LOG.error("events could not be learnt; they are tried again", exc_info=error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_RETRY_S)


async def _learn_next(shop: LiveShop, tail: Tail) -> int:
    """Learn from the events that come next in the log; return how many there were."""
    events = tail.fetch()
    shop.lag_s = _age_s(events, shop.clock())
    for start in range(0, len(events), SLICE):
        if tail.name != shop.serving.model.name:
            break
        while not shop.swapping.acquire(blocking=False):
            await asyncio.sleep(SWAP_S)
        started = time.perf_counter()
        try:
            tail.learn(events[start : start + SLICE])
        finally:
            shop.swapping.release()
        share = BUSY_SHARE if shop.writer.n_waiting else SHARE
        await asyncio.sleep((time.perf_counter() - started) * (1 / share - 1))
    return len(events)
