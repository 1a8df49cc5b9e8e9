"""A profile from words and a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boutique import NOW, VECTORS, background, diary, facet
from huaxiang.profile.constraints import stated_constraints
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import derive_profile
from huaxiang.profile.describe import described_state
from huaxiang.records import Matrix, Profile, Vector


def described(
    text: str | None = None,
    *,
    image: str | None = None,
    image_vector: Vector | None = None,
    item_vectors_ID: Matrix = VECTORS,
) -> Profile:
    contents = Contents()
    state = described_state(contents, now=NOW, text=text, image=image, vectors=(None, image_vector))
    read_with = replace(background(contents), item_vectors_ID=item_vectors_ID)
    return derive_profile(state, read_with, described=True)


def test_wishes_become_stated_facets_with_the_words_as_evidence() -> None:
    text = "我想要一双跑步鞋，500元以内，不要皮革"
    profile = described(text)
    shown = {(one.dimension, one.value, one.side): one.evidence[0].as_json() for one in profile.facets}
    assert shown == {
        ("category", "Running Shoes", "liked"): {"text": "跑步鞋", "start": 5, "end": 8},
        ("price_limit", "<=50000 minor", "liked"): {"text": "500元以内", "start": 9, "end": 15},
        ("material", "leather", "disliked"): {"text": "皮革", "start": 18, "end": 20},
    }
    assert {one.source for one in profile.facets} == {"stated"}
    assert profile.shopper_id is None


def test_the_portrait_says_it_in_both_languages() -> None:
    portrait = described("我想要一双跑步鞋，500元以内，不要皮革").portrait
    assert [said.text for said in portrait["zh"]] == [
        "说过想要跑步鞋。",
        "说过不要皮革。",
        "希望价格不超过 500 元。",
    ]
    assert "Asked for Running Shoes." in [said.text for said in portrait["en"]]
    assert "Wants to pay at most 500 CNY." in [said.text for said in portrait["en"]]


def test_constraints_can_filter_a_list() -> None:
    found = stated_constraints(described("red or blue dress between 50 and 80, no leather"))
    assert (found.price_min_minor, found.price_max_minor) == (5_000, 8_000)
    assert found.wanted == {("colour", "red"), ("colour", "blue"), ("category", "Dresses")}
    assert found.excluded == {("material", "leather")}


def test_a_photo_shows_what_its_look_alikes_have() -> None:
    vectors = np.repeat(VECTORS[:1], len(VECTORS), axis=0)
    profile = described(image="shoe.jpg", image_vector=vectors[0], item_vectors_ID=vectors)
    nike = facet(profile, "brand", "Nike")
    assert nike is not None
    assert nike.source == "inferred" and nike.evidence[0].as_json() == {"image": "shoe.jpg"}


def test_words_beat_the_photo() -> None:
    profile = described("no Nike", image="shoe.jpg", image_vector=VECTORS[0])
    assert facet(profile, "brand", "Nike", "liked") is None
    assert facet(profile, "brand", "Nike", "disliked") is not None


def test_a_limit_in_other_money_is_not_used_and_says_so() -> None:
    profile = described("boots under 50 euros")
    assert facet(profile, "price_limit", "<=5000 minor") is None
    assert profile.degraded == ("a price limit in EUR can't be compared with prices in CNY",)


def test_statements_in_a_log_are_read_as_well() -> None:
    made = diary(*[(5, "purchase", 0) for _ in range(6)], (1, "state", "no leather, under 80"))
    profile = made.derived().profile
    leather = facet(profile, "material", "leather", "disliked")
    assert leather is not None and leather.source == "stated"
    assert leather.evidence[0].event_id == "e-6"
    assert facet(profile, "material", "leather", "liked") is None
    assert stated_constraints(profile).price_max_minor == 8_000


def test_the_newest_statement_wins() -> None:
    profile = diary((9, "state", "no red"), (1, "state", "I like red, under 50")).derived().profile
    assert facet(profile, "colour", "red", "liked") is not None
    assert facet(profile, "colour", "red", "disliked") is None


def test_faded_statements_no_longer_bind() -> None:
    profile = diary((2000, "state", "under 50")).derived().profile
    assert stated_constraints(profile).price_max_minor is None


def test_searches_show_likings_that_are_inferred() -> None:
    made = diary((1, "search", "red dress"), (2, "search", "red boots"))
    red = facet(made.derived().profile, "colour", "red")
    assert red is not None and red.source == "inferred"


def test_words_without_a_wish_make_an_empty_profile() -> None:
    profile = described("hello there")
    assert profile.facets == () and profile.n_events == 1
