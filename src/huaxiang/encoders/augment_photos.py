"""Photos a little other than they were: cut, mirrored, lighter, partly hidden, or mixed with each other.

What is random is drawn beforehand with NumPy, one row per photo, and applied wherever the pixels are: a fit
that goes on after a kill draws the same, and a GPU does the arithmetic. Colours stay as they are: in a shop
they are what words name.

Source
------
Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 6 (random cuts); Zhong et al., Random
Erasing Data Augmentation, AAAI 2020; Zhang et al., mixup, ICLR 2018; Yun et al., CutMix, ICCV 2019. Ours
mixes before it cuts, so that the share of a label holds on average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from huaxiang.errors import SettingsError

DRAWN = ("cut", "light", "hidden")
"""Names of what `draw` returns."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """How much is changed.

    Parameters
    ----------
    least_area
        Smallest share of the photo that a cut keeps; above 0 to 1, 1 cuts nothing.
    most_stretch
        Most by which a cut is wider or higher than the photo's own shape; ≥ 1.
    mirror, hide
        Share of the photos that are mirrored, and of which a part is hidden; 0 to 1.
    light, contrast
        Most by which brightness and contrast change; 0 to below 1.
    most_hidden
        Largest share of a photo that is hidden; 0 to 1.
    mixup, cutmix
        Strength of mixing two photos and their tags: alpha of the Beta distribution of the share; ≥ 0, 0 for
        none. One of them at most. With texts neither is allowed: a mixed photo has no text.
    """

    least_area: float = 0.5
    most_stretch: float = 1.2
    mirror: float = 0.5
    light: float = 0.2
    contrast: float = 0.2
    hide: float = 0.25
    most_hidden: float = 0.2
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        allowed = {
            "least_area": 0 < self.least_area <= 1,
            "most_stretch": 1 <= self.most_stretch <= 10,
            **{name: 0 <= getattr(self, name) <= 1 for name in ("mirror", "hide", "most_hidden")},
            **{name: 0 <= getattr(self, name) < 1 for name in ("light", "contrast")},
            "mixup": 0 <= self.mixup < math.inf,
            "cutmix": 0 <= self.cutmix < math.inf and not (self.mixup and self.cutmix),
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                remedy = "see the ranges in huaxiang.encoders.augment_photos"
                value = str(getattr(self, name))
                raise SettingsError(
                    "setting is out of range", column=f"augment.{name}", value=value, remedy=remedy
                )


NOTHING = Config(
    least_area=1, most_stretch=1, mirror=0, light=0, contrast=0, hide=0, most_hidden=0, mixup=0, cutmix=0
)


def draw(n: int, config: Config, rng: np.random.Generator) -> dict[str, Tensor]:
    """Return what happens to each of `n` photos, float32.

    `cut` (B, 2, 3) maps places of the new picture to places of the old one, −1 to 1, mirrored where it is;
    `light` (B, 2) has the factors of brightness and contrast; `hidden` (B, 4) top, left, bottom and right of
    the hidden part as shares of the picture, all 0 where nothing is hidden.

    Examples
    --------
    >>> drawn = draw(3, NOTHING, np.random.default_rng(0))
    >>> [tuple(drawn[name].shape) for name in DRAWN], drawn["cut"][0].tolist()
    ([(3, 2, 3), (3, 2), (3, 4)], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    """
    changes = {
        "cut": _cuts(n, config, rng),
        "light": _lights(n, config, rng),
        "hidden": _hidden(n, config, rng),
    }
    return {name: torch.from_numpy(value.astype(np.float32)) for name, value in changes.items()}


def _cuts(n: int, config: Config, rng: np.random.Generator) -> NDArray[np.float64]:
    area = rng.uniform(config.least_area, 1, n)
    stretch = np.exp(rng.uniform(-1, 1, n) * math.log(config.most_stretch))
    width, height = np.minimum(np.sqrt(area * stretch), 1), np.minimum(np.sqrt(area / stretch), 1)
    across, down = rng.uniform(-1, 1, (2, n))
    cut = np.zeros((n, 2, 3))
    cut[:, 0, 0] = np.where(rng.random(n) < config.mirror, -width, width)
    cut[:, 1, 1] = height
    cut[:, 0, 2], cut[:, 1, 2] = across * (1 - width), down * (1 - height)
    return cut


def _lights(n: int, config: Config, rng: np.random.Generator) -> NDArray[np.float64]:
    most = np.array([config.light, config.contrast])
    return 1 + most * rng.uniform(-1, 1, (n, 2))


def _hidden(n: int, config: Config, rng: np.random.Generator) -> NDArray[np.float64]:
    area = config.most_hidden * rng.uniform(0.1, 1, n)
    stretch = np.exp(rng.uniform(-1, 1, n) * math.log(2))
    height, width = np.minimum(np.sqrt(area * stretch), 1), np.minimum(np.sqrt(area / stretch), 1)
    top, left = rng.random(n) * (1 - height), rng.random(n) * (1 - width)
    box = np.stack([top, left, top + height, left + width], 1)
    return np.where(rng.random((n, 1)) < config.hide, box, 0.0)


def augmented(pixels: Tensor, cut: Tensor, light: Tensor, hidden: Tensor) -> Tensor:
    """Return the changed photos, float32 (B, 3, H, W) from 0 to 255, channels last in memory.

    Parameters
    ----------
    pixels
        uint8, shape (B, 3, H, W).
    cut, light, hidden
        What `draw` returned.
    """
    shown = pixels.float().contiguous(memory_format=torch.channels_last)
    places = functional.affine_grid(cut, list(shown.shape), align_corners=False)
    shown = functional.grid_sample(shown, places, padding_mode="border", align_corners=False)
    middle = shown.mean((1, 2, 3), keepdim=True)
    brightness, contrast = light[:, 0, None, None, None], light[:, 1, None, None, None]
    shown = ((shown - middle) * contrast + middle) * brightness
    shown = torch.where(_inside(hidden, shown.shape[-2:])[:, None], middle, shown)
    return shown.clamp(0, 255).contiguous(memory_format=torch.channels_last)


def _inside(hidden: Tensor, size: torch.Size) -> Tensor:
    """Return which pixels lie in a photo's hidden part, (B, H, W)."""
    top, left, bottom, right = hidden.T[:, :, None]
    rows, columns = (
        (torch.arange(n, device=hidden.device, dtype=hidden.dtype) + 0.5)[None] / n for n in size
    )
    is_row, is_column = (rows > top) & (rows < bottom), (columns > left) & (columns < right)
    both: Tensor = is_row[:, :, None] & is_column[:, None, :]
    return both


def mixed(
    pixels: NDArray[np.uint8], tags: NDArray[np.float32], config: Config, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return each photo mixed with another of the batch, and their tags in the same shares.

    Parameters
    ----------
    pixels
        uint8, shape (B, 3, H, W).
    tags
        float32, shape (B, T).
    """
    alpha = config.mixup or config.cutmix
    if not alpha:
        return pixels, tags
    other, share = rng.permutation(len(pixels)), rng.beta(alpha, alpha, len(pixels))
    if config.mixup:
        kept = np.broadcast_to(share[:, None, None], (len(pixels), *pixels.shape[2:]))
    else:
        kept = _outside_a_box(share, pixels.shape[2:], rng)
        share = kept.mean((1, 2))
    whole = pixels * kept[:, None] + pixels[other] * (1 - kept[:, None])
    said = tags * share[:, None] + tags[other] * (1 - share[:, None])
    return np.rint(whole).astype(np.uint8), said.astype(np.float32)


def _outside_a_box(
    share: NDArray[np.float64], size: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return 1 outside and 0 inside of a box that takes about 1 − share of each picture, (B, H, W)."""
    side = np.sqrt(1 - share)
    start = rng.random((2, len(share))) * (1 - side)
    inside = [
        ((np.arange(n) + 0.5)[None] / n > first[:, None])
        & ((np.arange(n) + 0.5)[None] / n < (first + side)[:, None])
        for n, first in zip(size, start, strict=True)
    ]
    return np.where(inside[0][:, :, None] & inside[1][:, None, :], 0.0, 1.0)
