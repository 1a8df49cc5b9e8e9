"""How often a service waits for the disk, and how much it writes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

SETTLE_S = 2.0
"""PostgreSQL's processes report what they did about once a second."""
_CLOCK = 100
"""Ticks of a second in which the kernel counts processor time (USER_HZ)."""


@dataclass(frozen=True)
class Used:
    """What a process has used since it started: processor time, and bytes sent towards the disk."""

    cpu_s: float
    written: int

    @classmethod
    def by(cls, pid: int) -> Used:
        """Return what a process has used until now."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        counts = {name: int(number) for name, _, number in (line.partition(": ") for line in lines)}
        return cls((int(fields[11]) + int(fields[12])) / _CLOCK, counts["write_bytes"])


def syncs_of_process(pid: int, work: Callable[[], None]) -> dict[str, int] | None:
    """Return how often a process called fsync and fdatasync during some work; None without strace.

    The process is slowed down meanwhile, so nothing else is to be measured of it.
    """
    if shutil.which("strace") is None:
        return None
    with tempfile.NamedTemporaryFile() as counted:
        command = ["strace", "-c", "-f", "-e", "trace=fsync,fdatasync", "-o", counted.name, "-p", str(pid)]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        if tracer.poll() is not None:
            return None
        work()
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=60)
        lines = [line.split() for line in Path(counted.name).read_text().splitlines()]
    names = ("fsync", "fdatasync")
    return {name: sum(int(one[3]) for one in lines if one and one[-1] == name) for name in names}


@contextmanager
def wal_of_postgresql(url: str) -> Iterator[dict[str, int]]:
    """Yield what becomes the count of syncs and bytes of PostgreSQL's write-ahead log during the block."""
    engine = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:").replace("postgres:", "postgresql:")
    )

    def now() -> tuple[int, int]:
        time.sleep(SETTLE_S)
        with engine.connect() as connection:
            row = connection.execute(text("SELECT wal_sync, wal_bytes FROM pg_stat_wal")).one()
        return int(row[0]), int(row[1])

    before, found = now(), dict[str, int]()
    yield found
    after = now()
    found.update(syncs=after[0] - before[0], bytes=after[1] - before[1])
    engine.dispose()
