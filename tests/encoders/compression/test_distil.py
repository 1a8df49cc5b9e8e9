from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from encoders.compression.tiny_teacher import (
    MAX_TOKENS,
    TASK,
    network_of,
    parts_of,
    teacher_folder,
    tokenizer_of,
)
from huaxiang.encoders.compression.base import TeachingConfig
from huaxiang.encoders.compression.distil import Taught, TaughtTexts, ask, levels, soft_loss, student_of
from huaxiang.encoders.finetuning.fit import TextInputs, outputs_of
from huaxiang.errors import EncoderError, SettingsError

KINDS = ("classify", "multilabel", "grade", "regress")
UNLABELLED = ("red dress 很差", "质量 好")


def taught(**teaching: float) -> tuple[Taught, TaughtTexts]:
    """Return a student of another seed with what the teacher said of all texts."""
    teacher, student, tokenizer = network_of(n_layers=4), network_of(seed=1), tokenizer_of()
    texts = [*parts_of().train.texts, *UNLABELLED]
    asked = TextInputs(texts, tokenizer, max_tokens=MAX_TOKENS)
    said = ask(teacher, asked, levels=levels(student.model, teacher.model))
    lesson = TaughtTexts(
        parts_of().train, UNLABELLED, task=TASK, tokenizer=tokenizer, max_tokens=MAX_TOKENS, said=said
    )
    return Taught(student, said, TeachingConfig(**teaching), seed=0), lesson


def test_the_teacher_says_for_each_text_what_it_says_alone() -> None:
    teacher, texts = network_of(), TextInputs(parts_of().train.texts, tokenizer_of(), max_tokens=MAX_TOKENS)
    said = ask(teacher, texts, levels=[0, 2])
    np.testing.assert_allclose(said.outputs_NC, outputs_of(teacher, texts), rtol=1e-4, atol=1e-5)
    assert said.states_NLD.shape == (40, 2, 32)
    np.testing.assert_allclose(said.states_NLD.astype("f").std(0), 1, atol=0.02)


def test_levels_are_spread_over_the_teachers() -> None:
    assert levels(network_of(n_layers=2).model, network_of(n_layers=4).model) == [0, 2, 4]


def test_the_students_loss_falls() -> None:
    learner, lesson = taught()
    optimiser = torch.optim.AdamW(learner.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = learner(**lesson.batch(np.arange(42), np.random.default_rng(0)))["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_texts_without_a_label_teach_by_the_teacher_alone() -> None:
    learner, lesson = taught(label_weight=1.0, hidden_weight=0.0)
    batch = lesson.batch(np.array([40, 41]), np.random.default_rng(0))
    assert learner(**batch)["loss"] == 0
    learner, lesson = taught(label_weight=0.5)
    assert learner(**batch | {"states": batch["states"]})["of_outputs"] > 0


def test_parts_of_a_batch_add_up_to_the_whole() -> None:
    learner, lesson = taught()
    learner.eval()
    rows = np.array([1, 5, 40, 41])
    whole, first, second = (
        float(learner(**lesson.batch(part, np.random.default_rng(0)))["loss"].detach())
        for part in (rows, rows[:2], rows[2:])
    )
    assert whole == pytest.approx((first + second) / 2, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_alike_costs_nothing_and_else_something(kind: str) -> None:
    theirs = torch.tensor([[1.0, -2.0, 0.5]])
    assert float(soft_loss(kind, theirs, theirs, temperature=3.0)) == pytest.approx(0, abs=1e-6)
    assert float(soft_loss(kind, theirs + torch.tensor([1.0, 0, 0]), theirs, temperature=3.0)) > 0.01


def test_the_divergence_of_classes_is_the_known_one() -> None:
    ours, theirs = torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 0.0]])
    wanted, given = functional.softmax(theirs / 2, 1), functional.softmax(ours / 2, 1)
    by_hand = 4 * float((wanted * (wanted / given).log()).sum())
    assert float(soft_loss("classify", ours, theirs, temperature=2.0)) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize(("name", "n_layers", "width"), [("tiny", 2, 128), ("half", 2, 32), ("third", 2, 32)])
def test_students_by_name(tmp_path: Path, name: str, n_layers: int, width: int) -> None:
    folder = teacher_folder(tmp_path / "t", n_layers=4)
    student = student_of(
        name, folder, task=TASK, tokenizer=tokenizer_of(), max_tokens=MAX_TOKENS, dropout=0.1, seed=0
    )
    assert student.model.config.num_hidden_layers == n_layers
    assert student.model.config.hidden_size == width


def test_an_unknown_student_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no such student") as caught:
        student_of("dwarf", tmp_path, task=TASK, tokenizer=tokenizer_of(), max_tokens=8, dropout=0.0, seed=0)
    assert "half" in str(caught.value)


def test_weights_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="out of range"):
        TeachingConfig(label_weight=1.5)
