"""Group commit: one thread writes, and whatever waits goes into one transaction.

A commit that reaches the disk costs the same for one event as for a thousand. So requests leave their events
here and wait; the thread takes all that has gathered, writes it once, and then lets every request go on.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from huaxiang.errors import BusyError, HuaxiangError
from huaxiang.store import Appended, LoggedEvent, Store, append
from huaxiang.store.erasure import erased_at
from huaxiang.store.log import named_in

LOG = logging.getLogger(__name__)
MOST_IN_GROUP = 4000
MOST_ERRANDS = 200
FLUSH_S = 0.2
"""Notes that nobody waits for are written at most this much later."""

Note = Callable[[Connection], None]
"""Something to write that no request waits for: a slate that was shown, a line of the audit."""

Result = TypeVar("Result")
Subject = Callable[[str, str], str]
"""Turns a shop and a hashed shopper into what stands for them once they are erased."""


@dataclass(slots=True)
class Errand:
    """Something else to write, in a transaction of its own, and who waits for it."""

    write: Callable[[Connection], Any]
    after: Callable[[Any], None]
    done: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Batch:
    """Events of one request, and who waits for them."""

    shop_id: str
    events: Sequence[LoggedEvent]
    done: Future[Appended] = field(default_factory=Future)


@dataclass(slots=True)
class Counts:
    """What the writer did since it started."""

    commits: int = 0
    events: int = 0
    duplicates: int = 0
    failures: int = 0
    lost_notes: int = 0


class Writer:
    """The thread that writes the log.

    Parameters
    ----------
    applied
        Called in the thread with (shop, new events, what became of all) once they are durable and before any
        request hears of it: it makes them readable.
    most_waiting
        Most events that may wait; beyond, `submit` refuses.
    """

    def __init__(
        self,
        store: Store,
        *,
        applied: Callable[[str, Sequence[LoggedEvent], Appended], None],
        most_waiting: int,
    ) -> None:
        self._store = store
        self._applied = applied
        self._most_waiting = most_waiting
        self._batches: deque[Batch] = deque()
        self._notes: deque[Note] = deque()
        self._errands: deque[Errand] = deque()
        self._wake = threading.Condition()
        self._n_waiting = 0
        self._is_closing = False
        self.counts = Counts()
        self.subject: Subject = lambda shop_id, shopper_id: ""
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """How many events wait to be written."""
        return self._n_waiting

    def submit(self, shop_id: str, events: Sequence[LoggedEvent]) -> Future[Appended]:
        """Return what will be known once the events are durable and readable.

        Raises
        ------
        BusyError
            Too much waits already, or the service is stopping.
        """
        batch = Batch(shop_id, events)
        batch.done.set_running_or_notify_cancel()  # who no longer waits must not stop the thread
        with self._wake:
            if self._is_closing or self._n_waiting + len(events) > self._most_waiting:
                raise BusyError("the log can't take more now", remedy="send the events again in a second")
            self._n_waiting += len(events)
            self._batches.append(batch)
            self._wake.notify()
        return batch.done

    def run(
        self,
        write: Callable[[Connection], Result],
        *,
        after: Callable[[Result], None] = lambda result: None,
    ) -> Future[Result]:
        """Return what `write` returns once what it wrote is durable; it has a transaction of its own.

        Parameters
        ----------
        after
            Called in the thread with what `write` returned, before anybody hears of it.

        Raises
        ------
        BusyError
            Too much waits already, or the service is stopping.
        """
        errand = Errand(write, after)
        errand.done.set_running_or_notify_cancel()  # who no longer waits must not stop the thread
        with self._wake:
            if self._is_closing or len(self._errands) >= MOST_ERRANDS:
                raise BusyError("the store can't take more now", remedy="send it again in a second")
            self._errands.append(errand)
            self._wake.notify()
        return errand.done

    def note(self, note: Note) -> None:
        """Write something soon; it is lost if the process is killed within `FLUSH_S`."""
        self._notes.append(note)

    def close(self) -> None:
        """Write everything that waits, then stop."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._batches and not self._errands and not self._is_closing:
                    self._wake.wait(timeout=FLUSH_S)
                group = self._taken()
                notes = [self._notes.popleft() for _ in range(len(self._notes))]
                errand = self._errands.popleft() if self._errands else None
                is_last = self._is_closing and not self._batches and not self._errands
            if group or notes:
                self._write(group, notes)
            if errand is not None:
                self._do(errand)
            if is_last and not self._notes:
                return

    def _taken(self) -> list[Batch]:
        group: list[Batch] = []
        n_events = 0
        while self._batches and (not group or n_events + len(self._batches[0].events) <= MOST_IN_GROUP):
            batch = self._batches.popleft()
            n_events += len(batch.events)
            group.append(batch)
        self._n_waiting -= n_events
        return group

    def _write(self, group: list[Batch], notes: list[Note]) -> None:
        try:
            results = self._commit(group, notes)
        except Exception as error:  # whatever the driver raises: nobody may wait for ever
            self._failed(group, notes, error)
            return
        self.counts.commits += 1
        for batch, appended in zip(group, results, strict=True):
            self._finish(batch, appended)

    def _do(self, errand: Errand) -> None:
        try:
            with self._store.begin() as tx:
                result = errand.write(tx)
            errand.after(result)
        except Exception as error:  # whatever the driver raises: nobody may wait for ever
            self.counts.failures += 1
            errand.done.set_exception(error)
        else:
            self.counts.commits += 1
            errand.done.set_result(result)

    def _commit(self, group: list[Batch], notes: list[Note]) -> list[Appended]:
        by_shop: dict[str, list[Batch]] = {}
        for batch in group:
            by_shop.setdefault(batch.shop_id, []).append(batch)
        results: dict[int, Appended] = {}
        with self._store.begin() as tx:
            for shop_id, batches in by_shop.items():
                events = [event for batch in batches for event in batch.events]
                whole = append(tx, shop_id, events, erased=erased_among(tx, shop_id, events, self.subject))
                for batch, part in zip(batches, whole.split([len(b.events) for b in batches]), strict=True):
                    results[id(batch)] = part
            for note in notes:
                note(tx)
        return [results[id(batch)] for batch in group]

    def _failed(self, group: list[Batch], notes: list[Note], error: Exception) -> None:
        """Let one broken batch fail alone; what can't be written at all fails for everybody."""
        self.counts.failures += 1
        if notes:  # they must not keep events from being written
            LOG.error("notes were not written", extra={"error": type(error).__name__, "notes": len(notes)})
            self.counts.lost_notes += len(notes)
            if group:
                self._write(group, [])
            return
        if len(group) > 1 and isinstance(error, HuaxiangError) and error.exit_code == 2:
            for batch in group:
                self._write([batch], [])
            return
        LOG.error("events were not written", extra={"error": type(error).__name__, "batches": len(group)})
        for batch in group:
            batch.done.set_exception(error)

    def _finish(self, batch: Batch, appended: Appended) -> None:
        self.counts.events += sum(appended.is_new)
        self.counts.duplicates += len(appended.is_new) - sum(appended.is_new)
        try:
            self._applied(batch.shop_id, batch.events, appended)
        except Exception as error:  # durable, but not readable here: the sender must not hear that it is
            batch.done.set_exception(error)
            return
        batch.done.set_result(appended)


def erased_among(
    tx: Connection, shop_id: str, events: Sequence[LoggedEvent], subject: Subject
) -> dict[str, int]:
    """Return which of the events' shoppers were erased, and when: what they did before is dropped."""
    buried = erased_at(tx, shop_id)
    if not buried:
        return {}
    shoppers = {who for one in events for who in named_in(one.event)}
    found = {shopper_id: buried.get(subject(shop_id, shopper_id)) for shopper_id in shoppers}
    return {shopper_id: at_ms for shopper_id, at_ms in found.items() if at_ms is not None}
