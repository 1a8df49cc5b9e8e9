"""The command that checks and cleans the texts that models learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

Input = Annotated[
    Path | None, typer.Option("--input", help="File of rows: .csv, .jsonl or .parquet, also .gz.")
]
Shop = Annotated[Path | None, typer.Option(help="Shop folder, in place of --input: items and reviews.")]
Out = Annotated[Path, typer.Option(help="Folder to write the cleaned table and the report into.")]
Text = Annotated[list[str] | None, typer.Option("--text", help="Column of texts; repeatable.")]
Label = Annotated[str | None, typer.Option(help="Column of labels, to be judged by the texts.")]
Number = Annotated[list[str] | None, typer.Option("--number", help="Column of numbers; repeatable.")]
Against = Annotated[
    list[Path] | None,
    typer.Option("--against", help="Another part of the split, as test.csv; repeatable."),
]
Split = Annotated[str | None, typer.Option(help="Column that says which part of a split a row is.")]
RowId = Annotated[str | None, typer.Option("--id", help="Column of ids that should occur once.")]
Format = Annotated[str, typer.Option("--format", help="Of the cleaned table: parquet or csv.")]
Encoding = Annotated[str, typer.Option(help="How text files are written: utf-8, gbk …")]
DropDuplicates = Annotated[bool, typer.Option("--drop-duplicates", help="Remove rows that repeat another.")]
DropBoilerplate = Annotated[
    bool, typer.Option("--drop-boilerplate", help="Remove sentences that stand in many texts.")
]
Similarity = Annotated[float, typer.Option(help="From which on texts are nearly the same, above 0 to 1.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Language = Annotated[str, typer.Option("--language", help="Language the report shows first: en or zh.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def clean(  # noqa: PLR0913 - one argument per option
    out: Out,
    input_: Input = None,
    shop: Shop = None,
    text: Text = None,
    label: Label = None,
    number: Number = None,
    against: Against = None,
    split: Split = None,
    row_id: RowId = None,
    format_: Format = "parquet",
    encoding: Encoding = "utf-8",
    drop_duplicates: DropDuplicates = False,
    drop_boilerplate: DropBoilerplate = False,
    similarity: Similarity = 0.8,
    seed: Seed = 7,
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Check and clean texts before models learn from them: markup, encodings, personal data, repeats, labels.

    Writes the cleaned table, every finding, doubtful labels, and a report in English and Chinese.
    """
    from huaxiang.cli.cleaning import Asked, clean_and_write

    _check_one_of("--language", language, ("en", "zh"))
    _check_one_of("--format", format_, ("parquet", "csv"))
    if (input_ is None) == (shop is None):
        raise InputError("give --input or --shop", column="--input", remedy="name one of the two")
    asked = Asked(
        file=input_,
        shop=shop,
        texts=tuple(text or ()),
        against=tuple(against or ()),
        encoding=encoding,
        settings={
            "label": label,
            "numbers": tuple(number or ()),
            "split": split,
            "row_id": row_id,
            "drop_duplicates": drop_duplicates,
            "drop_boilerplate": drop_boilerplate,
            "seed": seed,
        },
        similarity=similarity,
    )
    with StageProgress() as progress:
        facts = clean_and_write(asked, out, format_=format_, language=language, progress=progress.report)
    if as_json:
        print_json("clean", {**facts, "out": str(out)})
    else:
        _show(facts, out)


def _check_one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            "value is not known", column=option, value=value, remedy=f"say {' or '.join(allowed)}"
        )


def _show(facts: dict[str, Any], out: Path) -> None:
    console = Console()
    for one in facts["assumed"]:
        console.print(f"[dim]assumed:[/dim] {one['en']}")
    for table in facts["tables"]:
        shown = Table("found", "n", "done", title=table["name"], title_justify="left")
        for kind in table["kinds"]:
            shown.add_row(kind["kind"], f"{kind['n']:,}", ", ".join(kind["done"]))
        console.print(shown)
        kept = f"{table['rows_kept']:,} of {table['rows_read']:,} rows kept"
        console.print(f"{kept}, {table['findings']:,} findings")
    console.print(f"{out}: {facts['seconds']} s; report: {out / 'report.html'}")
