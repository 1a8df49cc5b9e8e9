"""Photo encoders to be taught: new ones by name, or those of a folder, and how their pictures are prepared.

What is kept of one is what any program for Hugging Face models reads, Inception-v3 apart, whose names are the
published ones.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import nn

from huaxiang.encoders import inception
from huaxiang.encoders.image_export import SETTINGS
from huaxiang.encoders.image_torch import Features, image_processor
from huaxiang.encoders.learning.base import in_range, one_of
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.preprocessing import Preprocessing, preprocessing_of
from huaxiang.encoders.shop_image import FEWEST_CHANNELS
from huaxiang.errors import EncoderError

Size = tuple[int, int]
"""Height and width in pixels."""

NEW = ("resnet18", "resnet18_small", "resnet50", "inception_v3", "vit_small")
FIRST_CHANNELS = {"resnet18": 64, "resnet18_small": 32, "resnet50": 256}
"""Of the published networks, and of the small one."""
FAMILIES = frozenset(
    {
        *("resnet", "vit", "convnext", "convnextv2", "deit", "dinov2", "swin", "regnet"),
        *("clip", "clip_vision_model", "siglip", "siglip_vision_model", inception.MODEL_TYPE),
    }
)
"""`model_type`s that are taken."""
PROCESSOR = "preprocessor_config.json"
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A photo encoder to be taught.

    Parameters
    ----------
    module
        Prepared pixels (I, 3, H, W) → features (I, D).
    kind
        Its name, or the `model_type` of its folder.
    keep
        Writes configuration, weights and preprocessing into a folder.
    """

    module: nn.Module
    n_features: int
    kind: str
    preprocessing: Preprocessing
    keep: Callable[[Path], None]


def new_backbone(name: str, *, size: Size | None = None, width: int | None = None, seed: int = 0) -> Backbone:
    """Return an untrained encoder.

    Parameters
    ----------
    name
        resnet18, resnet18_small (half the channels: five times as quick), resnet50, inception_v3 or
        vit_small.
    size
        Height and width; None is 64 × 64, and 96 × 96 for Inception, which needs 75 at least.
    width
        Channels of a ResNet's first layer, ≥ 8, or of each token of a ViT, a multiple of 6; None is the
        published number.

    Raises
    ------
    SettingsError
        Another name, or a size or width that it can't have.
    """
    one_of("--from-scratch", name, NEW)
    least = 75 if name == "inception_v3" else 32
    chosen = size or ((96, 96) if name == "inception_v3" else (64, 64))
    for pixels in chosen:
        in_range("--size", pixels, least <= pixels <= 1024, f"{least} to 1024 pixels")
    preprocessing = Preprocessing(size=chosen, resample=2, mean=HALF, std=HALF)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name == "inception_v3":
            shape = inception.Config(n_classes=1, image_size=max(chosen))
            return _inception(inception.InceptionV3(shape), preprocessing)
        model: Any = _new_vit(chosen, width) if name == "vit_small" else _new_resnet(name, width)
    return _of_transformers(model, name, preprocessing)


def load_backbone(folder: Path, *, size: Size | None = None) -> Backbone:
    """Return the encoder of a Hugging Face or Inception-v3 folder.

    `size` replaces what the folder says of the pictures' size; None keeps it.

    Raises
    ------
    EncoderError
        There is no image encoder in the folder, its weights are of another architecture, or it doesn't take
        pictures of this size.
    """
    kind = _family(folder)
    said = read_json(folder / SETTINGS, otherwise={}).get("preprocessing")
    stated = Preprocessing.from_json(said) if said else None
    if kind == inception.MODEL_TYPE:
        network = inception.load_inception(folder)
        found = _inception(network, _sized(stated or network.config.preprocessing, size))
    else:
        given = stated or preprocessing_of(image_processor(folder))
        source = None if size else folder / PROCESSOR
        found = _of_transformers(_pretrained(folder), kind, _sized(given, size), processor=source)
    return found


def _family(folder: Path) -> str:
    config = read_json(folder / "config.json", otherwise=None)
    if config is None:
        remedy = "give a folder with config.json, weights and preprocessor_config.json"
        raise EncoderError("no model in the folder", file=str(folder), remedy=remedy)
    kind = str(config.get("model_type"))
    if kind not in FAMILIES:
        remedy = f"give one of {', '.join(sorted(FAMILIES))}"
        raise EncoderError("no image encoder in the folder", file=str(folder), value=kind, remedy=remedy)
    return kind


def _sized(given: Preprocessing, size: Size | None) -> Preprocessing:
    return given if size is None else replace(given, shortest_edge=None, crop=None, size=size)


