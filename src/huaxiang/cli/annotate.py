"""The command that chooses rows to label, and brings the labels back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

Input = Annotated[Path, typer.Option("--input", help="File of rows: .csv, .jsonl or .parquet, also .gz.")]
Out = Annotated[Path, typer.Option(help="Folder of what is to be labelled; with --back the labelled file.")]
Text = Annotated[str | None, typer.Option("--text", help="Column of texts.")]
Label = Annotated[
    str | None, typer.Option(help="Column of labels, empty where a row has none yet; label by default.")
]
RowId = Annotated[str | None, typer.Option("--id", help="Column of ids; lines are counted without one.")]
K = Annotated[int, typer.Option("--k", "-k", help="How many rows.")]
Scored = Annotated[Path | None, typer.Option(help="File with columns prob_<label> by a model of your own.")]
By = Annotated[str, typer.Option(help="What unsure means: margin or entropy.")]
Choice = Annotated[list[str] | None, typer.Option("--choice", help="A label to choose; repeatable.")]
Back = Annotated[
    Path | None,
    typer.Option(help="Labels that came back: to_label.csv filled in, or Label Studio's export (.json)."),
]
Encoding = Annotated[str, typer.Option(help="How text files are written: utf-8, gbk …")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def annotate(  # noqa: PLR0913 - one argument per option
    input_: Input,
    out: Out,
    text: Text = None,
    label: Label = None,
    row_id: RowId = None,
    k: K = 200,
    scored: Scored = None,
    by: By = "margin",
    choice: Choice = None,
    back: Back = None,
    encoding: Encoding = "utf-8",
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """Choose the rows worth labelling first, unsure and unlike each other; or bring labels back (--back).

    Writes to_label.csv, and tasks.json with label_config.xml for Label Studio.
    """
    from huaxiang.cli.annotating import Columns, bring_back, write_tasks
    from huaxiang.shop.quality.annotating import Asked
    from huaxiang.shop.quality.given import read_given

    choices = tuple(choice or ())
    if text is None and back is None:
        raise InputError("no column of texts is named", column="--text", remedy="name it with --text")
    with StageProgress() as progress:
        progress.report("annotate", 0, 2, "reading")
        given = read_given(input_, encoding=encoding)
        scores = read_given(scored, option="--scored", encoding=encoding) if scored else None
        progress.report("annotate", 1, 2, "joining" if back else "choosing")
        if back is not None:
            columns = Columns(text=text, label=label or "label", row_id=row_id)
            facts = bring_back(given, back, out, columns=columns, choices=choices)
        else:
            asked = Asked(text=text or "", label=label, row_id=row_id, k=k, by=by, choices=choices, seed=seed)
            facts = write_tasks(given, asked, out, scored=scores)
        progress.report("annotate", 2, 2)
    if as_json:
        print_json("annotate", {**facts, "out": str(out)})
    else:
        Console().print(f"{out}: " + ", ".join(f"{name} {_said(value)}" for name, value in facts.items()))


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
