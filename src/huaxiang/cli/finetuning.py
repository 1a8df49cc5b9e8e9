"""The commands `finetune classify`, `finetune regress`, `finetune tag` and `finetune ensemble`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.finetuning_behaviour import finetune_behaviour
from huaxiang.cli.finetuning_match import finetune_match
from huaxiang.cli.finetuning_search import finetune_search
from huaxiang.cli.outcome import print_json
from huaxiang.cli.pretraining import source_folder
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.cli.model_folder import Made
    from huaxiang.encoders.finetuning.fit import FinetuneConfig, Finetuned, Parts
    from huaxiang.encoders.finetuning.search import Watch
    from huaxiang.encoders.finetuning.tables import Rows
    from huaxiang.encoders.finetuning.tagging import Tagger
    from huaxiang.encoders.finetuning.tasks import Task
    from huaxiang.records import Matrix

NGRAMS = "ngrams"
TaskOf = Callable[["Rows", "FinetuneConfig"], "Task"]
Taught = Callable[["Request", "Parts", Path, StageProgress], "tuple[Finetuned | Tagger, FinetuneConfig]"]

finetune_app = typer.Typer(no_args_is_help=True, help="Teach a pretrained model one of the shop's tasks.")
finetune_app.command("match")(finetune_match)
finetune_app.command("search")(finetune_search)
finetune_app.command("behaviour")(finetune_behaviour)

Train = Annotated[
    Path, typer.Option(help="Table with texts and labels: .csv, .jsonl, .parquet, gzipped too.")
]
Text = Annotated[list[str], typer.Option(help="Column with the text; repeatable, joined in this order.")]
Label = Annotated[str, typer.Option(help="Column with the label.")]
ModelName = Annotated[str, typer.Option("--model", help="minilm, a name, a folder; or ngrams: linear.")]
Out = Annotated[Path, typer.Option(help="Folder to write the model into.")]
Validation = Annotated[Path | None, typer.Option(help="Table to choose weights by; else a tenth of --train.")]
Test = Annotated[Path | None, typer.Option(help="Table to report on; else a tenth of --train.")]
SplitBy = Annotated[str | None, typer.Option(help="Column whose equal cells stay on one side, as a shopper.")]
Method = Annotated[str, typer.Option(help="full, frozen or lora.")]
Trials = Annotated[int, typer.Option(min=0, help="Trials of a search for settings before the fit.")]
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
    search: Trials = 0,
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a model which class a text is of, or with --multi which labels it has."""
    from huaxiang.encoders.finetuning.tasks import Classify, MultiLabel

    def task_of(rows: Rows, config: FinetuneConfig) -> Task:
        if multi:
            return MultiLabel.of(rows)
        return Classify.of(rows, label_smoothing=config.label_smoothing, is_weighted=config.class_weights)

    _finetune(
        Request(
            command="finetune classify",
            rows=RowsAsked(train=train, valid=valid, test=test, text=text, label=label, split_by=split_by),
            model=model,
            out=out,
            config=_config(method, set_),
            seed=seed,
            n_trials=search,
            as_json=as_json,
        ),
        partial(_taught, task_of),
    )


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
    search: Trials = 0,
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a model a number, or with --grades which of a few grades, such as a rating."""
    from huaxiang.encoders.finetuning.tasks import Grade, Regress

    def task_of(rows: Rows, config: FinetuneConfig) -> Task:
        return Grade.of(rows) if grades else Regress.of(rows)

    _finetune(
        Request(
            command="finetune regress",
            rows=RowsAsked(train=train, valid=valid, test=test, text=text, label=label, split_by=split_by),
            model=model,
            out=out,
            config=_config(method, set_),
            seed=seed,
            n_trials=search,
            as_json=as_json,
        ),
        partial(_taught, task_of),
    )


@finetune_app.command("tag")
def finetune_tag(  # noqa: PLR0913 - one argument per option
    train: Train,
    text: Annotated[str, typer.Option(help="Column with the text.")],
    label: Annotated[str, typer.Option(help='Column with the spans: [[start, end, "label"], …] as JSON.')],
    model: ModelName,
    out: Out,
    valid: Validation = None,
    test: Test = None,
    split_by: SplitBy = None,
    method: Method = "full",
    seed: Seed = 7,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a model which words of a text are what, such as the aspects that a review speaks of."""
    from huaxiang.encoders.finetuning.tagging import finetune_tags
    from huaxiang.encoders.finetuning.tasks import Tag

    def taught(
        asked: Request, parts: Parts, folder: Path, progress: StageProgress
    ) -> tuple[Tagger, FinetuneConfig]:
        made = finetune_tags(
            parts,
            Tag.of(parts.train),
            model=source_folder(asked.model),
            config=asked.config,
            checkpoint=folder / "checkpoints",
            seed=asked.seed,
            progress=progress.report,
        )
        return made, asked.config

    rows = RowsAsked(
        train=train, valid=valid, test=test, text=[text], label=label, split_by=split_by, as_written=True
    )
    _finetune(
        Request(
            command="finetune tag",
            rows=rows,
            model=model,
            out=out,
            config=_config(method, set_),
            seed=seed,
            n_trials=0,
            as_json=as_json,
        ),
        taught,
    )


