"""The command `compress`."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from huaxiang.cli.finetuning import Json, Out, RowsAsked, Seed, Set, SplitBy, Test, Validation, parts_of
from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.show import wide_console
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.compression.base import CompressConfig
    from huaxiang.encoders.compression.compress import Compressed
    from huaxiang.encoders.finetuning.fit import Parts

_FROM_SCRATCH = ("training.learning_rate=5e-4", "training.epochs=10")
"""A student that knows nothing needs larger steps, and more of them, than layers that know the task."""


def compress(  # noqa: PLR0913 - one argument per option
    model: Annotated[Path, typer.Option(help="Folder that `finetune` wrote: the teacher.")],
    train: Annotated[Path, typer.Option(help="Table that the teacher learnt from.")],
    out: Out,
    valid: Validation = None,
    test: Test = None,
    label: Annotated[str | None, typer.Option(help="Column with the label, if named otherwise.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Columns with the text, if named otherwise.")] = None,
    split_by: SplitBy = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Table of more texts to hear the teacher on.")
    ] = None,
    distil: Annotated[
        str | None, typer.Option(help="Student: tiny, small, medium, base, half, third, or a folder.")
    ] = None,
    prune: Annotated[float, typer.Option(help="Share of the attention heads to remove.")] = 0.0,
    prune_neurons: Annotated[float, typer.Option(help="Share of the neurons to remove.")] = 0.0,
    trim_vocabulary: Annotated[
        bool, typer.Option("--trim-vocabulary", help="Drop tokens that the texts never use.")
    ] = False,
    int8: Annotated[bool, typer.Option("--int8", help="Leave eight bits of each weight.")] = False,
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Make a fine-tuned model smaller and quicker, and say what each step cost.

    Figures are of rows that neither the teacher nor the student learnt from. A stopped run goes on when the
    same command is given again.
    """
    asked = [
        f"distil={distil or ''}",
        f"prune={prune}",
        f"prune_neurons={prune_neurons}",
        f"trim_vocabulary={str(trim_vocabulary).lower()}",
        f"int8={str(int8).lower()}",
    ]
    config = _config(distil, [*asked, *(set_ or [])])
    files = (train, valid, test)
    _compress(model, files, (text, label, split_by), unlabelled, out, config, seed, as_json)


def _config(distil: str | None, changes: list[str]) -> CompressConfig:
    from huaxiang.config import changed
    from huaxiang.encoders.compression.base import CompressConfig
    from huaxiang.encoders.pretraining.networks import SIZES

    start = _FROM_SCRATCH if distil in SIZES else ()
    return changed(CompressConfig(), [*start, *changes])


def _compress(  # noqa: PLR0913 - what the command was given
    model: Path,
    files: tuple[Path, Path | None, Path | None],
    columns: tuple[list[str] | None, str | None, str | None],
    unlabelled: Path | None,
    out: Path,
    config: CompressConfig,
    seed: int,
    as_json: bool,
) -> None:
    from huaxiang.encoders.compression.compress import compress
    from huaxiang.encoders.finetuning.predictor import read_task
    from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run, read_manifest

    with StageProgress() as progress:
        said = read_task(model)
        taught = read_settings(model)
        text = columns[0] or list(said["columns"])
        label = columns[1] or str(taught.get("label") or "")
        _check_files(files, taught)
        train, valid, test = files
        rows = RowsAsked(
            train=train,
            valid=valid,
            test=test,
            text=text,
            label=_known(label, model),
            split_by=columns[2] or taught.get("split_by"),
        )
        parts = parts_of(rows)
        more = _more_texts(unlabelled, text, parts)
        manifest = read_manifest(model)
        fingerprint = fingerprint_of(
            parts.train.fingerprint, repr(config), str(manifest["files"]), str(len(more)), str(seed)
        )
        with new_run(out, fingerprint=fingerprint) as folder, tempfile.TemporaryDirectory() as work:
            made = compress(
                parts,
                model,
                config=config,
                work=Path(work),
                checkpoint=folder / CHECKPOINTS,
                unlabelled=more,
                seed=seed,
                progress=progress.report,
            )
            is_same = manifest.get("data", {}).get("fingerprint") == parts.train.fingerprint
            settings = {**asdict(config), "model": str(model), **rows.as_settings()}
            facts = _keep(made, parts, folder, out, settings, seed, is_same)
    if as_json:
        print_json("compress", {**facts, "out": str(out)})
    else:
        _show(facts["metrics"]["variants"], made.form.task.best, out)


