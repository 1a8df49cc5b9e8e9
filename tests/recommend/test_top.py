"""The best of each row, and the place of what was wanted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import InputError
from huaxiang.recommend.base import NO_ITEM, Histories
from huaxiang.recommend.histories import histories_of, leave_last_out
from huaxiang.recommend.top import BLOCK, target_ranks, top_items, top_rows
from huaxiang.records import Matrix


def rising(histories: Histories) -> Matrix:
    """Return scores by which item 4 is the best for everybody."""
    return np.tile(np.arange(5, dtype=np.float32), (histories.n_shoppers, 1))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(1, 15))
def test_top_is_the_front_of_a_stable_sort(scores: list[int], k: int) -> None:
    found = top_rows(np.array([scores], dtype=np.float32), k)
    expected = sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]
    assert found.item_rows[0, : len(expected)].tolist() == expected
    assert found.item_rows.shape == (1, k)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1, 3, 50, 10_000]))
def test_many_items_are_ranked_as_few_are(seed: int, k: int, n_values: int) -> None:
    rng = np.random.default_rng(seed)
    scores_UI = rng.integers(n_values, size=(5, 150)).astype(np.float32)
    scores_UI[rng.random(scores_UI.shape) < rng.choice([0.0, 0.5, 1.0], size=(5, 1))] = -np.inf
    found = top_rows(scores_UI, k)
    for scores_I, rows_K, best_K in zip(scores_UI, found.item_rows, found.scores, strict=True):
        expected = [row for row in np.argsort(-scores_I, kind="stable")[:k] if scores_I[row] > -np.inf]
        assert rows_K.tolist() == expected + [NO_ITEM] * (k - len(expected))
        assert best_K[: len(expected)].tolist() == scores_I[expected].tolist()


@pytest.mark.parametrize("n_items", [12, 150])
def test_what_is_no_number_is_not_listed_and_moves_nobody_elses_list(n_items: int) -> None:
    rng = np.random.default_rng(0)
    scores_UI = rng.random((4, n_items)).astype(np.float32)
    scores_UI[1, rng.permutation(n_items)[: n_items // 2]] = np.nan
    scores_UI[2] = np.nan
    found = top_rows(scores_UI, 3).item_rows
    for row in (0, 1, 3):
        assert found[row].tolist() == np.argsort(-np.nan_to_num(scores_UI[row], nan=-1.0))[:3].tolist()
    assert (found[2] == NO_ITEM).all()


def test_what_was_had_is_not_listed_where_told_so() -> None:
    top = top_items(rising, histories_of([[4, 2], [0]]), k=2, exclude_had=True)
    assert top.item_rows.tolist() == [[3, 1], [4, 3]]


def test_had_may_be_longer_than_the_history() -> None:
    top = top_items(rising, histories_of([[0]]), k=2, exclude_had=True, had=histories_of([[4, 3, 0]]))
    assert top.item_rows.tolist() == [[2, 1]]


def test_items_that_may_not_be_listed_leave_places_empty() -> None:
    allowed = np.array([True, False, False, False, False])
    assert top_items(rising, histories_of([[1]]), k=2, allowed_I=allowed).item_rows.tolist() == [[0, -1]]


def test_blocks_make_no_difference() -> None:
    many = histories_of([[row % 5] for row in range(BLOCK + 3)])
    top = top_items(rising, many, k=1, exclude_had=True)
    assert top.item_rows[:, 0].tolist() == [3 if row % 5 == 4 else 4 for row in range(BLOCK + 3)]


def test_place_of_the_target_counts_ties_half() -> None:
    targets = leave_last_out(histories_of([[4, 3], [0, 1]]))
    assert target_ranks(rising, targets).tolist() == [1, 3]
    assert target_ranks(rising, targets, exclude_had=True).tolist() == [0, 3]
    assert target_ranks(lambda h: np.zeros((h.n_shoppers, 5), "f"), targets).tolist() == [2, 2]


def test_no_places_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one place"):
        top_items(rising, histories_of([[0]]), k=0)
