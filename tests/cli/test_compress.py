"""`huaxiang compress` on a model that `huaxiang finetune` made."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from command_line import Answer, call
from encoders.compression.tiny_teacher import network_of, rows_of, tokenizer_of
from huaxiang.encoders.finetuning.stored import write_weights

QUICK = ("--set", "training.epochs=1", "--set", "training.validations=1", "--set", "repeats=1")


def write_table(file: Path, *, start: int = 0, label: str = "label", n: int = 200) -> Path:
    rows = rows_of(n, start=start)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["review", label])
        writer.writerows(zip(rows.texts, rows.labels, strict=True))
    return file


def finetuned(folder: Path, *more: str | Path) -> Path:
    """Return what `finetune` makes of a tiny model, with the table `train.csv` beside it."""
    write_weights(network_of(), tokenizer_of(), folder / "base")
    train = write_table(folder / "train.csv")
    made = call(
        "finetune",
        "classify",
        "--train",
        train,
        "--text",
        "review",
        "--label",
        "label",
        "--model",
        folder / "base",
        "--out",
        folder / "teacher",
        "--set",
        "training.epochs=1",
        "--set",
        "max_tokens=32",
        "--json",
        *more,
    )
    assert made.code == 0, made.err
    return folder / "teacher"


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finetuned(tmp_path_factory.mktemp("cli"))


def compressed(teacher: Path, out: Path, *more: str | Path) -> Answer:
    train = teacher.parent / "train.csv"
    return call("compress", "--model", teacher, "--train", train, "--out", out, *QUICK, "--json", *more)


def refused(answer: Answer, *said: str) -> None:
    assert answer.code == 2
    assert all(part in answer.err for part in said), answer.err
    assert set(answer.json) == {"error"}


@pytest.mark.slow
def test_a_model_is_made_smaller_and_predicts(teacher: Path, tmp_path: Path) -> None:
    answer = compressed(
        teacher, tmp_path / "small", "--int8", "--distil", "half", "--prune", "0.3", "--trim-vocabulary"
    )
    assert answer.code == 0, answer.err
    assert answer.json["schema"] == "huaxiang.compress/1"
    assert answer.json["data"]["split_of_teacher"] is True
    metrics = json.loads((tmp_path / "small" / "metrics.json").read_text())
    assert [row["variant"] for row in metrics["variants"]][-1] == "pruned, int8"
    teachers = json.loads((teacher / "metrics.json").read_text())
    assert metrics["teacher"]["accuracy"] == pytest.approx(teachers["test"]["accuracy"])
    card = (tmp_path / "small" / "README.md").read_text()
    assert "| variant | parameters | model_mb |" in card
    assert "![pareto.png](pareto.png)" in card
    assert (tmp_path / "small" / "pareto.png").stat().st_size > 1000
    scored = call(
        "predict",
        "--model",
        tmp_path / "small",
        "--input",
        teacher.parent / "train.csv",
        "--out",
        tmp_path / "scored.csv",
        "--json",
    )
    assert scored.json["rows"] == 200
    assert scored.json["errors"] == 0


@pytest.mark.slow
def test_a_teacher_with_a_test_file_of_its_own_needs_it_again(tmp_path: Path) -> None:
    test = write_table(tmp_path / "test.csv", start=500, n=40)
    teacher = finetuned(tmp_path, "--test", test)
    refused(compressed(teacher, tmp_path / "small", "--int8"), "--test", "test.csv")
    answer = compressed(teacher, tmp_path / "small", "--int8", "--test", test)
    assert answer.json["data"]["split_of_teacher"] is True


def test_other_rows_than_the_teachers_are_told(teacher: Path, tmp_path: Path) -> None:
    other = write_table(tmp_path / "other.csv", start=1000)
    answer = call(
        "compress",
        "--model",
        teacher,
        "--train",
        other,
        "--out",
        tmp_path / "small",
        "--int8",
        *QUICK,
        "--json",
    )
    assert answer.json["data"]["split_of_teacher"] is False
    assert "may know some test rows" in (tmp_path / "small" / "README.md").read_text()


def test_nothing_to_do_and_no_rows_are_refused(teacher: Path, tmp_path: Path) -> None:
    refused(compressed(teacher, tmp_path / "small"), "nothing is to be made smaller", "--int8")
    refused(call("compress", "--model", teacher, "--out", tmp_path / "small", "--json"), "--train")
    assert not (tmp_path / "small").exists()


def test_a_folder_that_was_not_fine_tuned_is_refused(teacher: Path, tmp_path: Path) -> None:
    base = teacher.parent / "base"
    train = teacher.parent / "train.csv"
    answer = call("compress", "--model", base, "--train", train, "--out", tmp_path / "s", "--int8", "--json")
    refused(answer, "no fine-tuned model", "huaxiang finetune")


def test_settings_out_of_range_and_unknown_students_are_refused(teacher: Path, tmp_path: Path) -> None:
    refused(compressed(teacher, tmp_path / "s", "--prune", "1.2"), "out of range", "prune")
    refused(compressed(teacher, tmp_path / "s", "--distil", "dwarf"), "no such student", "half")


def test_a_missing_column_is_named(teacher: Path, tmp_path: Path) -> None:
    other = write_table(tmp_path / "other.csv", label="rating")
    answer = call(
        "compress", "--model", teacher, "--train", other, "--out", tmp_path / "s", "--int8", "--json"
    )
    refused(answer, "no such column", "label", "rating")
