"""Rows to label → files for people; files from people → rows with labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from huaxiang.cli.new_folder import new_folder
from huaxiang.cli.table_file import write_table
from huaxiang.errors import InputError
from huaxiang.shop.quality.annotating import Asked, Chosen, choose_rows
from huaxiang.shop.quality.cleaning import safe_text
from huaxiang.shop.quality.given import Given, column_in, read_given, row_ids_in, said_in, text_column
from huaxiang.shop.quality.joining import Joined, join_votes
from huaxiang.shop.quality.label_studio import (
    ROW_ID,
    Task,
    Vote,
    label_config,
    tasks_json,
    votes_of_export,
)
from huaxiang.shop.tables import read_bytes

CONFIG = "label_config.xml"


def write_tasks(given: Given, asked: Asked, out: Path, *, scored: Given | None) -> dict[str, Any]:
    """Write the folder of what is to be labelled, and return what is in it."""
    chosen = choose_rows(given, asked, scored=scored)
    with new_folder(out, mark=CONFIG) as folder:
        _to_label(chosen).write_csv(folder / "to_label.csv", float_precision=4)
        tasks = [
            Task(row_id=row.row_id, text=row.text, guess=row.guess, score=row.probability)
            for row in chosen.rows
        ]
        (folder / "tasks.json").write_bytes(tasks_json(tasks))
        (folder / CONFIG).write_text(label_config(chosen.labels) + "\n", encoding="utf-8")
    return {
        "chosen": len(chosen.rows),
        "unlabelled": chosen.n_unlabelled,
        "labels": list(chosen.labels),
        "learnt_from": chosen.learnt_from,
        "guesses": dict(Counter(row.guess for row in chosen.rows if row.guess is not None)),
    }


def _to_label(chosen: Chosen) -> pl.DataFrame:
    kinds = {
        "row_id": pl.String,
        "line": pl.UInt32,
        "text": pl.String,
        "guess": pl.String,
        "probability": pl.Float64,
        "unsure": pl.Float64,
    }
    rows = pl.DataFrame([asdict(row) for row in chosen.rows], schema=kinds)
    return rows.with_columns(pl.lit("").alias("label"))


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns of the input hold texts (None: they are not compared), labels and ids (None: lines)."""

    text: str | None
    label: str
    row_id: str | None


def bring_back(
    given: Given, back: Path, out: Path, *, columns: Columns, choices: tuple[str, ...]
) -> dict[str, Any]:
    """Write the input with the labels that came back, and return what became of them.

    What people disagree on is listed in a file beside it.
    """
    if out.suffix not in (".csv", ".parquet"):
        remedy = "name a .csv or .parquet file"
        raise InputError("kind of file is not known", column="--out", value=out.name, remedy=remedy)
    row_ids, label = row_ids_in(given, columns.row_id), columns.label
    known = said_in(given, label) if label in given.words.columns else [None] * len(row_ids)
    joined = join_votes(
        read_votes(back),
        row_ids,
        _texts(given, columns.text) if columns.text is not None else None,
        file=back.name,
        choices=choices,
    )
    labels = [joined.labels.get(one, before) for one, before in zip(row_ids, known, strict=True)]
    _write_conflicts(joined, out.with_name(f"{out.stem}.conflicts.csv"))
    write_table(given.frame.with_columns(pl.Series(label, labels, dtype=pl.String)), out)
    changed = sum(
        before is not None and joined.labels.get(one, before) != before
        for one, before in zip(row_ids, known, strict=True)
    )
    return {
        "labelled": len(joined.labels),
        "votes": joined.n_votes,
        "conflicts": len(joined.conflicts),
        "undecided": sum(conflict.chosen is None for conflict in joined.conflicts),
        "missing": len(joined.missing),
        "missing_rows": list(joined.missing[:20]),
        "changed": changed,
        "new_labels": sorted({*joined.labels.values()} - {one for one in known if one is not None}),
        "rows_with_label": sum(one is not None for one in labels),
    }


def read_votes(back: Path) -> list[Vote]:
    """Return the votes in a file that came back: Label Studio's JSON, or a table with row_id and label."""
    if back.name.removesuffix(".gz").endswith(".json"):
        if not back.is_file():
            raise InputError("no such file", file=str(back), remedy="check --back")
        return votes_of_export(read_bytes(back), file=back.name)
    given = read_given(back, option="--back")
    ids = said_in(given, column_in(given, ROW_ID, option="--back"))
    labels = said_in(given, column_in(given, "label", option="--back"))
    people = given.words["annotator"].to_list() if "annotator" in given.words.columns else [""] * len(ids)
    texts = given.words["text"].to_list() if "text" in given.words.columns else [None] * len(ids)
    _check_has_ids(given, ids)
    return [
        Vote(row_id=str(one), label=label, by=by or "", line=line, text=text)
        for one, label, by, line, text in zip(ids, labels, people, given.lines, texts, strict=True)
    ]


def _check_has_ids(given: Given, ids: list[str | None]) -> None:
    if None in ids:
        line = given.lines[ids.index(None)]
        remedy = "keep the column row_id of to_label.csv"
        raise InputError("row has no id", file=given.name, line=line, column=ROW_ID, remedy=remedy)


def _texts(given: Given, text: str) -> list[str | None]:
    return [safe_text(one or "")[0] for one in said_in(given, text_column(given, text))]


def _write_conflicts(joined: Joined, path: Path) -> None:
    if not joined.conflicts:
        path.unlink(missing_ok=True)  # those of an earlier try would seem to be of this one
        return
    rows = [
        {
            "row_id": conflict.row_id,
            "votes": "; ".join(f"{label}: {n}" for label, n in conflict.votes.items()),
            "chosen": conflict.chosen,
        }
        for conflict in joined.conflicts
    ]
    pl.DataFrame(rows, schema=dict.fromkeys(("row_id", "votes", "chosen"), pl.String)).write_csv(path)
