"""Files as tables of text: CSV, JSON lines or Parquet, plain or gzipped, each row with its line number."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from huaxiang.errors import ShopError

SUFFIXES = (".csv", ".jsonl", ".parquet", ".tsv", ".csv.gz", ".jsonl.gz", ".parquet.gz", ".tsv.gz")
LINE = "huaxiang.line"
UNREADABLE = "huaxiang.unreadable"
"""Names of the two columns that every table has beside its own: where a row was, what is wrong with it."""

_DELIMITERS = (",", ";", "\t", "|")
_CONTEXT = "context"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file's rows as text.

    Parameters
    ----------
    frame
        The file's columns as strings (empty cells are null), `LINE` (UInt32, from 1, with the header), and
        `UNREADABLE`: why a row could not be split into cells, null for those that could.
    guesses
        What was assumed about the file, one sentence each.
    """

    file: str
    frame: pl.DataFrame
    guesses: tuple[str, ...] = field(default=())

    @property
    def columns(self) -> list[str]:
        """The file's own columns."""
        return [name for name in self.frame.columns if name not in (LINE, UNREADABLE)]


def read_table(path: Path, *, encoding: str = "utf-8") -> Table:
    """Return the table in a file, chosen by its name.

    Raises
    ------
    ShopError
        When the file is missing, a folder, empty, of an unknown kind, in another encoding or damaged.
    """
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    raw = read_bytes(path)
    if kind == "parquet":
        return _read_parquet(raw, path.name)
    if kind == "jsonl":
        return _read_json_lines(raw, path.name)
    if kind in ("csv", "tsv"):
        return _read_csv(decoded(raw, path.name, encoding=encoding), path.name)
    raise ShopError("unknown kind of file", file=path.name, remedy=f"use one of {', '.join(SUFFIXES)}")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz; the errors are those of `read_table`."""
    if path.is_dir():
        raise ShopError("a folder where a file should be", file=path.name, remedy="name a file in shop.toml")
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz" and raw:
            raw = gzip.decompress(raw)
    except FileNotFoundError:
        raise ShopError("no such file", file=path.name, remedy="check the name in shop.toml") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = "gzip file is truncated" if isinstance(error, EOFError) else "not a readable gzip file"
        raise ShopError(message, file=path.name, remedy="copy or pack it again") from error
    except OSError as error:
        raise ShopError(
            "file can't be read", file=path.name, value=error.strerror, remedy="check it"
        ) from error
    if not raw.strip():
        raise ShopError("file is empty", file=path.name, remedy="export it again, with a header")
    return raw


def decoded(raw: bytes, file: str, *, encoding: str = "utf-8") -> bytes:
    """Return text as UTF-8 bytes without a byte order mark.

    Raises
    ------
    ShopError
        Naming the line and the byte that are not in `encoding`.
    """
    try:
        codecs.lookup(encoding)
        text = raw.decode(encoding)
    except LookupError:
        raise ShopError(
            "no such encoding", file=file, value=encoding, remedy="utf-8, gbk, latin-1 …"
        ) from None
    except UnicodeDecodeError as error:
        raise ShopError(
            f"not written in {encoding}",
            file=file,
            line=raw.count(b"\n", 0, error.start) + 1,
            value=raw[error.start : error.start + 1].hex(),
            remedy='save it as UTF-8, or name its encoding in shop.toml: encoding = "gbk"',
        ) from error
    if codecs.lookup(encoding).name == "utf-8":
        return raw.removeprefix(codecs.BOM_UTF8)
    return text.removeprefix("\ufeff").encode("utf-8")


def header_of(path: Path) -> list[str]:
    """Return the column names of a CSV file without reading the rest; nothing where it can't be read."""
    if not path.is_file():
        return []
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    try:
        with opened as file:
            first = file.readline(1 << 20).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error):
        return []
    return next(csv.reader([first], delimiter=_delimiter(first)), [])


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=lambda mark: (header.count(mark), mark == ","))


