"""A table into a file of the kind that its name says, whole or not at all."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import polars as pl

from huaxiang.encoders.cache import write_beside
from huaxiang.errors import InputError

KINDS = (".csv", ".csv.gz", ".parquet")


def check_kind(file: Path, *, option: str = "--out") -> None:
    """Refuse a name that says no kind of file, before any work is done for it.

    Raises
    ------
    InputError
        It ends in none of them.

    Examples
    --------
    >>> check_kind(Path("scored.csv.gz"))
    """
    if not file.name.endswith(KINDS):
        remedy = f"end it in one of {', '.join(KINDS)}"
        raise InputError("unknown kind of file", file=file.name, column=option, remedy=remedy)


def write_table(table: pl.DataFrame, file: Path) -> None:
    """Write a table; lists are written as JSON where a cell holds text alone.

    Raises
    ------
    StorageError
        The disk is full, or the folder can't be written.
    """
    raw = io.BytesIO()
    if file.suffix == ".parquet":
        table.write_parquet(raw)
        write_beside(file, raw.getvalue())
        return
    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    table.with_columns(_as_json(table[name]) for name in nested).write_csv(raw)
    write_beside(file, gzip.compress(raw.getvalue(), mtime=0) if file.suffix == ".gz" else raw.getvalue())


def _as_json(column: pl.Series) -> pl.Series:
    cells = [None if cell is None else orjson.dumps(cell.to_list()).decode() for cell in column]
    return pl.Series(column.name, cells, dtype=pl.String)
