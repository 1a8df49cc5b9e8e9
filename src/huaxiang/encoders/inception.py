"""Inception-v3, with the published names of its weights.

Other image encoders come from transformers, which has none of this family. Weights published for
torchvision's model load as they are, once saved as `model.safetensors` beside a `config.json`
(`save_inception` writes both).

Source
------
Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, table 1 and figures 5-7.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.errors import EncoderError, SettingsError

MODEL_TYPE = "inception_v3"
_OPTIONAL = ("AuxLogits.", "fc.")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of an Inception-v3.

    Parameters
    ----------
    n_classes
        Of the two classifiers, which encoding doesn't use; 1000 in the published weights. ≥ 1.
    image_size
        Height and width in pixels, ≥ 75; 299 in the published weights.
    width
        Factor on the number of channels, > 0; 1 in the published weights.
    """

    n_classes: int = 1000
    image_size: int = 299
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.n_classes < 1 or self.image_size < 75 or self.width <= 0:
            remedy = "choose n_classes from 1, image_size from 75, width above 0"
            raise SettingsError("inception", value=str(asdict(self)), remedy=remedy)

    @property
    def preprocessing(self) -> Preprocessing:
        """The published weights' own: shrink to 8/7 of the size, cut the middle, pixels to −1 … 1."""
        return Preprocessing(
            shortest_edge=self.image_size * 8 // 7,
            crop=(self.image_size, self.image_size),
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
        )


class BasicConv2d(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, n_in: int, n_out: int, kernel: int | tuple[int, int], **more: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, bias=False, **more)
        self.bn = nn.BatchNorm2d(n_out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated map."""
        return functional.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches side by side, joined along the channels; `n_out` is how many channels that makes."""

    n_out: int

    def _conv(
        self, n_in: int, n_out: int, kernel: int | tuple[int, int] = 1, *, stride: int = 1
    ) -> BasicConv2d:
        """Return a convolution that keeps the size, or, with a stride, shrinks it without padding."""
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if stride == 1 else (0, 0)
        return BasicConv2d(n_in, n_out, kernel, stride=stride, padding=padding)

    @staticmethod
    def _pooled(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1)

    @staticmethod
    def _shrunk(x: Tensor) -> Tensor:
        return functional.max_pool2d(x, kernel_size=3, stride=2)


@dataclass(frozen=True)
class _Scaled:
    """Published channel counts → this model's."""

    width: float

    def __call__(self, n_channels: int) -> int:
        return max(1, round(n_channels * self.width))


class InceptionA(_Block):
    """Figure 5: 1×1, 5×5, two 3×3, pool."""

    def __init__(self, n_in: int, pool_features: int, scaled: _Scaled) -> None:
        super().__init__()
        c48, c64, c96, pool = scaled(48), scaled(64), scaled(96), scaled(pool_features)
        self.branch1x1 = self._conv(n_in, c64)
        self.branch5x5_1 = self._conv(n_in, c48)
        self.branch5x5_2 = self._conv(c48, c64, 5)
        self.branch3x3dbl_1 = self._conv(n_in, c64)
        self.branch3x3dbl_2 = self._conv(c64, c96, 3)
        self.branch3x3dbl_3 = self._conv(c96, c96, 3)
        self.branch_pool = self._conv(n_in, pool)
        self.n_out = 2 * c64 + c96 + pool

    def forward(self, x: Tensor) -> Tensor:
        """Return the joined branches."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(self._pooled(x))], 1)


class InceptionB(_Block):
    """From 35×35 to 17×17."""

    def __init__(self, n_in: int, scaled: _Scaled) -> None:
        super().__init__()
        c64, c96, c384 = scaled(64), scaled(96), scaled(384)
        self.branch3x3 = self._conv(n_in, c384, 3, stride=2)
        self.branch3x3dbl_1 = self._conv(n_in, c64)
        self.branch3x3dbl_2 = self._conv(c64, c96, 3)
        self.branch3x3dbl_3 = self._conv(c96, c96, 3, stride=2)
        self.n_out = c384 + c96 + n_in

    def forward(self, x: Tensor) -> Tensor:
        """Return the joined branches."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, self._shrunk(x)], 1)


class InceptionC(_Block):
    """Figure 6: 7×7 as 1×7 and 7×1."""

    def __init__(self, n_in: int, channels_7x7: int, scaled: _Scaled) -> None:
        super().__init__()
        c7, c192 = scaled(channels_7x7), scaled(192)
        self.branch1x1 = self._conv(n_in, c192)
        self.branch7x7_1 = self._conv(n_in, c7)
        self.branch7x7_2 = self._conv(c7, c7, (1, 7))
        self.branch7x7_3 = self._conv(c7, c192, (7, 1))
        self.branch7x7dbl_1 = self._conv(n_in, c7)
        self.branch7x7dbl_2 = self._conv(c7, c7, (7, 1))
        self.branch7x7dbl_3 = self._conv(c7, c7, (1, 7))
        self.branch7x7dbl_4 = self._conv(c7, c7, (7, 1))
        self.branch7x7dbl_5 = self._conv(c7, c192, (1, 7))
        self.branch_pool = self._conv(n_in, c192)
        self.n_out = 4 * c192

    def forward(self, x: Tensor) -> Tensor:
        """Return the joined branches."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(self._pooled(x))], 1)


class InceptionD(_Block):
    """From 17×17 to 8×8."""

    def __init__(self, n_in: int, scaled: _Scaled) -> None:
        super().__init__()
        c192, c320 = scaled(192), scaled(320)
        self.branch3x3_1 = self._conv(n_in, c192)
        self.branch3x3_2 = self._conv(c192, c320, 3, stride=2)
        self.branch7x7x3_1 = self._conv(n_in, c192)
        self.branch7x7x3_2 = self._conv(c192, c192, (1, 7))
        self.branch7x7x3_3 = self._conv(c192, c192, (7, 1))
        self.branch7x7x3_4 = self._conv(c192, c192, 3, stride=2)
        self.n_out = c320 + c192 + n_in

    def forward(self, x: Tensor) -> Tensor:
        """Return the joined branches."""
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_2(self.branch7x7x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(seven))
        return torch.cat([three, seven, self._shrunk(x)], 1)


class InceptionE(_Block):
    """Figure 7: 3×3 spread out as 1×3 beside 3×1."""

    def __init__(self, n_in: int, scaled: _Scaled) -> None:
        super().__init__()
        c192, c320, c384, c448 = scaled(192), scaled(320), scaled(384), scaled(448)
        self.branch1x1 = self._conv(n_in, c320)
        self.branch3x3_1 = self._conv(n_in, c384)
        self.branch3x3_2a = self._conv(c384, c384, (1, 3))
        self.branch3x3_2b = self._conv(c384, c384, (3, 1))
        self.branch3x3dbl_1 = self._conv(n_in, c448)
        self.branch3x3dbl_2 = self._conv(c448, c384, 3)
        self.branch3x3dbl_3a = self._conv(c384, c384, (1, 3))
        self.branch3x3dbl_3b = self._conv(c384, c384, (3, 1))
        self.branch_pool = self._conv(n_in, c192)
        self.n_out = c320 + 4 * c384 + c192

    def forward(self, x: Tensor) -> Tensor:
        """Return the joined branches."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        wide = [self.branch3x3_2a(three), self.branch3x3_2b(three)]
        deep = [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *wide, *deep, self.branch_pool(self._pooled(x))], 1)


