"""The commands `pretrain text` and `pretrain image`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.pretraining_image import pretrain_image
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.pretraining.corpus import Corpus
    from huaxiang.encoders.pretraining.text import Pretrained, TextConfig

pretrain_app = typer.Typer(
    no_args_is_help=True, help="Teach language and image models the shop's own texts and photos."
)
pretrain_app.command("image")(pretrain_image)

# A model that is gone on with must not be moved far: a tenth of the step size, fewer rounds.
_GOING_ON = ("training.learning_rate=5e-5", "training.epochs=3")


@pretrain_app.command("text")
def pretrain_text(  # noqa: PLR0913 - one argument per option
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")],
    shop: Annotated[Path | None, typer.Option(help="Shop folder: its titles, descriptions, reviews.")] = None,
    texts: Annotated[Path | None, typer.Option(help="A table of texts instead of a shop.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Column of --texts; repeatable.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of --texts with the category.")] = None,
    objective: Annotated[str, typer.Option(help="mlm, nsp, contrastive joined by +, or causal.")] = "mlm+nsp",
    from_: Annotated[str | None, typer.Option("--from", help="Model to go on from: name or folder.")] = None,
    from_scratch: Annotated[str | None, typer.Option(help="tiny, small, medium or base.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as training.epochs=5.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Teach a language model the shop's texts: hidden words, following passages, or the next word.

    A stopped run goes on when the same command is given again.
    """
    from huaxiang.cli.model_folder import Made, keep_model
    from huaxiang.config import changed
    from huaxiang.encoders.pretraining.text import TextConfig
    from huaxiang.encoders.pretraining.text import pretrain_text as pretrain
    from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run

    _one(from_, from_scratch, "--from", "--from-scratch")
    changes = [f"objective={objective}", *(_GOING_ON if from_ else [f"size={from_scratch}"]), *(set_ or [])]
    config = changed(TextConfig(), changes)
    source = source_folder(from_) if from_ else None
    with StageProgress() as progress:
        corpus = _corpus(shop, texts, text or ["text"], group)
        fingerprint = fingerprint_of(corpus.fingerprint, repr(config), str(source), str(seed))
        with new_run(out, fingerprint=fingerprint) as folder:
            made = pretrain(
                corpus,
                config=config,
                folder=folder,
                checkpoint=folder / CHECKPOINTS,
                source=source,
                seed=seed,
                progress=progress.report,
            )
            about = Made(
                kind="language model that writes" if config.is_causal else "text encoder",
                command="pretrain text",
                data={"name": corpus.name, "fingerprint": corpus.fingerprint, "rows": made.n_documents},
                seed=seed,
                settings={**asdict(config), "from": from_ or "scratch"},
                metrics=made.metrics,
                n_parameters=made.n_parameters,
                learnt=made.learnt,
                uses=_uses(config, out),
                remarks=[f"{corpus.n_repeated} texts were there more than once and were read once."],
            )
            facts = keep_model(folder, about, name=out.name)
    if as_json:
        print_json("pretrain", {**facts, "out": str(out)})
    else:
        _show(made, out)


def _corpus(shop: Path | None, texts: Path | None, columns: list[str], group: str | None) -> Corpus:
    from huaxiang.encoders.pretraining.corpus import corpus_of_shop, corpus_of_table
    from huaxiang.shop.read import read_shop

    _one(shop, texts, "--shop", "--texts")
    if texts is not None:
        return corpus_of_table(texts, columns, group=group)
    assert shop is not None
    return corpus_of_shop(read_shop(shop))


def source_folder(name: str) -> Path:
    """Return the folder of a model by name: the bundled one, one on this machine, or a folder."""
    if name in ("default", "minilm"):
        from huaxiang.encoders.bundled import bundled_folder

        return bundled_folder()
    from huaxiang.encoders.named import model_folder

    return model_folder(name)


def _one(first: object, second: object, one: str, other: str) -> None:
    if (first is None) == (second is None):
        said = "both are given" if first is not None else "neither is given"
        raise InputError(f"{said}", column=f"{one}, {other}", remedy="give one of the two")


def _uses(config: TextConfig, out: Path) -> list[str]:
    if config.is_causal:
        return [f"huaxiang pretrain text --from {out} --objective causal --shop DIR --out FOLDER"]
    return [
        f"huaxiang build --shop DIR --text {out} --out runs/shop",
        f"huaxiang finetune classify --model {out} --train FILE --text COLUMN --label COLUMN --out FOLDER",
    ]


def _show(made: Pretrained, out: Path) -> None:
    console = Console(stderr=False)
    for name, value in made.metrics.items():
        console.print(f"{name:<24}{value:.4f}", highlight=False)
    console.print(
        f"{out}: {made.n_parameters:,} parameters, {made.n_documents:,} documents, "
        f"{made.learnt.steps:,} steps in {made.learnt.precision}, {made.learnt.seconds:.0f} s"
    )
