"""Eight bits for each weight of a served model: linear ones per channel, embeddings too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from huaxiang.encoders.export import quantise, quiet_export
from huaxiang.encoders.finetuning.predictor import MODEL, TASK, TOKENIZER
from huaxiang.training import require


def quantised(served: Path, folder: Path) -> Path:
    """Write a served model once more, in int8, and return its folder.

    Activations are quantised as they arrive, so that no rows are needed to find their ranges; embeddings
    stand in int8 as well, since in small models they are most of the size.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    """
    require("onnx")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (MODEL, TOKENIZER):
        shutil.copyfile(served / name, folder / name)
    said = json.loads((served / TASK).read_text(encoding="utf-8"))
    said["precision"] = "int8"
    (folder / TASK).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")
    with quiet_export():
        quantise(folder / MODEL)
    _without_shapes(folder / MODEL)
    return folder


def _without_shapes(file: Path) -> None:
    """Leave away the shapes between nodes: a share of a tiny model that nobody reads."""
    import onnx

    model = onnx.load(file)
    del model.graph.value_info[:]
    onnx.save(model, file)