class InceptionAux(nn.Module):
    """The side classifier that helped to train the published weights."""

    def __init__(self, n_in: int, n_classes: int, scaled: _Scaled) -> None:
        super().__init__()
        self.conv0 = BasicConv2d(n_in, scaled(128), 1)
        self.conv1 = BasicConv2d(scaled(128), scaled(768), 5)
        self.fc = nn.Linear(scaled(768), n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the classes."""
        x = self.conv1(self.conv0(functional.avg_pool2d(x, kernel_size=5, stride=3)))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


class InceptionV3(nn.Module):
    """Pictures (I, 3, S, S) to features (I, 2048), the average of the last map."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        scaled = _Scaled(self.config.width)
        self._build_stem(scaled)
        n = scaled(192)
        for name, pool_features in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            n = self._add(name, InceptionA(n, pool_features, scaled))
        n = self._add("Mixed_6a", InceptionB(n, scaled))
        for name, c7 in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
            n = self._add(name, InceptionC(n, c7, scaled))
        self.AuxLogits = InceptionAux(n, self.config.n_classes, scaled)
        n = self._add("Mixed_7a", InceptionD(n, scaled))
        n = self._add("Mixed_7b", InceptionE(n, scaled))
        self.n_features = self._add("Mixed_7c", InceptionE(n, scaled))
        self.fc = nn.Linear(self.n_features, self.config.n_classes)

    def _build_stem(self, scaled: _Scaled) -> None:
        self.Conv2d_1a_3x3 = BasicConv2d(3, scaled(32), 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(scaled(32), scaled(32), 3)
        self.Conv2d_2b_3x3 = BasicConv2d(scaled(32), scaled(64), 3, padding=1)
        self.Conv2d_3b_1x1 = BasicConv2d(scaled(64), scaled(80), 1)
        self.Conv2d_4a_3x3 = BasicConv2d(scaled(80), scaled(192), 3)

    def _add(self, name: str, block: _Block) -> int:
        self.add_module(name, block)
        return block.n_out

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the features."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(pixels)))
        x = functional.max_pool2d(x, kernel_size=3, stride=2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = functional.max_pool2d(x, kernel_size=3, stride=2)
        for name, block in self.named_children():
            if name.startswith("Mixed_"):
                x = block(x)
        features: Tensor = x.mean((2, 3))
        return features


def save_inception(model: InceptionV3, folder: Path) -> None:
    """Write `config.json` and `model.safetensors`."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"model_type": MODEL_TYPE} | asdict(model.config)
    (folder / "config.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    save_file(model.state_dict(), folder / "model.safetensors")


def load_inception(folder: Path) -> InceptionV3:
    """Return the model of a folder; classifiers may be left out of the weights, they aren't used.

    Raises
    ------
    EncoderError
        Settings or weights are missing, truncated or of another shape.
    """
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        known = {key: said[key] for key in Config.__dataclass_fields__ if key in said}
        model = InceptionV3(Config(**known))
        absent = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        remedy = "give a folder with config.json and model.safetensors of an Inception-v3"
        raise EncoderError("image encoder can't be loaded", file=str(folder), remedy=remedy) from error
    missing = _needed(absent.missing_keys)
    if missing or absent.unexpected_keys:
        value = ", ".join([*missing, *absent.unexpected_keys][:3])
        remedy = "the names must be those of the published Inception-v3"
        raise EncoderError("weights don't fit", file=str(folder), value=value, remedy=remedy)
    return model.eval()


def _needed(names: Sequence[str]) -> list[str]:
    kept = (name for name in names if not name.endswith("num_batches_tracked"))
    return [name for name in kept if not name.startswith(_OPTIONAL)]
