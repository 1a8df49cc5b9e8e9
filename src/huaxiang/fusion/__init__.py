"""Several vectors per item in, one out: texts, photos and whatever comes later share one space of D numbers.

Every modality is projected to the same D, and a missing one is no obstacle: a query, a review or an
uploaded photo lands beside the items that have everything. The ways, from the simplest to the richest:

- `concatenated`: side by side, reduced by PCA; learns nothing from behaviour;
- `weighted`: λ_f f(x) + λ_g g(y), one weight per modality learnt from items that go together (start here);
- `gated`: a weight per item and modality, read off the item itself;
- `attention`: several heads, each with its own weights, so that colour may come from the photo
  and purpose from the words.

All are served by NumPy alone; `gated` and `attention` need the extra `train` to be fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from huaxiang.errors import ArtefactError, SettingsError
from huaxiang.fusion.base import Fusion, Parts
from huaxiang.fusion.stored import read_fusion

__all__ = ["FUSIONS", "Fusion", "Parts", "load", "make"]

FUSIONS = {
    "concatenated": "Concatenated",
    "weighted": "Weighted",
    "gated": "Gated",
    "attention": "Attention",
}
"""Name → class, in the file of that name; simplest first."""


def make(name: str, config: Mapping[str, Any] | None = None) -> Fusion:
    """Return an unfitted fusion.

    Raises
    ------
    SettingsError
        No such fusion, or an unknown setting.

    Examples
    --------
    >>> make("weighted", {"dimensions": 64}).dimensions
    64
    """
    if name not in FUSIONS:
        raise SettingsError("no such fusion", value=name, remedy=f"choose one of {', '.join(FUSIONS)}")
    way = import_module(f"huaxiang.fusion.{name}")
    try:
        settings = way.Config(**(config or {}))
    except TypeError as error:
        known = ", ".join(way.Config.__dataclass_fields__)
        raise SettingsError(f"fusion.{name}", value=str(error), remedy=f"it knows {known}") from error
    fusion: Fusion = getattr(way, FUSIONS[name])(settings)
    return fusion


def load(folder: str | Path) -> Fusion:
    """Return the fusion stored in a folder, whichever way it is.

    Raises
    ------
    ArtefactError
        The folder holds none, a truncated one, or one of a newer version.
    """
    settings, arrays = read_fusion(Path(folder))
    try:
        fusion: Any = make(settings["name"], settings["config"])
        restored: Fusion = fusion.restore(tuple(settings["modalities"]), arrays)
    except (KeyError, TypeError, SettingsError) as error:
        raise ArtefactError("fusion is incomplete", file=str(folder), remedy="build the run again") from error
    return restored
