"""Shoppers' states as the service reads them: from a cache, checked against the log, rebuilt where it lags.

A cache may be cold, behind, flushed or gone. Every read asks the log how many events the shopper's state must
hold, and takes of the cache what that reading of the log knows: no step that came a moment later. Where some
are missing, those alone are read from the log; a state that still holds another number is built again from
all of it. So no answer can be staler than the log, whatever happened to the cache.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from threading import Lock

from sqlalchemy import Connection

from huaxiang.errors import ArtefactError, StoreError
from huaxiang.profile.state import NO_ITEM, ProfileState
from huaxiang.profile.step import packed_step, take_steps
from huaxiang.profile.update import milliseconds, state_event, state_fields, sums_of, update
from huaxiang.records import LIGHT_TYPES, STRONG_TYPES
from huaxiang.store import Head, LoggedEvent, Store, of_shopper, of_shopper_between
from huaxiang.store.states import Cached, MemoryStates, StateCache

LOG = logging.getLogger(__name__)
IN_A_STATE = STRONG_TYPES | LIGHT_TYPES
MOST_STEPS = 32
"""A state is put back without its older steps once it has this many."""
KEPT_STEPS = 8
"""Newest steps that stay apart then: who has read the log a moment before can still leave them out."""
MOST_BEHIND = 4_000
"""Positions of the log that are looked through for missing events; further back a state is built again."""
N_HOT = 4_000
"""States kept unpacked: of shoppers who are there now. More would make the collector of garbage pause."""
SLICE_S = 0.002


@dataclass(slots=True)
class StateCounts:
    """How often a state was not simply there."""

    reads: int = 0
    caught_up: int = 0
    rebuilt: int = 0
    cache_failures: int = 0


@dataclass(frozen=True, slots=True)
class _Hot:
    """A state that was read lately, and what of the cache it was made from.

    Parameters
    ----------
    newest
        Position of its newest step, -1 for none: steps of another time are others, however many they are.
    """

    packed: bytes
    newest: int
    n_steps: int
    state: ProfileState


class StateReader:
    """The states of one shop.

    Parameters
    ----------
    order_only
        The shop knows only an order.

    Attributes
    ----------
    writing
        Held while a snapshot is written.
    n_outdated
        How often a snapshot that had begun became one that must not be written.
    """

    def __init__(self, shop_id: str, store: Store, cache: StateCache, *, order_only: bool) -> None:
        self._shop_id = shop_id
        self._store = store
        self.cache = cache
        self.empty = ProfileState(order_only=order_only)
        self._hot: OrderedDict[str, _Hot] = OrderedDict()
        self.counts = StateCounts()
        self.writing = Lock()
        self.n_outdated = 0

    def append(
        self, events: Sequence[LoggedEvent], positions: Sequence[int], new_orders: Sequence[bool]
    ) -> None:
        """Let the cache know of events that are in the log."""
        steps = [
            (one.event.shopper_id, position, _step(one, is_new_order))
            for one, position, is_new_order in zip(events, positions, new_orders, strict=True)
            if one.event.type in IN_A_STATE
        ]
        if not steps:
            return
        try:
            self.cache.append(self._shop_id, steps)
        except StoreError:
            self.counts.cache_failures += 1  # readers find out from the log

    def states(self, tx: Connection, heads: Sequence[Head]) -> list[ProfileState]:
        """Return the states of some shoppers, none of them older than their `heads`."""
        self.counts.reads += len(heads)
        ids = [head.shopper_id for head in heads]
        found = self._cached(ids)
        return [self._checked(tx, head, cached) for head, cached in zip(heads, found, strict=True)]

    def settled(self, *, share: float = 1.0) -> Iterator[tuple[str, Cached]]:
        """Put every state in process back without its steps and yield it: what a snapshot is made of.

        Only where this process alone writes: there the steps come in the order of the log, none missing.

        Parameters
        ----------
        share
            Of the time that this may take of a processor; it sleeps in between, for others need it too.
        """
        if not isinstance(self.cache, MemoryStates):
            return
        started, n_outdated = time.thread_time(), self.n_outdated
        for shopper_id, cached in self.cache.all(self._shop_id):
            if self.n_outdated != n_outdated:
                return
            yield shopper_id, self._fold(shopper_id, cached) if cached.pending else cached
            if share < 1 and (worked_s := time.thread_time() - started) > SLICE_S:
                time.sleep(worked_s * (1 / share - 1))
                started = time.thread_time()

    def forget(self, shopper_ids: Sequence[str]) -> None:
        """Drop what is kept of shoppers, here and in the cache."""
        self.n_outdated += 1
        for shopper_id in shopper_ids:
            self._hot.pop(shopper_id, None)
        self.cache.remove(self._shop_id, list(shopper_ids))

    def forget_all(self) -> None:
        """Drop everything that is kept in this process; it is read again from the log."""
        self.n_outdated += 1
        self._hot.clear()
        if isinstance(self.cache, MemoryStates):
            self.cache.clear(self._shop_id)

    def _cached(self, ids: list[str]) -> list[Cached | None]:
        try:
            return list(self.cache.get(self._shop_id, ids))
        except StoreError as error:
            self.counts.cache_failures += 1
            LOG.warning("states are read from the log", extra={"error": type(error).__name__})
            return [None] * len(ids)

    def _checked(self, tx: Connection, head: Head, cached: Cached | None) -> ProfileState:
        if cached is None and head.n_state_events == 0:
            return self.empty
        if cached is not None:
            try:
                state = self._read(head.shopper_id, cached, upto=head.last_position)
            except ArtefactError as error:
                LOG.warning("a stored state is damaged", extra={"error": str(error)})
            else:
                if state.totals.n_events < head.n_state_events:
                    state = self._caught_up(tx, head, cached, state)
                if state.totals.n_events == head.n_state_events:
                    return state
        return self._rebuilt(tx, head, cached)

    def _caught_up(self, tx: Connection, head: Head, cached: Cached, state: ProfileState) -> ProfileState:
        """Return the state with the events that the log has after all of its own.

        The writer makes events readable just after they are durable: in between, the log is ahead.
        """
        known = max([cached.position, *(at for at, _ in cached.pending if at <= head.last_position)])
        if head.last_position - known > MOST_BEHIND * self._store.n_partitions:
            return state
        self.counts.caught_up += 1
        missing = of_shopper_between(tx, self._shop_id, head.shopper_id, known, head.last_position)
        return take_steps(
            state, (_step(one, one.new_order) for one in missing if one.event.type in IN_A_STATE)
        )

    def _rebuilt(self, tx: Connection, head: Head, cached: Cached | None) -> ProfileState:
        self.counts.rebuilt += 1
        events = of_shopper(tx, self._shop_id, [head.shopper_id])
        state = state_of(events, empty=self.empty)
        newer = [] if cached is None else [step for step in cached.pending if step[0] > head.last_position]
        self._put(head.shopper_id, cached, Cached(head.last_position, state.to_bytes(), tuple(newer)))
        return state

    def _read(self, shopper_id: str, cached: Cached, *, upto: int) -> ProfileState:
        """Return the state with its steps up to a position of the log."""
        steps = sorted(one for one in cached.pending if cached.position < one[0] <= upto)
        hot = self._hot.get(shopper_id)
        if hot is not None and hot.packed == cached.packed and _begins(steps, hot):
            state = take_steps(hot.state, (step for _, step in steps[hot.n_steps :]))
        else:
            state = take_steps(self._base(cached), (step for _, step in steps))
        self._keep(shopper_id, _Hot(cached.packed, steps[-1][0] if steps else -1, len(steps), state))
        if len(cached.pending) >= MOST_STEPS:
            self._fold(shopper_id, cached, n_left=KEPT_STEPS)
        return state

    def _base(self, cached: Cached) -> ProfileState:
        return ProfileState.from_bytes(cached.packed) if cached.packed else self.empty

    def _fold(self, shopper_id: str, cached: Cached, *, n_left: int = 0) -> Cached:
        """Put a state back with its steps taken, but for the newest; return it."""
        steps = sorted(cached.pending)
        oldest, left = steps[: len(steps) - n_left], steps[len(steps) - n_left :]
        state = take_steps(self._base(cached), (step for at, step in oldest if at > cached.position))
        folded = Cached(max(cached.position, oldest[-1][0]), state.to_bytes(), tuple(left))
        self._put(shopper_id, cached, folded)
        return folded

    def _keep(self, shopper_id: str, hot: _Hot) -> None:
        self._hot[shopper_id] = hot
        self._hot.move_to_end(shopper_id)
        if len(self._hot) > N_HOT:
            self._hot.popitem(last=False)

    def _put(self, shopper_id: str, seen: Cached | None, new: Cached) -> None:
        try:
            self.cache.replace(self._shop_id, shopper_id, seen, new)
        except StoreError:
            self.counts.cache_failures += 1


def _begins(steps: Sequence[tuple[int, bytes]], hot: _Hot) -> bool:
    """Return whether the steps begin with those that a hot state has."""
    if hot.n_steps == 0:
        return True
    return hot.n_steps <= len(steps) and steps[hot.n_steps - 1][0] == hot.newest


def state_of(events: Sequence[LoggedEvent], *, empty: ProfileState) -> ProfileState:
    """Return the state of one shopper's events, given in the order of the log."""
    kept = [one for one in events if one.event.type in IN_A_STATE]
    if empty.order_only:
        return take_steps(empty, (_step(one, one.new_order) for one in kept))

    def grown(state: ProfileState, one: LoggedEvent) -> ProfileState:
        event, totals = state_event(one.event, item_no=_number(one), new_order=one.new_order)
        return update(state, event, totals=totals)

    return reduce(grown, kept, empty)


def _step(one: LoggedEvent, is_new_order: bool) -> bytes:
    event = one.event
    occurred_ms = 0 if event.occurred_at is None else milliseconds(event.occurred_at)  # 0: only an order
    fields = state_fields(event, occurred_ms, key=one.event_key, item_no=_number(one), content=one.content)
    return packed_step(fields, sums_of(event, new_order=is_new_order))


def _number(one: LoggedEvent) -> int:
    return NO_ITEM if one.item_no is None else one.item_no
