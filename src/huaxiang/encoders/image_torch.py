"""Image encoders of transformers as torch modules: pixels in, one row of features out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from huaxiang.errors import EncoderError


class Unit(nn.Module):
    """A module's features at unit length."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the vectors, (I, D)."""
        return nn.functional.normalize(self.model(pixels), dim=-1)


class Features(nn.Module):
    """What a transformers model says of a whole picture.

    The pooled features (ResNet, SigLIP, DINOv2), projected where there is a projection (CLIP); else the
    class token (ViT, whose pooler is left out: published weights often lack it). The words' half of CLIP
    and SigLIP is left alone.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the features, (I, D)."""
        tower: Any = getattr(self.model, "vision_model", self.model)
        out = tower(pixel_values=pixels)
        pooled = getattr(out, "pooler_output", None)
        if pooled is None:
            pooled = out.last_hidden_state[:, 0]
        projection: Any = getattr(self.model, "visual_projection", nn.Identity())
        features: Tensor = projection(torch.flatten(pooled, 1))
        return features


def image_processor(source: Path) -> Any:
    """Return the Pillow processor of a local folder."""
    import transformers

    kind: Any = transformers.AutoImageProcessor
    try:
        return kind.from_pretrained(source, local_files_only=True, backend="pil")
    except (OSError, ValueError, KeyError, ImportError) as error:
        remedy = "add the encoder's preprocessor_config.json"
        raise EncoderError("no image preprocessing in the folder", file=str(source), remedy=remedy) from error


def image_model(source: Path, model_type: str) -> nn.Module:
    """Return the features module of a local folder."""
    import transformers
    from transformers.utils import logging

    their_logging: Any = logging
    projected = (
        model_type == "clip_vision_model"
    )  # as saved by itself, which `AutoModel` would load unprojected
    kind: Any = transformers.CLIPVisionModelWithProjection if projected else transformers.AutoModel
    more: dict[str, Any] = {"add_pooling_layer": False} if model_type == "vit" else {}
    if model_type != "resnet":
        more["attn_implementation"] = "eager"
    verbosity = their_logging.get_verbosity()
    their_logging.set_verbosity_error()
    their_logging.disable_progress_bar()
    try:
        model: nn.Module = kind.from_pretrained(
            source, local_files_only=True, dtype=torch.float32, use_safetensors=True, **more
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        remedy = "give a folder with config.json and model.safetensors of one image encoder"
        kind_of_error = type(error).__name__
        raise EncoderError(
            f"image encoder can't be loaded ({kind_of_error})", file=str(source), remedy=remedy
        ) from error
    finally:
        their_logging.set_verbosity(verbosity)
        their_logging.enable_progress_bar()
    return Features(model.eval())
