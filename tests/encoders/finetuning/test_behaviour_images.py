from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.finetuning.shops_of_pairs import ITEMS, tribes
from huaxiang.encoders.finetuning.behaviour import BehaviourConfig
from huaxiang.encoders.finetuning.behaviour_images import tune_photos
from huaxiang.encoders.image import image_encoder
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.errors import EncoderError, TooFewPhotosError

QUICK = BehaviourConfig(
    training=TrainerConfig(
        steps=24, learning_rate=3e-3, batch_rows=16, validations=2, precision="fp32", warmup_share=0.0
    )
)
COLOURS = ((200, 30, 30), (30, 200, 200)), ((30, 30, 200), (200, 200, 30))
"""Colours of each tribe: as unlike within one as between them."""


def photo(item: int) -> bytes:
    """Return a plain picture in a colour of the item's tribe."""
    noise = np.random.default_rng(item).integers(-20, 20, (32, 32, 3))
    pixels = np.clip(np.array(COLOURS[item // 8][item % 2]) + noise, 0, 255).astype(np.uint8)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("photos") / "model"
    torch.manual_seed(0)
    shape = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}
    transformers.ResNetModel(transformers.ResNetConfig(layer_type="basic", **shape)).save_pretrained(folder)
    transformers.ConvNextImageProcessorPil(size={"shortest_edge": 32}).save_pretrained(folder)
    return folder


def test_photos_of_what_was_had_together_come_close_and_unreadable_ones_are_counted(
    model: Path, tmp_path: Path
) -> None:
    photos = [*map(photo, range(15)), b"no photo"]
    made = tune_photos(
        tribes(), photos, model=model, folder=tmp_path / "out", checkpoint=tmp_path / "c", config=QUICK
    )
    assert made.n_unreadable == 1
    assert made.test["shoppers"] == 4
    vectors = image_encoder(tmp_path / "out", cache_folder=tmp_path).encode(photos[:15]).vectors_ID
    cosines = vectors @ vectors.T
    assert (cosines[:8, :8].mean() + cosines[8:, 8:].mean()) / 2 > cosines[:8, 8:].mean() + 0.2


def test_a_shop_with_few_photos_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(TooFewPhotosError):
        tune_photos(
            tribes(), [None] * len(ITEMS), model=model, folder=tmp_path / "out", checkpoint=tmp_path / "c"
        )


def test_a_folder_without_an_image_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError):
        tune_photos(
            replace(tribes()),
            [photo(0)] * len(ITEMS),
            model=tmp_path,
            folder=tmp_path / "out",
            checkpoint=tmp_path / "c",
        )
