"""Cells of text as ids, numbers, prices and truths: null where the text is none."""

from __future__ import annotations

import polars as pl

_NOTHING = ("", "nan", "null", "none", "n/a")
_WHOLE_FLOAT = r"^([+-]?\d+)\.0*$"
_FLOAT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NO_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "PYG", "UGX"})


def stated(column: str) -> pl.Expr:
    """Return the cells without spaces around them; null where they say nothing."""
    trimmed = pl.col(column).str.strip_chars()
    return pl.when(trimmed.str.to_lowercase().is_in(_NOTHING).not_()).then(trimmed)


def ids(column: str) -> pl.Expr:
    """Return cells as ids: `17850.0`, what a spreadsheet makes of 17850, reads as `17850`.

    Examples
    --------
    >>> cells = pl.DataFrame({"id": ["17850.0", " A1 ", "4.0128e+10", "nan", "1.5"]})
    >>> cells.select(ids("id"))["id"].to_list()
    ['17850', 'A1', '40128000000', None, '1.5']
    """
    cell = stated(column)
    is_scientific = cell.str.contains(r"^\d\.\d+[eE]\+\d+$")
    whole = cell.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_scientific).then(whole).otherwise(cell.str.replace(_WHOLE_FLOAT, "${1}"))


def numbers(column: str) -> pl.Expr:
    """Return cells as finite numbers, float64; null where they are not.

    Examples
    --------
    >>> cells = pl.DataFrame({"n": ["6.0", "1e3", "NaN", "inf", "six", None]})
    >>> cells.select(numbers("n"))["n"].to_list()
    [6.0, 1000.0, None, None, None, None]
    """
    number = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def amounts(column: str) -> pl.Expr:
    """Return prices as numbers: a currency sign and commas between thousands are read over.

    Examples
    --------
    >>> cells = pl.DataFrame({"price": ["£2.55", "1,234.50", "￥ 99", "NaN", "2,55", "-3"]})
    >>> cells.select(amounts("price"))["price"].to_list()
    [2.55, 1234.5, 99.0, None, None, -3.0]
    """
    plain = numbers(column)
    bare = pl.col(column).str.replace_all(r"^[\s$€£¥￥]+|[\s€元]+$", "").str.replace_all(r",(\d{3})", "${1}")
    written = pl.when(bare.str.contains(_FLOAT)).then(bare).cast(pl.Float64, strict=False)
    return pl.coalesce(plain, written)


def minor_units(currency: str | None) -> int:
    """Return how many minor units the currency has: 100, or 1 where it has none (JPY).

    Examples
    --------
    >>> minor_units("GBP"), minor_units("JPY"), minor_units(None)
    (100, 1, 100)
    """
    return 1 if currency in _NO_MINOR_UNITS else 100


def truths(column: str) -> pl.Expr:
    """Return cells as yes or no; null where they are neither."""
    word = pl.col(column).str.strip_chars().str.to_lowercase()
    is_yes = word.is_in(["true", "1", "yes", "y", "t", "1.0", "是"])
    is_no = word.is_in(["false", "0", "no", "n", "f", "0.0", "否"])
    return pl.when(is_yes).then(True).when(is_no).then(False)


def is_given(column: str) -> pl.Expr:
    """Return whether a cell says anything at all."""
    return pl.col(column).str.strip_chars().str.len_bytes() > 0
