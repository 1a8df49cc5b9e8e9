"""Who read and changed whom: a line for each, written by the writer in one go and waited for by nobody."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection

from huaxiang.errors import HuaxiangError
from huaxiang.records import Event
from huaxiang.serve.auth import Caller
from huaxiang.serve.problems import code_of
from huaxiang.serve.writer import Writer
from huaxiang.store.audit import AuditLine, add_lines, line_at

SELF = "self"
"""Purpose of what shoppers do with themselves."""
ASKED = "asked"


class Audit:
    """The lines of one process.

    A change is noted before it is made, in the same commit or an earlier one; a read is noted once it is
    known what came of it, and is written within `writer.FLUSH_S`.

    Parameters
    ----------
    subject
        (shop, shopper's hash) → what stands for them where they must not be recognised.
    """

    def __init__(
        self,
        writer: Writer,
        subject: Callable[[str, str], str],
        *,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._writer = writer
        self._subject = subject
        self._clock_s = clock_s
        self._lines: deque[tuple[str, AuditLine]] = deque()

    def note(
        self, caller: Caller, action: str, shopper_hash: str | None = None, *, outcome: str = "done"
    ) -> None:
        """Note what a key does with a person, or with several (None)."""
        at_ms = int(self._clock_s() * 1000)
        line = AuditLine(
            line=line_at(at_ms),
            at_ms=at_ms,
            key_id=caller.key_id,
            action=action,
            subject=None if shopper_hash is None else self._subject(caller.shop_id, shopper_hash),
            purpose=caller.purpose if caller.shopper_id is None else SELF,
            outcome=outcome,
        )
        self._lines.append((caller.shop_id, line))
        if len(self._lines) == 1:  # else somebody has asked the writer already
            self._writer.note(self._write)

    def events(self, caller: Caller, events: Sequence[Event]) -> None:
        """Note the events of one request, by whose they are where that is one person."""
        shoppers = {event.shopper_id for event in events}
        if shoppers:
            whose = shoppers.pop() if len(shoppers) == 1 else None
            self.note(caller, "events", whose, outcome=f"{len(events)} sent")

    @contextmanager
    def reading(self, caller: Caller, action: str, shopper_hash: str) -> Iterator[None]:
        """Note a read; its outcome is what was raised in the block, or that it was done."""
        try:
            yield
        except HuaxiangError as error:
            self.note(caller, action, shopper_hash, outcome=code_of(type(error)))
            raise
        self.note(caller, action, shopper_hash)

    @contextmanager
    def changing(self, caller: Caller, action: str, shopper_hash: str) -> Iterator[None]:
        """Note a change that takes long: that it was asked for, and then what came of it."""
        self.note(caller, action, shopper_hash, outcome=ASKED)
        with self.reading(caller, action, shopper_hash):
            yield

    def _write(self, tx: Connection) -> None:
        taken = [self._lines.popleft() for _ in range(len(self._lines))]
        for shop_id, lines in groupby(sorted(taken, key=itemgetter(0)), key=itemgetter(0)):
            add_lines(tx, shop_id, [line for _, line in lines])
