"""`huaxiang pretrain image`: a photo encoder from a shop's own photos, as a folder that `build` takes."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError, SettingsError

if TYPE_CHECKING:
    from huaxiang.encoders.pretraining.images import Config, Pretrained
    from huaxiang.encoders.pretraining.photo_products import PhotoProducts

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="One setting, as augment.mirror=0; repeatable.")]
LEFT_OUT, HELD_OUT = "photos_left_out.csv", "held_out.json"
KIND = "photo encoder"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the products are: a shop, or a table with photos."""

    shop: Path | None = None
    table: Path | None = None
    photos: Path | None = None
    photo: str | None = None
    texts: Sequence[str] = ()
    tags: Sequence[str] = ()


def pretrain_image(  # noqa: PLR0913 - options of a command
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    shop: Annotated[Path | None, typer.Option(help="Shop folder.")] = None,
    objective: Annotated[
        str, typer.Option(help="contrastive, tags or tags+contrastive.")
    ] = "tags+contrastive",
    from_: Annotated[
        str | None, typer.Option("--from", help="Image encoder to go on from: a folder.")
    ] = None,
    from_scratch: Annotated[
        str | None,
        typer.Option(help="New network: resnet18, resnet18_small, resnet50, inception_v3 or vit_small."),
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Table of products, instead of a shop.")] = None,
    photos: Annotated[Path | None, typer.Option(help="Folder or zip file of the table's photos.")] = None,
    photo: Annotated[str | None, typer.Option(help="The table's column of photo names; its id.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="The table's columns of texts, title first.")] = None,
    tags: Annotated[
        list[str] | None, typer.Option(help="The table's columns of tags, or the shop's dimensions.")
    ] = None,
    text_encoder: Annotated[str, typer.Option(help="Text encoder, by name or folder.")] = "minilm",
    tune_text: Annotated[bool, typer.Option("--tune-text", help="Teach the text encoder along.")] = False,
    size: Annotated[str | None, typer.Option(help="Pixels: 96, or width and height as 60x80.")] = None,
    epochs: Annotated[float, typer.Option(help="How often each photo is seen.")] = 10,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest step size; 1e-3 for a new ResNet, else 3e-4 or 1e-4.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Photos per step.")] = 128,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out photos that are missing or broken.")
    ] = False,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Teach a photo encoder the shop's own tags and texts."""
    from huaxiang.config import changed
    from huaxiang.encoders.pretraining.images import TRAINING, Config

    height, width = read_size(size)
    step = learning_rate if learning_rate is not None else usual_step(from_, from_scratch)
    training = replace(
        TRAINING, epochs=epochs, learning_rate=step, batch_rows=batch, batch_tokens=max(1, batch)
    )
    config = Config(
        objective=objective,  # type: ignore[arg-type]  # checked there
        from_folder=from_,
        from_scratch=from_scratch if from_ or from_scratch else "resnet18",
        height=height,
        width=width,
        text_encoder=text_encoder,
        tune_text=tune_text,
        training=training,
    )
    source = Source(shop=shop, table=table, photos=photos, photo=photo, texts=text or (), tags=tags or ())
    with StageProgress() as progress:
        facts = pretrained_model(
            source,
            out,
            config=changed(config, set_ or []),
            seed=seed,
            skip_missing=skip_missing,
            progress=progress.report,
        )
    if as_json:
        print_json("pretrain", {"out": str(out), **facts})
    else:
        _show(facts, out)


def pretrained_model(
    source: Source,
    out: Path,
    *,
    config: Config,
    seed: int,
    skip_missing: bool,
    progress: Any,
) -> dict[str, Any]:
    """Read the products, teach the encoder and keep its folder at `out`.

    A stopped fit goes on when called again.

    Returns
    -------
    facts
        What the manifest of the folder holds.
    """
    from huaxiang.cli.app import cache_folder
    from huaxiang.cli.model_folder import keep_model
    from huaxiang.encoders.pretraining.images import pretrain_image as pretrain
    from huaxiang.files import write_json
    from huaxiang.runs import check_target, fingerprint_of, new_run

    started = time.perf_counter()
    check_target(out)
    products = products_of(source, config, progress)
    named = fingerprint_of(products.fingerprint, repr(config), str(seed))
    with new_run(out, fingerprint=named) as folder:
        made = pretrain(
            products,
            folder,
            config=config,
            cache=cache_folder(),
            seed=seed,
            skip_missing=skip_missing,
            progress=progress,
        )
        _list_left_out(folder, made)
        write_json(folder / HELD_OUT, dict(made.held_out))
        facts = keep_model(folder, _made(products, config, made, seed, out), name=out.name)
    return {**facts, "seconds": round(time.perf_counter() - started, 1)}


def products_of(source: Source, config: Config, progress: Any) -> PhotoProducts:
    """Return the products of a shop or of a table."""
    from huaxiang.encoders.pretraining.photo_products import products_of_shop, products_of_table
    from huaxiang.shop.read import read_shop

    if (source.shop is None) == (source.table is None):
        remedy = "give --shop DIR, or --table FILE with --photos"
        raise InputError("one source of products is needed", column="--shop", remedy=remedy)
    if source.shop is not None:
        shop = read_shop(source.shop, progress=lambda *told: progress("read the shop", *told))
        return products_of_shop(shop, dimensions=source.tags if config.has_tags else ())
    assert source.table is not None
    _check_table(source, config)
    assert source.photos is not None
    return products_of_table(
        source.table, photos=source.photos, photo=source.photo, texts=source.texts, tags=source.tags
    )


def read_size(written: str | None) -> tuple[int | None, int | None]:
    """Return height and width of `--size`.

    Examples
    --------
    >>> read_size("96"), read_size("60x80"), read_size(None)
    ((96, 96), (80, 60), (None, None))
    """
    if written is None:
        return None, None
    parts = written.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        remedy = "write 96, or width and height as 60x80"
        raise SettingsError("not a size", column="--size", value=written, remedy=remedy)
    width, height = int(parts[0]), int(parts[-1])
    return height, width


def usual_step(from_: str | None, from_scratch: str | None) -> float:
    """Return the step size where none is given: transformers and what is learnt already need smaller ones."""
    if from_ is not None:
        return 1e-4
    return 3e-4 if from_scratch == "vit_small" else 1e-3


def _check_table(source: Source, config: Config) -> None:
    needed = {
        "--photos": source.photos is not None,
        "--text": bool(source.texts) or not config.has_texts,
        "--tags": bool(source.tags) or not config.has_tags,
    }
    for name, is_given in needed.items():
        if not is_given:
            remedy = f"--objective {config.objective} needs it beside --table"
            raise InputError("option is missing", column=name, remedy=remedy)


def _list_left_out(folder: Path, made: Pretrained) -> None:
    if made.left_out:
        with (folder / LEFT_OUT).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("item_id", "photo", "reason"), *made.left_out])


