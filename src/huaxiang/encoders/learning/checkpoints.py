"""What a stopped or finished fit left, and whether it is whole and of this very fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import nn

from huaxiang.encoders.learning.base import Learnt

WEIGHTS = "network.safetensors"
_STATE, _OF, _LEARNT, _FINISHED = "trainer_state.json", "of.json", "learnt.json", "finished"


def last_checkpoint(folder: Path, said: str, progress: Callable[[int, int, str], None] | None) -> Path | None:
    """Return the newest whole checkpoint of this very fit; what another fit left is removed."""
    of = folder / _OF
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    is_of_another = not of.is_file() or of.read_text(encoding="utf-8") != said
    if is_of_another and (found or (folder / _FINISHED).exists()):
        if progress is not None:
            progress(0, 1, "the checkpoint is of another fit; starting over")
        shutil.rmtree(folder)
        folder.mkdir(parents=True)
        found = []
    of.write_text(said, encoding="utf-8")
    return next((path for path in reversed(found) if _is_whole(path)), None)


def keep_finished(folder: Path, network: nn.Module, learnt: Learnt) -> None:
    """Leave of the checkpoints only what the fit came to, and how it went."""
    partial = folder / f"{_FINISHED}.partial"
    partial.mkdir(exist_ok=True)
    save_model(network, str(partial / WEIGHTS))
    facts = {**asdict(learnt), "curve": [dict(point) for point in learnt.curve]}
    (partial / _LEARNT).write_text(json.dumps(facts), encoding="utf-8")
    partial.rename(folder / _FINISHED)
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint, ignore_errors=True)


def finished(folder: Path, network: nn.Module) -> Learnt | None:
    """Give the network what the fit of this folder came to; return how it went, or None before its end."""
    place = folder / _FINISHED
    try:
        facts = json.loads((place / _LEARNT).read_text(encoding="utf-8"))
        load_model(network, str(place / WEIGHTS))
    except (OSError, ValueError, SafetensorError):
        shutil.rmtree(place, ignore_errors=True)  # none, or cut short by a power failure: it is learnt again
        return None
    return Learnt(**{**facts, "curve": tuple(facts["curve"])})


def _is_whole(path: Path) -> bool:
    """Whether a checkpoint was written to its end: the state of the trainer comes last."""
    try:
        json.loads((path / _STATE).read_text(encoding="utf-8"))
        with safe_open(path / WEIGHTS, framework="pt"):
            return True
    except (OSError, ValueError, SafetensorError):
        return False
