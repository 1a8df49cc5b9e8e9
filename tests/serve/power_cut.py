"""What a power cut leaves of a store: each file as it was when it was last synced.

The page cache survives the end of a process, so to kill one shows nothing of what reached the disk. A library
that is loaded before the C library keeps a copy of each file at each sync (`last_synced.c`); after the kill
these copies take the places of the files.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).with_name("last_synced.c")


def built_library(source: Path, home: Path) -> Path:
    """Return a library that can be loaded before the C library; skip where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    library = home / f"{source.stem}.so"
    command = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run([*command, "-ldl"], check=True)
    return library


@dataclass(frozen=True)
class PowerCut:
    """The files of a store in `live`, and what of them is on the disk for sure in `synced`."""

    live: Path
    synced: Path
    library: Path

    @classmethod
    def over(cls, live: Path, home: Path) -> PowerCut:
        """Build the library; skip where there is no compiler."""
        synced = home / "synced"
        synced.mkdir()
        return cls(live, synced, built_library(SOURCE, home))

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs so that its syncs are seen."""
        return {
            "LD_PRELOAD": str(self.library),
            "LAST_SYNCED_OF": str(self.live),
            "LAST_SYNCED_TO": str(self.synced),
        }

    def happen(self, name: str, rng: random.Random) -> None:
        """Put back the database `name` and its write-ahead log as they were last synced.

        Of what was appended to that log later, a beginning of any length may have reached the disk too.
        """
        for part in (name, f"{name}-wal"):
            whole, sure = self.live / part, self.synced / part
            if not sure.exists():
                whole.unlink(missing_ok=True)
                continue
            kept = sure.read_bytes()
            whole.write_bytes(kept if part == name else _torn(kept, whole.read_bytes(), rng))
        (self.live / f"{name}-shm").unlink(missing_ok=True)  # in memory only


def _torn(kept: bytes, written: bytes, rng: random.Random) -> bytes:
    """Return what was synced, with some of what was written after it."""
    n_same = min(len(kept), len(written))
    differs = np.frombuffer(kept, "u1", n_same) != np.frombuffer(written, "u1", n_same)
    first = int(differs.argmax()) if differs.any() else n_same
    cut = first + round(rng.random() ** 2 * (len(written) - first))
    return written[:cut] + kept[cut:]
