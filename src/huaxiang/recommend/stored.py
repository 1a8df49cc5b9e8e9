"""How a recommender lies on disk: its arrays in safetensors, its settings beside them in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix

from huaxiang.errors import ArtefactError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VERSION = 1
Arrays = dict[str, NDArray[Any]]


def save_arrays(
    folder: Path,
    *,
    name: str,
    config: DataclassInstance,
    arrays: Arrays,
    more: Mapping[str, object] | None = None,
) -> None:
    """Write `arrays.safetensors` and `recommender.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: np.ascontiguousarray(array) for key, array in arrays.items()}, folder / "arrays.safetensors"
    )
    save_settings(folder, name=name, config=asdict(config), more=more)


def save_settings(
    folder: Path, *, name: str, config: Mapping[str, object], more: Mapping[str, object] | None = None
) -> None:
    """Write `recommender.json` alone: which recommender it is, its settings, and `more` about it."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"version": VERSION, "name": name, "config": config, "more": dict(more or {})}
    (folder / "recommender.json").write_text(json.dumps(said, indent=1, sort_keys=True), encoding="utf-8")


def load_settings(folder: Path, *, name: str | None = None) -> dict[str, Any]:
    """Return what `recommender.json` says.

    Raises
    ------
    ArtefactError
        It is missing, truncated, newer than this version, or of another recommender than `name`.
    """
    file = folder / "recommender.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        version, stored = int(said["version"]), str(said["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            "no recommender can be read", file=str(file), remedy="build the run again"
        ) from error
    if version > VERSION:
        remedy = f"this version reads up to {VERSION}; update huaxiang"
        raise ArtefactError(
            "recommender of a newer version", file=str(file), value=str(version), remedy=remedy
        )
    if name is not None and stored != name:
        raise ArtefactError("another recommender", file=str(file), value=stored, remedy=f"expected {name}")
    return dict(said)


def load_arrays(folder: Path) -> Arrays:
    """Return the arrays of `arrays.safetensors`, or raise `ArtefactError` where it can't be read."""
    file = folder / "arrays.safetensors"
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        remedy = "build the run again"
        raise ArtefactError("arrays can't be read", file=str(file), remedy=remedy) from error


def sparse_to_arrays(prefix: str, matrix: csr_matrix) -> Arrays:
    """Return a sparse matrix as plain arrays whose names begin with `prefix`."""
    return {
        f"{prefix}.values": matrix.data.astype(np.float32),
        f"{prefix}.columns": matrix.indices.astype(np.int32),
        f"{prefix}.ends": matrix.indptr.astype(np.int64),
        f"{prefix}.shape": np.array(matrix.shape, dtype=np.int64),
    }


def sparse_from_arrays(prefix: str, arrays: Arrays) -> csr_matrix:
    """Return the sparse matrix that `sparse_to_arrays` took apart."""
    try:
        parts = (arrays[f"{prefix}.values"], arrays[f"{prefix}.columns"], arrays[f"{prefix}.ends"])
        shape = tuple(arrays[f"{prefix}.shape"].tolist())
    except KeyError as error:
        raise ArtefactError("array is missing", value=prefix, remedy="build the run again") from error
    return csr_matrix(parts, shape=shape)
