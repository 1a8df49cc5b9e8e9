"""Vectors of many shoppers at once are those of their profiles; a run keeps what they are measured by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import UnknownShopperError
from huaxiang.model import Model, load


def test_vectors_at_once_are_those_of_the_profiles(small_model: Model) -> None:
    vectors = small_model.representations(["s-3", "s-0"])
    assert vectors.shape == (2, 512) and vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[1], small_model.profile("s-0").vector)
    assert len(small_model.representations()) == len(small_model.states.table())


def test_a_run_keeps_what_vectors_are_measured_against(small_model: Model, small_run: Path) -> None:
    assert small_model.reference.categories and small_model.reference.factors_IF.any()
    np.testing.assert_array_equal(
        load(small_run).representations(["s-1"]), small_model.representations(["s-1"])
    )


def test_an_unknown_shopper_is_an_error_and_nobody_is_none(small_model: Model) -> None:
    with pytest.raises(UnknownShopperError):
        small_model.representations(["nobody"])
    assert small_model.representations([]).shape == (0, 512)
