"""The command `tag-products`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.table_file import check_kind, write_table
from huaxiang.encoders.items import item_texts
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.encoders.product_tags import ProductTag
    from huaxiang.shop.base import Shop


def tag_products(  # noqa: PLR0913 - one argument per option
    shop: Annotated[Path, typer.Option(help="Shop folder.")],
    out: Annotated[Path, typer.Option(help="CSV to write: item_id, dimension, value, confidence.")],
    model: Annotated[
        list[str] | None, typer.Option(help="dimension=FOLDER: a classifier of its texts; repeatable.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option(help="dimension=red,blue: without any training; repeatable.")
    ] = None,
    by: Annotated[str, typer.Option(help="text or image: what values are compared with.")] = "text",
    text: Annotated[str, typer.Option(help="Text encoder, by name or folder.")] = "default",
    image: Annotated[str | None, typer.Option(help="Photo encoder in the text encoder's space.")] = None,
    least: Annotated[float, typer.Option(min=0, max=1, help="Least confidence.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Tag products by fine-tuned models, or by nearness to words; `build --tags` takes what is written."""
    from huaxiang.shop.read import read_shop

    if not (model or values):
        raise InputError("nothing to tag with", column="--model, --values", remedy="give one of them or both")
    check_kind(out)
    with StageProgress() as progress:
        read = read_shop(shop, progress=lambda d, t, note: progress.report("read the shop", d, t, note))
        tags = [tag for said in model or () for tag in _by_model(read, *_pair(said, "--model"), least)]
        if values:
            vocabulary = {
                name: [value.strip() for value in listed.split(",") if value.strip()]
                for name, listed in (_pair(said, "--values") for said in values)
            }
            tags += _by_nearness(read, vocabulary, by, text, image, least, progress)
    _write(read, tags, out)
    counts = dict(Counter(tag.dimension for tag in tags))
    if as_json:
        print_json("tag-products", {"out": str(out), "items": len(read.items), "tags": counts})
        return
    for dimension, count in counts.items():
        Console().print(f"{dimension:<20}{count:,} of {len(read.items):,} items")
    Console().print(f"{out}: use it with huaxiang build --shop {shop} --tags {out} --out FOLDER")


def _by_model(shop: Shop, dimension: str, folder: str, least: float) -> list[ProductTag]:
    from huaxiang.encoders.finetuning.predictor import Predictor
    from huaxiang.encoders.finetuning.tasks.multilabel import BETWEEN_LABELS
    from huaxiang.encoders.product_tags import ProductTag
    from huaxiang.shop.clean import clean_text

    said = Predictor(folder).predict([clean_text(text) for text in item_texts(shop.items, shop.languages[0])])
    if "confidence" not in said:
        remedy = "give one of huaxiang finetune classify"
        raise InputError("model is no classifier", file=folder, column="--model", remedy=remedy)
    return [
        ProductTag(item_row=row, dimension=dimension, value=value, confidence=round(sure, 4))
        for row, (cell, sure) in enumerate(zip(said["prediction"], said["confidence"], strict=True))
        if cell and sure >= least
        for value in cell.split(BETWEEN_LABELS)
    ]


def _by_nearness(
    shop: Shop,
    vocabulary: Mapping[str, Sequence[str]],
    by: str,
    text: str,
    image: str | None,
    least: float,
    progress: StageProgress,
) -> list[ProductTag]:
    from huaxiang.cli.app import cache_folder
    from huaxiang.encoders.image import image_encoder
    from huaxiang.encoders.items import encode_photos, encode_texts, find_photos
    from huaxiang.encoders.named import text_encoder
    from huaxiang.encoders.product_tags import ZeroShotConfig, zero_shot_tags

    def tell(done: int, total: int, note: str) -> None:
        progress.report("encode", done, total, note)

    encoder = text_encoder(text, cache_folder=cache_folder(), progress=tell)
    if by == "text":
        items = encode_texts(shop.items, shop.languages, encoder)
    elif by == "image" and image:
        photos = find_photos(shop.items["image"].to_list(), {}, place=shop.images)
        items = encode_photos(photos, image_encoder(image, cache_folder=cache_folder(), progress=tell))
    else:
        remedy = "say text, or image with --image FOLDER"
        raise InputError("nothing to compare words with", column="--by", value=by, remedy=remedy)
    words = {name: encoder.encode(list(values)).vectors_ID for name, values in vocabulary.items()}
    return zero_shot_tags(items, vocabulary, words, config=ZeroShotConfig(least_confidence=least))


def _pair(said: str, option: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not (name and equals and value):
        raise InputError("no dimension named", column=option, value=said, remedy="write dimension=…")
    return name, value


def _write(shop: Shop, tags: Sequence[ProductTag], out: Path) -> None:
    ids = shop.items["item_id"]
    table = pl.DataFrame(
        {
            "item_id": [ids[tag.item_row] for tag in tags],
            "dimension": [tag.dimension for tag in tags],
            "value": [tag.value for tag in tags],
            "confidence": [tag.confidence for tag in tags],
        },
        schema={"item_id": pl.String, "dimension": pl.String, "value": pl.String, "confidence": pl.Float64},
    )
    write_table(table, out)
