"""The command that writes more texts from a table's own."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.table_file import check_kind, write_table
from huaxiang.errors import InputError, SettingsError

if TYPE_CHECKING:
    import polars as pl

    from huaxiang.encoders.hardening.augment_text import Copies, Sources
    from huaxiang.encoders.hardening.back_translation import Translator
    from huaxiang.shop.tables import Table

SOURCE_LINE, WAY = "augmented_from", "augmented_by"
_NEED_LIKENESS = frozenset({"masked", "back_translation"})


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the ways draw on, as it was said."""

    rate: float
    thesaurus: Path | None
    masked: Path | None
    there: Path | None
    back: Path | None
    languages: str | None
    endpoint: str | None
    model: str | None
    key: str
    encoder: str
    least: float


def augment(  # noqa: PLR0913 - one argument per option
    input_: Annotated[Path, typer.Option("--input", help="Table of texts: CSV, JSON lines or Parquet.")],
    text: Annotated[str, typer.Option(help="Its column of texts.")],
    out: Annotated[
        Path, typer.Option(help="File to write, .csv, .csv.gz or .parquet: all rows, then copies.")
    ],
    ways: Annotated[
        str, typer.Option(help="Of delete, swap, typos, synonyms, masked, back_translation; commas between.")
    ] = "delete,swap",
    copies: Annotated[int, typer.Option(help="Copies of each text by each way.")] = 1,
    rate: Annotated[float, typer.Option(help="Share of a text's words that are changed.")] = 0.1,
    thesaurus: Annotated[
        Path | None, typer.Option(help="For synonyms: table with columns word and synonyms.")
    ] = None,
    masked: Annotated[
        Path | None, typer.Option(help="For masked: folder of a masked language model.")
    ] = None,
    there: Annotated[
        Path | None, typer.Option(help="For back_translation: folder of a model into another language.")
    ] = None,
    back: Annotated[Path | None, typer.Option(help="Folder of a model that translates back.")] = None,
    languages: Annotated[
        str | None,
        typer.Option(
            help="The texts' language and the other, as the models or the endpoint name them: en,zh. "
            "Folders of one pair need none."
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="Instead of folders, an OpenAI-compatible address; the texts are sent there. Its key is "
            "read from HUAXIANG_LLM_KEY.",
            envvar="HUAXIANG_LLM_URL",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Its model.", envvar="HUAXIANG_LLM_MODEL")] = None,
    encoder: Annotated[
        str, typer.Option(help="Text encoder by which new texts are compared with the old ones.")
    ] = "default",
    least: Annotated[float, typer.Option(help="Lowest cosine at which a model's text is kept.")] = 0.8,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Write more texts from those of a table, to learn from; every other cell of a row stays.

    Augment what is learnt from, after it was split from what is held out. A stopped command goes on when it
    is given again.
    """
    wish = Wish(
        rate=rate,
        thesaurus=thesaurus,
        masked=masked,
        there=there,
        back=back,
        languages=languages,
        endpoint=endpoint,
        model=model,
        key=os.environ.get("HUAXIANG_LLM_KEY", ""),
        encoder=encoder,
        least=least,
    )
    chosen = tuple(way.strip() for way in ways.split(",") if way.strip())
    record = augment_table(input_, text, out, ways=chosen, n_copies=copies, wish=wish, seed=seed)
    if as_json:
        print_json("augment", record)
    else:
        _show(record)


def augment_table(
    file: Path, column: str, out: Path, *, ways: tuple[str, ...], n_copies: int, wish: Wish, seed: int
) -> dict[str, Any]:
    """Write a table with copies of its texts, and return what was done."""
    from huaxiang.encoders.drafts import Drafts
    from huaxiang.encoders.hardening.augment_text import copies, text_augmenters
    from huaxiang.runs import fingerprint_of
    from huaxiang.shop.quality.given import read_own_table

    started = time.perf_counter()
    check_kind(out)
    table = read_own_table(file, option="--input")
    _check_table(table, column)
    augmenters = text_augmenters(ways, sources_of(wish, ways))
    texts = table.frame[column].to_list()
    said = replace(wish, key="")
    of = fingerprint_of(repr(texts), repr(ways), str(n_copies), repr(said), str(seed))
    drafts = Drafts(out.with_name(f"{out.name}.partial"), of=of)
    with StageProgress() as progress:
        made = copies(
            texts,
            augmenters,
            n_copies=n_copies,
            seed=seed,
            drafts=drafts,
            progress=lambda done, total, note: progress.report("augment", done, total, note),
        )
    write_table(_with_copies(table, column, made), out)
    drafts.remove()
    return {
        "out": str(out),
        "rows": len(table.frame),
        "without_text": len(table.frame) - _n_texts(table, column),
        "copies": len(made.texts),
        "ways": {
            way: {"copies": made.ways.count(way), "counted": dict(made.counted[way])} for way in augmenters
        },
        "sent_to": wish.endpoint if "back_translation" in ways and wish.there is None else None,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 2),
    }


def sources_of(wish: Wish, ways: tuple[str, ...]) -> Sources:
    """Return what the ways draw on, loaded for those that are asked for."""
    from huaxiang.encoders.hardening.augment_text import Sources
    from huaxiang.encoders.hardening.likeness import Likeness

    there, back = _translators(wish) if "back_translation" in ways else (None, None)
    likeness = None
    if _NEED_LIKENESS & set(ways):
        from huaxiang.cli.app import cache_folder
        from huaxiang.encoders.named import text_encoder

        encoder = text_encoder(wish.encoder, cache_folder=cache_folder())
        likeness = Likeness(encoder=encoder, least=wish.least)
    return Sources(
        rate=wish.rate,
        thesaurus=wish.thesaurus,
        masked=wish.masked,
        there=there,
        back=back,
        likeness=likeness,
    )


def _translators(wish: Wish) -> tuple[Translator | None, Translator | None]:
    """Return the two translators that were named; folders come before an endpoint."""
    from huaxiang.encoders.chat import ChatConfig, ChatModel
    from huaxiang.encoders.hardening.back_translation import (
        EndpointTranslator,
        FolderConfig,
        FolderTranslator,
    )

    if wish.there is not None and wish.back is not None:
        home, abroad = _two(wish.languages) if wish.languages else (None, None)
        return (
            FolderTranslator(wish.there, FolderConfig(source=home, target=abroad)),
            FolderTranslator(wish.back, FolderConfig(source=abroad, target=home)),
        )
    if wish.endpoint is None or wish.model is None:
        return None, None
    home, abroad = _two(wish.languages)
    chat = ChatConfig(url=wish.endpoint, model=wish.model, key=wish.key)
    return (
        EndpointTranslator(ChatModel(chat), language=abroad),
        EndpointTranslator(ChatModel(chat), language=home),
    )


def _two(languages: str | None) -> tuple[str, str]:
    parts = [part.strip() for part in (languages or "").split(",")]
    if len(parts) != 2 or not all(parts):
        raise SettingsError(
            "two languages are needed",
            column="--languages",
            value=languages or "",
            remedy="name that of the texts, then the other: English,Chinese",
        )
    return parts[0], parts[1]


def _check_table(table: Table, column: str) -> None:
    from huaxiang.shop.tables import LINE, UNREADABLE

    if column not in table.columns:
        raise InputError(
            "column is missing", file=table.file, column=column, remedy=f"there is {', '.join(table.columns)}"
        )
    taken = [name for name in (SOURCE_LINE, WAY) if name in table.columns]
    if taken:
        raise InputError(
            "table is augmented already", file=table.file, column=taken[0], remedy="give the one it came from"
        )
    broken = table.frame.filter(table.frame[UNREADABLE].is_not_null())
    if len(broken):
        raise InputError(
            "row can't be read",
            file=table.file,
            line=broken[LINE][0],
            value=broken[UNREADABLE][0],
            remedy="put quotes around cells with commas, or take the row out",
        )
    if not _n_texts(table, column):
        raise InputError(
            "column has no texts", file=table.file, column=column, remedy="name the one with the texts"
        )


def _n_texts(table: Table, column: str) -> int:
    return int(table.frame[column].is_not_null().sum())


def _with_copies(table: Table, column: str, made: Copies) -> pl.DataFrame:
    """Return the table's rows, then the copies: each says from which line it came, and how."""
    import polars as pl

    from huaxiang.shop.tables import LINE

    no_way = pl.lit(None, pl.String).alias(WAY)
    originals = table.frame.select(*table.columns, pl.lit(None, pl.UInt32).alias(SOURCE_LINE), no_way)
    taken = table.frame[made.source_rows_C.tolist()]
    new = taken.with_columns(
        pl.Series(column, made.texts, pl.String),
        pl.col(LINE).alias(SOURCE_LINE),
        pl.Series(WAY, made.ways, pl.String),
    )
    whole: pl.DataFrame = pl.concat([originals, new.select(originals.columns)])
    return whole


def _show(record: Mapping[str, Any]) -> None:
    console = Console()
    for way, said in record["ways"].items():
        counted = ", ".join(f"{reason} {n:,}" for reason, n in sorted(said["counted"].items()))
        console.print(f"{way}: {said['copies']:,} new texts ({counted})")
    if record["sent_to"]:
        console.print(f"the texts were sent to {record['sent_to']}")
    console.print(
        f"{record['out']}: {record['rows']:,} rows and {record['copies']:,} copies ({record['seconds']} s)"
    )