@finetune_app.command("ensemble")
def finetune_ensemble(  # noqa: PLR0913 - one argument per option
    member: Annotated[list[Path], typer.Option(help="Folder of a fine-tuned model; two or more.")],
    train: Annotated[Path, typer.Option(help="The table that the members learnt from: its held-out rows.")],
    text: Text,
    label: Label,
    out: Out,
    valid: Validation = None,
    test: Test = None,
    split_by: SplitBy = None,
    way: Annotated[str, typer.Option(help="average, weighted or stacked.")] = "weighted",
    as_json: Json = False,
) -> None:
    """Mix fine-tuned models of one task; how is fitted on rows that none of them learnt from."""
    from huaxiang.cli.ensembles import make_ensemble

    rows = RowsAsked(train=train, valid=valid, test=test, text=text, label=label, split_by=split_by)
    with StageProgress() as progress:
        facts = make_ensemble(member, rows, way=way, out=out, progress=progress)
    if as_json:
        print_json("finetune", {**facts, "out": str(out)})
    else:
        show_figures(facts["metrics"]["test"])


def _config(method: str, changes: list[str] | None) -> FinetuneConfig:
    from huaxiang.config import changed
    from huaxiang.encoders.finetuning.fit import FinetuneConfig

    # The matrices of LoRA start at nothing and are few: they need larger steps than weights that know a lot.
    quicker = {"lora": ["training.learning_rate=5e-4"], "frozen": ["training.learning_rate=1e-3"]}
    return changed(FinetuneConfig(), [*quicker.get(method, []), f"method={method}", *(changes or [])])


