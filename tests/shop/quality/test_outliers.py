"""Numbers far from the others are found, and the scale is not stretched by them."""

from __future__ import annotations

import numpy as np

from huaxiang.shop.quality.outliers import far_lengths, far_numbers, robust_z


def test_equal_numbers_are_never_far() -> None:
    assert robust_z(np.full(5, 3.0)).tolist() == [0] * 5


def test_one_other_among_equal_ones_has_a_scale() -> None:
    assert np.isfinite(robust_z(np.array([1.0] * 9 + [2.0]))).all()


def test_prices_are_compared_by_their_logarithms() -> None:
    prices = np.concatenate([np.geomspace(1, 1000, 200), [0.0, 1e9]])
    assert np.flatnonzero(far_numbers(prices, limit=6)).tolist() == [200, 201]


def test_missing_numbers_are_not_far() -> None:
    assert far_numbers(np.array([np.nan, 1, 2, 3, np.nan]), limit=6).tolist() == [0] * 5
    assert far_numbers(np.full(3, np.nan), limit=6).tolist() == [0] * 3


def test_a_huge_text_is_far() -> None:
    assert np.flatnonzero(far_lengths(np.array([30, 40, 50, 0, 10**6]), limit=6)).tolist() == [4]
