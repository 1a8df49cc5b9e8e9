"""Results and errors of a command → stdout, stderr and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import typer
from typer._click.exceptions import ClickException  # typer carries its own click and exports no base class

from huaxiang.errors import HuaxiangError, InputError, StorageError, is_disk_full

OK, STOPPED = 0, 130


def print_json(command: str, result: Mapping[str, Any]) -> None:
    """Print one JSON object with its schema on stdout."""
    shown = {"schema": f"huaxiang.{command}/1", **result}
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(shown, option=option).decode() + "\n")


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; no error leaves a traceback but our own bugs."""
    try:
        from huaxiang.cli.app import app

        left_with = app(args=list(arguments) or ["--help"], prog_name="huaxiang", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        left_with = STOPPED
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:
        explained = _explained(error)
        if explained is None:
            raise
        return _report(explained, as_json="--json" in arguments)
    if left_with == STOPPED:  # typer turns Ctrl-C into this value of its own accord
        sys.stderr.write("stopped: what was finished is kept; run the same command again to go on\n")
    return left_with if isinstance(left_with, int) else OK


def _nobody_reads() -> int:
    """Leave quietly when the reader of our output, such as `head`, has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _report(error: HuaxiangError, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(orjson.dumps({"error": error.as_json()}).decode() + "\n")
    sys.stderr.write(f"error: {error}\n")
    return error.exit_code


def _explained(error: Exception) -> HuaxiangError | None:
    """Return the error as one that says what to do; None for a bug of ours."""
    if isinstance(error, HuaxiangError):
        return error
    if isinstance(error, ClickException):
        said = error.format_message().rstrip(".") or "no command given"
        return InputError(said, remedy="see huaxiang --help")
    if is_disk_full(error):
        return StorageError.full(_name(error))
    if isinstance(error, OSError):
        said = error.strerror or str(error)
        return StorageError(said, file=_name(error), remedy="check the path and its rights")
    return None


def _name(error: Exception) -> str | None:
    name = getattr(error, "filename", None)
    return str(name) if name else None