@dataclass(frozen=True, kw_only=True)
class RowsAsked:
    """Labelled tables, and which of their columns."""

    train: Path
    valid: Path | None
    test: Path | None
    text: list[str]
    label: str
    split_by: str | None
    as_written: bool = False

    def as_settings(self) -> dict[str, Any]:
        """Return what a model's folder tells of them, so that compression holds the same rows back."""
        files = [file.name if file else "" for file in (self.train, self.valid, self.test)]
        return {"text": self.text, "label": self.label, "split_by": self.split_by, "files": files}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the commands share: rows, the model to start from, where to, and how."""

    command: str
    rows: RowsAsked
    model: str
    out: Path
    config: FinetuneConfig
    seed: int
    n_trials: int
    as_json: bool


def _finetune(asked: Request, taught: Taught) -> None:
    from huaxiang.cli.model_folder import keep_model
    from huaxiang.encoders.finetuning.fit import Finetuned
    from huaxiang.encoders.finetuning.stored import write_finetuned
    from huaxiang.runs import fingerprint_of, new_run

    with StageProgress() as progress:
        parts = parts_of(asked.rows)
        source = asked.model if asked.model == NGRAMS else str(source_folder(asked.model))
        said = (parts.train.fingerprint, repr(asked.config), source, str(asked.seed), asked.command)
        with new_run(asked.out, fingerprint=fingerprint_of(*said)) as folder:
            made, config = taught(asked, parts, folder, progress)
            write_finetuned(made, folder, columns=asked.rows.text, config=config)
            if isinstance(made, Finetuned):
                draw_reliability(made.task, made.test_outputs_NC, parts.test, folder)
            facts = keep_model(folder, _about(asked, made, parts, config), name=asked.out.name)
    if asked.as_json:
        print_json("finetune", {**facts, "out": str(asked.out)})
    else:
        _show(made, parts, asked.out)


def _taught(
    task_of: TaskOf, asked: Request, parts: Parts, folder: Path, progress: StageProgress
) -> tuple[Finetuned, FinetuneConfig]:
    """Return the fitted model and its settings, those of the best trial where a search was asked for."""
    from huaxiang.encoders.finetuning.fit import finetune, finetune_ngrams
    from huaxiang.encoders.finetuning.search import search
    from huaxiang.evaluate.charts import search_history
    from huaxiang.files import write_json
    from huaxiang.runs import CHECKPOINTS

    if asked.model == NGRAMS:
        task = task_of(parts.train, asked.config)
        return finetune_ngrams(parts, task, seed=asked.seed, progress=progress.report), asked.config

    source = source_folder(asked.model)

    def fitted(config: FinetuneConfig, place: Path, watch: Watch | None, stage: str) -> Finetuned:
        return finetune(
            parts,
            task_of(parts.train, config),
            model=source,
            config=config,
            checkpoint=place,
            seed=asked.seed,
            watch=watch,
            progress=lambda part, done, total, note: progress.report(
                stage if part == "fine-tune" else part, done, total, note
            ),
        )

    config = asked.config
    if asked.n_trials:
        found = search(
            lambda said, place, watch: fitted(said, place, watch, "one trial").validation,
            config,
            figure=task_of(parts.train, config).best,
            n_trials=asked.n_trials,
            folder=folder / CHECKPOINTS / "search",
            seed=asked.seed,
            progress=lambda done, total, note: progress.report("search", done, total, note),
        )
        config = found.config
        write_json(folder / "search.json", {"figure": found.figure, "trials": list(found.trials)})
        search_history(found.trials, folder / "search.png", figure=found.figure)
    return fitted(config, folder / CHECKPOINTS / "fit", None, "fine-tune"), config


def draw_reliability(task: Task, outputs_NC: Matrix, rows: Rows, folder: Path) -> None:
    """Draw how sure a classifier is against how often it is right; nothing for other tasks."""
    from huaxiang.encoders.finetuning.tasks import Classify
    from huaxiang.evaluate.charts import reliability_of

    if isinstance(task, Classify):
        shares = task.probabilities(outputs_NC)
        reliability_of(shares.max(1), shares.argmax(1) == task.targets(rows), folder / "reliability.png")


def _about(asked: Request, made: Finetuned | Tagger, parts: Parts, config: FinetuneConfig) -> Made:
    from huaxiang.cli.model_folder import Made

    return Made(
        kind=f"text model, {made.task.kind}",
        command=asked.command,
        data={
            "name": parts.train.file,
            "fingerprint": parts.train.fingerprint,
            "rows": len(parts.train),
            "validation_rows": len(parts.validation),
            "test_rows": len(parts.test),
        },
        seed=asked.seed,
        settings={**asdict(config), "model": asked.model, **asked.rows.as_settings()},
        metrics={"test": made.test, "validation": made.validation},
        n_parameters=made.n_parameters,
        learnt=made.learnt,
        uses=[f"huaxiang predict --model {asked.out} --input FILE --out scored.parquet"],
        remarks=[f"{parts.train.n_left_out} rows without a text or a label were left out."],
        further={"task": made.task.as_json()},
    )


def parts_of(asked: RowsAsked) -> Parts:
    """Return the rows to learn from, choose by and report on; none that is in two of them."""
    from huaxiang.encoders.finetuning.fit import Parts
    from huaxiang.encoders.finetuning.tables import read_rows, split_rows

    def read_file(file: Path) -> Rows:
        return read_rows(
            file, text=asked.text, label=asked.label, split_by=asked.split_by, as_written=asked.as_written
        )

    rows = read_file(asked.train)
    n_left_out = rows.n_left_out
    files = {"test": asked.test, "validation": asked.valid}
    read = {name: read_file(file) for name, file in files.items() if file is not None}
    for name in ("test", "validation"):
        if name not in read:
            rows, read[name] = split_rows(rows, share=0.1, salt=name)
    elsewhere = {key for part in read.values() for key in part.keys}
    kept = rows.take([row for row, key in enumerate(rows.keys) if key not in elsewhere])
    n_left_out += len(rows) - len(kept)
    for name, part in {"train": kept, **read}.items():
        if not len(part):
            remedy = "give more rows, or a file of their own"
            raise InputError(f"no rows for {name}", file=part.file, column=asked.label, remedy=remedy)
    return Parts(train=replace(kept, n_left_out=n_left_out), validation=read["validation"], test=read["test"])


def _show(made: Finetuned | Tagger, parts: Parts, out: Path) -> None:
    show_figures(made.test)
    Console().print(
        f"{out}: {made.n_parameters:,} parameters; {len(parts.train):,} rows to learn from, "
        f"{len(parts.test):,} to test on; {made.learnt.steps:,} steps in {made.learnt.precision}, "
        f"{made.learnt.seconds:.0f} s"
    )


def show_figures(figures: Mapping[str, float]) -> None:
    """Print one figure per line."""
    for name, value in figures.items():
        Console().print(f"{name:<24}{value:.4f}", highlight=False)
