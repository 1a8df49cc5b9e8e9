"""The catalogue is complete, and its variants differ in the colour alone."""

import numpy as np
import pytest

from huaxiang.shop.simulate.products import Products, draw_products, price_bands
from huaxiang.shop.simulate.settings import Config
from huaxiang.shop.simulate.vocabulary import vocabulary


@pytest.fixture(scope="module")
def products() -> Products:
    return draw_products(Config(n_items=300), vocabulary(), rng=np.random.default_rng(1))


@pytest.mark.parametrize("n_items", [40, 41, 300])
def test_there_are_exactly_as_many_items_as_asked(n_items: int) -> None:
    drawn = draw_products(Config(n_items=n_items), vocabulary(), rng=np.random.default_rng(1))
    assert drawn.n_items == n_items == len(set(drawn.item_ids))


def test_every_category_is_sold(products: Products) -> None:
    assert (products.shares("category") > 0).all()


def test_variants_differ_in_colour_alone(products: Products) -> None:
    for group in range(len(products.quality_G)):
        rows = products.items_of_group(group)
        for dimension in ("category", "brand", "material", "style", "price_band"):
            assert len(set(products.values[dimension][rows].tolist())) == 1
        assert len(set(products.values["colour"][rows].tolist())) == len(rows)


def test_companions_are_of_kinds_that_a_product_leads_to(products: Products) -> None:
    kinds = vocabulary().kinds
    of_group = products.values["category"][
        np.searchsorted(products.group_rows, np.arange(len(products.quality_G)))
    ]
    for group, companions in enumerate(products.companions_GC):
        assert {kinds[row].value for row in of_group[companions]} <= set(kinds[of_group[group]].leads_to)


def test_price_bands_are_quarters_of_a_category() -> None:
    prices, categories = np.arange(100, 140), np.repeat([0, 1], 20)
    assert np.bincount(price_bands(prices, categories)).tolist() == [10, 10, 10, 10]
