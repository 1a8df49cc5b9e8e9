"""The whole way: a teacher's folder, a student, fewer heads, eight bits; stopped and gone on with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from encoders.compression.tiny_teacher import MAX_TOKENS, TASK, parts_of, rows_of, teacher_folder
from huaxiang.encoders.compression.base import CompressConfig
from huaxiang.encoders.compression.compress import Compressed, compress, write_compressed
from huaxiang.encoders.compression.distil import student_of
from huaxiang.encoders.compression.pareto import file_sizes
from huaxiang.encoders.compression.quantise import quantised
from huaxiang.encoders.finetuning.fit import Parts, read_tokenizer
from huaxiang.encoders.finetuning.predictor import Predictor, read_task
from huaxiang.encoders.finetuning.stored import read_finetuned, write_served
from huaxiang.encoders.finetuning.tasks import Grade, MultiLabel, Regress, Task
from huaxiang.encoders.learning.base import TrainerConfig
from huaxiang.encoders.pretraining.tokenizer import train_tokenizer, wrapped
from huaxiang.errors import ArtefactError, InputError, SettingsError

TRAINING = TrainerConfig(
    epochs=4, batch_rows=8, batch_tokens=512, learning_rate=2e-3, validations=2, precision="fp32"
)
ALL = CompressConfig(
    distil="half", trim_vocabulary=True, prune=0.5, prune_neurons=0.5, int8=True, repeats=1, training=TRAINING
)


class StopHereError(Exception):
    """What ends a fit in its middle."""


def made_small(teacher: Path, folder: Path, config: CompressConfig, **more: object) -> Compressed:
    parts = more.pop("parts", parts_of())
    assert isinstance(parts, Parts)
    places = {"work": folder / "work", "checkpoint": folder / "checkpoints"}
    return compress(parts, teacher, config=config, **places, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teacher_folder(tmp_path_factory.mktemp("teacher"), n_layers=4)


@pytest.fixture(scope="module")
def small(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Compressed, Path]:
    place = tmp_path_factory.mktemp("small")
    made = made_small(teacher, place, ALL, unlabelled=["red dress 很差", "质量 好"])
    write_compressed(made, place / "out")
    return made, place / "out"


def test_int8_says_nearly_what_fp32_says_and_is_smaller(teacher: Path, tmp_path: Path) -> None:
    small = quantised(teacher, tmp_path / "small")
    texts = parts_of().test.texts
    full, eight = Predictor(teacher).outputs(texts), Predictor(small).outputs(texts)
    assert np.corrcoef(full.ravel(), eight.ravel())[0, 1] > 0.98
    assert read_task(small)["precision"] == "int8"


def test_embeddings_shrink_as_much_as_layers_do(tmp_path: Path) -> None:
    words = wrapped(train_tokenizer(f"w{at:05}" for at in range(9000)), max_tokens=MAX_TOKENS)
    wide = student_of(
        "tiny", tmp_path, task=TASK, tokenizer=words, max_tokens=MAX_TOKENS, dropout=0.0, seed=0
    )
    wide.model.resize_token_embeddings(9000)
    write_served(wide.eval(), words, tmp_path / "a", task=TASK, columns=["t"], max_tokens=MAX_TOKENS)
    full, small = (file_sizes(at)[0] for at in (tmp_path / "a", quantised(tmp_path / "a", tmp_path / "b")))
    assert full > 3.5 * small


def test_every_step_is_measured_with_and_without_int8(small: tuple[Compressed, Path]) -> None:
    made, _ = small
    names = [variant.name for variant in made.variants]
    steps = ["teacher", "distilled (half)", "pruned"]
    assert names == [form for step in steps for form in (step, f"{step}, int8")]
    sizes = [variant.n_parameters for variant in made.variants]
    assert sizes[0] > sizes[2] > sizes[4]
    assert made.variants[5].model_bytes < made.variants[1].model_bytes


def test_the_folder_predicts_and_can_be_fine_tuned_and_compressed_again(
    small: tuple[Compressed, Path], tmp_path: Path
) -> None:
    made, folder = small
    network, tokenizer = read_finetuned(folder)
    assert network.model.config.num_hidden_layers == 2
    assert len(tokenizer) == len(read_tokenizer(folder)) == network.model.config.vocab_size
    assert Predictor(folder).predict(["很好", ""])["error"] == [None, "no text"]
    again = made_small(folder, tmp_path, CompressConfig(int8=True, repeats=1))
    assert again.variants[0].n_parameters == made.form.n_parameters


def test_the_torch_weights_say_what_is_served(teacher: Path, tmp_path: Path) -> None:
    config = CompressConfig(prune=0.5, healing_epochs=0, repeats=1)
    made = made_small(teacher, tmp_path, config)
    write_compressed(made, tmp_path / "out")
    texts = parts_of().test.texts
    served = Predictor(tmp_path / "out").outputs(texts)
    again = made_small(tmp_path / "out", tmp_path / "again", CompressConfig(int8=True, repeats=1))
    np.testing.assert_allclose(Predictor(tmp_path / "again" / "work" / "0").outputs(texts), served, atol=1e-4)
    assert again.variants[0].n_parameters == made.form.n_parameters < made.variants[0].n_parameters


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "step"), [("distil", 12), ("heal", 6)])
def test_a_stopped_compression_ends_with_the_same_weights(
    small: tuple[Compressed, Path], teacher: Path, tmp_path: Path, stage: str, step: int
) -> None:
    stages: list[str] = []

    def stop(said: str, done: int, total: int, note: str) -> None:
        if said == stage and done == step:
            raise StopHereError

    more = {"unlabelled": ["red dress 很差", "质量 好"]}
    with pytest.raises(StopHereError):
        made_small(teacher, tmp_path, ALL, progress=stop, **more)
    made = made_small(teacher, tmp_path, ALL, progress=lambda said, *_: stages.append(said), **more)
    write_compressed(made, tmp_path / "out")
    assert ("distil" in stages) == (stage == "distil")
    whole, resumed = (load_file(at / "model.safetensors") for at in (small[1], tmp_path / "out"))
    assert all((whole[name] == resumed[name]).all() for name in whole)


def test_the_loss_of_the_student_falls(small: tuple[Compressed, Path]) -> None:
    losses = [point["loss"] for point in small[0].learnt.curve if "learning_rate" in point]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    steps = [point["step"] for point in small[0].learnt.curve]
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        (Regress(mean=3.0, deviation=2.0), ("1", "5")),
        (Grade(grades=(1.0, 3.0, 5.0)), ("1", "5")),
        (MultiLabel(labels=("red", "cotton")), ("red", "red|cotton")),
    ],
    ids=["regress", "grade", "multilabel"],
)
def test_the_other_tasks_are_distilled_too(tmp_path: Path, task: Task, labels: tuple[str, str]) -> None:
    folder = teacher_folder(tmp_path / "t", task=task)
    train, rest, test = (rows_of(20, start=start, labels=labels) for start in (0, 100, 200))
    parts = Parts(train=train, validation=rest, test=test)
    made = made_small(
        folder, tmp_path, CompressConfig(distil="half", repeats=1, training=TRAINING), parts=parts
    )
    assert made.form.task.kind == task.kind
    assert task.best in made.variants[-1].figures


def test_nothing_to_do_is_said(teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nothing is to be made smaller"):
        made_small(teacher, tmp_path, CompressConfig())


def test_a_label_that_is_not_the_teachers_is_told_with_its_line(teacher: Path, tmp_path: Path) -> None:
    other = rows_of(20, labels=("bad", "middling"))
    parts = Parts(train=other, validation=other, test=other)
    with pytest.raises(InputError, match="never seen in training") as caught:
        made_small(teacher, tmp_path, CompressConfig(int8=True), parts=parts)
    assert caught.value.value == "middling"


def test_a_folder_without_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no fine-tuned model"):
        made_small(tmp_path, tmp_path, CompressConfig(int8=True))


def test_tokens_are_cut_where_the_teacher_cuts(small: tuple[Compressed, Path]) -> None:
    assert read_task(small[1])["max_tokens"] == MAX_TOKENS
