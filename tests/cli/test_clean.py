"""`clean` and `annotate` as they are called: what they write, what they refuse, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from command_line import Answer, call

if TYPE_CHECKING:
    from conftest import SmallBuild

ROWS = {
    "id": ["a", "b", "c", "d"],
    "text": [
        "<b>Very</b> soft red hat",
        "请联系我13754900130，帽子很好",
        "very soft red hat!",
        "太差了，退货",
    ],
    "label": ["1", "1", None, None],
}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Return a file of four reviews, two of them labelled."""
    pl.DataFrame(ROWS).write_csv(tmp_path / "rows.csv")
    return tmp_path / "rows.csv"


def refused(answer: Answer, *said: str) -> None:
    assert answer.code == 2
    assert all(part in answer.err for part in said), answer.err
    assert set(answer.json) == {"error"}
    assert answer.json["error"]["remedy"]


def test_clean_writes_table_findings_and_report(rows: Path, tmp_path: Path) -> None:
    answer = call(
        "clean", "--input", rows, "--text", "text", "--drop-duplicates", "--out", tmp_path / "q", "--json"
    )
    assert (answer.code, answer.json["schema"]) == (0, "huaxiang.clean/1")
    assert (answer.json["rows_read"], answer.json["rows_kept"]) == (4, 3)
    assert pl.read_parquet(tmp_path / "q" / "cleaned.parquet")["text"][1] == "请联系我[phone]，帽子很好"
    findings = pl.read_csv(tmp_path / "q" / "findings.csv")
    assert {"markup", "phone", "duplicate"} <= set(findings["kind"])
    report = json.loads((tmp_path / "q" / "report.json").read_text(encoding="utf-8"))
    assert report["findings"] == len(findings)
    assert "13754900130" not in (tmp_path / "q" / "report.html").read_text(encoding="utf-8")


def test_cleaning_again_replaces_the_folder(rows: Path, tmp_path: Path) -> None:
    for format_ in ("parquet", "csv"):
        answer = call(
            "clean", "--input", rows, "--text", "text", "--format", format_, "--out", tmp_path / "q"
        )
        assert answer.code == 0, answer.err
    assert {path.name for path in (tmp_path / "q").iterdir()} == {
        "cleaned.csv",
        "findings.csv",
        "report.json",
        "report.html",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"q", "rows.csv"}


def test_a_shop_is_cleaned_by_its_items_and_reviews(small_build: SmallBuild, tmp_path: Path) -> None:
    answer = call("clean", "--shop", small_build.shop, "--out", tmp_path / "q", "--json")
    assert answer.code == 0, answer.err
    items = next(table for table in answer.json["tables"] if table["name"] == "items")
    assert {"title_en", "title_zh"} <= set(items["texts"])
    assert (tmp_path / "q" / "cleaned_items.parquet").exists()


BAD_CLEAN = {
    "neither": ([], ("give --input or --shop",)),
    "no such file": (["--input", "none.csv"], ("no such file: none.csv", "--input")),
    "a missing column": (
        ["--input", "rows.csv", "--text", "txt"],
        ("column is missing: rows.csv txt", "'text'"),
    ),
    "one class": (["--input", "rows.csv", "--text", "text", "--label", "label"], ("one class: label '1'",)),
    "a format": (["--input", "rows.csv", "--format", "xml"], ("value is not known: --format 'xml'",)),
    "a similarity": (
        ["--input", "rows.csv", "--text", "text", "--similarity", "2"],
        ("duplicates.similarity",),
    ),
    "another file": (["--input", "rows.csv", "--text", "text", "--against", "no.csv"], ("check --against",)),
}


@pytest.mark.parametrize(("options", "said"), BAD_CLEAN.values(), ids=BAD_CLEAN)
def test_clean_refuses_and_leaves_nothing(
    rows: Path, tmp_path: Path, options: list[str], said: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call("clean", *options, "--out", "q", "--json"), *said)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv"}


def test_a_folder_with_something_else_is_not_written_over(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "mine.txt").write_text("mine")
    refused(
        call("clean", "--input", rows, "--text", "text", "--out", tmp_path / "q", "--json"), "something else"
    )
    assert (tmp_path / "q" / "mine.txt").read_text() == "mine"


def annotate(rows: Path, *more: str | Path) -> Answer:
    return call(
        "annotate", "--input", rows, "--text", "text", "--label", "label", "--id", "id", "--json", *more
    )


def test_rows_go_out_to_be_labelled_and_come_back(rows: Path, tmp_path: Path) -> None:
    out = annotate(rows, "--choice", "0", "--out", tmp_path / "task")
    assert (out.code, out.json["schema"], out.json["labels"]) == (0, "huaxiang.annotate/1", ["1", "0"])
    to_label = pl.read_csv(tmp_path / "task" / "to_label.csv", infer_schema=False)
    assert to_label["row_id"].to_list() == ["d"]  # c repeats a, which has a label
    assert {path.name for path in (tmp_path / "task").iterdir()} == {
        "to_label.csv",
        "tasks.json",
        "label_config.xml",
    }
    to_label.with_columns(label=pl.lit("0")).write_csv(tmp_path / "back.csv")
    back = annotate(rows, "--back", tmp_path / "back.csv", "--out", tmp_path / "labelled.csv")
    assert (back.code, back.json["labelled"], back.json["new_labels"]) == (0, 1, ["0"])
    labelled = pl.read_csv(tmp_path / "labelled.csv", infer_schema=False)
    assert labelled["label"].to_list() == ["1", "1", None, "0"]


def test_what_people_disagree_on_is_listed(rows: Path, tmp_path: Path) -> None:
    votes = {"row_id": ["c", "c", "c", "d", "d"], "label": ["1", "1", "0", "0", "1"]}
    pl.DataFrame(votes).write_csv(tmp_path / "back.csv")
    back = annotate(rows, "--back", tmp_path / "back.csv", "--out", tmp_path / "labelled.csv")
    assert (back.json["conflicts"], back.json["undecided"], back.json["labelled"]) == (2, 1, 1)
    conflicts = pl.read_csv(tmp_path / "labelled.conflicts.csv", infer_schema=False)
    assert conflicts.rows() == [("c", "1: 2; 0: 1", "1"), ("d", "0: 1; 1: 1", None)]


BAD_BACK = {
    "an unknown row": ("row_id,label\nz,1\n", "not in the input: back.csv:2 row_id 'z'"),
    "no labels": ("row_id,label\nc,\n", "no row has a label"),
    "no ids": ("label\n1\n", "column is missing: back.csv row_id"),
    "an empty id": ("row_id,label\n,1\n", "row has no id: back.csv:2 row_id"),
}


@pytest.mark.parametrize(("content", "said"), BAD_BACK.values(), ids=BAD_BACK)
def test_labels_that_do_not_fit_are_refused(rows: Path, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "back.csv").write_text(content)
    refused(annotate(rows, "--back", tmp_path / "back.csv", "--out", tmp_path / "labelled.csv"), said)
    assert not (tmp_path / "labelled.csv").exists()


def test_labels_must_be_named_where_none_is_known(rows: Path, tmp_path: Path) -> None:
    answer = call("annotate", "--input", rows, "--text", "text", "--out", tmp_path / "task", "--json")
    refused(answer, "labels to choose from are not known", "--choice")
