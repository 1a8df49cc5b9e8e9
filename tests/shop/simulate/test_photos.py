"""Photos show the kind, the colour, the style and the material, and are the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from huaxiang.shop.simulate.pen import Pen, rounded
from huaxiang.shop.simulate.photos import SHAPES, draw_photo
from huaxiang.shop.simulate.products import Products, draw_products
from huaxiang.shop.simulate.settings import Config
from huaxiang.shop.simulate.vocabulary import vocabulary

WORDS = vocabulary()


@pytest.fixture(scope="module")
def products() -> Products:
    return draw_products(Config(n_items=40), WORDS, rng=np.random.default_rng(1))


def photo(products: Products, **values: str) -> np.ndarray:
    """The photo of item 0, were it of these values; everything random is fixed."""
    rows = {d: np.array([products.names[d].index(v)] * products.n_items) for d, v in values.items()}
    shade = [shade.colour for shade in WORDS.shades].index(values["colour"])
    other = replace(products, values={**products.values, **rows}, shade_rows=np.full(products.n_items, shade))
    return np.asarray(draw_photo(other, 0, pixels=64, rng=np.random.default_rng(5)), dtype=float)


PLAIN = {"category": "t-shirt", "colour": "red", "style": "minimalist", "material": "cotton"}


@pytest.mark.parametrize("category", sorted(SHAPES))
def test_every_kind_fills_its_photo(category: str, products: Products) -> None:
    pen = Pen(64)
    SHAPES[category](pen)
    covered = np.max([layer.mask for layer in pen.layers], axis=0)
    assert 0.12 < covered.mean() < 0.75
    assert photo(products, **{**PLAIN, "category": category}).shape == (64, 64, 3)


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_the_middle_of_the_photo_has_the_colour(colour: str, channel: int, products: Products) -> None:
    middle = photo(products, **{**PLAIN, "colour": colour})[28:40, 28:36].mean(axis=(0, 1))
    assert middle.argmax() == channel


@pytest.mark.parametrize(
    "other", [{"category": "mug"}, {"colour": "blue"}, {"style": "vintage"}, {"material": "wicker"}], ids=str
)
def test_every_attribute_can_be_seen(other: dict[str, str], products: Products) -> None:
    assert np.abs(photo(products, **PLAIN) - photo(products, **{**PLAIN, **other})).mean() > 3


def test_the_same_seed_gives_the_same_photo(products: Products) -> None:
    assert np.array_equal(photo(products, **PLAIN), photo(products, **PLAIN))


def test_a_point_given_twice_is_a_corner() -> None:
    curve = rounded([(0, 0), (0, 0), (10, 0), (10, 10), (0, 10)])
    assert min(x for x, _ in curve) > -1.0 and (0.0, 0.0) in curve
