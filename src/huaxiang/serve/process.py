"""How the service is started: prepared once, then one or several processes that each open it."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import InputError
from huaxiang.serve.logs import write_json_lines
from huaxiang.serve.settings import Addresses, ServeSettings, addresses, read_serve_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

Tell = Callable[[str], None]
SWITCH_S = 0.0005
"""A thread that computes lets another go on after so long: requests shouldn't wait for the usual 5 ms."""
GARBAGE = (50_000, 20, 20)
"""Thresholds of the collector of garbage: what was there at the start is no longer looked at."""
_PROCESS = "HUAXIANG_PROCESS"
"""Carries a process's settings, but no secret, from the command to its workers."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What one process of the service needs to know.

    Parameters
    ----------
    runs
        Shop id → run folder.
    """

    runs: Mapping[str, Path]
    where: Addresses
    settings: ServeSettings
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    settings_file: Path | None = None

    @classmethod
    def of(
        cls,
        environment: Mapping[str, str],
        *,
        run: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 8000,
        workers: int = 1,
        settings: Path | None = None,
        rules: Path | None = None,
    ) -> Process:
        """Return what the environment and the command line say.

        Raises
        ------
        InputError
            No run was named, or several workers were asked for where only one process may write.
        """
        if run is None:
            raise InputError("no run was named", column="--run", remedy="give --run, or set HUAXIANG_RUN")
        runs = runs_of(str(run))
        where = addresses(environment, run=next(iter(runs.values())))
        _check_workers(workers, where)
        return cls(
            runs=runs,
            where=where,
            settings=_with_rules(read_serve_settings(settings), rules),
            host=host,
            port=port,
            workers=workers,
            settings_file=settings,
        )

    def live_folder(self, shop_id: str) -> Path:
        """Return the folder beside a shop's run where a service keeps what is no table: states, photos."""
        return live_folder_of(self.runs[shop_id])

    def key_file(self) -> Path | None:
        """Return where the key for shoppers' ids is kept; None where processes share it by environment."""
        if not self.where.store.startswith("sqlite:///"):
            return None
        return Path(self.where.store.removeprefix("sqlite:///")).with_name("pseudonym.key")


def _with_rules(settings: ServeSettings, rules: Path | None) -> ServeSettings:
    """Return the settings with the rules that the command line names; their path holds in every process."""
    file = rules or settings.rules
    return settings if file is None else replace(settings, rules=file.resolve())


def live_folder_of(run: Path) -> Path:
    """Return the folder beside a run where a service keeps what is no table.

    Examples
    --------
    >>> live_folder_of(Path("runs/demo"))
    PosixPath('runs/demo.live')
    """
    return run.with_name(run.name + ".live")


def runs_of(written: str) -> dict[str, Path]:
    """Return shop id → run folder.

    Examples
    --------
    >>> runs_of("runs/demo")
    {'default': PosixPath('runs/demo')}
    >>> list(runs_of("north=runs/a,south=runs/b"))
    ['north', 'south']
    """
    runs = {}
    for part in written.split(","):
        shop_id, equals, folder = part.partition("=")
        runs[shop_id if equals else "default"] = Path(folder if equals else part)
    return runs


def _check_workers(workers: int, where: Addresses) -> None:
    if workers < 1:
        raise InputError(
            "no such number of workers", column="--workers", value=str(workers), remedy="give 1 or more"
        )
    if workers == 1:
        return
    if where.store.startswith("sqlite:"):
        raise InputError(
            "SQLite has one writing process",
            column="--workers",
            value=str(workers),
            remedy="use --workers 1, or set HUAXIANG_STORE to postgresql://…",
        )
    if where.state == "memory":
        raise InputError(
            "several processes need their states in one place",
            column="--workers",
            value=str(workers),
            remedy="set HUAXIANG_STATE to redis://…, or use --workers 1",
        )


def run_process(process: Process, *, factory: str = "huaxiang.serve.process:make_app") -> None:
    """Serve until told to stop.

    Parameters
    ----------
    factory
        What makes the application of a worker, as `module:function`.
    """
    import uvicorn

    os.environ[_PROCESS] = json.dumps(_plain(process))
    write_json_lines()
    signal.signal(signal.SIGTERM, _end)  # uvicorn sends itself again what it was sent, once all is done
    uvicorn.run(
        factory,
        factory=True,
        host=process.host,
        port=process.port,
        workers=process.workers if process.workers > 1 else None,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )


def _end(*_: object) -> None:
    raise SystemExit(0)


def make_app() -> FastAPI:
    """Return the application of one worker, as the environment describes it."""
    from huaxiang.serve.start import open_app

    return let_requests_go_first(open_app(told_process()))


def let_requests_go_first(app: FastAPI) -> FastAPI:
    """Return the application; the interpreter, which from now on serves it alone, holds its requests up less.

    Not for a process that does other things too: what is there now will never be freed.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return app


def told_process() -> Process:
    """Return what the command told its workers."""
    write_json_lines()
    told = json.loads(os.environ[_PROCESS])
    run = ",".join(f"{shop_id}={folder}" for shop_id, folder in told["runs"].items())
    settings = told["settings_file"]
    return Process.of(
        os.environ,
        run=Path(run),
        host=told["host"],
        port=told["port"],
        workers=told["workers"],
        settings=Path(settings) if settings else None,
        rules=Path(told["rules"]) if told["rules"] else None,
    )


def _plain(process: Process) -> dict[str, object]:
    shown = asdict(process)
    return {
        "runs": {shop_id: str(folder) for shop_id, folder in process.runs.items()},
        "settings_file": str(process.settings_file) if process.settings_file else None,
        "rules": str(process.settings.rules) if process.settings.rules else None,
        **{name: shown[name] for name in ("host", "port", "workers")},
    }
