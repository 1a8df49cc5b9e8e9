"""The commands `finetune classify`, `finetune tag`, `finetune regress`, and `predict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer
from rich.console import Console

from huaxiang.cli.finetuning_behaviour import finetune_behaviour
from huaxiang.cli.finetuning_match import finetune_match
from huaxiang.cli.outcome import print_json
from huaxiang.cli.pretraining import source_folder
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.fit import FinetuneConfig, Finetuned, Parts
    from huaxiang.encoders.finetuning.tables import Rows
    from huaxiang.encoders.finetuning.tasks import Task

finetune_app = typer.Typer(no_args_is_help=True, help="Teach a pretrained model one of the shop's tasks.")
finetune_app.command("match")(finetune_match)
finetune_app.command("behaviour")(finetune_behaviour)

Train = Annotated[
    Path, typer.Option(help="Table with texts and labels: .csv, .jsonl, .parquet, gzipped too.")
]
Text = Annotated[list[str], typer.Option(help="Column with the text; repeatable, joined in this order.")]
Label = Annotated[str, typer.Option(help="Column with the label.")]
ModelName = Annotated[str, typer.Option("--model", help="Pretrained model: minilm, a name or a folder.")]
Out = Annotated[Path, typer.Option(help="Folder to write the model into.")]
Validation = Annotated[Path | None, typer.Option(help="Table to choose weights by; else a tenth of --train.")]
Test = Annotated[Path | None, typer.Option(help="Table to report on; else a tenth of --train.")]
SplitBy = Annotated[str | None, typer.Option(help="Column whose equal cells stay on one side, as a shopper.")]
Method = Annotated[str, typer.Option(help="full, frozen or lora.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="One setting, as training.epochs=5.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@finetune_app.command("classify")
def finetune_classify(  # noqa: PLR0913 - one argument per option
    train: Train,
    text: Text,
    label: Label,
    model: ModelName,
    out: Out,
    valid: Validation = None,
    test: Test = None,
    split_by: SplitBy = None,
    multi: Annotated[bool, typer.Option("--multi", help="Several labels per text, as red|cotton.")] = False,
    method: Method = "full",
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a model which class a text is of, or with --multi which labels it has."""
    from huaxiang.encoders.finetuning.tasks import Classify, MultiLabel

    config = _config(method, set_)

    def task_of(rows: Rows) -> Task:
        if multi:
            return MultiLabel.of(rows)
        return Classify.of(rows, label_smoothing=config.label_smoothing, is_weighted=config.class_weights)

    files = (train, valid, test)
    _finetune("finetune classify", files, text, label, split_by, model, out, config, seed, task_of, as_json)


