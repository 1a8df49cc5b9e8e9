"""What an adapter promises: to know its files, and to read them under our names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huaxiang.shop.raw import RawShop
from huaxiang.shop.tables import header_of

ENDINGS = ("", ".gz")


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """How one public data set is read.

    Parameters
    ----------
    name
        What `adapter` in `shop.toml` calls it.
    title
        What a reader calls it.
    matches
        Whether a folder holds this set, by its characteristic files and columns.
    read
        The folder's tables under our names, with what is set aside and why; unchecked.
    """

    name: str
    title: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], RawShop]


def existing(folder: Path, name: str) -> Path:
    """Return the file, plain or gzipped; the plain name where neither is there, for the error to name."""
    return next((path for end in ENDINGS if (path := folder / f"{name}{end}").exists()), folder / name)


def has_columns(path: Path, *columns: str) -> bool:
    """Return whether the header of a CSV file has all these columns."""
    return set(columns) <= set(header_of(path))
