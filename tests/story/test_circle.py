"""The circle: events make a profile, it a list, the list a purchase, and the purchase the next list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

import huaxiang as hx
from huaxiang.model import Model
from huaxiang.profile.bulk import build_states

SHOPPER = "s-0"


def bought(model: Model, item_id: str, *, event_id: str = "live-1", shopper_id: str = SHOPPER) -> hx.Event:
    """Return a purchase a minute after the newest event."""
    assert model.newest is not None
    return hx.Event(
        event_id=event_id,
        shopper_id=shopper_id,
        type=hx.EventType.PURCHASE,
        item_id=item_id,
        occurred_at=model.newest + timedelta(minutes=1),
        value=hx.Value(quantity=1),
    )


def ids_of(slate: hx.Slate) -> list[str]:
    return [ranked.item_id for ranked in slate.items]


def shares(profile: hx.Profile) -> dict[tuple[str, str, str], float]:
    return {(facet.dimension, facet.value, facet.side): facet.share for facet in profile.facets}


def test_what_was_just_bought_is_not_listed_again(small_model: Model) -> None:
    first = ids_of(small_model.recommend(SHOPPER, k=5))
    small_model.learn(bought(small_model, first[0]))
    assert first[0] not in ids_of(small_model.recommend(SHOPPER, k=10))
    assert first[0] in ids_of(small_model.recommend(SHOPPER, k=60, repeat=True))


def test_a_purchase_moves_the_facets_towards_what_was_bought(small_model: Model) -> None:
    before = shares(small_model.profile(SHOPPER))
    item_id = ids_of(small_model.recommend(SHOPPER, k=1))[0]
    small_model.learn(bought(small_model, item_id))
    profile = small_model.profile(SHOPPER)
    cited = [
        facet for facet in profile.facets if "live-1" in [evidence.event_id for evidence in facet.evidence]
    ]
    assert cited
    assert all(
        facet.share > before.get((facet.dimension, facet.value, facet.side), 0)
        for facet in cited
        if facet.side == "liked" and facet.source == "inferred"
    )


def test_the_same_event_twice_counts_once(small_model: Model) -> None:
    event = bought(small_model, ids_of(small_model.recommend(SHOPPER, k=1))[0])
    small_model.learn(event)
    once = (small_model.profile(SHOPPER).as_json(), small_model.position)
    small_model.learn(event)
    assert (small_model.profile(SHOPPER).as_json(), small_model.position) == once


def test_who_refuses_to_be_learnt_from_changes_their_own_list_alone(small_model: Model) -> None:
    first = ids_of(small_model.recommend(SHOPPER, k=5))
    others = small_model.recommend("s-1", k=5).as_json()["items"]
    answer = bought(small_model, first[0], event_id="answer")
    refusal = {"consent": {"train": False}}
    small_model.learn(replace(answer, type=hx.EventType.CONSENT, item_id=None, context=refusal))
    popular = small_model.recommenders.new.members["popular"].shares()
    shares = small_model.population.shares()
    for number, item_id in enumerate(first):
        small_model.learn(bought(small_model, item_id, event_id=f"refused-{number}"))
    assert not set(first) & set(ids_of(small_model.recommend(SHOPPER, k=5)))
    np.testing.assert_array_equal(small_model.recommenders.new.members["popular"].shares(), popular)
    np.testing.assert_array_equal(small_model.population.shares(), shares)
    assert small_model.recommend("s-1", k=5).as_json()["items"] == others


def test_a_new_shopper_is_known_from_the_first_event(small_model: Model) -> None:
    item_id = small_model.catalogue.item_ids[3]
    small_model.learn(bought(small_model, item_id, shopper_id="newcomer"))
    assert small_model.profile("newcomer").n_events == 1
    slate = small_model.recommend("newcomer", k=5)
    assert item_id not in ids_of(slate)
    nobody = small_model.recommend("somebody else", k=5, on_unknown="popular")
    assert ids_of(slate) != ids_of(nobody)
    assert not slate.degraded


def test_states_learnt_one_by_one_are_those_built_in_bulk(small_model: Model) -> None:
    for number, item_id in enumerate(ids_of(small_model.recommend(SHOPPER, k=3))):
        small_model.learn(bought(small_model, item_id, event_id=f"live-{number}"))
    search = replace(
        bought(small_model, item_id, event_id="live-search"),
        type=hx.EventType.SEARCH,
        item_id=None,
        query="blue mug",
        value=hx.Value(),
    )
    small_model.learn(search)
    bulk = build_states(small_model.shop.events, order_only=small_model.shop.order_only)
    assert bulk.state(SHOPPER) == small_model.states.state(SHOPPER)


def test_a_saved_model_loads_with_the_same_profiles_and_lists(small_model: Model, tmp_path: Path) -> None:
    small_model.learn(bought(small_model, ids_of(small_model.recommend(SHOPPER, k=1))[0]))
    small_model.save(tmp_path / "run")
    again = hx.load(tmp_path / "run")
    for shopper_id in (SHOPPER, "s-1"):
        assert again.profile(shopper_id).as_json() == small_model.profile(shopper_id).as_json()
        kept, whole = again.recommend(shopper_id), small_model.recommend(shopper_id)
        assert ids_of(kept) == ids_of(whole)
        scores = [[ranked.score for ranked in slate.items] for slate in (kept, whole)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-5)
    wish = "我想要一个蓝色的杯子"
    assert again.describe(text=wish).as_json() == small_model.describe(text=wish).as_json()


def test_items_like_an_item_are_other_products_in_stock(small_model: Model) -> None:
    catalogue = small_model.catalogue
    for row, item_id in enumerate(catalogue.item_ids):
        alike = [catalogue.row_of[ranked.item_id] for ranked in small_model.similar(item_id, k=5).items]
        assert len(alike) == 5
        assert catalogue.group_rows[row] not in catalogue.group_rows[alike]
        assert catalogue.in_stock[alike].all()


def test_a_run_keeps_its_index(small_model: Model, tmp_path: Path) -> None:
    small_model.save(tmp_path / "run")
    first = small_model.catalogue.item_ids[0]
    assert hx.load(tmp_path / "run").similar(first, k=5) == small_model.similar(first, k=5)


WISHES = [
    ("something in blue under 150, not leather", "leather"),
    ("想要蓝色的东西，150元以内，不要皮革", "leather"),
]


@pytest.mark.parametrize(("wish", "unwanted"), WISHES)
def test_a_wish_leaves_out_what_is_too_dear_and_what_is_not_wanted(
    small_model: Model, wish: str, unwanted: str
) -> None:
    profile = small_model.describe(text=wish)
    slate = small_model.recommend(profile, k=10)
    assert slate.items
    rows = [small_model.catalogue.row_of[item_id] for item_id in ids_of(slate)]
    assert max(small_model.shop.items["price_minor"][rows]) <= 15_000
    refused = small_model.shop.attributes.filter(pl.col("value") == unwanted)["item_row"].to_list()
    assert not set(rows) & set(refused)


@pytest.mark.parametrize("wish", [wish for wish, _ in WISHES])
def test_a_wish_is_stated_liked_and_disliked_with_its_words(small_model: Model, wish: str) -> None:
    facets = small_model.describe(text=wish).facets
    stated = {(facet.dimension, facet.value): facet for facet in facets if facet.source == "stated"}
    assert stated["colour", "blue"].side == "liked"
    assert stated["material", "leather"].side == "disliked"
    for facet in stated.values():
        for evidence in facet.evidence:
            assert evidence.text is not None
            assert wish[evidence.start : evidence.end] == evidence.text


def test_the_same_wish_in_both_languages_lists_alike(small_model: Model) -> None:
    lists = [set(ids_of(small_model.recommend(small_model.describe(text=wish), k=5))) for wish, _ in WISHES]
    assert lists[0] & lists[1]


def test_a_nobody_gets_what_is_popular_and_is_told(small_model: Model) -> None:
    slate = small_model.recommend("nobody", k=5, on_unknown="popular")
    assert len(slate.items) == 5
    assert slate.degraded
    with pytest.raises(hx.HuaxiangError, match="no such shopper"):
        small_model.recommend("nobody")


def test_a_photo_that_was_not_used_is_no_evidence(small_model: Model, tmp_path: Path) -> None:
    (tmp_path / "shoe.jpg").write_bytes(b"no photo")
    profile = small_model.describe(text="a blue mug", image=tmp_path / "shoe.jpg")
    assert any("the photo was not used" in note for note in profile.degraded)
    assert profile.n_events == 1
    alone = small_model.describe(image=tmp_path / "shoe.jpg")
    assert not alone.facets
    assert small_model.recommend(alone, k=3).items


def test_a_model_without_its_shoppers_still_lists_for_whoever_comes(
    small_model: Model, tmp_path: Path
) -> None:
    nobody = small_model.without_shoppers()
    nobody.save(tmp_path / "run")
    served = hx.load(tmp_path / "run")
    wish = "something in blue"
    assert (len(served.states), len(served.shop.events)) == (0, 0)
    moment = small_model.newest
    kept, whole = (model.describe(text=wish, now=moment) for model in (served, small_model))
    assert served.recommend(kept, k=5).items == small_model.recommend(whole, k=5).items
