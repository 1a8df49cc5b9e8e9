"""A text encoder that was taught beside a photo encoder → a sentence-transformers folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

from huaxiang.encoders.pretraining.photo_lesson import PhotoNetwork
from huaxiang.encoders.pretraining.photo_networks import unheard
from huaxiang.encoders.pretraining.photo_words import Words

_SKIPPED = (
    "*.safetensors",
    "*.bin",
    "*.onnx",
    "*.h5",
    "*.msgpack",
    "onnx",
    "openvino",
    "README*",
    "modules.json",
)


def write_taught_text(folder: Path, network: PhotoNetwork, words: Words) -> None:
    """Write the text encoder, its projection into the shared space last; `text_encoder` reads it."""
    encoder: Any = network.text
    assert words.source is not None
    shutil.copytree(words.source, folder, ignore=shutil.ignore_patterns(*_SKIPPED), dirs_exist_ok=True)
    with unheard():
        encoder.model.save_pretrained(folder)
    layers = [(layer[0], layer[1]) for layer in encoder.dense] + [(network.head["text"], nn.Identity())]
    places = [f"{number}_Dense" for number in range(2, 2 + len(layers))]
    for place, (linear, activation) in zip(places, layers, strict=True):
        _write_dense(folder / place, linear, activation)
    mode = {"last": "lasttoken"}.get(encoder.pooling, encoder.pooling)
    width = int(encoder.model.config.hidden_size)
    _write_json(
        folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, "pooling_mode": mode}
    )
    kinds = ["Transformer", "Pooling", *("Dense" for _ in places), "Normalize"]
    paths = ["", "1_Pooling", *places, f"{2 + len(layers)}_Normalize"]
    listed = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    _write_json(folder / "modules.json", listed)


def _write_dense(folder: Path, linear: nn.Linear, activation: nn.Module) -> None:
    said = {
        "in_features": linear.in_features,
        "out_features": linear.out_features,
        "bias": linear.bias is not None,
        "activation_function": f"{type(activation).__module__}.{type(activation).__name__}",
    }
    _write_json(folder / "config.json", said)
    weights = {f"linear.{name}": weight.contiguous() for name, weight in linear.state_dict().items()}
    save_file(weights, folder / "model.safetensors")


def _write_json(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")
