"""The machine that a figure was measured on, in one line without names or addresses."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def hardware() -> str:
    """Return processor, cores usable, memory and Python.

    Examples
    --------
    >>> "cores" in hardware()
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {_memory_gib():.0f} GiB, Python {platform.python_version()}"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    if not hasattr(os, "sysconf"):
        return float("nan")
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
