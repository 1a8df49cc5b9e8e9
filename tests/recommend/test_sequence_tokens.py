"""Windows, gaps and targets, written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.sequence_tokens import (
    N_GAPS,
    all_windows,
    gap_buckets,
    newest_windows,
    targets_from,
    targets_of,
    tokens_of,
)
from huaxiang.records import EventType

BUY, DISLIKE = EventType.PURCHASE.code, EventType.DISLIKE.code


def test_a_batch_is_padded_at_the_end() -> None:
    histories = histories_of([[3, 1], [2]])
    tokens = tokens_of(histories, newest_windows(histories, 5), gap_buckets(histories))
    assert tokens.item_rows.tolist() == [[3, 1], [2, -1]]
    assert tokens.types.tolist() == [[BUY, BUY], [BUY, 0]]
    assert tokens.lengths.tolist() == [2, 1]


def test_a_batch_without_events_still_has_a_column() -> None:
    histories = histories_of([[], []])
    tokens = tokens_of(histories, newest_windows(histories, 5), gap_buckets(histories))
    assert tokens.item_rows.tolist() == [[-1], [-1]] and tokens.lengths.tolist() == [0, 0]


@given(st.lists(st.lists(st.integers(0, 5), max_size=12), max_size=6), st.integers(1, 5))
def test_windows_hold_every_event_once_and_end_with_the_newest(items: list[list[int]], size: int) -> None:
    histories = histories_of(items)
    windows = all_windows(histories, size)
    held = [
        event for first, end in zip(windows.starts, windows.ends, strict=True) for event in range(first, end)
    ]
    assert held == list(range(sum(map(len, items))))
    assert windows.lengths.max(initial=0) <= size
    assert set(histories.offsets[1:][histories.lengths() > 0]) <= set(windows.ends)


def test_each_event_is_foretold_once_and_a_window_also_foretells_what_follows_it() -> None:
    histories = histories_of([[4, 5, 6], [7]])
    items_NT, _ = targets_of(all_windows(histories, 2), histories.offsets, *targets_from(histories))
    assert items_NT.tolist() == [[4, 5, -1], [5, 6, -1], [7, -1, -1]]


def test_a_dislike_is_passed_over_as_a_target() -> None:
    items, weights = targets_from(histories_of([[4, 5, 6, 7]], types=[[BUY, DISLIKE, BUY, DISLIKE]]))
    assert items.tolist() == [4, 6, 6, -1] and weights.tolist() == [1, 1, 1, 0]


def test_the_next_shopper_is_no_target() -> None:
    items, _ = targets_from(histories_of([[4, 5], [6]], types=[[BUY, DISLIKE], [BUY]]))
    assert items.tolist() == [4, -1, 6]


def test_gaps_start_over_with_each_shopper_and_end_in_the_last_bucket() -> None:
    histories = histories_of([[1, 2], [3, 4, 5]], occurred_ms=[[0, 10**14], [5, 5, 4]])
    assert gap_buckets(histories).tolist() == [0, N_GAPS - 1, 0, 1, 1]


def test_gaps_are_unknown_where_only_an_order_is_known() -> None:
    assert not np.any(gap_buckets(histories_of([[1, 2, 3]])))