def _made(products: PhotoProducts, config: Config, made: Pretrained, seed: int, out: Path) -> Any:
    from huaxiang.cli.model_folder import Made

    remarks = []
    if made.left_out:
        remarks.append(f"{len(made.left_out)} photos were missing or broken: see {LEFT_OUT}")
        remarks.append(f"有 {len(made.left_out)} 张照片缺失或损坏：见 {LEFT_OUT}")
    return Made(
        kind=KIND,
        command="pretrain image",
        data={"name": products.name, "rows": len(products), "fingerprint": products.fingerprint},
        seed=seed,
        settings=asdict(config),
        metrics=made.metrics,
        n_parameters=made.n_parameters,
        learnt=made.learnt,
        uses=[f"huaxiang build --shop DIR --image {out} --out runs/shop"],
        remarks=remarks,
        further={"objective": config.objective, "rows": dict(made.rows), "left_out": len(made.left_out)},
    )


def _show(facts: Mapping[str, Any], out: Path) -> None:
    table = Table("figure", "untrained", "validation", "test", box=None)
    parts = facts["metrics"]
    for name in parts["test"]:
        cells = (parts[part].get(name, float("nan")) for part in ("untrained", "validation", "test"))
        table.add_row(name, *(f"{value:,.4g}" for value in cells))
    console = Console()
    console.print(table)
    if facts["left_out"]:
        console.print(f"{facts['left_out']} photos left out: {out / LEFT_OUT}")
    console.print(f"{out}: {facts['n_parameters']:,} parameters, {facts['seconds']} s")
