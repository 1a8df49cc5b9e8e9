"""Moments as files write them: ISO 8601, slashes, seconds or milliseconds since 1970."""

from __future__ import annotations

import polars as pl

from huaxiang.errors import ShopError

_ISO = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?:[T ]+(\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?)?"
_FRACTION = r":\d{2}[.,](\d{1,9})"
_OFFSET = r"\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*([+-]\d{2}:?\d{2}|Z|UTC)$"
_SLASHED = r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[T ]+(\d{1,2}:\d{2}(?::\d{2})?))?$"
_SECONDS, _MILLISECONDS = r"^\d{9,10}(\.\d+)?$", r"^\d{12,13}(\.0)?$"
_MS_PER_MINUTE = 60_000


def parse_times(times: pl.Series, *, timezone: str, column: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return when things happened and what was assumed.

    Parameters
    ----------
    times
        Text. Times without an offset are in the shop's `timezone`; hours that a change to summer time left
        out are read as one hour later.
    column
        Named in the guesses.

    Returns
    -------
    parsed
        `occurred_at` (UTC, milliseconds) and `offset_minutes` (Int16, the clock it was written in minus
        UTC); both null where the text is no time.
    guesses
        One sentence for each thing assumed.

    Examples
    --------
    >>> moments = pl.Series(["2011-07-01 09:00", "2011-07-01T09:00:00+08:00", "1309510800", "soon"])
    >>> parsed, _ = parse_times(moments, timezone="Europe/London", column="occurred_at")
    >>> parsed["occurred_at"].dt.hour().to_list(), parsed["offset_minutes"].to_list()
    ([8, 1, 9, None], [60, 480, 0, None])
    """
    check_timezone(timezone)
    different = times.unique().drop_nulls().alias("written")
    is_day_first, guesses = _day_first(different, column)
    parsed = _parse(different.to_frame(), timezone=timezone, is_day_first=is_day_first)
    joined = times.alias("written").to_frame().join(parsed, on="written", how="left", maintain_order="left")
    return joined.select("occurred_at", "offset_minutes"), guesses


def check_timezone(timezone: str) -> None:
    """Check that a time zone is known.

    Raises
    ------
    ShopError
        Naming an example.
    """
    try:
        pl.Series([0]).cast(pl.Datetime("ms")).dt.replace_time_zone(timezone)
    except pl.exceptions.PolarsError:
        raise ShopError(
            "no such time zone",
            file="shop.toml",
            column="shop.timezone",
            value=timezone,
            remedy="write it as Europe/London or Asia/Shanghai",
        ) from None


def _parse(written: pl.DataFrame, *, timezone: str, is_day_first: bool) -> pl.DataFrame:
    cell = pl.col("written").str.strip_chars()
    parts = written.with_columns(
        _wall_clock(cell, is_day_first=is_day_first).alias("wall"),
        cell.str.extract(_OFFSET).alias("offset"),
        _since_1970(cell).alias("since_1970"),
    )
    stated = _stated_offset_minutes(pl.col("offset"))
    in_zone = _in_zone(pl.col("wall"), timezone)
    with_offset = pl.col("wall") - pl.duration(minutes=stated)
    moment = pl.coalesce("since_1970", pl.when(stated.is_not_null()).then(with_offset).otherwise(in_zone))
    zone_minutes = (pl.col("wall") - in_zone).dt.total_milliseconds() // _MS_PER_MINUTE
    offset = pl.when(pl.col("since_1970").is_null()).then(pl.coalesce(stated, zone_minutes)).otherwise(0)
    return parts.select(
        "written",
        moment.dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.when(moment.is_not_null()).then(offset).cast(pl.Int16, strict=False).alias("offset_minutes"),
    )


def _wall_clock(cell: pl.Expr, *, is_day_first: bool) -> pl.Expr:
    """Return the date and hour as written, without a time zone."""
    day, month = (1, 2) if is_day_first else (2, 1)
    slashed = [cell.str.extract(_SLASHED, part) for part in (3, month, day)]
    date = pl.coalesce(
        cell.str.extract(_ISO, 1).str.replace_all(r"[/.]", "-"), pl.concat_str(slashed, separator="-")
    )
    clock = pl.coalesce(cell.str.extract(_ISO, 2), cell.str.extract(_SLASHED, 4), pl.lit("00:00"))
    seconds = pl.when(clock.str.count_matches(":") == 2).then(clock).otherwise(clock + ":00")
    whole = (date + " " + seconds).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="ms")
    is_clean = cell.str.contains(_ISO + r"\s*(?:[+-]\d{2}:?\d{2}|Z|UTC)?$") | cell.str.contains(_SLASHED)
    fraction = cell.str.extract(_FRACTION).str.pad_end(3, "0").str.slice(0, 3).cast(pl.Int64)
    return pl.when(is_clean).then(whole + pl.duration(milliseconds=fraction.fill_null(0)))


def _since_1970(cell: pl.Expr) -> pl.Expr:
    number = cell.cast(pl.Float64, strict=False)
    in_ms = (
        pl.when(cell.str.contains(_SECONDS))
        .then(number * 1000)
        .when(cell.str.contains(_MILLISECONDS))
        .then(number)
    )
    return in_ms.round().cast(pl.Int64).cast(pl.Datetime("ms"))


def _stated_offset_minutes(offset: pl.Expr) -> pl.Expr:
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    digits = offset.str.replace_all(r"\D", "")
    hours, minutes = (digits.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (0, 2))
    return pl.when(offset.is_in(["Z", "UTC"])).then(0).otherwise(sign * (hours * 60 + minutes))


def _in_zone(wall: pl.Expr, timezone: str) -> pl.Expr:
    def localised(moment: pl.Expr) -> pl.Expr:
        zoned = moment.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)

    return pl.coalesce(localised(wall), localised(wall + pl.duration(hours=1)))


def _day_first(different: pl.Series, column: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether 3/4/2011 is in April, from the other dates of the column."""
    first, second = (different.str.extract(_SLASHED, part).cast(pl.Int64).max() for part in (1, 2))
    if not isinstance(first, int) or not isinstance(second, int):
        return False, ()
    if first > 12 >= second:
        return True, ()
    if first <= 12 < second:
        return False, ()
    return False, (f"{column}: 3/4/2011 is read as March 4; write dates as 2011-03-04 to be sure",)
