"""A file that is to be checked: its cells as they are and as text, and its columns by name."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from huaxiang.errors import InputError, ShopError
from huaxiang.shop.cells import amounts, stated
from huaxiang.shop.clean import has_words
from huaxiang.shop.quality.boilerplate import weight_of
from huaxiang.shop.tables import LINE, SUFFIXES, UNREADABLE, Table, read_bytes, read_table

_LOOKED_AT = 2000
"""Rows that decide what a column holds."""
_LONG = 16
"""Mean `weight_of` cells from which on a column is read as texts, where nobody says which are."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A table that is to be checked, without the lines that can't be read.

    Parameters
    ----------
    frame
        Columns as the file has them: typed in a Parquet file, text elsewhere.
    words
        The same cells as text; null where a cell is empty.
    lines
        Line of each row in the file, from 1, with the header.
    unreadable
        Line → why it was left out.
    """

    name: str
    frame: pl.DataFrame
    words: pl.DataFrame
    lines: Sequence[int]
    unreadable: dict[int, str]


def read_given(path: Path, *, option: str = "--input", encoding: str = "utf-8") -> Given:
    """Return the table in a CSV, JSON lines or Parquet file, plain or gzipped.

    Raises
    ------
    InputError
        The file is missing, empty, of an unknown kind, in another encoding or damaged, or has no row.
    """
    table = read_own_table(path, option=option, encoding=encoding)
    typed = table.frame
    if path.name.removesuffix(".gz").endswith(".parquet"):
        typed = pl.read_parquet(io.BytesIO(read_bytes(path)))
    is_read = table.frame[UNREADABLE].is_null()
    given = Given(
        name=path.name,
        frame=typed.select(table.columns).filter(is_read),
        words=table.frame.select(table.columns).filter(is_read),
        lines=table.frame[LINE].filter(is_read).to_list(),
        unreadable=dict(table.frame.filter(~is_read).select(LINE, UNREADABLE).iter_rows()),
    )
    if given.frame.is_empty():
        remedy = "check how the file was written" if given.unreadable else "export it again, with its rows"
        raise InputError("file has no rows", file=path.name, remedy=remedy)
    return given


def read_own_table(path: Path, *, option: str, encoding: str = "utf-8") -> Table:
    """Return the table of a file that a command was given; the errors name the option, and not shop.toml.

    Raises
    ------
    InputError
        The file is missing, empty, of an unknown kind, in another encoding or damaged.
    """
    if not path.is_file():
        raise InputError("no such file", file=str(path), remedy=f"check {option}")
    try:
        return read_table(path, encoding=encoding)
    except ShopError as error:
        raise _without_shop_toml(error) from error


def given_of(frame: pl.DataFrame, *, name: str, lines: Sequence[int] | None = None) -> Given:
    """Return a table that is in memory; its lines are counted from 2 where they are not given."""
    words = frame.select(pl.all().cast(pl.String, strict=False))
    numbered = list(lines) if lines is not None else list(range(2, len(frame) + 2))
    return Given(name=name, frame=frame, words=words, lines=numbered, unreadable={})


def column_in(given: Given, column: str, *, option: str) -> str:
    """Return the column's name if the table has it.

    Raises
    ------
    InputError
        When it has not; the error names the nearest that it has.
    """
    if column in given.words.columns:
        return column
    nearest = (get_close_matches(column, given.words.columns, n=1, cutoff=0.0) or ["none"])[0]
    remedy = f"{option} names it; the nearest is {nearest!r} of {', '.join(given.words.columns[:20])}"
    raise InputError("column is missing", file=given.name, column=column, remedy=remedy)


def text_column(given: Given, column: str, *, option: str = "--text") -> str:
    """Return the column's name if it holds texts.

    Raises
    ------
    InputError
        When the table has no such column, or it holds numbers, times or no words at all.
    """
    kind = given.frame.schema[column_in(given, column, option=option)]
    if not isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.List):
        remedy = "name a column of texts"
        raise InputError(
            "column holds no texts", file=given.name, column=column, value=str(kind), remedy=remedy
        )
    said = given.words[column].drop_nulls()
    if not any(any(map(str.isalpha, text)) for text in said):
        value = said[0] if len(said) else None
        remedy = "name a column of texts" if len(said) else "the column is empty: name another"
        raise InputError("column holds no words", file=given.name, column=column, value=value, remedy=remedy)
    return column


def guessed_text_columns(given: Given) -> tuple[str, ...]:
    """Return the columns that read like texts.

    Raises
    ------
    InputError
        When there is none.
    """
    found = tuple(column for column in given.words.columns if _reads_like_texts(given, column))
    if not found:
        remedy = f"say which with --text; there are {', '.join(given.words.columns[:20])}"
        raise InputError("no column reads like texts", file=given.name, remedy=remedy)
    return found


def _reads_like_texts(given: Given, column: str) -> bool:
    said = given.words[column].drop_nulls().head(_LOOKED_AT).to_list()
    if not isinstance(given.frame.schema[column], pl.String) or not said:
        return False
    has_several_words = sum(" " in text.strip() or weight_of(text) > len(text) for text in said)
    mean = sum(weight_of(text[:400]) for text in said) / len(said)
    return mean >= _LONG and has_several_words > len(said) / 2 and len(set(said)) > len(said) / 20


def numbers_in(given: Given, column: str) -> tuple[pl.Series, pl.Series]:
    """Return the column's numbers, null where a cell is none, and whether each cell says anything.

    Raises
    ------
    InputError
        When there is no such column, or no cell of it is a number.
    """
    column_in(given, column, option="--number")
    cells = given.words.select(amounts(column).alias("number"), stated(column).is_not_null().alias("is_said"))
    if cells["number"].null_count() == len(cells):
        value = next(iter(given.words[column].drop_nulls()), None)
        raise InputError(
            "column holds no numbers", file=given.name, column=column, value=value, remedy="name another"
        )
    return cells["number"], cells["is_said"]


def said_in(given: Given, column: str) -> list[str | None]:
    """Return the cells of a column; None where a cell says nothing: empty, NaN, null."""
    return given.words.select(stated(column))[column].to_list()


def row_ids_in(given: Given, column: str | None) -> list[str]:
    """Return the id of each row: the column's cells, or the lines where there is no such column.

    Raises
    ------
    InputError
        A row has no id, or one that an earlier row has.
    """
    if column is None:
        return [str(line) for line in given.lines]
    found = said_in(given, column_in(given, column, option="--id"))
    seen: set[str | None] = set()
    for row, row_id in enumerate(found):
        if row_id is None or row_id in seen:
            message = "row has no id" if row_id is None else "id of an earlier row"
            remedy = "give each row an id of its own, or leave --id out to count lines"
            line = given.lines[row]
            raise InputError(message, file=given.name, line=line, column=column, value=row_id, remedy=remedy)
        seen.add(row_id)
    return [row_id for row_id in found if row_id is not None]


def has_text(text: str | None) -> bool:
    """Return whether a cell has words."""
    return text is not None and has_words(text)


def _without_shop_toml(error: ShopError) -> InputError:
    """Return the error of a reader of shop folders as one of a single file."""
    remedy = error.remedy or ""
    if "shop.toml" in remedy:
        remedy = "save it as UTF-8, or say --encoding gbk" if "encod" in remedy else f"use {SUFFIXES[0]}"
    return InputError(
        error.message, file=error.file, line=error.line, column=error.column, value=error.value, remedy=remedy
    )