def read_settings(model: Path) -> Mapping[str, Any]:
    """Return the settings that a model's folder tells of, nothing where it tells of none."""
    file = model / "settings.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _known(label: str, model: Path) -> str:
    if not label:
        remedy = "name the column with --label"
        raise InputError("label column is not known", file=str(model), column="--label", remedy=remedy)
    return label


def _check_files(files: tuple[Path, Path | None, Path | None], taught: Mapping[str, Any]) -> None:
    """Raise `InputError` where the teacher was told to keep a file apart that is not given here."""
    kept_apart = (taught.get("files") or ["", "", ""])[1:]
    for option, given, name in zip(("--valid", "--test"), files[1:], kept_apart, strict=True):
        if name and given is None:
            raise InputError(
                "the teacher was measured on a file of its own; a part of --train would be known to it",
                column=option,
                value=name,
                remedy=f"give {option} {name}",
            )


def _more_texts(file: Path | None, text: list[str], parts: Parts) -> tuple[str, ...]:
    """Return unlabelled texts, none of which is held out."""
    from huaxiang.encoders.finetuning.tables import read_rows

    if file is None:
        return ()
    held_out = {text.lower() for part in (parts.validation, parts.test) for text in part.texts}
    known = held_out | {text.lower() for text in parts.train.texts}
    return tuple(dict.fromkeys(t for t in read_rows(file, text=text).texts if t.lower() not in known))


def _keep(
    made: Compressed,
    parts: Parts,
    folder: Path,
    out: Path,
    settings: Mapping[str, Any],
    seed: int,
    is_same_split: bool,
) -> dict[str, Any]:
    """Write the last form, the table and the picture, and return the facts."""
    from huaxiang.cli.model_folder import Made, keep_model
    from huaxiang.encoders.compression.compress import write_compressed
    from huaxiang.encoders.compression.pareto import table
    from huaxiang.encoders.learning.base import is_lower_better
    from huaxiang.evaluate.charts import pareto

    write_compressed(made, folder)
    best = made.form.task.best
    rows = table(made.variants, best=best, is_lower_better=is_lower_better(best))
    pareto(rows, folder / "pareto.png", best=best)
    doubt = (
        "The rows are split as they were for the teacher: it never learnt from the test rows."
        if is_same_split
        else "The rows are not those the teacher learnt from: it may know some test rows, which flatters it."
    )
    about = Made(
        kind=f"compressed text model, {made.form.task.kind}",
        command="compress",
        data={
            "name": parts.train.file,
            "fingerprint": parts.train.fingerprint,
            "rows": len(parts.train),
            "validation_rows": len(parts.validation),
            "test_rows": len(parts.test),
            "split_of_teacher": is_same_split,
        },
        seed=seed,
        settings=settings,
        metrics={
            "test": dict(made.variants[-1].figures),
            "validation": dict(made.validation),
            "teacher": dict(made.variants[0].figures),
            "variants": rows,
        },
        n_parameters=made.form.n_parameters,
        learnt=made.learnt,
        uses=[f"huaxiang predict --model {out} --input FILE --out scored.parquet"],
        remarks=[doubt, *made.remarks],
        further={"task": made.form.task.as_json()},
    )
    return keep_model(folder, about, name=out.name)


def _show(rows: list[dict[str, Any]], best: str, out: Path) -> None:
    shown = Table(box=None)
    for name in ("variant", "parameters", "MB", "texts/s", "smaller", "faster", best, "change", "Pareto"):
        shown.add_column(name, justify="left" if name == "variant" else "right", no_wrap=True)
    for row in rows:
        shown.add_row(
            row["variant"],
            f"{row['parameters']:,}",
            f"{row['model_mb']:.2f}",
            f"{row['texts_per_s_1']:,.0f}",
            f"{row['times_smaller']:.2f}x",
            f"{row['times_faster']:.2f}x",
            f"{row[best]:.4f}",
            f"{row[best + '_change']:+.4f}",
            "*" if row["pareto"] else "",
        )
    console = wide_console()
    console.print(shown)
    console.print(str(out))
