from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.shop.times import parse_times


def parsed(text: str, *, timezone: str = "UTC") -> datetime | None:
    return parse_times(pl.Series([text]), timezone=timezone, column="t")[0]["occurred_at"][0]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2011-07-01", datetime(2011, 7, 1, tzinfo=UTC)),
        ("2011-07-01 09:05", datetime(2011, 7, 1, 9, 5, tzinfo=UTC)),
        ("2011-07-01T09:05:07.250Z", datetime(2011, 7, 1, 9, 5, 7, 250_000, tzinfo=UTC)),
        ("2011-07-01T09:05:07+0530", datetime(2011, 7, 1, 3, 35, 7, tzinfo=UTC)),
        ("2011/7/1 9:05", datetime(2011, 7, 1, 9, 5, tzinfo=UTC)),
        ("12/31/2010 8:26", datetime(2010, 12, 31, 8, 26, tzinfo=UTC)),
        ("1309510800", datetime(2011, 7, 1, 9, 0, tzinfo=UTC)),
        ("1309510800000", datetime(2011, 7, 1, 9, 0, tzinfo=UTC)),
        ("2011-02-30", None),
        ("2011-07-01 25:00", None),
        ("2011-07-01 and more", None),
        ("12", None),
    ],
)
def test_times_as_files_write_them(written: str, moment: datetime | None) -> None:
    assert parsed(written) == moment


def test_an_hour_that_summer_time_left_out_is_read_as_the_next() -> None:
    assert parsed("2011-03-27 01:30", timezone="Europe/London") == datetime(2011, 3, 27, 1, 30, tzinfo=UTC)


def test_slashed_dates_are_told_apart_by_the_others_of_the_column() -> None:
    table, guesses = parse_times(pl.Series(["3/4/2011", "25/4/2011"]), timezone="UTC", column="t")
    assert table["occurred_at"].dt.month().to_list() == [4, 4]
    assert guesses == ()
    assert parse_times(pl.Series(["3/4/2011"]), timezone="UTC", column="t")[1]


@given(
    moment=st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),
    minutes=st.integers(-12 * 60, 14 * 60),
)
def test_iso_times_with_an_offset_come_back_as_they_went(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    sign, left = "-" if minutes < 0 else "+", abs(minutes)
    written = f"{moment.isoformat(timespec='milliseconds')}{sign}{left // 60:02}:{left % 60:02}"
    table, _ = parse_times(pl.Series([written]), timezone="Asia/Shanghai", column="t")
    assert table["occurred_at"][0] == moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert table["offset_minutes"][0] == minutes
