"""The commands that let a language model write, and keep what holds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.table_file import check_kind, write_table
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.writing.base import Subject, Writer, Written

write_app = typer.Typer(
    no_args_is_help=True, help="Let a language model write; each sentence is checked against what is known."
)

Out = Annotated[Path, typer.Option(help="File to write, .csv, .csv.gz or .parquet: id, text and counts.")]
Model = Annotated[
    Path | None, typer.Option(help="Folder of a model that writes: of pretrain text --objective causal.")
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        help="Instead, an OpenAI-compatible address; what is known is sent there. Its key is read from "
        "HUAXIANG_LLM_KEY.",
        envvar="HUAXIANG_LLM_URL",
    ),
]
EndpointModel = Annotated[
    str | None, typer.Option(help="The model at that address.", envvar="HUAXIANG_LLM_MODEL")
]
Language = Annotated[str, typer.Option(help="en or zh.")]
Most = Annotated[int, typer.Option("--most", min=1, help="Most subjects to write about, the first ones.")]
Sentences = Annotated[
    Path | None, typer.Option(help="A second file: every sentence, its fact, and why it was refused.")
]
Encoder = Annotated[
    str, typer.Option(help="Text encoder that compares a sentence with its fact; none compares words alone.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@write_app.command("products")
def write_products(  # noqa: PLR0913 - one argument per option
    shop: Annotated[Path, typer.Option(help="Shop folder.")],
    out: Out,
    model: Model = None,
    endpoint: Endpoint = None,
    endpoint_model: EndpointModel = None,
    language: Language = "en",
    most: Most = 1000,
    sentences: Sentences = None,
    encoder: Encoder = "default",
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """Write a text for each product from its title, attributes and description."""
    from huaxiang.shop.read import read_shop
    from huaxiang.writing.subjects import product_subjects

    check_kind(out)
    if sentences is not None:
        check_kind(sentences, option="--sentences")
    writer = writer_of(model, endpoint, endpoint_model)
    with StageProgress() as progress:
        read = read_shop(shop, progress=lambda d, t, note: progress.report("read the shop", d, t, note))
        subjects = product_subjects(read, language)[:most]
        record = _write(subjects, writer, out, sentences, encoder, seed, progress)
    _tell("write-products", record, endpoint if model is None else None, as_json=as_json)


@write_app.command("portraits")
def write_portraits(  # noqa: PLR0913 - one argument per option
    run: Annotated[Path, typer.Option(help="Run folder.")],
    out: Out,
    model: Model = None,
    endpoint: Endpoint = None,
    endpoint_model: EndpointModel = None,
    language: Language = "en",
    most: Most = 200,
    sentences: Sentences = None,
    encoder: Encoder = "default",
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """Write each shopper's portrait anew; what the model does not say rightly is said plainly."""
    from huaxiang.model.loading import load
    from huaxiang.writing.subjects import check_language, portrait_subjects

    check_kind(out)
    if sentences is not None:
        check_kind(sentences, option="--sentences")
    check_language(language)
    writer = writer_of(model, endpoint, endpoint_model)
    with StageProgress() as progress:
        loaded = load(run)
        ids = loaded.states.shopper_ids[:most]
        subjects = portrait_subjects((loaded.profile(one) for one in ids), language)
        record = _write(subjects, writer, out, sentences, encoder, seed, progress)
    _tell("write-portraits", record, endpoint if model is None else None, as_json=as_json)


