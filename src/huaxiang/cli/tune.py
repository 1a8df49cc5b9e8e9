"""The command that finds a shop's settings by trying."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.cli.show import wide_console

Shop = Annotated[Path, typer.Option(help="Shop folder, or a folder with sequences.txt.")]
Out = Annotated[Path, typer.Option(help="Settings file to write (TOML); trials and report lie beside it.")]
Models = Annotated[str, typer.Option(help="Comma-separated names of the recommenders to tune.")]
Minutes = Annotated[float, typer.Option(help="Wall-clock for all of them, above 0: no trial begins after.")]
Trials = Annotated[int, typer.Option(help="Trials of each recommender, at most.")]
Shoppers = Annotated[int, typer.Option(help="Validation shoppers that the search looks at, at most.")]
Protocol = Annotated[
    str, typer.Option(help="masked: items already had are left out of lists; unmasked: they are not.")
]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="Settings file (TOML) to begin with.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def tune(  # noqa: PLR0913 - one argument per option
    shop: Shop,
    out: Out,
    models: Models = "neighbours,closed_form",
    minutes: Minutes = 20.0,
    trials: Trials = 100,
    shoppers: Shoppers = 16384,
    protocol: Protocol = "masked",
    settings: SettingsFile = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Find settings of the recommenders that fit this shop, on its validation part alone.

    Begins with the defaults, or those of --settings, and writes a file for `huaxiang build --settings` and
    `huaxiang benchmark amazon --settings`. The test part is never read. The same command goes on after a
    stop; more minutes or trials go on from a finished search.
    """
    from huaxiang.cli.app import cache_folder
    from huaxiang.cli.tuning import Asked, tune_and_write

    asked = Asked(
        shop=shop,
        out=out,
        models=tuple(name.strip() for name in models.split(",")),
        minutes=minutes,
        n_trials=trials,
        n_shoppers=shoppers,
        protocol=protocol,
        settings=settings,
        seed=seed,
    )
    with StageProgress() as progress:
        facts = tune_and_write(asked, cache=cache_folder(), progress=progress.report)
    if as_json:
        print_json("tune", facts)
    else:
        _show(facts)


def _show(facts: dict[str, Any]) -> None:
    console = wide_console()
    title = f"NDCG@10 on validation, {facts['protocol']}, {facts['n_shoppers']:,} shoppers searched on"
    shown = Table("model", "trials", "start", "best", "gain, 95 % interval", "kept", title=title)
    for way in facts["models"]:
        shown.add_row(way["name"], str(len(way["trials"])), *_figures(way), "yes" if way["kept"] else "start")
    console.print(shown)
    console.print(f"{facts['out']}: {facts['seconds']} s; report: {facts['report']}", soft_wrap=True)


def _figures(way: dict[str, Any]) -> tuple[str, str, str]:
    if way["gain"] is None:
        return "", "", "no time was left"
    gain = way["gain"]
    told = f"{gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}] of {gain['n_shoppers']:,}"
    return f"{way['start']['ndcg@10']:.4f}", f"{way['best']['ndcg@10']:.4f}", f"{told} {way['gain_on']}"
