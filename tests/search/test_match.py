"""Relevance, what a shopper changes of it, and what nobody may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.recommend.similar import SimilarItems
from huaxiang.search.match import Asked, Config, Found, Sight, found_items, one_of_each, personal_order, worth

ALL = np.ones(4, dtype=bool)
VECTORS = np.eye(4, dtype=np.float32)
scores = st.lists(st.floats(0.0625, 1, width=32), min_size=1, max_size=12)


def sight(*along: float) -> Sight:
    vector = np.array(along, dtype=np.float32)
    return Sight(vector=vector / np.linalg.norm(vector), index=SimilarItems.of(VECTORS), vectors_ID=VECTORS)


def test_words_and_meaning_add_up_by_their_weights() -> None:
    asked = Asked(lexical_I=np.array([0.8, 0, 0, 0], "f"), words=sight(0.6, 0.8, 0, 0))
    found = found_items(asked, ALL, Config(lexical_weight=0.25, keep_share=0.1))
    assert found.rows.tolist() == [0, 1]
    np.testing.assert_allclose(found.relevance, [0.25 * 0.8 + 0.75 * 0.6, 0.75 * 0.8], rtol=1e-5)


def test_what_may_not_be_listed_is_not_found_however_near() -> None:
    allowed = np.array([False, True, True, True])
    found = found_items(Asked(photo=sight(1, 0.2, 0, 0)), allowed, Config())
    assert found.rows.tolist() == [1]


def test_a_list_ends_where_relevance_does() -> None:
    asked = Asked(lexical_I=np.array([1, 0.6, 0.4, 0], "f"))
    assert found_items(asked, ALL, Config(keep_share=0.5)).rows.tolist() == [0, 1]
    assert found_items(asked, ALL, Config(keep_share=0.0)).rows.tolist() == [0, 1, 2]


def test_a_value_that_is_named_lifts_what_has_it() -> None:
    asked = Asked(lexical_I=np.array([0.5, 0.5, 0, 0], "f"), value_share_I=np.array([0, 1, 0, 0], "f"))
    assert found_items(asked, ALL, Config()).rows.tolist() == [1, 0]


@given(scores, st.data())
def test_nobody_moves_what_is_named_outright(relevance: list[float], data: st.DataObject) -> None:
    n = len(relevance)
    fit = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=n, max_size=n)), "f")
    is_exact = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    found = Found(rows=np.arange(n), relevance=np.sort(np.array(relevance, "f"))[::-1])
    order = personal_order(found, worth(found, fit, strength=0.3), is_exact).tolist()
    exact = np.flatnonzero(is_exact).tolist()
    assert sorted(order) == list(range(n))
    assert sorted(order[: len(exact)]) == exact
    assert (np.diff(found.relevance[order[: len(exact)]]) <= 0).all()


@given(scores)
def test_who_fits_nothing_in_particular_gets_everybodys_order(relevance: list[float]) -> None:
    found = Found(rows=np.arange(len(relevance)), relevance=np.sort(np.array(relevance, "f"))[::-1])
    same = np.ones(len(relevance), "f")
    order = personal_order(found, worth(found, same, strength=0.3), np.zeros(len(same), bool))
    assert order.tolist() == list(range(len(same)))


@given(scores, st.floats(0.01, 10), st.data())
def test_what_has_half_of_the_words_more_is_above_whatever_fits_better(
    relevance: list[float], strength: float, data: st.DataObject
) -> None:
    n = len(relevance)
    fit = np.array(data.draw(st.lists(st.floats(-9, 9), min_size=n, max_size=n)), "f")
    covered = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=n, max_size=n)), "f")
    found = Found(rows=np.arange(n), relevance=np.full(n, 0.5, "f"))
    worth_N = worth(found, fit, strength=strength, covered_N=covered)
    assert (np.diff(covered[personal_order(found, worth_N, np.zeros(n, bool))]) <= 0).all()


def test_one_variant_of_each_product_is_listed() -> None:
    assert one_of_each(np.array([3, 1, 2, 0]), np.array([7, 8, 7, 8])).tolist() == [0, 2]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="weights and shares"):
        Config(lexical_weight=1.5)
