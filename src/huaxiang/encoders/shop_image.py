"""A photo encoder made from the shop alone: a small ResNet that learns to land near the shop's own texts.

The default for a shop with photos: nothing is downloaded, and a photo lies where its words would, so
a photo finds texts and a text finds photos. It has the 18 layers of ResNet-18 with half the channels:
in the same time it sees each photo three times as often, and ends better (docs/decisions/0004).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huaxiang import training
from huaxiang.encoders.base import ImageInput, Progress
from huaxiang.encoders.image import OnnxImageEncoder
from huaxiang.encoders.image_export import write_export
from huaxiang.encoders.photos import read_photo
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.errors import EncoderError, SettingsError, TooFewPhotosError
from huaxiang.records import Matrix
from huaxiang.training import require, train

if TYPE_CHECKING:
    from huaxiang.encoders.shop_image_training import Network

FEWEST_PHOTOS = 32
FEWEST_CHANNELS = 8
"""With fewer, a backward step through a strided 1 × 1 convolution of channels-last pictures writes beyond its
memory on processors with AVX2 and without AVX-512 (torch 2.13), and the process dies."""
STEPS_PER_CHECKPOINT = 25
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings.

    Parameters
    ----------
    size
        Height and width of the pictures in pixels, 32 to 512.
    epochs
        How often each photo is seen, ≥ 1; large shops stop at `most_steps` before.
    batch, most_steps
        Photos per step, ≥ 2; steps at most, ≥ 1. A step takes about 0.4 s of one core.
    most_photos
        Photos learnt from at most, at least 32; a larger shop is sampled. They are held in memory.
    width
        Channels of the first layer, ≥ 8; 64 makes it the published ResNet-18.
    learning_rate, weight_decay
        AdamW's. > 0 and ≥ 0.
    tag_weight
        Weight of telling the stated tags (colour, category) beside landing near the texts. ≥ 0.
    """

    size: int = 96
    epochs: int = 24
    batch: int = 64
    most_steps: int = 600
    most_photos: int = 8000
    width: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    tag_weight: float = 0.5

    def __post_init__(self) -> None:
        allowed = {
            "size": 32 <= self.size <= 512,
            "epochs": self.epochs >= 1,
            "batch": self.batch >= 2,
            "most_steps": self.most_steps >= 1,
            "most_photos": self.most_photos >= FEWEST_PHOTOS,
            "width": self.width >= FEWEST_CHANNELS,
            "learning_rate": self.learning_rate > 0,
            "weight_decay": self.weight_decay >= 0,
            "tag_weight": self.tag_weight >= 0,
        }
        for name, is_allowed in allowed.items():
            if not is_allowed:
                remedy = "see the ranges in huaxiang.encoders.shop_image"
                raise SettingsError(f"shop_image.{name}", value=str(getattr(self, name)), remedy=remedy)

    @property
    def preprocessing(self) -> Preprocessing:
        """Shrink to the size whatever the shape was, so that nothing of the product is cut off."""
        return Preprocessing(size=(self.size, self.size), resample=2, mean=MEAN, std=STD)

    def training(self, n_photos: int) -> training.Config:
        """Return the plan of the loop for so many photos."""
        steps = min(self.most_steps, max(1, self.epochs * n_photos // self.batch))
        return training.Config(
            steps=steps,
            min_epochs=1,
            max_epochs=max(1, steps),
            batch_events=self.batch,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warmup_share=0.1,
        )


def fit_shop_image(
    images: Sequence[ImageInput],
    texts_ID: Matrix,
    *,
    folder: str | Path,
    tags: Sequence[Sequence[str]] | None = None,
    config: Config | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> OnnxImageEncoder:
    """Train on the shop's own photos and texts, and return the encoder; it lies in `folder` from then on.

    A stopped training goes on where it was when called again with the same shop, settings and seed.

    Parameters
    ----------
    images
        One photo per item, (I,); None or an unreadable one is left out.
    texts_ID
        The items' text vectors, unit rows; zero rows are left out. The photos' vectors have the same D.
    tags
        Stated values of each item, such as "colour=red"; telling them keeps what texts leave out.

    Raises
    ------
    EncoderError
        Fewer than 32 items have a photo that can be read and a text.
    MissingExtraError
        Without torch, transformers or onnx.
    """
    require("torch", "transformers", "onnx")
    config, folder = config or Config(), Path(folder)
    pixels_IHWC, rows_I = _pictures(images, texts_ID, config, seed)
    chosen = [list(tags[row]) for row in rows_I] if tags is not None else None
    network = _trained(pixels_IHWC, texts_ID[rows_I], chosen, config, seed, folder / "training", progress)
    named = {"name": "shop-resnet", "fingerprint": network.weights_hash()}
    write_export(network, config.preprocessing, folder, named=named)
    return OnnxImageEncoder(folder)


def _trained(
    pixels_IHWC: NDArray[np.uint8],
    texts_ID: Matrix,
    tags: Sequence[Sequence[str]] | None,
    config: Config,
    seed: int,
    checkpoint: Path,
    progress: Progress | None,
) -> Network:
    from huaxiang.encoders.shop_image_training import Lesson

    lesson = Lesson(pixels_IHWC, texts_ID, tags, config=config)
    network = lesson.network(seed=seed)
    n = len(pixels_IHWC)
    plan = config.training(n)
    # A small shop is gone through several times between two checkpoints.
    n_passes = max(1, round(min(STEPS_PER_CHECKPOINT, plan.steps) * config.batch / n))
    ones_N = np.ones(n * n_passes, np.int64)
    train(
        network,
        lambda rows_B: lesson.loss(network, rows_B % n),
        ones_N,
        config=plan,
        seed=seed,
        progress=progress,
        checkpoint=checkpoint,
        of=_fingerprint(pixels_IHWC, texts_ID, tags, config),
    )
    return network


def _pictures(
    images: Sequence[ImageInput], texts_ID: Matrix, config: Config, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return a sample of the photos, and which items they show."""
    if len(images) != len(texts_ID):
        remedy = "give one photo or None per text vector"
        raise EncoderError("photos and texts differ in number", value=str(len(images)), remedy=remedy)
    order = np.random.default_rng(seed).permutation(len(images))
    side = config.size
    found: list[NDArray[np.uint8]] = []
    rows: list[int] = []
    for row in order:
        picture = read_photo(images[row], at_least=2 * side).picture if texts_ID[row].any() else None
        if picture is not None and len(rows) < config.most_photos:
            found.append(np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR)))
            rows.append(int(row))
    if len(rows) < FEWEST_PHOTOS:
        remedy = f"at least {FEWEST_PHOTOS} are needed; name a pretrained encoder, or build without photos"
        raise TooFewPhotosError("too few photos to learn from", value=str(len(rows)), remedy=remedy)
    return np.stack(found), np.array(rows)


def _fingerprint(
    pixels_IHWC: NDArray[np.uint8], texts_ID: Matrix, tags: Sequence[Sequence[str]] | None, config: Config
) -> str:
    """Return a hash of what is learnt from, so that another shop's checkpoint is never taken over."""
    total = hashlib.sha256(json.dumps([asdict(config), tags], sort_keys=True).encode())
    total.update(pixels_IHWC.tobytes())
    total.update(np.ascontiguousarray(texts_ID, np.float32).tobytes())
    return total.hexdigest()[:16]
