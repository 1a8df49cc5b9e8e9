"""Tastes are proper, drift once, and pull as stated."""

import numpy as np
import pytest

from huaxiang.shop.simulate.products import Products, draw_products
from huaxiang.shop.simulate.settings import DIMENSIONS, Config
from huaxiang.shop.simulate.tastes import Shoppers, Taste, appeals, draw_shoppers
from huaxiang.shop.simulate.vocabulary import vocabulary

CONFIG = Config(n_shoppers=3000, n_items=60)


@pytest.fixture(scope="module")
def products() -> Products:
    return draw_products(CONFIG, vocabulary(), rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def shoppers(products: Products) -> Shoppers:
    return draw_shoppers(CONFIG, products, rng=np.random.default_rng(2))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_tastes_are_shares_of_what_is_sold(dimension: str, products: Products, shoppers: Shoppers) -> None:
    taste = shoppers.tastes[dimension]
    for shares_UV in (taste.before_UV, taste.after_UV):
        np.testing.assert_allclose(shares_UV.sum(axis=1), 1)
        assert (shares_UV[:, products.shares(dimension) == 0] == 0).all()
    np.testing.assert_allclose(taste.before_UV.mean(axis=0), products.shares(dimension), atol=0.03)


def test_as_many_tastes_drift_as_stated(shoppers: Shoppers) -> None:
    taste = shoppers.tastes["colour"]
    drifts = np.isfinite(taste.changes_on_U)
    assert 0.27 < drifts.mean() < 0.33
    assert (taste.before_UV[~drifts] == taste.after_UV[~drifts]).all()
    assert np.abs(taste.before_UV[drifts] - taste.after_UV[drifts]).sum(axis=1).min() > 0


def test_a_taste_changes_on_its_day() -> None:
    taste = Taste(
        before_UV=np.array([[1.0, 0.0]]), after_UV=np.array([[0.0, 1.0]]), changes_on_U=np.array([30.0])
    )
    assert taste.on(0, 29.9).tolist() == [1.0, 0.0]
    assert taste.on(0, 30.0).tolist() == [0.0, 1.0]


def test_an_average_love_adds_nothing(products: Products) -> None:
    average = products.shares("style")[None, :]
    taste = Taste(before_UV=average, after_UV=average, changes_on_U=np.array([np.inf]))
    before_UV, _ = appeals(taste, CONFIG, products, "style")
    np.testing.assert_allclose(before_UV[0, products.shares("style") > 0], 0, atol=1e-12)


def test_chinese_shoppers_keep_chinese_time(shoppers: Shoppers) -> None:
    assert set(shoppers.offset_minutes[shoppers.is_chinese].tolist()) == {480}
    assert shoppers.language(int(np.flatnonzero(shoppers.is_chinese)[0])) == "zh"
