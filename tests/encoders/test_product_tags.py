from __future__ import annotations

import numpy as np
import pytest

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.product_tags import Likely, fused, product_tags, zero_shot
from huaxiang.errors import EncoderError, SettingsError

PLACES = {"what": ["shoes", "dress", "phone"]}


def encoded(vectors: object) -> Encoded:
    made = np.array(vectors, np.float32)
    return Encoded(vectors_ID=made, present_I=made.any(1))


def test_an_item_between_all_words_gets_no_tag() -> None:
    items = encoded([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3] * 3])
    tags = product_tags(zero_shot(items, PLACES, {"what": np.eye(3, dtype="f")}))
    assert [(tag.item_row, tag.value) for tag in tags] == [(0, "shoes"), (1, "dress"), (2, "phone")]


def test_an_item_without_a_vector_gets_no_tag() -> None:
    items = encoded([[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert {
        tag.item_row for tag in product_tags(zero_shot(items, PLACES, {"what": np.eye(3, dtype="f")}))
    } == {0, 2}


def test_more_certainty_asks_for_fewer_tags() -> None:
    rng = np.random.default_rng(0)
    items, words = encoded(rng.normal(size=(50, 3))), {"what": np.eye(3, dtype="f")}
    near = zero_shot(items, PLACES, words, sharpness=2)
    counts = [len(product_tags(near, least=least)) for least in (0.0, 0.5, 0.9)]
    assert counts[0] == 50 > counts[1] > counts[2]


def test_words_of_another_space_are_refused() -> None:
    with pytest.raises(EncoderError, match="words and items lie in different spaces"):
        zero_shot(encoded([[1, 0, 0]]), PLACES, {"what": np.eye(4, dtype="f")[:3]})


def test_one_value_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="too few values: what 'shoes'"):
        zero_shot(encoded([[1, 0]]), {"what": ["shoes"]}, {"what": np.eye(2, dtype="f")[:1]})


@pytest.mark.parametrize(
    ("titles", "values"),
    [
        (["trail running sneakers", "evening gown with lace", "android handset 128 GB"], PLACES["what"]),
        (["跑步鞋 男", "碎花连衣裙", "智能手机 128G"], ["鞋", "连衣裙", "手机"]),
    ],
    ids=["en", "zh"],
)
def test_titles_find_their_words_without_training(
    titles: list[str], values: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    encoder = text_encoder("default", cache_folder=tmp_path_factory.getbasetemp().parent / "cache")
    words = {"what": encoder.encode(values).vectors_ID}
    tags = product_tags(zero_shot(encoder.encode(titles), {"what": values}, words))
    assert [tag.value for tag in tags] == values


def said(*shares: list[float], values: tuple[str, ...] = ("red", "blue"), **more: bool) -> Likely:
    told = np.array(shares, np.float32)
    return Likely(values=values, shares_IV=told, present_I=told.any(1), **more)


def test_photo_and_text_together_are_surer_and_each_helps_where_the_other_is_silent() -> None:
    photo, text = said([0.6, 0.4], [0.9, 0.1], [0, 0]), said([0.7, 0.3], [0, 0], [0.2, 0.8])
    both = fused(photo, text)
    np.testing.assert_allclose(both.shares_IV.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(both.shares_IV[1:], [[0.9, 0.1], [0.2, 0.8]], rtol=1e-5)
    odds = (0.6 / 0.4 * 0.7 / 0.3) ** 0.5
    assert both.shares_IV[0, 0] / both.shares_IV[0, 1] == pytest.approx(odds, rel=1e-4)
    assert both.present_I.all()


@pytest.mark.parametrize(("photo_weight", "winner"), [(0.0, "blue"), (1.0, "red")])
def test_the_weight_says_whom_to_believe(photo_weight: float, winner: str) -> None:
    both = fused(said([0.9, 0.1]), said([0.1, 0.9]), photo_weight=photo_weight)
    (tag,) = product_tags({"colour": both})
    assert (tag.value, tag.confidence) == (winner, 0.9)


def test_a_product_may_have_several_values_where_that_is_no_choice() -> None:
    several = said([0.7, 0.6], [0.2, 0.9], is_choice=False)
    assert [(tag.item_row, tag.value) for tag in product_tags({"colour": several})] == [
        *((0, "red"), (0, "blue")),
        (1, "blue"),
    ]
    with pytest.raises(SettingsError, match="one value"):
        fused(several, said([0.7, 0.3], [0.7, 0.3]))