def _new_resnet(name: str, width: int | None) -> nn.Module:
    first = FIRST_CHANNELS[name] if width is None else width
    in_range("width", first, first >= FEWEST_CHANNELS, f"{FEWEST_CHANNELS} or more")
    if name == "resnet50":
        shape = transformers.ResNetConfig(
            hidden_sizes=[first, 2 * first, 4 * first, 8 * first], embedding_size=max(4, first // 4)
        )
    else:
        shape = transformers.ResNetConfig(
            layer_type="basic",
            depths=[2, 2, 2, 2],
            hidden_sizes=[first, 2 * first, 4 * first, 8 * first],
            embedding_size=first,
        )
    return transformers.ResNetModel(shape)


def _new_vit(size: Size, width: int | None) -> nn.Module:
    """Return ViT-S: patches of 16 pixels, of 8 where the pictures are small."""
    patch = 16 if min(size) >= 160 else 8
    for pixels in size:
        in_range("--size", pixels, pixels % patch == 0, f"a multiple of {patch}")
    wide = 384 if width is None else width
    in_range("width", wide, wide > 0 and wide % 6 == 0, "a multiple of 6")
    shape = transformers.ViTConfig(
        hidden_size=wide,
        num_hidden_layers=12,
        num_attention_heads=6,
        intermediate_size=4 * wide,
        image_size=list(size) if size[0] != size[1] else size[0],
        patch_size=patch,
    )
    return transformers.ViTModel(shape, add_pooling_layer=False)


def _inception(network: inception.InceptionV3, preprocessing: Preprocessing) -> Backbone:
    network.AuxLogits = network.fc = nn.Identity()  # type: ignore[assignment]  # the classifiers are not used

    def keep(folder: Path) -> None:
        inception.save_inception(network, folder)
        _write_processor(folder, preprocessing)

    return _checked(network, inception.MODEL_TYPE, preprocessing, keep)


def _of_transformers(
    model: Any, kind: str, preprocessing: Preprocessing, *, processor: Path | None = None
) -> Backbone:
    def keep(folder: Path) -> None:
        with unheard():
            model.save_pretrained(folder)
        if processor is not None:
            shutil.copyfile(processor, folder / PROCESSOR)
        else:
            _write_processor(folder, preprocessing)

    return _checked(Features(model), kind, preprocessing, keep)


def _checked(
    module: nn.Module, kind: str, preprocessing: Preprocessing, keep: Callable[[Path], None]
) -> Backbone:
    """Return the backbone, its number of features found by a look at one picture."""
    from huaxiang.encoders.pretraining.photo_rows import size_of

    size = size_of(preprocessing)
    try:
        with torch.inference_mode():
            features = module.eval()(torch.zeros(1, 3, *size))
    except (ValueError, RuntimeError) as error:
        remedy = "leave --size out, or give another"
        raise EncoderError(
            "encoder takes no pictures of this size", value=f"{size[1]}x{size[0]}", remedy=remedy
        ) from error
    return Backbone(
        module=module,
        n_features=int(features.shape[1]),
        kind=kind,
        preprocessing=preprocessing,
        keep=keep,
    )


def _pretrained(folder: Path) -> nn.Module:
    """Return the model of a folder, every weight that serves found in it."""
    kind: Any = transformers.AutoModel
    if read_json(folder / "config.json", otherwise={})["model_type"] == "clip_vision_model":
        kind = transformers.CLIPVisionModelWithProjection
    try:
        with unheard():
            model, found = kind.from_pretrained(
                folder,
                local_files_only=True,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                **_no_pooler(folder),
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        remedy = "give a folder with config.json and model.safetensors of one image encoder"
        kind_of_error = type(error).__name__
        raise EncoderError(
            f"image encoder can't be loaded ({kind_of_error})", file=str(folder), remedy=remedy
        ) from error
    _check_weights(folder, found)
    trained: nn.Module = model
    return trained


def _no_pooler(folder: Path) -> dict[str, Any]:
    is_vit = read_json(folder / "config.json", otherwise={})["model_type"] in ("vit", "deit")
    return {"add_pooling_layer": False} if is_vit else {}


def _check_weights(folder: Path, found: Mapping[str, Any]) -> None:
    """Refuse weights of another architecture: what is missing would be made up at random, silently."""
    missing = [*found["missing_keys"], *(key for key, *_ in found.get("mismatched_keys", ()))]
    if missing:
        raise EncoderError(
            f"weights are of another architecture: {len(missing)} are missing",
            file=str(folder),
            value=", ".join(sorted(missing)[:3]),
            remedy="give config.json and model.safetensors of the same model",
        )


class unheard:  # noqa: N801 - a context manager
    """Keep transformers' remarks on loading to itself: what matters is checked."""

    def __enter__(self) -> None:
        logging: Any = transformers.utils.logging
        self._before = logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        logging: Any = transformers.utils.logging
        logging.set_verbosity(self._before)
        logging.enable_progress_bar()


def _write_processor(folder: Path, preprocessing: Preprocessing) -> None:
    """Write a preprocessing of a fixed size in transformers' words."""
    if preprocessing.size is None:
        return  # Inception's published one, which `load_inception` knows
    height, width = preprocessing.size
    said = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": height, "width": width},
        "resample": preprocessing.resample,
        "do_rescale": True,
        "rescale_factor": preprocessing.scale,
        "do_normalize": True,
        "image_mean": list(preprocessing.mean),
        "image_std": list(preprocessing.std),
    }
    (folder / PROCESSOR).write_text(json.dumps(said, indent=1), encoding="utf-8")