@finetune_app.command("regress")
def finetune_regress(  # noqa: PLR0913 - one argument per option
    train: Train,
    text: Text,
    label: Label,
    model: ModelName,
    out: Out,
    valid: Validation = None,
    test: Test = None,
    split_by: SplitBy = None,
    grades: Annotated[
        bool, typer.Option("--grades", help="Labels are a few grades in order, as ratings 1 to 5.")
    ] = False,
    method: Method = "full",
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a model a number, or with --grades which of a few grades, such as a rating."""
    from huaxiang.encoders.finetuning.tasks import Grade, Regress

    files, task_of = (train, valid, test), Grade.of if grades else Regress.of
    config = _config(method, set_)
    _finetune("finetune regress", files, text, label, split_by, model, out, config, seed, task_of, as_json)


def predict(
    model: Annotated[Path, typer.Option(help="Folder that `finetune` or `compress` wrote.")],
    input_: Annotated[Path, typer.Option("--input", help="Table with the texts.")],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, or Parquet.")],
    text: Annotated[list[str] | None, typer.Option(help="Columns with the text, if named otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Write a table again with what a fine-tuned model says of each row."""
    from huaxiang.encoders.finetuning.matcher import load_predictor
    from huaxiang.shop.tables import LINE, UNREADABLE, read_table

    with StageProgress() as progress:
        predictor = load_predictor(
            model, progress=lambda done, total, note: progress.report("predict", done, total, note)
        )
        table = read_table(input_)
        columns = text or predictor.columns
        missing = [column for column in columns if column not in table.columns]
        if missing:
            remedy = f"name the text with --text; the file has {', '.join(table.columns)}"
            raise InputError("no such column", file=input_.name, column=missing[0], remedy=remedy)
        found = predictor.predict_rows(list(table.frame.select(columns).iter_rows()))
    unreadable = table.frame[UNREADABLE].to_list()
    found["error"] = [why or error for why, error in zip(unreadable, found["error"], strict=True)]
    scored = table.frame.drop(LINE, UNREADABLE).with_columns(_columns(found))
    _write(scored, out)
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


def _write(table: pl.DataFrame, out: Path) -> None:
    """Write a table beside its place, then rename it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(out.name + ".new")
    if out.suffix == ".csv":
        table.write_csv(beside)
    else:
        table.write_parquet(beside)
    beside.replace(out)


def _config(method: str, changes: list[str] | None) -> FinetuneConfig:
    from huaxiang.config import with_changes
    from huaxiang.encoders.finetuning.fit import FinetuneConfig

    # The matrices of LoRA start at nothing and are few: they need larger steps than weights that know a lot.
    quicker = {"lora": ["training.learning_rate=5e-4"], "frozen": ["training.learning_rate=1e-3"]}
    return with_changes(FinetuneConfig(), [*quicker.get(method, []), f"method={method}", *(changes or [])])


def _finetune(  # noqa: PLR0913 - what the commands share
    command: str,
    files: tuple[Path, Path | None, Path | None],
    text: list[str],
    label: str,
    split_by: str | None,
    model: str,
    out: Path,
    config: FinetuneConfig,
    seed: int,
    task_of: Any,
    as_json: bool,
) -> None:
    from huaxiang.cli.model_folder import Made, keep_model
    from huaxiang.encoders.finetuning.fit import finetune
    from huaxiang.encoders.finetuning.stored import write_finetuned
    from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run

    with StageProgress() as progress:
        parts = _parts(files, text, label, split_by)
        task = task_of(parts.train)
        source = source_folder(model)
        fingerprint = fingerprint_of(
            parts.train.fingerprint, repr(config), str(source), str(seed), str(task.as_json())
        )
        with new_run(out, fingerprint=fingerprint) as folder:
            made = finetune(
                parts,
                task,
                model=source,
                config=config,
                checkpoint=folder / CHECKPOINTS,
                seed=seed,
                progress=progress.report,
            )
            write_finetuned(made, folder, columns=text, config=config)
            about = Made(
                kind=f"text model, {task.kind}",
                command=command,
                data={
                    "name": parts.train.file,
                    "fingerprint": parts.train.fingerprint,
                    "rows": len(parts.train),
                    "validation_rows": len(parts.validation),
                    "test_rows": len(parts.test),
                },
                seed=seed,
                settings={**asdict(config), "model": model, "text": text, "label": label},
                metrics={"test": made.test, "validation": made.validation},
                n_parameters=made.n_parameters,
                learnt=made.learnt,
                uses=[f"huaxiang predict --model {out} --input FILE --out scored.parquet"],
                notes=[f"{parts.train.n_left_out} rows without a text or a label were left out."],
                further={"task": made.task.as_json()},
            )
            facts = keep_model(folder, about, name=out.name)
    if as_json:
        print_json("finetune", {**facts, "out": str(out)})
    else:
        _show(made, parts, out)


def _parts(
    files: tuple[Path, Path | None, Path | None], text: list[str], label: str, split_by: str | None
) -> Parts:
    """Return the rows to learn from, choose by and report on; none that is in two of them."""
    from huaxiang.encoders.finetuning.fit import Parts
    from huaxiang.encoders.finetuning.tables import read_rows, split_rows

    train, valid, test = files
    rows = read_rows(train, text=text, label=label, split_by=split_by)
    n_left_out = rows.n_left_out
    read = {
        name: read_rows(file, text=text, label=label, split_by=split_by)
        for name, file in (("test", test), ("validation", valid))
        if file is not None
    }
    for name in ("test", "validation"):
        if name not in read:
            rows, read[name] = split_rows(rows, share=0.1, salt=name)
    asked = {key for part in read.values() for key in part.keys}
    kept = rows.take([row for row, key in enumerate(rows.keys) if key not in asked])
    n_left_out += len(rows) - len(kept)
    for name, part in {"train": kept, **read}.items():
        if not len(part):
            remedy = "give more rows, or a file of their own"
            raise InputError(f"no rows for {name}", file=part.file, column=label, remedy=remedy)
    from dataclasses import replace

    return Parts(train=replace(kept, n_left_out=n_left_out), validation=read["validation"], test=read["test"])


def _show(made: Finetuned, parts: Parts, out: Path) -> None:
    console = Console()
    for name, value in made.test.items():
        console.print(f"{name:<24}{value:.4f}", highlight=False)
    console.print(
        f"{out}: {made.n_parameters:,} parameters; {len(parts.train):,} rows to learn from, "
        f"{len(parts.test):,} to test on; {made.learnt.steps:,} steps in {made.learnt.precision}, "
        f"{made.learnt.seconds:.0f} s"
    )
