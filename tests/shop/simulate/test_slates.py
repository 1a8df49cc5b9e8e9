"""Propensities are the chances they claim to be."""

import numpy as np

from huaxiang.shop.simulate.slates import draw_slate, examination


def test_first_place_is_drawn_in_proportion_to_the_weights() -> None:
    rng = np.random.default_rng(0)
    log_weights = np.log([1.0, 2.0, 5.0])
    firsts = [int(draw_slate(log_weights, 1, rng=rng)[0][0]) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(firsts) / 4000, [0.125, 0.25, 0.625], atol=0.025)


def test_a_propensity_is_the_share_of_what_is_left() -> None:
    weights = np.array([1.0, 2.0, 5.0, 8.0])
    items, chances = draw_slate(np.log(weights), 4, rng=np.random.default_rng(3))
    left = [weights[items[place:]].sum() for place in range(4)]
    np.testing.assert_allclose(chances, weights[items] / left)


def test_nothing_impossible_is_listed() -> None:
    items, chances = draw_slate(np.array([-np.inf, 0.0, -np.inf]), 3, rng=np.random.default_rng(0))
    assert items.tolist() == [1] and chances.tolist() == [1.0]


def test_an_empty_shop_lists_nothing() -> None:
    items, chances = draw_slate(np.full(3, -np.inf), 2, rng=np.random.default_rng(0))
    assert len(items) == len(chances) == 0


def test_lower_places_are_looked_at_less() -> None:
    looks = examination(8, 0.6)
    assert looks[0] == 1 and (np.diff(looks) < 0).all()
