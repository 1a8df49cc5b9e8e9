"""The command `predict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.table_file import check_kind, write_table
from huaxiang.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def predict(
    model: Annotated[Path, typer.Option(help="Folder that `finetune` or `compress` wrote.")],
    input_: Annotated[Path, typer.Option("--input", help="Table with the texts.")],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .csv.gz or .parquet.")],
    text: Annotated[list[str] | None, typer.Option(help="Columns with the text, if named otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Write a table again with what a fine-tuned model says of each row."""
    from huaxiang.encoders.finetuning.matcher import load_predictor
    from huaxiang.shop.quality.given import read_own_table
    from huaxiang.shop.tables import LINE, UNREADABLE

    check_kind(out)
    with StageProgress() as progress:
        predictor = load_predictor(
            model, progress=lambda done, total, note: progress.report("predict", done, total, note)
        )
        table = read_own_table(input_, option="--input")
        columns = text or predictor.columns
        missing = [column for column in columns if column not in table.columns]
        if missing:
            remedy = f"name the text with --text; the file has {', '.join(table.columns)}"
            raise InputError("no such column", file=input_.name, column=missing[0], remedy=remedy)
        found = predictor.predict_rows(list(table.frame.select(columns).iter_rows()))
    unreadable = table.frame[UNREADABLE].to_list()
    found["error"] = [why or error for why, error in zip(unreadable, found["error"], strict=True)]
    scored = table.frame.drop(LINE, UNREADABLE).with_columns(_columns(found))
    write_table(scored, out)
    n_errors = sum(error is not None for error in found["error"])
    if as_json:
        print_json("predict", {"out": str(out), "rows": len(scored), "errors": n_errors})
    else:
        Console().print(f"{out}: {len(scored):,} rows, {n_errors:,} without a prediction")


def _columns(found: Mapping[str, Sequence[Any]]) -> list[pl.Series]:
    return [
        pl.Series(name, values, dtype=pl.String if name == "error" else None, strict=False)
        for name, values in found.items()
    ]
