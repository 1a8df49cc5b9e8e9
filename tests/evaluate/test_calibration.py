from __future__ import annotations

import numpy as np
import pytest

from boutique import CATALOGUE
from huaxiang.evaluate.calibration import list_calibration
from huaxiang.evaluate.measure import measurement
from huaxiang.recommend.base import Targets
from huaxiang.recommend.histories import histories_of

CATEGORY = CATALOGUE.dimensions["category"]
HAD = histories_of([[0, 1]])


def listing(*item_rows: int) -> float | None:
    targets = Targets(histories=HAD, offsets=np.array([0, 1]), item_rows=np.array([0], np.int32))
    lists = measurement("any", np.array([item_rows], dtype=np.int32), targets)
    return list_calibration(lists, HAD, CATEGORY)


def test_a_list_of_what_the_shopper_had_is_calibrated() -> None:
    assert listing(0, 1, -1) == pytest.approx(0)


def test_a_list_of_one_kind_is_further_off_than_one_of_both() -> None:
    apart, other = (CATEGORY.value_rows[CATEGORY.offsets[row]] for row in (0, 3))
    assert apart != other
    both, one = listing(0, 3), listing(3, 3)
    assert both is not None and one is not None
    assert 0 < both < one


def test_lists_without_items_and_shops_without_categories_have_no_calibration() -> None:
    assert listing(-1, -1) is None
