"""The commands that make and use large models, on a shop and on tables small enough for seconds."""

from __future__ import annotations

import filecmp
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from command_line import QUICK, call
from huaxiang.shop.simulate import Config, simulate

GOOD, BAD = ("好", "不错", "很喜欢", "满意", "great"), ("差", "失望", "退货", "难用", "awful")
THINGS = ("裙子", "手机", "苹果", "酒店", "shoes", "hat")
TINY = ("--from-scratch", "tiny", "--set", "vocabulary=300", "--set", "max_tokens=32")
SHORT = ("--set", "training.epochs=1", "--set", "training.validations=1", "--set", "training.precision=fp32")


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of reviews whose feeling is plain."""
    rows = [
        (f"{thing}{word}，第{n}次。", label, thing)
        for label, words in ((1, GOOD), (0, BAD))
        for word in words
        for thing in THINGS
        for n in range(5)
    ]
    file = tmp_path_factory.mktemp("tables") / "reviews.csv"
    pl.DataFrame(rows, schema=["review", "label", "thing"], orient="row").write_csv(file)
    return file


@pytest.fixture(scope="session")
def bert(reviews: Path) -> Path:
    """A tiny BERT that has read the reviews, made by its command."""
    out = reviews.parent / "bert"
    said = ("pretrain", "text", "--texts", reviews, "--text", "review", "--group", "thing")
    answer = call(*said, *TINY, *SHORT, "--out", out, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["schema"] == "huaxiang.pretrain/1"
    return out


@pytest.fixture(scope="session")
def feeling(reviews: Path, bert: Path) -> Path:
    """A classifier, made by its command."""
    out = reviews.parent / "feeling"
    said = ("finetune", "classify", "--train", reviews, "--text", "review", "--label", "label")
    further = (
        "--set",
        "training.epochs=15",
        "--set",
        "training.learning_rate=2e-3",
        "--set",
        "max_tokens=32",
    )
    answer = call(*said, "--model", bert, "--out", out, *further, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["metrics"]["test"]["accuracy"] > 0.8
    return out


def test_a_models_folder_tells_how_it_was_made(bert: Path, feeling: Path) -> None:
    for folder in (bert, feeling):
        names = {path.name for path in folder.iterdir()}
        assert {"settings.toml", "metrics.json", "curves.png", "README.md", "manifest.json"} <= names
        assert "中文" in (folder / "README.md").read_text(encoding="utf-8")
        assert not list(folder.rglob("*.pt")) + list(folder.rglob("*.bin")) + list(folder.rglob("*.pth"))
    assert (feeling / "reliability.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["scored.csv", "scored.parquet"])
def test_predictions_stand_beside_every_row(feeling: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "new.csv").write_text(
        "id,review\n1,手机很喜欢，第1次。\n2,\n3,手机失望，第1次。\n", encoding="utf-8"
    )
    said = ("predict", "--model", feeling, "--input", tmp_path / "new.csv", "--out", tmp_path / name)
    assert call(*said).code == 0
    read = pl.read_csv if name.endswith("csv") else pl.read_parquet
    table = read(tmp_path / name)
    assert table.columns == ["id", "review", "prediction", "confidence", "prob_0", "prob_1", "error"]
    assert [str(cell) if cell is not None else None for cell in table["prediction"]] == ["1", None, "0"]
    assert table["error"].to_list() == [None, "no text", None]


def test_a_pretrained_folder_builds_a_shop(bert: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "shop", config=Config(n_shoppers=60, n_items=40), seed=2)
    answer = call(
        "build", "--shop", tmp_path / "shop", "--text", bert, "--out", tmp_path / "run", *QUICK, "--json"
    )
    assert answer.code == 0, answer.err
    assert (tmp_path / "run/encoders").exists()


def test_an_ensemble_is_a_model_like_others(reviews: Path, feeling: Path, tmp_path: Path) -> None:
    table = ("--train", reviews, "--text", "review", "--label", "label")
    assert call("finetune", "classify", *table, "--model", "ngrams", "--out", tmp_path / "n").code == 0
    members = ("--member", tmp_path / "n", "--member", feeling)
    answer = call("finetune", "ensemble", *members, *table, "--out", tmp_path / "mix", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["metrics"]["test"]["accuracy"] > 0.9
    said = ("predict", "--model", tmp_path / "mix", "--input", reviews, "--out", tmp_path / "s.csv")
    assert call(*said).code == 0


CLASSIFY = ("finetune", "classify", "--text", "review", "--label", "label", "--model", "ngrams", "--train")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("review,label\n" + "".join(f"好{n},1\n" for n in range(60)), "labels are of one class: t.csv '1'"),
        ("text,label\n" + "好,1\n" * 30, "no such column: t.csv review; choose of text, label"),
        ("review,label\n好,1\n", "too few rows: t.csv label '1'"),
        ("", "file is empty: t.csv"),
        ("review,label\n" + ",1\n" * 30, "too few rows: t.csv label '0'"),
    ],
    ids=["one class", "no column", "too few", "empty", "no words"],
)
def test_a_table_that_can_not_be_learnt_from_is_refused(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    answer = call(*CLASSIFY, tmp_path / "t.csv", "--out", tmp_path / "m")
    assert answer.code == 2
    assert message in answer.err
    assert not (tmp_path / "m").exists()


def test_a_label_of_the_test_table_never_seen_names_its_line(reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("review,label\n" + "杯子好,1\n" * 30 + "杯子,7\n", encoding="utf-8")
    answer = call(*CLASSIFY, reviews, "--test", tmp_path / "t.csv", "--out", tmp_path / "m")
    assert answer.code == 2
    assert "label was never seen in training: t.csv:32 '7'" in answer.err


def test_neither_from_nor_from_scratch_is_refused(reviews: Path, tmp_path: Path) -> None:
    answer = call("pretrain", "text", "--texts", reviews, "--text", "review", "--out", tmp_path / "m")
    assert answer.code == 2
    assert "neither is given: --from, --from-scratch; give one of the two" in answer.err


def test_a_folder_that_holds_something_else_is_not_written_over(reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    answer = call(*CLASSIFY, reviews, "--out", tmp_path)
    assert answer.code == 2
    assert (tmp_path / "thesis.txt").read_text() == "precious"


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
"""Another number of threads adds up in another order."""


def learning(reviews: Path, out: Path) -> list[str]:
    said = ["pretrain", "text", "--texts", str(reviews), "--text", "review", *TINY]
    said += ["--set", "training.epochs=12", "--set", "training.validations=8", "--set", "held_out=0.1"]
    said += ["--set", "training.precision=fp32", "--json", "--out", str(out)]
    return [sys.executable, "-m", "huaxiang", *said]


@pytest.fixture(scope="module")
def undisturbed(reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "whole"
    subprocess.run(learning(reviews, out), env=ONE_THREAD, check=True, capture_output=True, timeout=300)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "Ctrl-C"])
def test_a_stopped_command_given_again_ends_with_the_very_same_weights(
    reviews: Path, undisturbed: Path, tmp_path: Path, how: signal.Signals
) -> None:
    command = learning(reviews, tmp_path / "cut")
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ONE_THREAD)
    checkpoints = tmp_path / "cut.partial/checkpoints"
    until = time.monotonic() + 120
    while len(list(checkpoints.glob("checkpoint-*/trainer_state.json"))) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(how)
    running.wait(timeout=60)
    assert running.returncode == (130 if how is signal.SIGINT else -how)
    again = subprocess.run(command, env=ONE_THREAD, check=True, capture_output=True, timeout=300)
    assert json.loads(again.stdout)["learnt"]["resumed_from"] > 0
    weights = [folder / "model.safetensors" for folder in (undisturbed, tmp_path / "cut")]
    assert filecmp.cmp(*weights, shallow=False)
