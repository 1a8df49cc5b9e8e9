"""Files that are there whole or not at all: they are written beside their place and then renamed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place first, so that it is never there by half.

    Raises
    ------
    OSError
        It can't be written; what was there before is still there.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a"
    >>> write_whole(file, b"whole")
    >>> file.read_bytes()
    b'whole'
    """
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON; what JSON does not know becomes a number."""
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False, default=float).encode())
