"""Swapped neighbours: the same items of the same shoppers, nobody further than one place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.evaluate.disturbed import swap_neighbours
from huaxiang.recommend.histories import histories_of

sequences = st.lists(st.lists(st.integers(0, 50), max_size=9), min_size=1, max_size=9)


@given(sequences, st.floats(0, 1), st.integers(0, 99))
def test_items_stay_with_their_shopper_and_move_one_place_at_most(
    items: list[list[int]], share: float, seed: int
) -> None:
    numbered = [[100 * place + item for place, item in enumerate(own)] for own in items]
    before = histories_of(numbered)
    after = swap_neighbours(before, share, seed=seed)
    for start, end in zip(before.offsets[:-1], before.offsets[1:], strict=True):
        places = after.item_rows[start:end] // 100
        assert sorted(after.item_rows[start:end]) == sorted(before.item_rows[start:end])
        assert np.abs(places - np.arange(end - start)).max(initial=0) <= 1
    np.testing.assert_array_equal(after.occurred_ms, before.occurred_ms)


def test_a_share_of_the_pairs_changes_places() -> None:
    before = histories_of([list(range(40)) for _ in range(500)])
    swapped = swap_neighbours(before, 0.5, seed=3)
    moved = (swapped.item_rows != before.item_rows).mean()
    assert 0.45 < moved < 0.53
    np.testing.assert_array_equal(swapped.item_rows, swap_neighbours(before, 0.5, seed=3).item_rows)
    np.testing.assert_array_equal(swap_neighbours(before, 0.0, seed=3).item_rows, before.item_rows)
