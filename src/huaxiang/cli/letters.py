"""The commands for dead letters: list, retry, drop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huaxiang.cli.outcome import print_json
from huaxiang.errors import InputError

if TYPE_CHECKING:
    from huaxiang.serve.process import Process
    from huaxiang.store.letters import Chosen

SHOWN = ("letter_id", "received_at", "reason", "type", "item_id")

letters_app = typer.Typer(
    no_args_is_help=True, help="Events that could not be taken yet: they wait to be retried."
)

RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="Run folder; HUAXIANG_RUN where it is not given.", envvar="HUAXIANG_RUN"),
]
Shop = Annotated[str, typer.Option("--shop-id", help="The shop whose letters are meant.")]
Letters = Annotated[list[str] | None, typer.Option("--letter", help="Id of a letter; repeatable.")]
Items = Annotated[list[str] | None, typer.Option("--item", help="Item that events name; repeatable.")]
Reason = Annotated[str | None, typer.Option(help="Code of the refusal, such as unknown_item.")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="Settings file (TOML), its [serve] table.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@letters_app.command("list")
def list_letters(
    run: RunFolder = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, help="Most letters shown.")] = 50,
    shop_id: Shop = "default",
    as_json: Json = False,
) -> None:
    """Show which events wait and why; never of whom, or what they said."""
    from huaxiang.serve.letters_by_hand import known_letters

    shown = known_letters(
        _process(run, shop_id), shop_id=shop_id, chosen=_chosen(None, None, reason), limit=limit
    )
    if as_json:
        print_json("letters", shown)
        return
    for one in shown["letters"]:
        print("  ".join(str(one[name] or "") for name in SHOWN))
    for name, n_letters in shown["by_reason"].items():
        print(f"{name}: {n_letters:,}")


@letters_app.command("retry")
def retry_letters(
    run: RunFolder = None,
    letter: Letters = None,
    item: Items = None,
    reason: Reason = None,
    shop_id: Shop = "default",
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Let events enter the log where the reason has passed; all letters where none are named."""
    from huaxiang.serve.letters_by_hand import retry_by_hand

    done = retry_by_hand(
        _process(run, shop_id, settings), shop_id=shop_id, chosen=_chosen(letter, item, reason)
    )
    if as_json:
        print_json("letters", done)
    else:
        print(", ".join(f"{n:,} {outcome}" for outcome, n in done.items()))


@letters_app.command("drop")
def drop_letters(
    run: RunFolder = None,
    letter: Letters = None,
    item: Items = None,
    reason: Reason = None,
    all_: Annotated[bool, typer.Option("--all", help="Drop every letter.")] = False,
    shop_id: Shop = "default",
    as_json: Json = False,
) -> None:
    """Forget letters for good."""
    from huaxiang.serve.letters_by_hand import drop_by_hand

    if not (letter or item or reason or all_):
        raise InputError("no letters were named", remedy="give --letter, --item or --reason, or --all")
    n_dropped = drop_by_hand(_process(run, shop_id), shop_id=shop_id, chosen=_chosen(letter, item, reason))
    if as_json:
        print_json("letters", {"dropped": n_dropped})
    else:
        print(f"{n_dropped:,} dropped")


def _chosen(letter: list[str] | None, item: list[str] | None, reason: str | None) -> Chosen:
    from huaxiang.store.letters import Chosen

    return Chosen(letter_ids=letter or None, item_ids=item or None, reason=reason)


def _process(run: Path | None, shop_id: str, settings: Path | None = None) -> Process:
    """Return the service whose store is meant; a shop that it has not is named."""
    from huaxiang.serve.process import Process

    process = Process.of(os.environ, run=run, settings=settings)
    if shop_id not in process.runs:
        known = ", ".join(process.runs)
        raise InputError("no such shop", column="--shop-id", value=shop_id, remedy=f"there is {known}")
    return process