@write_app.command("reviews")
def write_reviews(  # noqa: PLR0913 - one argument per option
    run: Annotated[Path, typer.Option(help="Run folder.")],
    out: Out,
    model: Model = None,
    endpoint: Endpoint = None,
    endpoint_model: EndpointModel = None,
    language: Language = "en",
    most: Most = 200,
    sentences: Sentences = None,
    encoder: Encoder = "default",
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """Write anew what each item's reviews say in short, the most reviewed items first."""
    from huaxiang.model.loading import load
    from huaxiang.model.reviews import review_book
    from huaxiang.reviews.summary import review_subjects
    from huaxiang.writing.subjects import check_language

    check_kind(out)
    if sentences is not None:
        check_kind(sentences, option="--sentences")
    check_language(language)
    writer = writer_of(model, endpoint, endpoint_model)
    with StageProgress() as progress:
        book = review_book(load(run))
        found = [book.insight(item_id, language=language) for item_id in book.items()[:most]]
        subjects = review_subjects({one.item_id: one.summary for one in found}, language)
        record = _write(subjects, writer, out, sentences, encoder, seed, progress)
    _tell("write-reviews", record, endpoint if model is None else None, as_json=as_json)


def writer_of(folder: Path | None, endpoint: str | None, model: str | None) -> Writer:
    """Return who writes: the folder's model, else the one behind the address."""
    if folder is not None:
        from huaxiang.writing.folder import FolderWriter

        return FolderWriter(folder)
    if endpoint is None or model is None:
        remedy = "give --model FOLDER, or --endpoint and --endpoint-model"
        raise InputError("nobody to write", column="--model, --endpoint", remedy=remedy)
    from huaxiang.encoders.chat import ChatConfig, ChatModel
    from huaxiang.writing.endpoint import EndpointWriter

    key = os.environ.get("HUAXIANG_LLM_KEY", "")
    return EndpointWriter(ChatModel(ChatConfig(url=endpoint, model=model, key=key)))


def _write(
    subjects: Sequence[Subject],
    writer: Writer,
    out: Path,
    sentences: Path | None,
    encoder: str,
    seed: int,
    progress: StageProgress,
) -> dict[str, Any]:
    from huaxiang.cli.app import cache_folder
    from huaxiang.encoders.drafts import Drafts
    from huaxiang.encoders.named import text_encoder
    from huaxiang.writing.base import counts_of, fingerprint, write_about
    from huaxiang.writing.check import EvidenceCheck

    started = time.perf_counter()
    if not subjects:
        remedy = "give a shop with titles, or a run with events"
        raise InputError("nothing is known to write from", remedy=remedy)
    drafts = Drafts(out.with_name(f"{out.name}.partial"), of=fingerprint(subjects, writer.name, seed))
    comparing = None if encoder == "none" else text_encoder(encoder, cache_folder=cache_folder())
    written = write_about(
        subjects,
        writer,
        EvidenceCheck(encoder=comparing),
        seed=seed,
        drafts=drafts,
        progress=lambda done, total, note: progress.report("write", done, total, note),
    )
    write_table(texts_table(written), out)
    if sentences is not None:
        write_table(sentences_table(written), sentences)
    drafts.remove()
    return {
        "out": str(out),
        "counts": counts_of(written),
        "not_written": dict(drafts.counted),
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 2),
    }


def texts_table(written: Sequence[Written]) -> pl.DataFrame:
    """Return a row per subject."""
    return pl.DataFrame(
        {
            "id": [one.subject.key for one in written],
            "language": [one.subject.language for one in written],
            "text": [one.text for one in written],
            "sentences": [len(one.sentences) for one in written],
            "passed": [one.n_passed for one in written],
        }
    )


def sentences_table(written: Sequence[Written]) -> pl.DataFrame:
    """Return a row per sentence that was written."""
    rows = [
        (
            text.subject.key,
            one.text,
            text.subject.facts[one.fact] if one.fact >= 0 else None,
            None if one.refusal is None else str(one.refusal),
        )
        for text in written
        for one in text.sentences
    ]
    names = ("id", "sentence", "fact", "refused")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _tell(command: str, record: dict[str, Any], sent_to: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json(command, {**record, "sent_to": sent_to})
        return
    counts = dict(record["counts"])
    console = Console()
    subjects, said, passed = counts.pop("subjects"), counts.pop("sentences"), counts.pop("passed")
    share = f" ({passed / said:.0%})" if said else ""
    console.print(f"{subjects:,} written about, {said:,} sentences, {passed:,} pass{share}")
    table = Table("of the sentences", "count")
    table.add_row("used, word for word a fact", f"{counts.pop('word_for_word'):,}")
    for reason, count in counts.items():
        table.add_row(f"refused: {reason}", f"{count:,}")
    for reason, count in record["not_written"].items():
        table.add_row(f"not written: {reason}", f"{count:,}")
    console.print(table)
    if sent_to:
        console.print(f"What is known was sent to {sent_to}.")
    console.print(record["out"])
