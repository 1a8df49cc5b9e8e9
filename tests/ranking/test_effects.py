"""Sparse effects of events do what dense matrices do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from huaxiang.ranking.effects import Effects

small = st.integers(-3, 3).map(float)
matrices = arrays(np.float32, (3, 5), elements=small)


@given(dense_EI=matrices, table_II=arrays(np.float32, (5, 5), elements=small))
def test_what_follows_is_the_matrix_product(dense_EI: np.ndarray, table_II: np.ndarray) -> None:
    followed = Effects.of(dense_EI).after(csr_matrix(table_II))
    np.testing.assert_allclose(followed.matrix().toarray(), dense_EI @ table_II)
    np.testing.assert_allclose(followed.sums(), (dense_EI @ table_II).sum(axis=0))


@given(one_EI=matrices, other_EI=matrices)
def test_entries_at_one_place_add_up(one_EI: np.ndarray, other_EI: np.ndarray) -> None:
    both = Effects.joined((Effects.of(one_EI), Effects.of(csr_matrix(other_EI))), (3, 5))
    rows = np.array([4, 0])
    np.testing.assert_allclose(both.at(rows), (one_EI + other_EI)[:, rows])
    np.testing.assert_allclose(both.toward(np.arange(5.0)), (one_EI + other_EI) @ np.arange(5.0))


@given(dense_EI=matrices)
def test_columns_are_scaled_by_their_own_factor(dense_EI: np.ndarray) -> None:
    factor_I = np.arange(5, dtype=np.float32)
    scaled = Effects.of(dense_EI).scaled(factor_I)
    np.testing.assert_allclose(scaled.matrix().toarray(), dense_EI * factor_I)


@pytest.mark.parametrize("n_events", [0, 2])
def test_nothing_adds_nothing(n_events: int) -> None:
    nothing = Effects.joined((), (n_events, 4)).after(csr_matrix((4, 4), dtype=np.float32))
    assert nothing.at(np.array([1])).shape == (n_events, 1)
    assert not nothing.sums().any()
