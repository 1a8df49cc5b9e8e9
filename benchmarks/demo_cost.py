"""Claim: the demo's job takes at most 6 CPU-minutes and 3 GiB on two cores.

Runs `huaxiang demo` as a process of its own and prints what the operating system accounts for it.
As in `make demo`, threads wait without spinning. The caches are put in an empty folder first, so nothing is
left from an earlier run.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from huaxiang.evaluate.hardware import hardware


def main() -> None:
    """Run the demo once and print its cost, and the size of the installation."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HUAXIANG_CACHE": f"{folder}/cache", "OMP_WAIT_POLICY": "PASSIVE"}
        started = time.perf_counter()
        command = [sys.executable, "-m", "huaxiang", "demo", "--out", f"{folder}/demo"]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        wall_s = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(hardware())
    print(f"CPU minutes   {(used.ru_utime + used.ru_stime) / 60:6.2f}   (at most 6)")
    print(f"wall minutes  {wall_s / 60:6.2f}")
    print(f"peak GiB      {used.ru_maxrss / 2**20:6.2f}   (at most 3)")
    print(f"installation  {_size_gib(Path(sys.prefix)):6.2f} GiB")


def _size_gib(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 2**30


if __name__ == "__main__":
    main()
