"""What a search is narrowed to, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

from boutique import CATALOGUE
from huaxiang.errors import InputError
from huaxiang.search.filters import Filters, allowed, counts, narrowed


def rows(*said: str, **more: object) -> list[int]:
    return np.flatnonzero(allowed(CATALOGUE, narrowed(said, **more))).tolist()  # type: ignore[arg-type]


def test_values_of_one_dimension_are_alternatives_and_dimensions_are_not() -> None:
    assert rows("colour=red", "colour=blue", "category=boots") == [6]
    assert rows("category=dresses") == [0, 1, 2]


def test_a_value_may_be_named_in_any_language_and_case() -> None:
    assert rows("brand=耐克") == rows("brand=NIKE") == [0, 3, 4, 6]


@pytest.mark.parametrize(
    ("said", "remedy"),
    [("colur=red", "choose one of"), ("colour=rde", "the nearest is red"), ("red", "dimension=value")],
)
def test_an_unknown_filter_names_the_nearest(said: str, remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        rows(said)


def test_prices_are_in_whole_units_of_the_currency() -> None:
    assert rows(price_max=9.99, currency="CNY") == []
    assert len(rows(price_max=10, currency="CNY")) == 8


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(price: float) -> None:
    with pytest.raises(InputError, match="not a price"):
        narrowed([], price_min=price)


def test_prices_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(InputError, match="no price lies between"):
        Filters(values={}, min_minor=2, max_minor=1)


def test_counts_say_how_many_of_what_was_found_have_a_value() -> None:
    found = {(one.dimension, one.value): one.n_items for one in counts(CATALOGUE, np.array([0, 3, 6]))}
    assert found["colour", "red"] == 3
    assert found["colour", "black"] == 1
    assert ("colour", "blue") not in found
