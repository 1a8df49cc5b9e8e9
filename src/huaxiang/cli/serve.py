"""The commands of the service: serve, and its keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from huaxiang.cli.outcome import print_json

keys_app = typer.Typer(no_args_is_help=True, help="Keys of the service: who may ask for what.")

RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="Run folder; HUAXIANG_RUN where it is not given.", envvar="HUAXIANG_RUN"),
]
Shop = Annotated[str, typer.Option("--shop-id", help="The shop that the key is for.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def serve(
    run: RunFolder = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; more than one needs PostgreSQL.")] = 1,
    settings: Annotated[Path | None, typer.Option(help="Settings file (TOML), its [serve] table.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="File of shop rules (YAML); a change is in force within a second.")
    ] = None,
) -> None:
    """Serve a run: HTTP API under /v1, documentation at /docs, console at /console."""
    from huaxiang.serve.process import Process, run_process
    from huaxiang.serve.start import prepare

    process = Process.of(
        os.environ, run=run, host=host, port=port, workers=workers, settings=settings, rules=rules
    )
    console = Console(stderr=True)
    prepared = prepare(process, tell=lambda note: console.print(f"[dim]{note}[/dim]"))
    if prepared.first_key is not None:
        console.print("admin key, shown this once:")
        print(prepared.first_key, flush=True)
    console.print(f"http://{host}:{port}   documentation: /docs   console: /console")
    run_process(process, factory="huaxiang.console.application:make_app")


@keys_app.command("create")
def create_key(  # noqa: PLR0913 - one argument per option
    scope: Annotated[
        str, typer.Option(help="What the key may do, comma-separated: events:write,recommend:read")
    ],
    run: RunFolder = None,
    shop_id: Shop = "default",
    purpose: Annotated[str, typer.Option(help="What its holder reads profiles for.")] = "recommend",
    public: Annotated[bool, typer.Option("--public", help="For browsers: may only write.")] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Page that a public key works on; repeatable.")
    ] = None,
    valid_days: Annotated[float | None, typer.Option(help="Days until it stops working.")] = None,
    name: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    from huaxiang.serve.key_making import make_key
    from huaxiang.serve.process import Process

    made = make_key(
        Process.of(os.environ, run=run),
        scopes=tuple(part.strip() for part in scope.split(",") if part.strip()),
        shop_id=shop_id,
        purpose=purpose,
        is_public=public,
        origins=tuple(origin or ()),
        valid_days=valid_days,
        name=name,
    )
    if as_json:
        print_json("keys", made)
    else:
        print(made["key"])


@keys_app.command("list")
def list_keys(run: RunFolder = None, shop_id: Shop = "default", as_json: Json = False) -> None:
    """Show a shop's keys, without their secrets."""
    from huaxiang.serve.key_making import known_keys
    from huaxiang.serve.process import Process

    keys = known_keys(Process.of(os.environ, run=run), shop_id=shop_id)
    if as_json:
        print_json("keys", {"keys": keys})
        return
    for key in keys:
        ended = f"  ended {key['revoked_at']}" if key["revoked_at"] else ""
        scopes = ",".join(str(scope) for scope in key["scopes"])  # type: ignore[attr-defined]
        print(f"{key['key_id']}  {scopes}  {key['purpose']}  {key['created_at']}  {key['name']}{ended}")


@keys_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as the list shows it.")],
    run: RunFolder = None,
    shop_id: Shop = "default",
    after: Annotated[float, typer.Option(help="Seconds that it still works, for its successor.")] = 0.0,
) -> None:
    """Let a key stop working."""
    from huaxiang.serve.key_making import end_key
    from huaxiang.serve.process import Process

    end_key(Process.of(os.environ, run=run), shop_id=shop_id, key_id=key_id, after_s=after)
