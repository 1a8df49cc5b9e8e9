from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.encoders.finetuning.fit import (
    FinetuneConfig,
    Finetuned,
    Parts,
    TextLesson,
    finetune,
    outputs_of,
)
from huaxiang.encoders.finetuning.predictor import Predictor
from huaxiang.encoders.finetuning.stored import read_finetuned, write_finetuned
from huaxiang.encoders.finetuning.tables import Rows, split_rows
from huaxiang.encoders.finetuning.tasks import Classify, Regress
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.errors import ArtefactError, EncoderError

from .conftest import REVIEWS

ROWS = Rows(
    file="reviews.csv",
    texts=tuple(text for text, _ in REVIEWS),
    labels=tuple(label for _, label in REVIEWS),
    keys=tuple(text for text, _ in REVIEWS),
    lines=np.arange(2, len(REVIEWS) + 2),
)


def parts() -> Parts:
    left, test = split_rows(ROWS, share=0.2, salt="test")
    train, validation = split_rows(left, share=0.2, salt="validation")
    return Parts(train=train, validation=validation, test=test)


def config(*, epochs: float = 8, **changes: object) -> FinetuneConfig:
    training = TrainerConfig(
        epochs=epochs, learning_rate=2e-3, validations=2, precision="fp32", batch_tokens=512, head_factor=5
    )
    return FinetuneConfig(**{"max_tokens": 32, **changes}, training=training)  # type: ignore[arg-type]


def taught(model: Path, folder: Path, said: FinetuneConfig) -> Finetuned:
    return finetune(parts(), Classify.of(ROWS), model=model, config=said, checkpoint=folder / "c", seed=1)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_feeling_is_learnt(tiny_bert: Path, tmp_path: Path, method: str) -> None:
    said = config(epochs=8 if method == "full" else 30, method=method)
    assert taught(tiny_bert, tmp_path, said).test["accuracy"] > 0.8


def test_hidden_tokens_are_others_each_time_and_none_when_asked(tiny_bert: Path) -> None:
    tokenizer = read_tokenizer(tiny_bert)
    lesson = TextLesson(ROWS, Classify.of(ROWS), tokenizer, config(hidden_share=0.3))
    rows, rng = np.arange(40), np.random.default_rng(0)
    first, second = (lesson.batch(rows, rng)["input_ids"] for _ in range(2))
    plain = lesson.inputs(rows)
    is_hidden = first == tokenizer.mask_token_id
    is_inside = plain["attention_mask"].bool()
    assert (first[~is_hidden] == plain["input_ids"][~is_hidden]).all()
    assert 0.15 < is_hidden[is_inside].float().mean() < 0.45
    assert not is_hidden[~is_inside].any()
    assert not is_hidden[:, 0].any()
    assert (first != second).any()
    assert not (plain["input_ids"] == tokenizer.mask_token_id).any()


def test_a_frozen_model_stays_as_it_was(tiny_bert: Path, tmp_path: Path) -> None:
    made = taught(tiny_bert, tmp_path, config(epochs=1, method="frozen"))
    before = taught(tiny_bert, tmp_path, config(epochs=0.01, method="frozen"))
    for name, weight in made.network.model.state_dict().items():
        assert (weight == before.network.model.state_dict()[name]).all()


def test_what_is_served_says_what_torch_says(tiny_bert: Path, tmp_path: Path) -> None:
    made = taught(tiny_bert, tmp_path, config(epochs=2, method="lora"))
    write_finetuned(made, tmp_path / "m", columns=["text"], config=config())
    served = Predictor(tmp_path / "m").outputs(list(parts().test.texts))
    np.testing.assert_allclose(served, made.test_outputs_NC, atol=1e-4)


def test_a_text_without_a_word_gets_an_error_and_no_prediction(tiny_bert: Path, tmp_path: Path) -> None:
    made = taught(tiny_bert, tmp_path, config(epochs=0.1))
    write_finetuned(made, tmp_path / "m", columns=["text"], config=config())
    found = Predictor(tmp_path / "m").predict(["很好", "🎉", "", "好" * 100_000])
    assert found["error"] == [None, "no text", "no text", None]
    assert found["prediction"][1] is None
    assert Predictor(tmp_path / "m").predict([])["prediction"] == []


def test_a_fine_tuned_folder_can_be_fine_tuned_again(tiny_bert: Path, tmp_path: Path) -> None:
    made = taught(tiny_bert, tmp_path, config())
    write_finetuned(made, tmp_path / "m", columns=["text"], config=config())
    again = finetune(
        parts(), Regress.of(ROWS), model=tmp_path / "m", config=config(), checkpoint=tmp_path / "c2"
    )
    assert again.test["mae"] < 0.4


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no tokenizer in the folder"):
        taught(tmp_path, tmp_path, config())


def test_predicting_with_a_folder_that_is_no_model_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no fine-tuned model"):
        Predictor(tmp_path)


def test_a_folder_read_back_says_what_it_said(tiny_bert: Path, tmp_path: Path) -> None:
    made = taught(tiny_bert, tmp_path, config(epochs=0.5))
    write_finetuned(made, tmp_path / "m", columns=["text"], config=config())
    network, tokenizer = read_finetuned(tmp_path / "m")
    lesson = TextLesson(parts().test, network.task, tokenizer, config())
    np.testing.assert_array_equal(outputs_of(network, lesson), made.test_outputs_NC)
    assert network.task == made.task
    assert not network.training


def test_a_torn_head_and_a_folder_without_a_model_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    write_finetuned(
        taught(tiny_bert, tmp_path, config(epochs=0.01)), tmp_path / "m", columns=["text"], config=config()
    )
    (tmp_path / "m/head.safetensors").write_bytes(b"torn")
    with pytest.raises(EncoderError, match="head of the model can't be read"):
        read_finetuned(tmp_path / "m")
    with pytest.raises(ArtefactError, match="no fine-tuned model"):
        read_finetuned(tmp_path)
