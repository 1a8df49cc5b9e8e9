from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import ClockError, SettingsError
from huaxiang.shop.splits import Split, by_shopper, by_time, leave_one_out

START = datetime(2025, 1, 1, tzinfo=UTC)


def events(shoppers: str, types: list[int] | None = None) -> pl.DataFrame:
    """One event a day, by the shopper of each letter."""
    return pl.DataFrame(
        {
            "shopper_id": list(shoppers),
            "type": types or [8] * len(shoppers),
            "item_row": list(range(len(shoppers))),
            "occurred_at": [START + timedelta(days=day) for day in range(len(shoppers))],
        }
    )


def rows(split: Split) -> list[list[int]]:
    return [part["item_row"].to_list() for part in (split.train, split.validation, split.test)]


def test_the_last_item_is_test_and_the_one_before_is_validation() -> None:
    assert rows(leave_one_out(events("abaabb"))) == [[0, 1], [2, 4], [3, 5]]


def test_short_histories_stay_in_training() -> None:
    assert rows(leave_one_out(events("aabbb"))) == [[0, 1, 2], [3], [4]]


def test_training_never_sees_what_came_after_the_held_out_items() -> None:
    assert rows(leave_one_out(events("aaaaa", [8, 8, 8, 2, 8]))) == [[0, 1], [2, 3], [4]]


def test_a_cut_in_time_divides_before_from_after() -> None:
    split = by_time(events("abc"), START + timedelta(days=2), validation_from=START + timedelta(days=1))
    assert rows(split) == [[0], [1], [2]]


def test_cuts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ClockError, match="time zone"):
        by_time(events("a"), datetime(2025, 1, 1))
    with pytest.raises(ClockError, match="after the test"):
        by_time(events("a"), START, validation_from=START + timedelta(days=1))
    with pytest.raises(ClockError, match="without times"):
        by_time(events("a").with_columns(occurred_at=pl.lit(None, pl.Datetime("ms", "UTC"))), START)
    with pytest.raises(SettingsError):
        by_shopper(events("a"), share=1.5, seed=0)


def test_shoppers_are_drawn_the_same_in_any_order_of_lines() -> None:
    table = events("abcdefghij")
    first = by_shopper(table, share=0.3, seed=3)
    second = by_shopper(table.reverse(), share=0.3, seed=3)
    assert set(first.test["shopper_id"]) == set(second.test["shopper_id"])
    assert len(first.test) == 3


@given(shoppers=st.text(alphabet="abcd", min_size=1, max_size=30), seed=st.integers(0, 9))
def test_every_event_is_in_exactly_one_part(shoppers: str, seed: int) -> None:
    table = events(shoppers)
    cut = START + timedelta(days=5)
    splits = [
        leave_one_out(table),
        by_time(table, cut, validation_from=cut - timedelta(days=2)),
        by_shopper(table, share=0.4, validation_share=0.3, seed=seed),
    ]
    for split in splits:
        assert sorted(sum(rows(split), [])) == list(range(len(shoppers)))
