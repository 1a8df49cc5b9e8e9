"""Facets by hand: one item, one number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from boutique import NOW, POPULATION, Diary, diary, facet
from huaxiang.profile.shares import share_of_values
from huaxiang.profile.weights import Config

FLAT = Config(alpha=2.0, half_life_days=10.0)
N_BRANDS = 2
PI = 0.5 / (0.5 * N_BRANDS + 0.5)  # every value was given half a purchase, and so was what is not yet known


def test_one_purchase_by_hand() -> None:
    nike = facet(diary((0, "purchase", 0)).derived(config=FLAT).profile, "brand", "Nike")
    assert nike is not None
    a, b = 1 + 2 * PI, 2 * (1 - PI)
    assert nike.share == pytest.approx(a / (a + b))
    assert nike.lift == pytest.approx(beta.ppf(0.1, a, b) / PI)
    assert nike.confidence == pytest.approx(1 / (1 + 3))
    assert (nike.source, nike.half_life_days, nike.last_seen) == ("inferred", 10.0, NOW)
    assert [one.event_id for one in nike.evidence] == ["e-0"]


def test_mass_halves_with_each_half_life() -> None:
    nike = facet(diary((10, "purchase", 0)).derived(config=FLAT).profile, "brand", "Nike")
    assert nike is not None
    assert nike.share == pytest.approx((0.5 + 2 * PI) / (0.5 + 2))
    assert nike.confidence == pytest.approx(0.5 / 3.5)


def test_an_event_is_split_over_its_values() -> None:
    black = facet(diary((0, "purchase", 6)).derived(config=FLAT).profile, "colour", "black")
    red = facet(diary((0, "purchase", 6)).derived(config=FLAT).profile, "colour", "red")
    assert black is not None and red is not None
    assert black.share == pytest.approx(red.share)


def test_looking_often_on_one_day_is_one_thing_seen() -> None:
    often = diary(*[(0.001 * n, "view_item", 0) for n in range(8)]).derived(config=FLAT).profile
    once = diary((0, "view_item", 0)).derived(config=FLAT).profile
    confidences = [facet(profile, "brand", "Nike").confidence for profile in (often, once)]
    assert confidences[0] == pytest.approx(confidences[1], abs=1e-3)


def test_disliking_is_a_second_mass() -> None:
    profile = diary((1, "purchase", 0), (0, "dislike", 1)).derived(config=FLAT).profile
    assert facet(profile, "brand", "Nike", "liked") is not None
    assert facet(profile, "brand", "Acme", "disliked") is not None
    assert facet(profile, "brand", "Acme", "liked") is None


def test_a_plain_refund_cancels_its_purchase() -> None:
    assert diary((2, "purchase", 0), (1, "refund", 0)).derived().profile.facets == ()


def test_a_refund_of_what_was_not_as_described_is_a_dislike() -> None:
    made = diary((2, "purchase", 0))
    made.add(1, "refund", 0, rating=10)
    sides = {one.side for one in made.derived().profile.facets}
    assert sides == {"disliked"}


def test_one_unit_sent_back_of_two_leaves_the_liking() -> None:
    made = Diary()
    made.add(2, "purchase", 0, quantity=2)
    made.add(1, "refund", 0, quantity=1)
    assert facet(made.derived().profile, "brand", "Nike") is not None


@pytest.mark.parametrize(("tenths", "sides"), [(10, {"disliked"}), (50, {"liked"}), (30, {"liked"})])
def test_ratings_take_sides(tenths: int, sides: set[str]) -> None:
    made = Diary()
    made.add(0, "rate", 0, rating=tenths)
    assert {one.side for one in made.derived().profile.facets} == sides


def test_inferred_facets_are_ranked_by_lift_times_share() -> None:
    profile = diary((0, "purchase", 0), (1, "purchase", 3), (2, "purchase", 1)).derived().profile
    strengths = [one.lift * one.share for one in profile.facets]
    assert strengths == sorted(strengths, reverse=True)


def test_one_view_of_a_rare_brand_is_not_a_passion() -> None:
    profile = diary((0, "view_item", 0)).derived().profile
    assert all(one.confidence < 0.3 for one in profile.facets)
    assert all(sentences == () for sentences in profile.portrait.values())


def test_an_order_has_no_decay() -> None:
    from dataclasses import replace

    from huaxiang.profile.derive import derive_profile

    made = diary((900, "purchase", 0))
    state = replace(made.state(), order_only=True)
    nike = facet(derive_profile(state, made.background(config=FLAT)), "brand", "Nike")
    assert nike is not None
    assert nike.share == pytest.approx((1 + 2 * PI) / 3)
    assert (nike.half_life_days, nike.last_seen) == (None, None)


def test_shares_of_all_values_stay_below_one_and_keep_the_order() -> None:
    made = diary((0, "purchase", 0), (1, "purchase", 3))
    shares = share_of_values(made.state(), POPULATION, contents=made.contents, now=NOW)
    assert set(shares) >= {"brand", "category", "colour"}
    assert all(0 < share.sum() < 1 + 1e-9 for share in shares.values())
    assert shares["brand"][0] > shares["brand"][1]


def test_an_empty_state_shows_nothing() -> None:
    profile = Diary().derived().profile
    assert profile.facets == () and profile.interests == () and profile.intent is None
    assert np.isfinite(profile.vector).all()


def test_items_the_model_does_not_know_yet_are_passed_over() -> None:
    assert diary((0, "purchase", 99)).derived().profile.facets == ()
