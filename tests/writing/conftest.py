"""A tiny model that has learnt to go on with a product's title."""

from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.pretraining.corpus import corpus_of
from huaxiang.encoders.pretraining.text import TextConfig, pretrain_text

COLOURS, THINGS = ("red", "blue", "green", "white"), ("dress", "hat", "scarf", "bag", "shirt")


@pytest.fixture(scope="session")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Titles such as "Red dress 3", each followed by a sentence about its colour."""
    texts = [
        ((f"{colour.capitalize()} {thing} {n}", f"This {thing} is {colour}."), thing)
        for n in range(9)
        for colour in COLOURS
        for thing in THINGS
    ]
    folder = tmp_path_factory.mktemp("writer") / "gpt"
    training = TrainerConfig(epochs=30, learning_rate=3e-3, validations=1, precision="fp32", batch_tokens=512)
    said = TextConfig(
        objective="causal", size="tiny", vocabulary=200, max_tokens=32, held_out=0.1, training=training
    )
    pretrain_text(
        corpus_of(texts, name="titles"), config=said, folder=folder, checkpoint=folder.parent / "c", seed=3
    )
    return folder
