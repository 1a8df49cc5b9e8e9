"""A photo encoder's folder: the encoder itself, what serves it without torch, and its heads.

`config.json`, `model.safetensors`, `preprocessor_config.json`
    The encoder, as Hugging Face's programs read it.
`image.onnx`, `image.json`
    What `huaxiang build --image` serves: the space shared with texts, or the encoder's own features.
`heads.safetensors`, `heads.json`
    Linear heads on the features: tags, and the two projections into the shared space.
`tags.onnx`
    Pixels to the likelihood of each tag.
`text/`
    The text encoder, where it was taught along; its vectors lie in the shared space.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from huaxiang.encoders.image_export import MODEL, SETTINGS, quiet, write_export
from huaxiang.encoders.pretraining.photo_lesson import PhotoNetwork
from huaxiang.encoders.pretraining.photo_networks import Backbone
from huaxiang.encoders.pretraining.photo_rows import size_of
from huaxiang.encoders.pretraining.photo_served import HEADS, HEADS_SAID, TAGS, TEXT, VERSION
from huaxiang.encoders.pretraining.photo_text_folder import write_taught_text
from huaxiang.encoders.pretraining.photo_words import Words


class Served(nn.Module):
    """Prepared pixels → features, or vectors in the space shared with texts."""

    def __init__(self, network: PhotoNetwork, *, is_shared: bool) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.projection = network.head["photo"] if is_shared else nn.Identity()

    def forward(self, pixels: Tensor) -> Tensor:
        """Return one row per photo, of any length."""
        out: Tensor = self.projection(self.backbone(pixels))
        return out


class Told(nn.Module):
    """Prepared pixels → the likelihood of each tag."""

    def __init__(self, network: PhotoNetwork) -> None:
        super().__init__()
        assert network.tag_lesson is not None
        self.backbone, self.head = network.backbone, network.head["tags"]
        self.dimensions = network.tag_lesson.vocabulary.dimensions

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the likelihoods, (I, T)."""
        logits = self.head(self.backbone(pixels))
        parts = [
            logits[:, d.columns].softmax(1) if d.is_choice else logits[:, d.columns].sigmoid()
            for d in self.dimensions
        ]
        return torch.cat(parts, 1)


def write_photo_model(
    folder: Path, network: PhotoNetwork, backbone: Backbone, words: Words | None, *, name: str, serve: str
) -> None:
    """Write everything but settings and figures.

    Parameters
    ----------
    serve
        "shared": photos land where their texts do; "features": the encoder's own.
    """
    network.to(memory_format=torch.contiguous_format).cpu().eval()  # type: ignore[call-overload]
    _spread_attention(network.backbone)
    backbone.keep(folder)
    served = Served(network, is_shared=serve == "shared")
    named = {"name": name, "fingerprint": _fingerprint(served)}
    beside = write_export(served, backbone.preprocessing, folder / "export", named=named)
    for file in (MODEL, SETTINGS):
        (beside / file).replace(folder / file)
    shutil.rmtree(beside)
    _write_heads(folder, network, words, serve=serve)
    if network.tag_lesson is not None:
        _write_tags(folder / TAGS, Told(network).eval(), backbone)
    if words is not None and words.encoder is not None:
        write_taught_text(folder / TEXT, network, words)
    for weights in folder.rglob("*.safetensors"):
        weights.chmod(0o644)  # they are written for the owner alone, and others serve them


def _spread_attention(module: nn.Module) -> None:
    """Write attention out step by step, which every exporter knows."""
    model: Any = getattr(module, "model", None)
    if hasattr(model, "set_attn_implementation"):
        model.set_attn_implementation("eager")


def _fingerprint(served: Served) -> str:
    total = hashlib.sha256()
    for name, weight in sorted(served.state_dict().items()):
        total.update(name.encode() + weight.contiguous().numpy().tobytes())
    return total.hexdigest()[:16]


def _write_heads(folder: Path, network: PhotoNetwork, words: Words | None, *, serve: str) -> None:
    weights = {name: value.contiguous() for name, value in network.head.state_dict().items()}
    save_file(weights, folder / HEADS)
    lesson = network.tag_lesson
    said: dict[str, Any] = {"version": VERSION, "serve": serve}
    said |= {"tags": lesson.vocabulary.as_json()} if lesson is not None else {}
    said |= {"text": dict(words.said)} if words is not None else {}
    (folder / HEADS_SAID).write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")


def _write_tags(file: Path, told: Told, backbone: Backbone) -> None:
    pixels = torch.zeros(2, 3, *size_of(backbone.preprocessing))
    with quiet(), torch.inference_mode():
        torch.onnx.export(
            told,
            (pixels,),
            str(file),
            dynamo=False,
            input_names=["pixels"],
            output_names=["tags"],
            dynamic_axes={"pixels": {0: "photos"}, "tags": {0: "photos"}},
            opset_version=17,
        )
