"""The command `finetune behaviour`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.pretraining import source_folder
from huaxiang.cli.progress import StageProgress

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.behaviour import BehaviourConfig, Tuned
    from huaxiang.encoders.finetuning.behaviour_images import PhotosTuned
    from huaxiang.encoders.finetuning.together import Together
    from huaxiang.shop.base import Shop

IMAGE = "image"


def finetune_behaviour(  # noqa: PLR0913 - one argument per option
    shop: Annotated[Path, typer.Option(help="Shop folder with events.")],
    model: Annotated[str, typer.Option(help="Text encoder to start from: minilm, a name or a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write the model into.")],
    image: Annotated[
        str | None, typer.Option(help="Image encoder to tune as well, by name or folder, into OUT/image.")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings file that the shop is built with: the same part is held out."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything random; that of the settings if not said.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as training.epochs=5 or pairs.window=2.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Tune encoders so that what shoppers have together lies close, and a query near what was found by it.

    Learns from the part of the shop that `build` learns from before it measures, and from nothing after it.
    """
    from huaxiang.config import changed, read_settings
    from huaxiang.encoders.finetuning.behaviour import BehaviourConfig, tune_on_behaviour
    from huaxiang.evaluate.together import together_of
    from huaxiang.runs import CHECKPOINTS, fingerprint_of, new_run
    from huaxiang.shop.read import read_shop, require_events

    config = changed(BehaviourConfig(), set_ or [])
    built = read_settings(settings)
    seed = built.seed if seed is None else seed
    with StageProgress() as progress:
        read = require_events(read_shop(shop, progress=partial(progress.report, "read the shop")))
        together = together_of(read, config.pairs, split=built.evaluate, seed=built.seed).checked()
        source = source_folder(model)
        fingerprint = fingerprint_of(together.fingerprint, repr(config), str(source), str(image), str(seed))
        with new_run(out, fingerprint=fingerprint) as folder:
            photos = _tune_photos(read, together, image, folder, config, seed, progress) if image else None
            made = tune_on_behaviour(
                together,
                model=source,
                folder=folder,
                checkpoint=folder / CHECKPOINTS / "text",
                config=config,
                seed=seed,
                progress=progress.report,
            )
            settings_said = {**asdict(config), "model": model, "shop": str(shop), "image": image}
            facts = _kept(folder, out, made, photos, together, settings=settings_said, seed=seed)
    if as_json:
        print_json("finetune", {**facts, "out": str(out)})
    else:
        _show(made, photos, out)


def _tune_photos(
    shop: Shop,
    together: Together,
    image: str,
    folder: Path,
    config: BehaviourConfig,
    seed: int,
    progress: StageProgress,
) -> PhotosTuned:
    from huaxiang.encoders.finetuning.behaviour_images import tune_photos
    from huaxiang.encoders.named import model_folder
    from huaxiang.errors import ShopError
    from huaxiang.runs import CHECKPOINTS
    from huaxiang.shop.images import Photos

    if shop.images is None:
        remedy = "leave out --image, or put the photos into images/"
        raise ShopError("the shop has no photos", file=shop.name, column="--image", remedy=remedy)
    return tune_photos(
        together,
        Photos(shop.images).all(shop.items["image"].to_list()),
        model=model_folder(image),
        folder=folder / IMAGE,
        checkpoint=folder / CHECKPOINTS / IMAGE,
        config=config,
        seed=seed,
        progress=progress.report,
    )


def _kept(
    folder: Path,
    out: Path,
    made: Tuned,
    photos: PhotosTuned | None,
    together: Together,
    *,
    settings: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    from huaxiang.cli.model_folder import Made, keep_model

    metrics: dict[str, Any] = {"test": made.test, "untuned": made.before}
    with_photos = ""
    if photos is not None:
        metrics |= {"photos": photos.test, "photos_untuned": photos.before}
        with_photos = f" --image {out / IMAGE}"
    about = Made(
        kind="text encoder, tuned on behaviour",
        command="finetune behaviour",
        data={"name": together.name, "fingerprint": together.fingerprint, "rows": made.n_pairs},
        seed=seed,
        settings=settings,
        metrics=metrics,
        n_parameters=made.n_parameters,
        learnt=made.learnt,
        uses=[f"huaxiang build --shop DIR --text {out}{with_photos} --out runs/shop"],
        remarks=[
            "Learnt from the training part alone: what `build` holds out was not seen.",
            f"{len(together.queries):,} different queries are among the pairs.",
            f"{int((~together.seen_I).sum()):,} of {together.n_items:,} items are in no pair.",
        ],
    )
    return keep_model(folder, about, name=out.name)


def _show(made: Tuned, photos: PhotosTuned | None, out: Path) -> None:
    console = Console()
    rows = {"untuned": made.before, "tuned": made.test}
    if photos is not None:
        rows |= {"photos untuned": photos.before, "photos tuned": photos.test}
    for name, figures in rows.items():
        said = "  ".join(
            f"{key} {figures[key]:.4f} [{figures[f'{key}_low']:.4f}, {figures[f'{key}_high']:.4f}]"
            for key in ("recall@10", "unseen_recall@10")
            if key in figures
        )
        console.print(f"{name:<16}{said}", highlight=False)
    console.print(
        f"{out}: {made.n_parameters:,} parameters; {made.n_pairs:,} pairs; {made.learnt.steps:,} steps in "
        f"{made.learnt.precision}, {made.learnt.seconds:.0f} s"
    )
