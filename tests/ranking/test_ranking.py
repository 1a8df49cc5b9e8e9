"""Rules, wishes, variety and the places of a list, on eight items written out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import InputError, SettingsError
from huaxiang.ranking.base import Case, Deeds, Occasion, Shelf
from huaxiang.ranking.effects import Effects
from huaxiang.ranking.rank import Config, rank
from huaxiang.ranking.rules import Rules, allowed_items
from huaxiang.ranking.stated import Said, Stated, likes_met
from huaxiang.ranking.variety import choose_places
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue, Dimension

N = 8
NOTHING_HAD = np.zeros(0, dtype=np.int32)


def colours() -> Dimension:
    """Items 0-3 are red, 4-7 blue."""
    return Dimension(
        name="colour",
        values=("red", "blue"),
        labels={"zh": ("红色", "蓝色")},
        offsets=np.arange(N + 1, dtype=np.int64),
        value_rows=np.repeat([0, 1], 4).astype(np.int32),
        weights=np.ones(N, dtype=np.float32),
        confidence=np.ones(N, dtype=np.float32),
        is_inferred=np.zeros(N, dtype=bool),
    )


def catalogue() -> Catalogue:
    return Catalogue(
        item_ids=[f"i{row}" for row in range(N)],
        titles={"en": [f"item {row}" for row in range(N)], "zh": [f"商品{row}" for row in range(N)]},
        group_rows=np.arange(N, dtype=np.int32),
        price_minor=np.arange(100, 900, 100, dtype=np.int64),
        in_stock=np.ones(N, dtype=bool),
        valid_from_ms=np.zeros(N, dtype=np.int64),
        dimensions={"colour": colours()},
        languages=("en", "zh"),
    )


def case(scores: list[float], *, stated: Stated | None = None, had: list[int] | None = None) -> Case:
    """Return a shopper of two purchases, items 6 and 7; the first adds the scores, the second nothing."""
    scores_I = np.array(scores, dtype=np.float32)
    return Case(
        scores_I=scores_I,
        effects=Effects.of(np.stack([scores_I, np.zeros(N, dtype=np.float32)])),
        deeds=Deeds(
            event_ids=["e6", "e7"],
            types=np.full(2, EventType.PURCHASE.code, dtype=np.uint8),
            item_rows=np.array([6, 7], dtype=np.int32),
            texts=[None, None],
        ),
        had_rows=np.array(had or [], dtype=np.int32),
        stated=stated or Stated(),
    )


def shelf(**changes: object) -> Shelf:
    return Shelf(catalogue=replace(catalogue(), **changes), vectors_ID=np.eye(N, dtype=np.float32))


FALLING = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
PLAIN = Config(variety=0.0)


def ids(case_: Case, shelf_: Shelf | None = None, *, k: int = 3, config: Config = PLAIN) -> list[str]:
    return [ranked.item_id for ranked in rank(case_, shelf_ or shelf(), k=k, config=config).items]


def test_best_first() -> None:
    assert ids(case(FALLING)) == ["i0", "i1", "i2"]


def test_what_was_had_is_left_out_unless_asked_for() -> None:
    again = Config(variety=0.0, rules=Rules(exclude_had=False))
    assert ids(case(FALLING, had=[0, 1])) == ["i2", "i3", "i4"]
    assert ids(case(FALLING, had=[0, 1]), config=again) == ["i0", "i1", "i2"]


def test_what_was_disliked_is_never_listed() -> None:
    disliking = case(FALLING)
    types = np.array([EventType.DISLIKE.code, EventType.PURCHASE.code], dtype=np.uint8)
    deeds = replace(disliking.deeds, types=types, item_rows=np.array([0, 7], dtype=np.int32))
    again = Config(variety=0.0, rules=Rules(exclude_had=False))
    assert ids(replace(disliking, deeds=deeds), config=again) == ["i1", "i2", "i3"]


def test_out_of_stock_is_left_out() -> None:
    in_stock = np.array([False, True] * 4)
    assert ids(case(FALLING), shelf(in_stock=in_stock)) == ["i1", "i3", "i5"]


def test_items_not_yet_on_sale_are_left_out() -> None:
    later = shelf(valid_from_ms=np.array([50, 0, 0, 0, 0, 0, 0, 0]))
    ranking = rank(case(FALLING), later, k=1, config=PLAIN, occasion=Occasion(now_ms=10))
    assert ranking.items[0].item_id == "i1"


def test_one_variant_of_each_product_is_listed() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 3, 4], dtype=np.int32)
    assert ids(case(FALLING), shelf(group_rows=groups)) == ["i0", "i3", "i5"]


def test_another_variant_of_what_was_had_is_had() -> None:
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 6], dtype=np.int32)
    assert ids(case(FALLING, had=[0]), shelf(group_rows=groups))[0] == "i2"


def test_refused_values_are_left_out() -> None:
    stated = Stated(refused=(Said(dimension="colour", value="red"),))
    assert ids(case(FALLING, stated=stated)) == ["i4", "i5", "i6"]


def test_a_price_limit_is_kept_and_given_as_a_rule() -> None:
    stated = Stated(max_minor=500, min_minor=300)
    ranking = rank(case(FALLING, stated=stated), shelf(), k=8, config=PLAIN)
    assert [ranked.item_id for ranked in ranking.items] == ["i2", "i3", "i4"]
    assert "rule" in {reason.kind for reason in ranking.items[0].reasons}


def test_a_limit_that_nothing_meets_is_set_aside_aloud() -> None:
    ranking = rank(case(FALLING, stated=Stated(max_minor=5)), shelf(), k=2, config=PLAIN)
    assert len(ranking.items) == 2
    assert ranking.degraded == ("no item meets the price limit; shown without it",)


def test_what_was_asked_for_rises_and_says_so() -> None:
    stated = Stated(liked=(Said(dimension="colour", value="blue", event_id="e9"),))
    chinese = Occasion(language="zh")
    ranking = rank(
        case(FALLING, stated=stated), shelf(), k=1, config=Config(wish_weight=2.0), occasion=chinese
    )
    wished = ranking.items[0].reasons[-1]
    assert ranking.items[0].item_id == "i4"
    assert (wished.text, wished.event_id) == ("您想要蓝色", "e9")


def test_two_values_of_one_dimension_count_as_one_wish() -> None:
    both = (Said(dimension="colour", value="red"), Said(dimension="colour", value="blue"))
    np.testing.assert_array_equal(likes_met(catalogue(), Stated(liked=both)), np.ones(N))


def test_an_unknown_value_asks_nothing() -> None:
    stated = Stated(
        refused=(Said(dimension="brand", value="?"),), liked=(Said(dimension="colour", value="?"),)
    )
    assert ids(case(FALLING, stated=stated)) == ["i0", "i1", "i2"]


def test_what_was_had_and_what_is_beyond_the_limit_is_not_allowed() -> None:
    shop, had_rows = catalogue(), np.array([0], dtype=np.int32)
    within_I = (shop.price_minor >= 0) & (shop.price_minor <= 400)
    allowed = allowed_items(shop, Rules(), Stated(max_minor=400), had_rows=had_rows)
    assert 0 < within_I[1:].sum() < len(within_I) - 1
    assert allowed.items_I.tolist() == [False, *within_I[1:].tolist()]


def test_variety_parts_twins() -> None:
    twins = np.array([[1, 0], [1, 0], [0, 1]], dtype="f")
    scores = np.array([1, 0.9, 0.5], dtype="f")
    assert choose_places(scores, twins, k=3, variety=0.5).candidates.tolist() == [0, 2, 1]
    assert choose_places(scores, twins, k=3, variety=0.0).candidates.tolist() == [0, 1, 2]


def test_a_list_that_is_not_drawn_has_propensity_one() -> None:
    assert {ranked.propensity for ranked in rank(case(FALLING), shelf(), k=3).items} == {1.0}


def test_drawn_places_come_as_often_as_their_propensity_says() -> None:
    scores, vectors = np.array([1.0, 0.0], "f"), np.eye(2, dtype="f")
    rng = np.random.default_rng(5)
    drawn = [choose_places(scores, vectors, k=1, temperature=1.0, rng=rng) for _ in range(4000)]
    chance = 1 / (1 + np.exp(-1))
    assert np.mean([places.candidates[0] == 0 for places in drawn]) == pytest.approx(chance, abs=0.03)
    assert {round(float(places.propensities[0]), 6) for places in drawn} == {
        round(chance, 6),
        round(1 - chance, 6),
    }


@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=8), st.floats(0, 1), st.integers(1, 10))
def test_a_list_names_each_candidate_at_most_once(scores: list[float], variety: float, k: int) -> None:
    scores_C = np.array(scores, dtype=np.float32)
    places = choose_places(scores_C, np.eye(len(scores), dtype="f"), k=k, variety=variety)
    assert len(set(places.candidates.tolist())) == min(k, len(scores))


def test_no_places_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one place"):
        rank(case(FALLING), shelf(), k=0)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="variety"):
        Config(variety=2)


def test_reasons_name_the_event_with_its_part_of_the_score() -> None:
    ranked = rank(case(FALLING), shelf(), k=1, config=PLAIN).items[0]
    assert (ranked.reasons[0].text, ranked.reasons[0].event_id) == ("Because you bought item 6", "e6")
    assert ranked.reasons[0].contribution == pytest.approx(0.8)


def test_an_item_without_a_personal_reason_says_so() -> None:
    nobody = replace(case(FALLING), effects=Effects.none(2, N))
    ranked = rank(nobody, shelf(), k=1, config=PLAIN).items[0]
    assert [reason.kind for reason in ranked.reasons] == ["impersonal"]
    assert ranked.reasons[0].contribution == pytest.approx(0.8)
