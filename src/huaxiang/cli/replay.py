"""The command that sends a shop's past to a service."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from huaxiang.cli.moments import moment
from huaxiang.cli.outcome import print_json
from huaxiang.cli.progress import StageProgress
from huaxiang.errors import InputError, ServiceError

if TYPE_CHECKING:
    from huaxiang.cli.replaying import Tally

Shop = Annotated[Path, typer.Option(help="Shop folder.")]
To = Annotated[str, typer.Option(help="Address of the service, as http://127.0.0.1:8000.")]
Key = Annotated[
    str | None,
    typer.Option(envvar=["HUAXIANG_KEY", "HUAXIANG_ADMIN_KEY"], help="A key that may write events."),
]
Speed = Annotated[str, typer.Option(help="How many times faster than it happened: 1x, 1000x, max.")]
Since = Annotated[str | None, typer.Option("--from", help="From this moment on, ISO 8601.")]
Until = Annotated[str | None, typer.Option("--until", help="Before this moment, ISO 8601.")]
Shoppers = Annotated[int | None, typer.Option(min=1, help="Only as many shoppers: those who come first.")]
State = Annotated[Path | None, typer.Option(help="File that keeps the place; one in the cache if not given.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the last replay was stopped.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def replay(  # noqa: PLR0913 - one argument for each option
    shop: Shop,
    to: To,
    key: Key = None,
    speed: Speed = "max",
    since: Since = None,
    until: Until = None,
    shoppers: Shoppers = None,
    state: State = None,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Send a shop's events to a service in the order in which they occurred, at any speed.

    Events keep the ids that they have in the shop, so sending them again changes nothing.
    """
    from huaxiang.cli.app import cache_folder
    from huaxiang.cli.replaying import Part, Place, Tally, in_time_order, read_speed, send_all
    from huaxiang.client import Client
    from huaxiang.shop.read import read_shop

    if key is None:
        raise InputError("no key was given", column="--key", remedy="give --key, or set HUAXIANG_KEY")
    part = Part(
        since=moment(since, option="--from"), until=moment(until, option="--until"), n_shoppers=shoppers
    )
    fast, tally = read_speed(speed), Tally()
    with Client(to, key) as client, StageProgress() as progress:
        whole = read_shop(shop, progress=lambda done, total, note: progress.report("read", done, total, note))
        place = Place.of(state, shop=whole, part=part, url=to, cache=cache_folder())
        if resume:
            place.resume()
        started = time.perf_counter()
        try:
            send_all(
                in_time_order(whole, part, speed=fast),
                client,
                speed=fast,
                place=place,
                tally=tally,
                tell=lambda done, total, note: progress.report("replay", done, total, note),
            )
        except (KeyboardInterrupt, ServiceError):
            if place.next:
                sys.stderr.write(f"stopped after {place.next:,} events; go on with --resume\n")
            raise
    _show(tally, time.perf_counter() - started, as_json=as_json)


def _show(tally: Tally, seconds: float, *, as_json: bool) -> None:
    rate = tally.n_sent / seconds if seconds else 0.0
    if as_json:
        sums = {name: getattr(tally, name) for name in ("n_sent", "accepted", "duplicates", "position")}
        shown = {"rejected": dict(tally.rejected), "examples": tally.examples}
        print_json("replay", {**sums, **shown, "seconds": round(seconds, 2), "events_per_s": round(rate)})
    else:
        _print(tally, seconds, rate)
    if tally.n_sent and tally.rejected.total() == tally.n_sent:
        first = tally.examples[0]
        raise InputError(
            "the service took none of the events",
            column=str(first["field"]),
            value=str(first["code"]),
            remedy=str(first["message"]),
        )


def _print(tally: Tally, seconds: float, rate: float) -> None:
    console = Console()
    console.print(
        f"{tally.n_sent:,} events in {seconds:.1f} s ({rate:,.0f}/s): {tally.accepted:,} accepted, "
        f"{tally.duplicates:,} duplicates, {tally.rejected.total():,} rejected"
    )
    for one in tally.examples:
        console.print(
            f"  {tally.rejected[str(one['code'])]:,} x {one['field']}: {one['message']}", style="dim"
        )
