"""Photos moved against a photo encoder, pixel by pixel: to learn from, and to see what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.base import Progress
from huaxiang.encoders.hardening.adversarial import PixelsConfig, moving_pixels
from huaxiang.encoders.hardening.attacks import Held, under_moved_inputs
from huaxiang.encoders.pretraining.photo_lesson import PhotoLesson, PhotoNetwork, Rows
from huaxiang.encoders.pretraining.photo_tags import Dimension

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from huaxiang.encoders.learning.trainer import Attack
    from huaxiang.encoders.preprocessing import Preprocessing

STEPS_TO_LEARN = {"fgm": 1, "pgd": 3}
STEPS_TO_ASK = 10
_BATCH = 64


def attack_of(
    network: PhotoNetwork, preprocessing: Preprocessing, *, way: str, epsilon: float
) -> AbstractContextManager[Attack | None]:
    """Return what `train_large` is given as attack, once entered; nothing for the way "none"."""
    if way == "none":
        return nullcontext()
    config = replace(pixels_config(preprocessing, epsilon=epsilon), steps=STEPS_TO_LEARN[way])
    return moving_pixels(network, config, module=network.backbone)


def pixels_config(preprocessing: Preprocessing, *, epsilon: float) -> PixelsConfig:
    """Return the moves that are allowed of photos as the network's backbone is given them."""
    full = 255 * preprocessing.scale  # what white is before the mean is taken off
    mean, std = (tuple(value / full for value in getattr(preprocessing, name)) for name in ("mean", "std"))
    return PixelsConfig(epsilon=epsilon, steps=STEPS_TO_ASK, mean=mean, std=std)


def attacked_figures(  # noqa: PLR0913 - what is asked comes first, then how
    network: PhotoNetwork,
    lesson: PhotoLesson,
    preprocessing: Preprocessing,
    rows: Rows,
    *,
    epsilon: float,
    most: int,
    seed: int,
    progress: Progress,
) -> dict[str, float]:
    """Return how many of some photos are told rightly as they are and when moved (PGD, 10 steps).

    Each dimension in which a product has one value is attacked by itself; "rightly" is: at every point that
    the attack comes by.
    """
    assert lesson.vocabulary is not None
    config = pixels_config(preprocessing, epsilon=epsilon)
    some = rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:most])]
    figures: dict[str, float] = {}
    n_dimensions = len(lesson.vocabulary.dimensions)
    for at, dimension in enumerate(lesson.vocabulary.dimensions):
        progress(at, n_dimensions, dimension.name)
        asked = list(_batches(network, lesson, dimension, some)) if dimension.is_choice else []
        if not asked:
            continue
        told = _Told(network, dimension)
        held: Held = under_moved_inputs(told, asked, config, seed=seed, module=network.backbone)
        n = sum(len(batch["targets"]) for batch in asked)
        figures[f"{dimension.name}_accuracy_attacked"] = held.accuracy
        figures[f"{dimension.name}_accuracy_of_attacked"] = sum(_right(told, one) for one in asked) / n
    progress(n_dimensions, n_dimensions, f"{len(some):,} photos attacked")
    return figures


class _Told(nn.Module):
    """A photo network asked for one dimension alone."""

    def __init__(self, network: PhotoNetwork, dimension: Dimension) -> None:
        super().__init__()
        self.network = network
        self.columns = dimension.columns

    def forward(self, pixels: Tensor, targets: Tensor) -> dict[str, Tensor]:
        outputs = self.network.head["tags"](self.network.features(pixels))[:, self.columns]
        return {"outputs": outputs, "loss": functional.cross_entropy(outputs, targets)}


def _batches(
    network: PhotoNetwork, lesson: PhotoLesson, dimension: Dimension, rows: Rows
) -> Iterator[dict[str, Tensor]]:
    """Yield the photos that state a value which is told, with its number."""
    assert lesson.vocabulary is not None
    device = next(network.parameters()).device
    has_NV = lesson.vocabulary.matrix([lesson.stated[row] for row in rows])[:, dimension.columns]
    told = rows[has_NV.any(axis=1)]
    targets_N = torch.from_numpy(has_NV[has_NV.any(axis=1)].argmax(axis=1))
    for start in range(0, len(told), _BATCH):
        pixels = lesson.plain(told[start : start + _BATCH])["pixels"]
        yield {"pixels": pixels.to(device), "targets": targets_N[start : start + _BATCH].to(device)}


def _right(told: _Told, batch: dict[str, Any]) -> int:
    with torch.inference_mode():
        return int((told(**batch)["outputs"].argmax(1) == batch["targets"]).sum())
