from __future__ import annotations

import numpy as np
import pytest

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.named import text_encoder
from huaxiang.encoders.product_tags import ZeroShotConfig, zero_shot_tags
from huaxiang.errors import EncoderError, SettingsError

PLACES = {"what": ["shoes", "dress", "phone"]}


def encoded(vectors: object) -> Encoded:
    made = np.array(vectors, np.float32)
    return Encoded(vectors_ID=made, present_I=made.any(1))


def test_an_item_between_all_words_gets_no_tag() -> None:
    items = encoded([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3] * 3])
    tags = zero_shot_tags(items, PLACES, {"what": np.eye(3, dtype="f")})
    assert [(tag.item_row, tag.value) for tag in tags] == [(0, "shoes"), (1, "dress"), (2, "phone")]


def test_an_item_without_a_vector_gets_no_tag() -> None:
    items = encoded([[1, 0, 0], [0, 0, 0], [0, 1, 0]])
    assert {tag.item_row for tag in zero_shot_tags(items, PLACES, {"what": np.eye(3, dtype="f")})} == {0, 2}


def test_more_certainty_asks_for_fewer_tags() -> None:
    rng = np.random.default_rng(0)
    items, words = encoded(rng.normal(size=(50, 3))), {"what": np.eye(3, dtype="f")}
    counts = [
        len(zero_shot_tags(items, PLACES, words, config=ZeroShotConfig(sharpness=2, least_confidence=least)))
        for least in (0.0, 0.5, 0.9)
    ]
    assert counts[0] == 50 > counts[1] > counts[2]


def test_words_of_another_space_are_refused() -> None:
    with pytest.raises(EncoderError, match="words and items lie in different spaces"):
        zero_shot_tags(encoded([[1, 0, 0]]), PLACES, {"what": np.eye(4, dtype="f")[:3]})


def test_one_value_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="too few values: what 'shoes'"):
        zero_shot_tags(encoded([[1, 0]]), {"what": ["shoes"]}, {"what": np.eye(2, dtype="f")[:1]})


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
    tags = zero_shot_tags(encoder.encode(titles), {"what": values}, words)
    assert [tag.value for tag in tags] == values
