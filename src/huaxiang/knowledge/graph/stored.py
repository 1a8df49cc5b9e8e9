"""The counted part of a product graph on disk: arrays in safetensors, the rest beside them in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix

from huaxiang.errors import ArtefactError
from huaxiang.knowledge.graph.together import Together
from huaxiang.knowledge.graph.vectors import GraphView

VERSION = 1
_FILE = "graph.json"


def save_graph(together: Together, view: GraphView | None, folder: Path) -> None:
    """Write `graph.safetensors` and `graph.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = together.shoppers_II
    arrays: dict[str, Any] = {
        "pairs.shoppers": pairs.data.astype(np.int32),
        "pairs.columns": pairs.indices.astype(np.int32),
        "pairs.ends": pairs.indptr.astype(np.int64),
        "shoppers": together.shoppers_I,
    }
    about: dict[str, Any] = {
        "version": VERSION,
        "n_shoppers": together.n_shoppers,
        "smoothing": together.smoothing,
    }
    if view is not None:
        arrays |= {"view.weights": view.weights_N, "view.basis": np.ascontiguousarray(view.basis_ND)}
        about["view"] = {"columns": list(view.columns), "level_weight": view.level_weight}
    save_file(arrays, folder / "graph.safetensors")
    (folder / _FILE).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def load_graph(folder: Path) -> tuple[Together, GraphView | None]:
    """Return what `save_graph` wrote.

    Raises
    ------
    ArtefactError
        A file is missing, cut short or of a newer version.
    """
    file = folder / _FILE
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        version = int(about["version"])
        arrays = load_file(folder / "graph.safetensors") if version <= VERSION else {}
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ArtefactError("no graph can be read", file=str(file), remedy="build the run again") from error
    if version > VERSION:
        remedy = f"this version reads up to {VERSION}; update huaxiang"
        raise ArtefactError("graph of a newer version", file=str(file), value=str(version), remedy=remedy)
    try:
        return _together(about, arrays), _view(about, arrays)
    except (KeyError, ValueError) as error:
        raise ArtefactError("graph is incomplete", file=str(file), remedy="build the run again") from error


def _together(about: dict[str, Any], arrays: dict[str, Any]) -> Together:
    parts = (arrays["pairs.shoppers"], arrays["pairs.columns"], arrays["pairs.ends"])
    n_items = len(arrays["shoppers"])
    return Together(
        shoppers_II=csr_matrix(parts, shape=(n_items, n_items)),
        shoppers_I=arrays["shoppers"],
        n_shoppers=int(about["n_shoppers"]),
        smoothing=float(about["smoothing"]),
    )


def _view(about: dict[str, Any], arrays: dict[str, Any]) -> GraphView | None:
    if "view" not in about:
        return None
    return GraphView(
        columns=about["view"]["columns"],
        weights_N=arrays["view.weights"],
        basis_ND=arrays["view.basis"],
        level_weight=float(about["view"]["level_weight"]),
    )
