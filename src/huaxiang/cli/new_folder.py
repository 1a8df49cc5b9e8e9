"""A folder of results, written beside its place and put there once it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huaxiang.errors import InputError


@contextmanager
def new_folder(out: Path, *, mark: str) -> Iterator[Path]:
    """Yield a folder to write into; put it at `out` once the block ends without an error.

    Parameters
    ----------
    mark
        A file that such a folder always has: an earlier one is replaced, anything else is not written over.

    Raises
    ------
    InputError
        `out` is a file, or holds something else.
    """
    if out.is_file():
        raise InputError("a file is in the place", column="--out", value=str(out), remedy="name a folder")
    if out.exists() and any(out.iterdir()) and not (out / mark).exists():
        remedy = "name an empty folder, or an earlier one of this command"
        raise InputError("folder holds something else", column="--out", value=str(out), remedy=remedy)
    out = out.resolve()
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
