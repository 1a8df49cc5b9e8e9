"""Results and errors of a command → stdout, stderr and the exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import typer
from typer._click.exceptions import ClickException  # typer carries its own click and exports no base class

from huaxiang.errors import HuaxiangError, InputError, StorageError

OK, OUR_BUG, INPUT, STOPPED = 0, 1, 2, 130


def print_json(command: str, result: Mapping[str, Any]) -> None:
    """Print one JSON object with its schema on stdout."""
    shown = {"schema": f"huaxiang.{command}/1", **result}
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    sys.stdout.write(orjson.dumps(shown, option=option).decode() + "\n")


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; no error leaves a traceback but our own bugs."""
    from huaxiang.cli.app import app

    as_json = "--json" in arguments
    try:
        app(args=list(arguments), prog_name="huaxiang", standalone_mode=False)
    except HuaxiangError as error:
        return _report(error, as_json=as_json)
    except OSError as error:
        return _report(_storage_error(error), as_json=as_json)
    except typer.Exit as leaving:
        return int(leaving.exit_code)
    except ClickException as error:
        return _report(_usage_error(error), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("stopped: what was finished is kept; run the same command again to go on\n")
        return STOPPED
    return OK


def _report(error: HuaxiangError, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(orjson.dumps({"error": error.as_json()}).decode() + "\n")
    sys.stderr.write(f"error: {error}\n")
    return error.exit_code


def _usage_error(error: ClickException) -> HuaxiangError:
    return InputError(error.format_message().rstrip("."), remedy="see huaxiang --help")


def _storage_error(error: OSError) -> HuaxiangError:
    if error.errno == errno.ENOSPC:
        return StorageError("no space left on the disk", file=_name(error), remedy="free some and run again")
    return StorageError(
        error.strerror or str(error), file=_name(error), remedy="check the path and its rights"
    )


def _name(error: OSError) -> str | None:
    return str(error.filename) if error.filename else None
