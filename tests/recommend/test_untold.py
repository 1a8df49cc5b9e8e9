"""Taking a shopper's newest moments out of a model leaves what a fit without them would have made."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.neighbours import Config as NeighboursConfig
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.untold import Moments, closed_rows_before, neighbour_rows_before
from recommend.small_shops import training_of, unit_rows

N_ITEMS = 6
OTHERS = [[0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4], [2, 4, 0], [3, 5, 1], [4, 2, 0, 1]]
LOOKS = unit_rows(np.random.default_rng(0).normal(size=(N_ITEMS, 4)).tolist())
stories = st.lists(st.integers(0, N_ITEMS - 1), min_size=2, max_size=7)
OWN_WAYS = ClosedFormConfig(ridge=3, text_weight=2, diagonal_factor=1, n_kept=N_ITEMS)


def shop(own: list[int]) -> TrainingData:
    return training_of([*OTHERS, own], n_items=N_ITEMS, fused=LOOKS)


def moments_of(own: list[int]) -> Moments:
    items = np.unique(own)
    weights = (np.array(own)[:, None] == items[None, :]).astype(float)
    return Moments(item_rows=items.astype(np.int64), weights_MN=weights)


@settings(deadline=None)
@given(stories, st.data())
def test_the_closed_form_is_the_one_fitted_without_the_newest_moments(
    own: list[int], data: st.DataObject
) -> None:
    p = data.draw(st.integers(1, len(own) - 1))
    solution = ClosedForm(OWN_WAYS).fit_whole(shop(own))
    expected = ClosedForm(OWN_WAYS).fit_whole(shop(own[:p]))
    assert solution is not None and expected is not None
    rows = np.arange(N_ITEMS)
    found = closed_rows_before(
        solution,
        rows,
        rows,
        moments_of(own),
        p,
        decays=(OWN_WAYS.source_decay, OWN_WAYS.target_decay),
    )
    np.testing.assert_allclose(found, expected.weights_II, atol=2e-4)


@settings(deadline=None)
@given(stories, st.data(), st.sampled_from([0.0, 0.5, 1.0]))
def test_neighbours_are_those_counted_without_the_newest_moments(
    own: list[int], data: st.DataObject, target_exponent: float
) -> None:
    p = data.draw(st.integers(1, len(own) - 1))
    config = NeighboursConfig(source_exponent=0, target_exponent=target_exponent)
    before, whole = (Neighbours(config).fit(shop(told)) for told in (own[:p], own))
    rows = np.arange(N_ITEMS)
    alone = histories_of([[row] for row in range(N_ITEMS)])
    found = neighbour_rows_before(whole, rows, rows, whole.score(alone), moments_of(own), p)
    np.testing.assert_allclose(found, before.score(alone), atol=1e-5)


def test_what_is_left_over_of_a_difference_is_nothing() -> None:
    """Else the answers would be known by a residue of 1e-8, which no other item has."""
    own = [0, 1, 2, 3, 4, 5]
    config = NeighboursConfig(source_exponent=0, target_exponent=0)
    alone_in_shop = replace(shop(own), histories=histories_of([own]))
    whole = Neighbours(config).fit(alone_in_shop)
    rows, alone = np.arange(N_ITEMS), histories_of([[row] for row in range(N_ITEMS)])
    found = neighbour_rows_before(whole, rows, rows, whole.score(alone), moments_of(own), 3)
    np.testing.assert_array_equal(found[:, 3:], 0)
