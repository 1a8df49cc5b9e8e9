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
    from huaxiang.encoders.product_tags import Likely, ProductTag
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
    photo_model: Annotated[
        Path | None, typer.Option(help="Folder of pretrain image --objective tags: tells its dimensions.")
    ] = None,
    photo_weight: Annotated[
        float, typer.Option(min=0, max=1, help="The photo's part in a dimension that --model tells too.")
    ] = 0.5,
    least: Annotated[float, typer.Option(min=0, max=1, help="Least confidence.")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Tag products by fine-tuned models, or by nearness to words; `build --tags` takes what is written.

    A dimension that the models of texts and of photos both know is told by both together.
    """
    from huaxiang.encoders.product_tags import fused, product_tags
    from huaxiang.shop.read import read_shop

    if not (model or values or photo_model):
        remedy = "give one of them or more"
        raise InputError("nothing to tag with", column="--model, --photo-model, --values", remedy=remedy)
    check_kind(out)
    models, vocabulary = _folders(model or ()), _vocabulary(values or ())
    twice = sorted(models.keys() & vocabulary.keys())
    if twice:
        remedy = "name a dimension in one of the two"
        raise InputError("dimension is told twice", column="--model, --values", value=twice[0], remedy=remedy)
    with StageProgress() as progress:
        read = read_shop(shop, progress=lambda d, t, note: progress.report("read the shop", d, t, note))
        told = {dimension: _by_text(read, folder) for dimension, folder in models.items()}
        if vocabulary:
            told |= _by_nearness(read, vocabulary, by, text, image, progress)
        if photo_model is not None:
            for dimension, likely in _by_photo(read, photo_model, progress).items():
                other = told.get(dimension)
                told[dimension] = likely if other is None else fused(likely, other, photo_weight=photo_weight)
    tags = product_tags(told, least=least)
    _write(read, tags, out)
    counts = dict(Counter(tag.dimension for tag in tags))
    if as_json:
        print_json("tag-products", {"out": str(out), "items": len(read.items), "tags": counts})
        return
    for dimension, count in counts.items():
        Console().print(f"{dimension:<20}{count:,} of {len(read.items):,} items")
    Console().print(f"{out}: use it with huaxiang build --shop {shop} --tags {out} --out FOLDER")


def _folders(said: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in said:
        name, folder = _pair(one, "--model")
        if name in found:
            remedy = "give one model for a dimension"
            raise InputError("dimension is told twice", column="--model", value=name, remedy=remedy)
        found[name] = folder
    return found


def _vocabulary(said: Sequence[str]) -> dict[str, list[str]]:
    return {
        name: [value.strip() for value in listed.split(",") if value.strip()]
        for name, listed in (_pair(one, "--values") for one in said)
    }


def _by_text(shop: Shop, folder: str) -> Likely:
    import numpy as np

    from huaxiang.encoders.finetuning.predictor import Predictor
    from huaxiang.encoders.finetuning.tasks import Classify, MultiLabel
    from huaxiang.encoders.product_tags import Likely
    from huaxiang.shop.clean import clean_text

    predictor = Predictor(folder)
    if not isinstance(predictor.task, Classify | MultiLabel):
        remedy = "give one of huaxiang finetune classify"
        raise InputError("model is no classifier", file=folder, column="--model", remedy=remedy)
    said = predictor.predict([clean_text(text) for text in item_texts(shop.items, shop.languages[0])])
    labels = predictor.task.labels
    shares_VI = np.array([said[f"prob_{label}"] for label in labels], np.float32)  # nan: nothing to read
    return Likely(
        values=labels,
        shares_IV=np.nan_to_num(shares_VI.T),
        present_I=np.array([error is None for error in said["error"]]),
        is_choice=isinstance(predictor.task, Classify),
    )


def _by_photo(shop: Shop, folder: Path, progress: StageProgress) -> dict[str, Likely]:
    from huaxiang.encoders.items import find_photos
    from huaxiang.encoders.pretraining.photo_served import PhotoTagger

    tagger = PhotoTagger(folder)
    photos = find_photos(shop.items["image"].to_list(), {}, place=shop.images)
    return tagger.dimensions(
        photos, progress=lambda done, total, note: progress.report("tag photos", done, total, note)
    )


def _by_nearness(
    shop: Shop,
    vocabulary: Mapping[str, Sequence[str]],
    by: str,
    text: str,
    image: str | None,
    progress: StageProgress,
) -> dict[str, Likely]:
    from huaxiang.cli.app import cache_folder
    from huaxiang.encoders.image import image_encoder
    from huaxiang.encoders.items import encode_photos, encode_texts, find_photos
    from huaxiang.encoders.named import text_encoder
    from huaxiang.encoders.product_tags import zero_shot

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
    return zero_shot(items, vocabulary, words)


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
