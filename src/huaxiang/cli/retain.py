"""The command that lets go of what is old, as the settings say."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.serve.process import Process
    from huaxiang.store.retention import Cutoffs, Gone

RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="Run that is served; HUAXIANG_RUN by default.", envvar="HUAXIANG_RUN"),
]
SettingsFile = Annotated[Path | None, typer.Option(help="Settings file (TOML), its table [serve.retention].")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def retain(
    run: RunFolder = None, settings: SettingsFile = None, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Delete what is older than the settings let it be; a service that runs does the same by itself."""
    from huaxiang.serve.process import Process
    from huaxiang.serve.retention import cutoffs_of, shown
    from huaxiang.store.retention import Cutoffs

    process = Process.of(os.environ, run=run, settings=settings)
    now = datetime.now(UTC)
    cutoffs = cutoffs_of(process.settings.retention, now=now)
    if cutoffs == Cutoffs():
        remedy = "set days in [serve.retention] of a settings file, and name it with --settings"
        raise InputError("nothing has an end", column="--settings", remedy=remedy)
    gone = {
        shop_id: shown(_let_go(process, shop_id, cutoffs, now=now, dry_run=dry_run))
        for shop_id in process.runs
    }
    _show(gone, dry_run=dry_run, as_json=as_json)


def _let_go(process: Process, shop_id: str, cutoffs: Cutoffs, *, now: datetime, dry_run: bool) -> Gone:
    from huaxiang.cli.versions import open_log
    from huaxiang.profile.update import milliseconds
    from huaxiang.serve.item_photos import remove_unnamed
    from huaxiang.serve.kept_photos import KeptPhotos
    from huaxiang.serve.retention import finish, mark
    from huaxiang.serve.start import cache_of, snapshot_file
    from huaxiang.store.retention import Gone, sweep

    store, whole = open_log(process.where.store, shop_id), Gone()
    try:
        for gone in sweep(store, shop_id, cutoffs, now_ms=milliseconds(now), dry_run=dry_run):
            whole.add(gone)
        if whole.shoppers and not dry_run:
            cache_of(process).remove(shop_id, sorted(whole.shoppers))
            snapshot_file(process, shop_id).unlink(missing_ok=True)  # it has what is gone from the log
            photos = KeptPhotos(process.live_folder(shop_id) / "photos")
            remove_unnamed(store, shop_id, photos, whole.photos)
            mark(store, shop_id, now_ms=milliseconds(now))
            finish(store)
    finally:
        store.close()
    return whole


def _show(gone: dict[str, dict[str, Any]], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json("retain", {"dry_run": dry_run, "shops": gone})
        return
    console = Console()
    for shop_id, counts in gone.items():
        events = ", ".join(f"{n:,} {kind}" for kind, n in counts["events"].items()) or "none"
        verb = "would go" if dry_run else "gone"
        console.print(
            f"{shop_id}: {verb}: events of {counts['shoppers']:,} shoppers ({events}), words of "
            f"{counts['words']:,} events, {counts['lists']:,} lists, "
            f"{counts['dead_letters']:,} dead letters, {counts['audit']:,} lines of the audit"
        )
