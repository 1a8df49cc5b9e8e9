from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from huaxiang.encoders.finetuning.calibrate import with_temperature
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, Grade, MultiLabel, Regress, Task, task_from_json
from huaxiang.encoders.finetuning.tasks.classify import calibration_error
from huaxiang.errors import ArtefactError, InputError


def rows_of(*labels: str) -> Rows:
    texts = tuple(f"t{n}" for n in range(len(labels)))
    return Rows(file="f.csv", texts=texts, labels=labels, keys=texts, lines=np.arange(2, len(labels) + 2))


@pytest.mark.parametrize("way", [Classify.of, MultiLabel.of])
def test_labels_of_one_class_are_refused(way: object) -> None:
    with pytest.raises(InputError, match="labels are of one class: f.csv"):
        way(rows_of("a", "a", "a"))  # type: ignore[operator]


@pytest.mark.parametrize(
    "task",
    [Classify.of(rows_of("a", "b")), MultiLabel.of(rows_of("a|b", "b|c")), Grade.of(rows_of("1", "2"))],
)
def test_a_label_never_seen_names_its_line(task: Task) -> None:
    with pytest.raises(InputError, match=r"never seen in training: f.csv:3 '9'"):
        task.targets(
            rows_of(task.read(np.zeros((1, task.n_outputs), "f"))["prediction"][0] and "1" or "a", "9")
            if task.kind == "grade"
            else rows_of("a", "9")
        )


@pytest.mark.parametrize("word", ["nan", "", "many", "inf"])
def test_a_label_that_is_no_number_names_its_line(word: str) -> None:
    with pytest.raises(InputError, match=f"label is not a number: f.csv:3 '{word}'"):
        Regress.of(rows_of("1", word))


def test_classes_that_are_numbers_are_in_their_order() -> None:
    assert Classify.of(rows_of("10", "9", "2")).labels == ("2", "9", "10")


def test_a_class_loss_is_the_published_one() -> None:
    task = Classify(labels=("a", "b", "c"))
    outputs = np.random.default_rng(0).normal(size=(20, 3)).astype("f")
    wanted = np.arange(20) % 3
    ours = task.loss(torch.from_numpy(outputs), torch.from_numpy(wanted.astype("f"))).mean()
    assert float(ours) == pytest.approx(log_loss(wanted, task.probabilities(outputs)), rel=1e-5)


def test_a_weighted_task_counts_a_rare_class_as_much_as_a_common_one() -> None:
    task = Classify.of(rows_of("a", "a", "a", "b"), is_weighted=True)
    assert task.weights == pytest.approx((4 / 6, 2.0))


def test_the_median_grade_is_read() -> None:
    task = Grade(grades=(1.0, 2.0, 3.0, 4.0, 5.0))
    read = task.read(np.array([[9, 9, 9, -9], [-9, -9, -9, -9]], "f"))
    assert read["prediction"] == [4.0, 1.0]
    assert task.figures(np.array([[9, 9, 9, -9]], "f"), np.array([4], "f"))["mae"] == 1.0


def test_a_number_comes_back_in_its_own_unit() -> None:
    task = Regress.of(rows_of("10", "20", "30"))
    outputs = task.targets(rows_of("10", "20", "30"))[:, None]
    assert task.read(outputs)["prediction"] == pytest.approx([10, 20, 30])
    assert task.figures(outputs, outputs[:, 0])["mae"] == 0


def test_several_labels_are_read_from_their_thresholds() -> None:
    task = MultiLabel(labels=("cotton", "red"), thresholds=(0.9, 0.1))
    assert task.read(np.array([[1.0, -1.0]], "f"))["prediction"] == ["red"]


@given(scale=st.floats(0.3, 5))
def test_a_temperature_undoes_a_scale(scale: float) -> None:
    rng = np.random.default_rng(1)
    outputs = rng.normal(size=(3000, 3)) * 2
    shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    wanted = np.array([rng.choice(3, p=row) for row in shares], "f")
    assert with_temperature((outputs * scale).astype("f"), wanted) == pytest.approx(scale, rel=0.15)


def test_a_model_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    assert calibration_error(np.array([0.75] * 4), np.array([True, True, True, False])) == 0


@pytest.mark.parametrize(
    "task",
    [
        Classify(labels=("a", "b"), temperature=1.5),
        MultiLabel(labels=("a", "b"), thresholds=(0.2, 0.3)),
        Regress(mean=1.0, deviation=2.0),
        Grade(grades=(1.0, 2.0)),
    ],
    ids=lambda task: task.kind,
)
def test_a_task_is_read_back_as_it_was(task: Task) -> None:
    assert task_from_json(task.as_json()) == task


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ArtefactError, match="no such task"):
        task_from_json({"kind": "dance"})
