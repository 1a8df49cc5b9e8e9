from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.encoders.finetuning.ensemble import check_members, fit_mix, mixed, write_ensemble
from huaxiang.encoders.finetuning.fit import FinetuneConfig, Parts, finetune_ngrams
from huaxiang.encoders.finetuning.linear import NgramConfig, fit_ngrams
from huaxiang.encoders.finetuning.predictor import Predictor
from huaxiang.encoders.finetuning.stored import write_finetuned
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, Grade, MultiLabel, Regress, Task
from huaxiang.errors import ArtefactError, InputError, SettingsError

from .conftest import REVIEWS

ROWS = Rows(
    file="reviews.csv",
    texts=tuple(text for text, _ in REVIEWS),
    labels=tuple(label for _, label in REVIEWS),
    keys=tuple(text for text, _ in REVIEWS),
    lines=np.arange(2, len(REVIEWS) + 2),
)
SMALL = NgramConfig(log2_features=12)


@pytest.mark.parametrize(
    "task", [Classify.of(ROWS), MultiLabel.of(ROWS), Regress.of(ROWS), Grade.of(ROWS)], ids=lambda t: t.kind
)
def test_runs_of_characters_learn_every_task(task: Task) -> None:
    outputs = fit_ngrams(ROWS, task, config=SMALL).outputs(ROWS.texts)
    figures = task.figures(outputs, task.targets(ROWS))
    assert figures[task.best] < 0.15 if task.best == "mae" else figures[task.best] > 0.95


def test_an_average_is_the_mean_of_the_outputs() -> None:
    task = Classify.of(ROWS)
    outputs = [np.array([[1, 3]], "f"), np.array([[3, 7]], "f")]
    assert mixed(outputs, *fit_mix("average", outputs, np.array([0], "f"), task)).tolist() == [[2, 5]]


@pytest.mark.parametrize("way", ["weighted", "stacked"])
def test_a_member_that_knows_nothing_is_left_out(way: str) -> None:
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 2, 800).astype("f")
    good = (np.eye(2)[wanted.astype(int)] * 3 + rng.normal(size=(800, 2))).astype("f")
    noise = rng.normal(size=(800, 2)).astype("f") * 3
    task = Classify.of(ROWS)
    mix = fit_mix(way, [good, noise], wanted, task)
    alone = task.figures(good, wanted)["accuracy"]
    assert task.figures(mixed([good, noise], *mix), wanted)["accuracy"] >= alone - 0.005
    assert np.abs(mix[0][2:]).max() < 0.2 * np.abs(mix[0][:2]).max()


def test_a_way_that_is_not_known_is_refused() -> None:
    with pytest.raises(SettingsError, match="choose average, weighted, stacked"):
        fit_mix("voted", [np.zeros((1, 2), "f")], np.zeros(1, "f"), Classify.of(ROWS))


def test_only_classes_are_stacked() -> None:
    with pytest.raises(InputError, match="stacking is for classes"):
        fit_mix("stacked", [np.zeros((1, 1), "f")], np.zeros(1, "f"), Regress.of(ROWS))


def written(folder: Path, task: Task, *, seed: int = 0) -> Predictor:
    parts = Parts(train=ROWS, validation=ROWS, test=ROWS)
    made = finetune_ngrams(parts, task, config=SMALL, seed=seed)
    folder.mkdir()
    write_finetuned(made, folder, columns=["text"], config=FinetuneConfig())
    return Predictor(folder)


def test_an_ensemble_is_served_as_its_members_are_mixed(tmp_path: Path) -> None:
    task = Classify.of(ROWS)
    members = [written(tmp_path / name, task) for name in ("a", "b")]
    outputs = [member.outputs(ROWS.texts) for member in members]
    mix = fit_mix("average", outputs, task.targets(ROWS), task)
    write_ensemble(tmp_path / "e", members, task, mix, ["text"])
    np.testing.assert_allclose(Predictor(tmp_path / "e").outputs(ROWS.texts), mixed(outputs, *mix))


def test_members_of_different_tasks_are_refused(tmp_path: Path) -> None:
    members = [written(tmp_path / "a", Classify.of(ROWS)), written(tmp_path / "b", Regress.of(ROWS))]
    with pytest.raises(InputError, match="models have different tasks"):
        check_members(members)


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    written(tmp_path / "a", Classify.of(ROWS))
    (tmp_path / "a/ngrams.safetensors").write_bytes(b"no")
    with pytest.raises(ArtefactError, match="model can't be read"):
        Predictor(tmp_path / "a")
