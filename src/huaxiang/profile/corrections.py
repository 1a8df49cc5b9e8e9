"""What the shopper set right: it stands until they withdraw it, whatever their behaviour says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from huaxiang.profile.acts import Acts
from huaxiang.profile.contents import Contents
from huaxiang.records import EventType, Side

_CORRECT = EventType.CORRECT.code
_SIDES: Mapping[str, Side] = {"liked": "liked", "disliked": "disliked"}


@dataclass(frozen=True, slots=True)
class Correction:
    """One value set by the shopper; `rows` are the events that say so, back to when they said otherwise."""

    dimension: str
    value: str
    side: Side
    rows: tuple[int, ...]


def corrections_of(acts: Acts, contents: Contents) -> dict[tuple[str, str], Correction]:
    """Return the corrections in force by (dimension, value), oldest first."""
    in_force: dict[tuple[str, str], Correction] = {}
    for row in np.flatnonzero(acts.type_E == _CORRECT).tolist():
        said = _parsed(contents.text(int(acts.content_E[row])))
        if said is None:
            continue
        dimension, value, side = said
        before = in_force.pop((dimension, value), None)
        if side in _SIDES:
            repeated = before.rows if before is not None and before.side == side else ()
            in_force[dimension, value] = Correction(dimension, value, _SIDES[side], (*repeated, row))
    return in_force


def _parsed(text: str | None) -> tuple[str, str, str] | None:
    try:
        said = json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(said, dict) or not {"dimension", "value"} <= said.keys():
        return None
    return str(said["dimension"]), str(said["value"]), str(said.get("side", "liked"))
