"""The ridge of a large catalogue, beside the same system solved whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import (
    Solution,
    centred_unit,
    directed_weights,
    largest_of_rows,
    source_gram,
    source_target,
)
from huaxiang.recommend.ridge_by_parts import Parts, directed_parts
from huaxiang.records import Matrix
from recommend.small_shops import training_of, unit_rows

N_ITEMS = 12


def kernel_of(seed: int, n_items: int = N_ITEMS) -> Matrix:
    return centred_unit(unit_rows(np.random.default_rng(seed).normal(size=(n_items, 3)).tolist()))


def both(sequences: list[list[int]], kernel_ID: Matrix, *, n_head: int) -> tuple[Solution, Parts]:
    """Return the system solved whole, and by parts."""
    baskets = baskets_of(histories_of(sequences), len(kernel_ID))
    sums = source_gram(baskets, decay=0.5), source_target(baskets, source_decay=0.5, target_decay=0.3)
    whole = directed_weights(*sums, kernel_ID, diagonal_factor=1.5, ridge=2.0)
    parts = directed_parts(
        *sums, kernel_ID, diagonal_factor=1.5, ridge=2.0, n_head=n_head, n_kept=len(kernel_ID)
    )
    return whole, parts


def dense(parts: Parts) -> Matrix:
    rows_II = parts.sparse_rows(slice(None)).toarray() + parts.left_ID @ parts.right_ID.T
    return np.asarray(rows_II)


sequences = st.lists(st.lists(st.integers(0, N_ITEMS - 1), min_size=1, max_size=7), min_size=1, max_size=8)


@settings(max_examples=40)
@given(sequences, st.integers(0, 100))
def test_with_everything_in_the_head_it_is_the_whole_system(items: list[list[int]], seed: int) -> None:
    whole, parts = both(items, kernel_of(seed), n_head=N_ITEMS)
    np.testing.assert_allclose(dense(parts), whole.weights_II, atol=2e-5)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(3, N_ITEMS - 1), st.permutations([0, 1, 2])), min_size=4, max_size=20))
def test_a_tail_that_never_meets_is_solved_exactly(rounds: list[tuple[int, list[int]]]) -> None:
    popular = [[0, 1, 2, 0, 1, 2]] * 30
    items = popular + [[first, seldom, second, third] for seldom, (first, second, third) in rounds]
    whole, parts = both(items, kernel_of(1), n_head=3)
    np.testing.assert_allclose(dense(parts), whole.weights_II, atol=2e-5)


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, N_ITEMS - 1))
def test_a_tail_that_meets_often_leaves_weights_of_the_same_size(seed: int, n_head: int) -> None:
    rng = np.random.default_rng(seed)
    items = [rng.permutation(N_ITEMS)[:6].tolist() for _ in range(100)]
    whole, parts = both(items, kernel_of(seed), n_head=n_head)
    found = dense(parts)
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) < 1.2 * np.linalg.norm(whole.weights_II)


def test_the_largest_weights_are_those_of_the_dense_rows() -> None:
    rng = np.random.default_rng(0)
    items = [rng.permutation(N_ITEMS)[:4].tolist() for _ in range(20)]
    whole, parts = both(items, kernel_of(2), n_head=N_ITEMS)
    told: list[tuple[int, int]] = []
    found = parts.largest(N_ITEMS, tell=lambda done, total: told.append((done, total)))
    np.testing.assert_allclose(found.toarray(), whole.weights_II, atol=2e-5)
    three = parts.largest(3, tell=lambda *_: None)
    np.testing.assert_allclose(
        three.toarray(), largest_of_rows(whole.weights_II.astype("f"), 3).toarray(), atol=2e-5
    )
    assert told[-1] == (N_ITEMS, N_ITEMS)


def test_many_items_are_searched_in_cells() -> None:
    n_items, rng = 20_000, np.random.default_rng(0)
    centres = rng.normal(size=(200, 8)).astype("f")
    looks = (centres[np.arange(n_items) % 200] + 0.1 * rng.normal(size=(n_items, 8))).astype("f")
    training = training_of([[0, 200, 400]] * 3, n_items=n_items, fused=unit_rows(looks.tolist()))
    model = ClosedForm(Config(n_exact=1, n_head=50, n_kept=20)).fit(training)
    scores_I = model.score(histories_of([[7]]))[0]
    best = np.argsort(-scores_I)[:10]
    assert set(best % 200) == {7}


@pytest.mark.parametrize("zero_diagonal", [False, True])
def test_a_shop_larger_than_what_is_solved_exactly_is_fitted_all_the_same(zero_diagonal: bool) -> None:
    rng = np.random.default_rng(3)
    ring = [[(start + step) % N_ITEMS for step in range(4)] for start in rng.integers(N_ITEMS, size=200)]
    training = training_of(ring, n_items=N_ITEMS, fused=kernel_of(0))
    exact, parts = (
        ClosedForm(Config(n_head=n, ridge=5, zero_diagonal=zero_diagonal)).fit(training) for n in (N_ITEMS, 7)
    )
    asked = histories_of([[3, 4], [9]])
    assert parts.score(asked).argmax(axis=1).tolist() == exact.score(asked).argmax(axis=1).tolist() == [5, 10]
    weights_II = parts.weights_II
    assert weights_II is not None
    assert not zero_diagonal or not weights_II.diagonal().any()


def test_a_shop_without_events_is_read_by_its_texts() -> None:
    training = training_of([[]], n_items=N_ITEMS, fused=unit_rows([[1, 0]] * 6 + [[0, 1]] * 6))
    scores_I = ClosedForm(Config(n_exact=1, n_head=4)).fit(training).score(histories_of([[0]]))[0]
    assert scores_I[:6].min() > scores_I[6:].max()


def test_a_large_shop_without_texts_is_fitted_by_what_was_done() -> None:
    training = training_of([[0, 1], [2, 3]] * 20, n_items=N_ITEMS, fused=kernel_of(0))
    model = ClosedForm(Config(n_exact=1, n_head=3, ridge=1, text_weight=0)).fit(training)
    assert model.score(histories_of([[0], [2]])).argmax(axis=1).tolist() == [1, 3]
