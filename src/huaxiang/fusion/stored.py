"""How a fusion lies on disk: its arrays in safetensors, its settings beside them in JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from huaxiang.errors import ArtefactError, NotFittedError
from huaxiang.fusion.projection import Projection

VERSION = 1
Arrays = dict[str, NDArray[np.float32]]


class StoredFusion:
    """What all fusions share: the projection, their own learnt arrays, and how both are kept.

    A subclass sets `name`, has a `Config`, and keeps what it learns in `arrays_`.
    """

    name: ClassVar[str]
    config: Any
    projection_: Projection | None = None
    arrays_: Mapping[str, NDArray[np.float32]]

    def __init__(self, config: Any) -> None:
        self.config = config
        self.arrays_ = {}

    @property
    def projection(self) -> Projection:
        """The fitted projection, or `NotFittedError`."""
        if self.projection_ is None:
            raise NotFittedError("fusion used before fit", value=self.name, remedy="call fit, or load one")
        return self.projection_

    @property
    def dimensions(self) -> int:
        """D."""
        return int(self.config.dimensions)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities it was fitted on."""
        return self.projection.modalities

    @property
    def fingerprint(self) -> str:
        """16 characters that differ whenever the fused vectors would."""
        total = hashlib.blake2b(json.dumps(self._settings(), sort_keys=True).encode(), digest_size=8)
        for name, array in sorted(self._all_arrays().items()):
            total.update(name.encode() + array.tobytes())
        return total.hexdigest()

    def save(self, folder: Path) -> None:
        """Write `fusion.safetensors` and `fusion.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self._all_arrays(), folder / "fusion.safetensors")
        settings = json.dumps(self._settings(), indent=1, sort_keys=True)
        (folder / "fusion.json").write_text(settings, encoding="utf-8")

    def _settings(self) -> dict[str, object]:
        config = asdict(self.config)
        return {"version": VERSION, "name": self.name, "config": config, "modalities": list(self.modalities)}

    def _all_arrays(self) -> Arrays:
        means = {f"mean.{name}": mean for name, mean in self.projection.means.items()}
        maps = {f"map.{one}.{other}": whole for (one, other), whole in self.projection.maps.items()}
        learnt = {f"learnt.{name}": array for name, array in self.arrays_.items()}
        return {name: np.ascontiguousarray(array) for name, array in (means | maps | learnt).items()}

    def restore(self, modalities: tuple[str, ...], arrays: Arrays) -> Self:
        """Take over stored arrays; the counterpart of `save`."""
        self.projection_ = Projection(
            modalities=modalities,
            means={name: arrays[f"mean.{name}"] for name in modalities},
            maps={(one, other): arrays[f"map.{one}.{other}"] for one in modalities for other in modalities},
        )
        learnt = (name for name in arrays if name.startswith("learnt."))
        self.arrays_ = {name.removeprefix("learnt."): arrays[name] for name in learnt}
        return self


def read_fusion(folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Return the settings and arrays of a stored fusion.

    Raises
    ------
    ArtefactError
        The folder holds none, a truncated one, or one of a newer version.
    """
    file = folder / "fusion.json"
    try:
        settings = dict(json.loads(file.read_text(encoding="utf-8")))
        version = int(settings["version"])
        arrays = dict(load_file(folder / "fusion.safetensors")) if version <= VERSION else {}
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtefactError("no fusion can be read", file=str(file), remedy="build the run again") from error
    if version > VERSION:
        remedy = f"this version reads up to {VERSION}; update huaxiang"
        raise ArtefactError("fusion of a newer version", file=str(file), value=str(version), remedy=remedy)
    return settings, arrays
