"""The command that closes the circle: retrain a run on what shoppers did since."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError, ShopError

if TYPE_CHECKING:
    from huaxiang.cli.retraining import Wish

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def retrain(  # noqa: PLR0913 - one argument per option
    run: Annotated[Path, typer.Option("--run", help="Run that is served.", envvar="HUAXIANG_RUN")],
    store: Annotated[
        str | None,
        typer.Option(
            help="Store of the service; that of the run where it is not given.", envvar="HUAXIANG_STORE"
        ),
    ] = None,
    shop_id: Annotated[str, typer.Option(help="Shop in the store.")] = "default",
    settings: Annotated[Path | None, typer.Option(help="Settings file (TOML), its [serve] table.")] = None,
    margin: Annotated[
        float, typer.Option(help="Share of the figure by which the new model may be worse, as -0.01.")
    ] = -0.01,
    test_share: Annotated[
        float, typer.Option(help="Share of the purchases since the last model that both are asked for.")
    ] = 0.5,
    start_over: Annotated[bool, typer.Option("--start-over", help="Carry no weights over.")] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Serve the new version whatever the comparison says.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(help="Do it again and again after this time: 24h, 30m, 7d.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn from the log since the last model, compare with it, and let the better one be served."""
    from huaxiang.cli.retraining import Wish
    from huaxiang.feedback.decision import Rule
    from huaxiang.serve.settings import addresses, read_serve_settings

    serving = read_serve_settings(settings)
    pause_s = None if every is None else seconds_of(every)
    wish = Wish(
        run=run,
        store=store or addresses(os.environ, run=run).store,
        shop_id=shop_id,
        allowed="train" in serving.privacy.allowed,
        train_days=serving.retention.train_days,
        rule=Rule(margin=margin),
        test_share=test_share,
        start_over=start_over,
        promote=promote,
    )
    if pause_s is None:
        _show(_once(wish), as_json=as_json)
        return
    while True:
        try:
            _show(_once(wish), as_json=as_json)
        except ShopError as error:
            Console(stderr=True).print(f"not now: {error}")
        time.sleep(pause_s)


def forget(
    run: Annotated[Path, typer.Option("--run", help="Run that is served.", envvar="HUAXIANG_RUN")],
    shop_id: Annotated[str, typer.Option(help="Shop in the store.")] = "default",
    settings: Annotated[Path | None, typer.Option(help="Settings file (TOML), its [serve] table.")] = None,
    as_json: Json = False,
) -> None:
    """Make every version of a run anew where it still counts somebody who was erased.

    A service that runs does so by itself, soon after each erasure.
    """
    from huaxiang.cli.forgetting import forget_run
    from huaxiang.serve.process import Process

    process = Process.of(os.environ, run=run, settings=settings)
    if shop_id not in process.runs:
        known = ", ".join(process.runs)
        raise InputError("no such shop", column="--shop-id", value=shop_id, remedy=f"there is {known}")
    with StageProgress() as progress:
        record = forget_run(process, shop_id, progress=progress.report)
    if as_json:
        print_json("forget", record)
        return
    for one in record["versions"]:
        print(f"{one['before']} → {one['after'] or 'removed: it could not be made anew'}")
    if not record["versions"]:
        print(f"nothing to do: no version counts any of {record['erased']} people who were erased")


def seconds_of(text: str) -> float:
    """Return a time written with its unit, in seconds.

    Examples
    --------
    >>> seconds_of("24h"), seconds_of("1.5m")
    (86400.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if found is None or float(found[1]) <= 0:
        raise InputError("not a time", column="--every", value=text, remedy="write it as 24h, 30m or 7d")
    return float(found[1]) * UNITS_S[found[2]]


def _once(wish: Wish) -> dict[str, Any]:
    from huaxiang.cli.app import cache_folder
    from huaxiang.cli.retraining import retrain_run

    with StageProgress() as progress:
        return retrain_run(wish, cache=cache_folder(), progress=progress.report)


def _show(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json("retrain", record)
        return
    console, decision = Console(), record["comparison"]["decision"]
    served = "is served now" if record["promoted"] else "is kept, not served"
    console.print(f"{record['model']} {served}: {decision['reason']}")
    figures = ("candidate", "incumbent", "low", "high")
    shown = {name: "–" if decision[name] is None else f"{decision[name]:.4f}" for name in figures}
    console.print(
        f"{decision['metric']} over {decision['n_shoppers']:,} shoppers: {shown['candidate']} beside "
        f"{shown['incumbent']}; difference between {shown['low']} and {shown['high']}"
    )
    moved = [one["name"] for one in record["drift"] if one["verdict"] in ("moved", "large")]
    if moved:
        console.print(f"shoppers have changed in: {', '.join(moved)}")
    console.print(f"{record['folder']}  ({record['seconds']} s)")
