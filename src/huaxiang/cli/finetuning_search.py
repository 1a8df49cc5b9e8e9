"""The command `finetune search`."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.match import PairParts
    from huaxiang.search.learnt.taught import TaughtSearch

SHOWN = ("ndcg@10", "share", "share_low", "share_high", "recall@10", "recall@100")


def finetune_search(  # noqa: PLR0913 - one argument per option
    train: Annotated[Path, typer.Option(help="Table with queries, products and relevance.")],
    query: Annotated[str, typer.Option(help="Column with the query.")],
    product: Annotated[str, typer.Option(help="Column with the product's title.")],
    label: Annotated[str, typer.Option(help="Column with the relevance, 0 to 10.")],
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")],
    model: Annotated[str, typer.Option(help="Text encoder of queries and titles.")] = "minilm",
    cross: Annotated[
        Path | None, typer.Option(help="Model of `finetune match`, of the same table, whose score is added.")
    ] = None,
    valid: Annotated[Path | None, typer.Option(help="Table to choose by; else a tenth.")] = None,
    test: Annotated[Path | None, typer.Option(help="Table to report on; else a tenth.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder of encoders.")] = Path("runs/encoders"),
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as n_trees=200.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Learn which products answer a query from judged pairs; no query is both learnt from and asked.

    Words, order, heads, measures, brands, meaning, and what was said of similar pairs, together.
    """
    from huaxiang.cli.finetuning_match import pair_parts
    from huaxiang.cli.model_folder import keep_model
    from huaxiang.config import changed
    from huaxiang.encoders.named import text_encoder
    from huaxiang.evaluate.charts import bar_picture
    from huaxiang.runs import fingerprint_of, new_run
    from huaxiang.search.learnt.lesson import Config
    from huaxiang.search.learnt.taught import teach_search

    config = changed(Config(), set_ or [])
    started = time.monotonic()
    with StageProgress() as progress:
        parts = pair_parts((train, valid, test), query=query, product=product, label=label)
        encoder = text_encoder(model, cache_folder=cache)
        fingerprint = fingerprint_of(
            parts.train.fingerprint, parts.test.fingerprint, repr(config), model, str(seed), str(cross)
        )
        with new_run(out, fingerprint=fingerprint) as folder:
            taught = teach_search(
                parts,
                encode=lambda texts: encoder.encode(list(texts)).vectors_ID,
                folder=folder,
                cross=cross,
                config=config,
                seed=seed,
                progress=progress.report,
            )
            for order, shares in taught.importance.items():
                bar_picture(dict(list(shares.items())[:20]), folder / f"importance_{order}.png", label=order)
            about = _about(taught, parts, asdict(config), out=out, seed=seed, began=started, model=model)
            facts = keep_model(folder, about, name=out.name)
    if as_json:
        print_json("finetune", {**facts, "out": str(out)})
    else:
        _show(taught, parts, out)


def _about(
    taught: TaughtSearch, parts: PairParts, settings: dict[str, Any], *, out: Path, seed: int, **more: Any
) -> Any:
    from huaxiang.cli.model_folder import Made
    from huaxiang.encoders.learning.base import Learnt

    return Made(
        kind="search relevance",
        command="finetune search",
        data={
            "name": parts.train.file,
            "fingerprint": parts.train.fingerprint,
            "rows": len(parts.train),
            "validation_rows": len(parts.validation),
            "test_rows": len(parts.test),
        },
        seed=seed,
        settings={**settings, "model": more["model"]},
        metrics={"test": taught.test, "validation": taught.validation, "catalogue": taught.catalogue},
        n_parameters=taught.n_parameters,
        learnt=Learnt.at_once(taught.validation.get("learnt", {}), seconds=time.monotonic() - more["began"]),
        uses=[f'relevance = Relevance.load("{out}")  # huaxiang.search.learnt.relevance'],
        remarks=[
            f"{parts.train.n_left_out} rows without a query, a product or a label, or of a query that is "
            "asked, were left out.",
            "In the catalogue, whatever nobody judged counts as no answer, though it may be one.",
        ],
        further={"task": {"kind": "search"}, "importance": taught.importance},
    )


def _show(taught: TaughtSearch, parts: PairParts, out: Path) -> None:
    console = Console()
    for title, figures in (("judged lists", taught.test), ("whole catalogue", taught.catalogue)):
        console.print(title, highlight=False)
        for name, found in figures.items():
            said = "  ".join(f"{key} {found[key]:.4f}" for key in SHOWN if key in found)
            console.print(f"  {name:<24}{said}", highlight=False)
    console.print(
        f"{out}: {len(parts.train):,} pairs to learn from, {len(parts.test):,} to test on", highlight=False
    )