def _read_csv(raw: bytes, file: str) -> Table:
    header = raw.split(b"\n", 1)[0].decode("utf-8")
    delimiter = _delimiter(header)
    n_lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    guesses = () if delimiter == "," else (f"{file}: cells are divided by {delimiter!r}",)
    try:
        frame = pl.read_csv(raw, infer_schema=False, separator=delimiter).rename(str.strip)
        is_one_line_each = len(frame) == n_lines - 1
    except pl.exceptions.PolarsError:
        is_one_line_each = False
    if is_one_line_each:
        frame = frame.with_columns(
            pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).alias(LINE),
            pl.lit(None, dtype=pl.String).alias(UNREADABLE),
        )
        return Table(file=file, frame=frame, guesses=guesses)
    return Table(file=file, frame=_rows_one_by_one(raw.decode("utf-8"), file, delimiter), guesses=guesses)


def _rows_one_by_one(text: str, file: str, delimiter: str) -> pl.DataFrame:
    """Return the rows of a CSV file in which a cell spans lines or a row is too long: slower, exact."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader)]
        rows = list(_padded(reader, len(header)))
    except csv.Error as error:
        raise ShopError(
            f"cells can't be told apart ({error})", file=file, line=reader.line_num, remedy="close its quotes"
        ) from error
    names = [*_unique(header), LINE, UNREADABLE]
    schema = {name: pl.UInt32 if name == LINE else pl.String for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _padded(reader: Any, width: int) -> Iterator[tuple[str | int | None, ...]]:
    starts_at = reader.line_num + 1
    for cells in reader:
        filled = [cell or None for cell in cells[:width]] + [None] * (width - len(cells))
        is_long = any(cells[width:])
        yield (*filled, starts_at, f"{len(cells)} cells under a header of {width}" if is_long else None)
        starts_at = reader.line_num + 1


def _unique(names: list[str]) -> list[str]:
    counts = dict.fromkeys(names, 0)
    unique = []
    for name in names:
        unique.append(name if counts[name] == 0 else f"{name}_duplicated_{counts[name] - 1}")
        counts[name] += 1
    return unique


def _read_json_lines(raw: bytes, file: str) -> Table:
    decoded(raw, file)
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(raw.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if line.strip():
            rows.append({**_cells(line), LINE: number})
    names = dict.fromkeys(name for row in rows for name in row if name not in (LINE, UNREADABLE))
    schema = {**dict.fromkeys(names, pl.String), LINE: pl.UInt32, UNREADABLE: pl.String}
    return Table(file=file, frame=pl.DataFrame(rows, schema=schema))


def _cells(line: bytes) -> dict[str, Any]:
    try:
        stated = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {UNREADABLE: "not JSON"}
    if not isinstance(stated, dict):
        return {UNREADABLE: "not a JSON object"}
    return dict(_flat(stated))


def _flat(stated: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for key, value in stated.items():
        if isinstance(value, dict) and key != _CONTEXT:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, _as_text(value)


def _as_text(value: Any) -> str | None:
    """Return a JSON value as a CSV cell would have it; words of a list are divided by "|"."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return "|".join(value) or None
    return orjson.dumps(value).decode("utf-8")


def _read_parquet(raw: bytes, file: str) -> Table:
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ShopError("not a readable Parquet file", file=file, remedy="export it again") from error
    as_text = [_text_of(name, dtype) for name, dtype in frame.schema.items()]
    numbered = frame.select(as_text).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(LINE),
        pl.lit(None, dtype=pl.String).alias(UNREADABLE),
    )
    return Table(file=file, frame=numbered)


def _text_of(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        moment = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if dtype.time_zone else ""))
    if isinstance(dtype, pl.List) and dtype.inner == pl.String:
        return column.list.join("|")
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join("|")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if dtype == pl.Binary:
        return pl.lit(None, dtype=pl.String).alias(name)
    return column.cast(pl.String)
