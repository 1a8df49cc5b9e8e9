from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.pretraining.corpus import corpus_of
from huaxiang.encoders.pretraining.text import TextConfig, pretrain_text

GOOD, BAD = ("好", "不错", "很喜欢", "满意", "great"), ("差", "失望", "退货", "难用", "awful")
THINGS = ("裙子", "手机", "苹果", "酒店", "shoes", "hat")
REVIEWS = [
    (f"{thing}{word}，第{n}次。", label)
    for label, words in (("1", GOOD), ("0", BAD))
    for word in words
    for thing in THINGS
    for n in range(6)
]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that has read the reviews."""
    folder = tmp_path_factory.mktemp("models") / "bert"
    training = TrainerConfig(epochs=1, learning_rate=2e-3, validations=1, precision="fp32", batch_tokens=1024)
    said = TextConfig(size="tiny", vocabulary=200, max_tokens=32, held_out=0.1, training=training)
    corpus = corpus_of([((text,), "") for text, _ in REVIEWS], name="reviews")
    pretrain_text(corpus, config=said, folder=folder, checkpoint=folder.parent / "checkpoints")
    return folder
