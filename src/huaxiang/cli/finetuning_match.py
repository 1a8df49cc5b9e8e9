"""The command `finetune match`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.pretraining import source_folder
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.cross import Crossed
    from huaxiang.encoders.finetuning.match import Matched, PairParts
    from huaxiang.encoders.finetuning.match_lesson import MatchConfig

SHOWN = ("ndcg@10", "share", "share_low", "share_high", "recall@10")


def finetune_match(  # noqa: PLR0913 - one argument per option
    train: Annotated[Path, typer.Option(help="Table with queries, products and relevance.")],
    query: Annotated[str, typer.Option(help="Column with the query.")],
    product: Annotated[str, typer.Option(help="Column with the product's text.")],
    label: Annotated[str, typer.Option(help="Column with the relevance, 0 to 10; 1 and 0 will do.")],
    model: Annotated[str, typer.Option(help="Text encoder to start from: minilm, a name or a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")],
    valid: Annotated[Path | None, typer.Option(help="Table to choose weights by; else a tenth.")] = None,
    test: Annotated[Path | None, typer.Option(help="Table to report on; else a tenth.")] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="Teach a second stage that reads query and product together.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as training.epochs=5.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Teach a text encoder which products answer a query; no query is both learnt from and asked.

    The folder is a text encoder for `build --text`, and `predict` scores pairs with it.
    """
    from huaxiang.cli.model_folder import Made, keep_model
    from huaxiang.config import changed
    from huaxiang.encoders.finetuning.match import finetune_match as tune
    from huaxiang.encoders.finetuning.match_lesson import MatchConfig
    from huaxiang.encoders.finetuning.matcher import write_matcher
    from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run

    config = changed(MatchConfig(), set_ or [])
    with StageProgress() as progress:
        parts = pair_parts((train, valid, test), query=query, product=product, label=label)
        source = source_folder(model)
        fingerprint = fingerprint_of(
            parts.train.fingerprint, parts.test.fingerprint, repr(config), str(source), str(seed), str(cross)
        )
        with new_run(out, fingerprint=fingerprint) as folder:
            made = tune(
                parts,
                model=source,
                folder=folder,
                checkpoint=folder / CHECKPOINTS / "match",
                config=config,
                seed=seed,
                progress=progress.report,
            )
            crossed = _crossed(parts, source, folder, config, seed, progress) if cross else None
            write_matcher(folder, columns=[query, product], blend=crossed.blend if crossed else None)
            figures = _figures(parts, made, crossed, seed)
            about = Made(
                kind="text encoder, matching",
                command="finetune match",
                data={
                    "name": parts.train.file,
                    "fingerprint": parts.train.fingerprint,
                    "rows": len(parts.train),
                    "validation_rows": len(parts.validation),
                    "test_rows": len(parts.test),
                },
                seed=seed,
                settings={**asdict(config), "model": model, "query": query, "product": product},
                metrics={"test": made.test, "validation": made.validation, **figures},
                n_parameters=made.n_parameters,
                learnt=made.learnt,
                uses=[
                    f"huaxiang predict --model {out} --input FILE --out scored.parquet",
                    f"huaxiang build --shop DIR --text {out} --out runs/shop",
                ],
                remarks=[
                    f"{parts.train.n_left_out} rows without a query, a product or a label, or of a query "
                    "that is asked, were left out."
                ],
                further={"task": {"kind": "match"}},
            )
            facts = keep_model(folder, about, name=out.name)
    if as_json:
        print_json("finetune", {**facts, "out": str(out)})
    else:
        _show({"tuned": made.test, **figures}, made, parts, out)


def pair_parts(
    files: tuple[Path, Path | None, Path | None], *, query: str, product: str, label: str
) -> PairParts:
    """Return the pairs to learn from, choose by and report on; no query is in two of them.

    Raises
    ------
    InputError
        A part has no rows, besides what `read_pairs` says.
    """
    from huaxiang.encoders.finetuning.match import PairParts
    from huaxiang.encoders.finetuning.pairs import read_pairs, split_pairs, without_queries

    train, valid, test = files
    columns = {"query": query, "product": product, "label": label}
    rows = read_pairs(train, **columns)
    n_left_out = rows.n_left_out
    read = {
        name: read_pairs(file, **columns) for name, file in (("test", test), ("validation", valid)) if file
    }
    for name in ("test", "validation"):
        if name not in read:
            rows, read[name] = split_pairs(rows, share=0.1, salt=name)
    read["validation"] = without_queries(read["validation"], [read["test"]])
    kept = without_queries(rows, list(read.values()))
    for name, part in {"train": kept, **read}.items():
        if not len(part):
            remedy = "give more queries, or a file of their own"
            raise InputError(f"no rows for {name}", file=part.file, column=query, remedy=remedy)
    from dataclasses import replace

    kept = replace(kept, n_left_out=n_left_out + kept.n_left_out)
    return PairParts(train=kept, validation=read["validation"], test=read["test"])


def _crossed(
    parts: PairParts, source: Path, folder: Path, config: MatchConfig, seed: int, progress: StageProgress
) -> Crossed:
    from huaxiang.encoders.finetuning.cross import finetune_cross
    from huaxiang.runs import CHECKPOINTS

    return finetune_cross(
        parts,
        model=source,
        folder=folder,
        checkpoint=folder / CHECKPOINTS / "cross",
        max_tokens=2 * config.max_tokens,
        seed=seed,
        progress=progress.report,
    )


def _figures(parts: PairParts, made: Matched, crossed: Crossed | None, seed: int) -> dict[str, Any]:
    """Return what the tuned encoder stands beside: itself before, words alone, and the second stage."""
    from huaxiang.encoders.finetuning.judged import Judged, figures_of
    from huaxiang.encoders.finetuning.lexical import bm25_scores

    judged = Judged.of(parts.test)
    corpus = [*parts.train.products, *parts.test.products]
    words_N = bm25_scores(judged.query_texts, judged.product_texts, corpus=corpus)
    found = {"untuned": made.before, "bm25": figures_of(judged, words_N, seed=seed)}
    if crossed is not None:
        found |= {"cross": crossed.test, "blended": crossed.blended}
    return {name: figures for name, figures in found.items() if figures}


def _show(figures: dict[str, Any], made: Matched, parts: PairParts, out: Path) -> None:
    console = Console()
    for name, found in figures.items():
        said = "  ".join(f"{key} {found[key]:.4f}" for key in SHOWN if key in found)
        console.print(f"{name:<10}{said}", highlight=False)
    console.print(
        f"{out}: {made.n_parameters:,} parameters; {len(parts.train):,} pairs to learn from, "
        f"{len(parts.test):,} to test on; {made.learnt.steps:,} steps in {made.learnt.precision}, "
        f"{made.learnt.seconds:.0f} s"
    )
