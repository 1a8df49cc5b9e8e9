"""What a stopped fit left, and whether it is whole and of this very fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open

WEIGHTS = "network.safetensors"
_STATE, _OF = "trainer_state.json", "of.json"


def last_checkpoint(folder: Path, said: str, progress: Callable[[int, int, str], None] | None) -> Path | None:
    """Return the newest whole checkpoint of this very fit; what another fit left is removed."""
    of = folder / _OF
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    if found and (not of.is_file() or of.read_text(encoding="utf-8") != said):
        if progress is not None:
            progress(0, 1, "the checkpoint is of another fit; starting over")
        shutil.rmtree(folder)
        folder.mkdir(parents=True)
        found = []
    of.write_text(said, encoding="utf-8")
    return next((path for path in reversed(found) if _is_whole(path)), None)


def _is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end: the state of the trainer comes last."""
    try:
        json.loads((path / _STATE).read_text(encoding="utf-8"))
        with safe_open(path / WEIGHTS, framework="pt"):
            return True
    except (OSError, ValueError, SafetensorError):
        return False
