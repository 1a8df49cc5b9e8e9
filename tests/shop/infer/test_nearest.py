"""What an item that joins leaves unsaid, read from its words and from the items nearest to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huaxiang.records import Item, Text
from huaxiang.shop.base import Shop
from huaxiang.shop.changed import changed_items
from huaxiang.shop.infer.base import Claim
from huaxiang.shop.infer.nearest import Config, nearest_claims
from shop.shops import EVENTS, shop_of

ITEMS = """item_id,title,category,brand,gender
a,Trail runner,Running,Swift,men
b,Road runner,Running,Swift,men
c,Track runner,Running,Swift,women
d,Clay jug,Jugs,Potter,
"""
RUNNERS, JUGS = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS.replace(",b,", ",a,").replace(",c,", ",a,"))


def claims(shop: Shop, title: str, vector: list[float], **more: object) -> dict[str, Claim]:
    item = Item(item_id="new", texts={"en": Text(title=title)}, **more)  # type: ignore[arg-type]
    vectors = np.array([RUNNERS, RUNNERS, RUNNERS, JUGS, vector], dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    found = nearest_claims(
        changed_items(shop, [item]).shop,
        [4],
        text_vectors_ID=vectors,
        among_I=np.arange(5) < 4,
        config=Config(n_nearest=3),
    )
    return {claim.dimension: claim for claim in found}


def test_a_category_is_that_of_the_nearest_items(shop: Shop) -> None:
    found = claims(shop, "Night runner", [0.8, 0.6])
    assert found["category"].value == "Running"
    assert found["category"].confidence == pytest.approx(0.8, abs=1e-6)


def test_the_nearer_the_surer(shop: Shop) -> None:
    near, far = (claims(shop, "x", vector)["category"].confidence for vector in ([1.0, 0.0], [0.7, 0.7]))
    assert near > far


def test_values_on_which_too_few_agree_are_not_claimed(shop: Shop) -> None:
    assert claims(shop, "Night runner", RUNNERS)["gender"].value == "men"
    strict = nearest_claims(
        shop,
        [3],
        text_vectors_ID=np.array([RUNNERS] * 4, dtype=np.float32),
        among_I=np.ones(4, dtype=bool),
        config=Config(n_nearest=3, least_share=0.7),
    )
    assert "gender" not in {claim.dimension for claim in strict}


def test_a_brand_needs_to_stand_in_the_title(shop: Shop) -> None:
    assert claims(shop, "Swift night runner", RUNNERS)["brand"].value == "Swift"
    assert "brand" not in claims(shop, "Night runner", RUNNERS)


def test_own_words_come_before_the_neighbours(shop: Shop) -> None:
    found = claims(shop, "Red leather night runner", RUNNERS)
    assert (found["colour"].value, found["material"].value) == ("red", "leather")
    assert found["colour"].confidence == Config().words.in_title


def test_chinese_words_are_read_as_well(shop: Shop) -> None:
    assert claims(shop, "红色皮革跑步鞋", RUNNERS)["colour"].value == "red"


def test_what_is_stated_is_not_claimed(shop: Shop) -> None:
    found = claims(shop, "Red runner", RUNNERS, category=("Boots",), attributes={"colour": ("blue",)})
    assert "category" not in found and "colour" not in found


def test_nothing_is_claimed_of_what_resembles_nothing(shop: Shop) -> None:
    assert claims(shop, "???", [0.0, 0.0]) == {}
