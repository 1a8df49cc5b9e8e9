"""The pieces of retraining: newest days, the old model brought up to date, and both measured alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import huaxiang as hx
from feedback.ring_shop import OPENED, purchases, since_opening, write_shop
from huaxiang import training as loop
from huaxiang.errors import SettingsError, ShopError
from huaxiang.evaluate.holdout import Newest, hold_out_since
from huaxiang.evaluate.trial import Ensembles, weighted
from huaxiang.feedback.retrain import Plan, caught_up, compare, next_members
from huaxiang.profile.contents import Contents
from huaxiang.profile.update import milliseconds
from huaxiang.recommend.base import Recommender, TrainingData
from huaxiang.recommend.histories import take_events
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
from huaxiang.recommend.sequence import Config as SequenceConfig
from huaxiang.recommend.sequence import SequenceRecommender
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import build_catalogue
from recommend.small_shops import training_of

SINCE = milliseconds(OPENED) - 1


def silent(stage: str, done: int, total: int, note: str) -> None:
    """Show nothing."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return hx.read_shop(write_shop(tmp_path_factory.mktemp("shop") / "ring", purchases(lambda day: 1)))


@pytest.fixture(scope="module")
def newest(shop: Shop) -> Newest:
    return hold_out_since(shop, Contents(), since_ms=SINCE)


def fitted(shop: Shop, newest: Newest, *, until_ms: int) -> Ensembles:
    """Return popularity and neighbours that were fitted on what came before a moment."""
    vectors = {"fused": np.eye(len(shop.items), 60, dtype=np.float32)}
    lesson = TrainingData(
        histories=take_events(newest.known, newest.known.occurred_ms < until_ms),
        catalogue=build_catalogue(shop),
        vectors=vectors,
    )
    members = {"popular": Popular().fit(lesson), "neighbours": Neighbours().fit(lesson)}
    weights = {"popular": 0.1, "neighbours": 1.0}
    return Ensembles(
        new=weighted(members, weights, exclude_had=True), all=weighted(members, weights, exclude_had=False)
    )


def test_the_newest_purchases_are_held_out_and_no_model_has_seen_them(shop: Shop, newest: Newest) -> None:
    later = [event for event in since_opening(purchases(lambda day: 1))]
    targets = newest.test.targets
    assert newest.known.occurred_ms.max() < newest.test_from_ms
    assert SINCE < newest.test_from_ms
    assert len(targets.item_rows) == pytest.approx(len(later) / 2, rel=0.05)
    assert newest.test.had.occurred_ms.max() < newest.test_from_ms
    assert "purchase from" in newest.description


def test_where_nothing_happened_since_there_is_nothing_to_hold_out(shop: Shop) -> None:
    with pytest.raises(ShopError, match="nothing happened"):
        hold_out_since(shop, Contents(), since_ms=milliseconds(OPENED) * 2)


def test_the_old_model_brought_up_to_date_counts_like_one_fitted_on_all_of_it(
    shop: Shop, newest: Newest
) -> None:
    vectors = {"fused": np.eye(len(shop.items), 60, dtype=np.float32)}
    before = fitted(shop, newest, until_ms=SINCE)
    untouched = before.new.members["popular"].score(newest.test.targets.histories)
    ready = caught_up(before, vectors, newest, progress=silent)
    whole = fitted(shop, newest, until_ms=newest.test_from_ms)
    asked = newest.test.targets.histories
    for name in ("popular", "neighbours"):
        expected = whole.new.members[name].score(asked)
        np.testing.assert_allclose(ready.new.members[name].score(asked), expected, rtol=0.02, atol=1e-3)
    np.testing.assert_array_equal(before.new.members["popular"].score(asked), untouched)


def test_shoppers_of_whom_nothing_is_left_teach_nothing(shop: Shop, newest: Newest) -> None:
    vectors = {"fused": np.eye(len(shop.items), 60, dtype=np.float32)}
    known = newest.known
    shoppers = known.shopper_of_event
    without_last = replace(newest, known=take_events(known, shoppers < shoppers.max()))
    without_any = replace(newest, known=take_events(known, np.zeros(len(shoppers), dtype=bool)))
    before = fitted(shop, newest, until_ms=SINCE)
    ready = [caught_up(before, vectors, one, progress=silent) for one in (newest, without_last, without_any)]
    learnt = [one.new.members["popular"].mass_.sum() for one in ready]  # type: ignore[attr-defined]
    assert learnt[0] > learnt[1] > learnt[2]


def test_items_that_joined_since_can_be_listed_by_the_old_model(shop: Shop, newest: Newest) -> None:
    longer = {"fused": np.eye(len(shop.items) + 3, 60, dtype=np.float32)}
    ready = caught_up(fitted(shop, newest, until_ms=SINCE), longer, newest, progress=silent)
    assert ready.all.score(newest.test.targets.histories).shape[1] == len(shop.items) + 3


def test_a_model_beside_itself_is_neither_better_nor_worse(shop: Shop, newest: Newest) -> None:
    model = fitted(shop, newest, until_ms=newest.test_from_ms)
    found = compare(model, model, newest, seed=7)
    assert found.decision.promote and found.decision.difference == 0
    assert found.parts["new"]["candidate"] == found.parts["new"]["incumbent"]
    assert found.figure("candidate", "ndcg@10") == found.decision.candidate
    assert found.as_json()["split"] == newest.description


def test_a_model_that_lists_the_unpopular_is_kept_out(shop: Shop, newest: Newest) -> None:
    good = fitted(shop, newest, until_ms=newest.test_from_ms)
    upside_down = weighted(good.new.members, {"neighbours": -1.0}, exclude_had=True)
    spoilt = Ensembles(new=upside_down, all=upside_down)
    found = compare(spoilt, good, newest, seed=7)
    assert not found.decision.promote
    assert compare(good, spoilt, newest, seed=7).decision.promote


def test_only_who_can_goes_on_and_nobody_where_all_starts_over() -> None:
    small = SequenceConfig(dimensions=8, max_events=4, training=loop.Config(steps=2, max_epochs=3))
    lesson = training_of([[0, 1, 2], [1, 2, 3]], n_items=4)
    in_place = {"popular": Popular().fit(lesson), "sequence": SequenceRecommender(small).fit(lesson)}
    new: dict[str, Recommender] = {"popular": Popular(), "sequence": SequenceRecommender(small)}
    going_on = next_members(new, in_place, start_over=False)
    assert going_on["popular"] is new["popular"]
    sequence = going_on["sequence"]
    assert isinstance(sequence, SequenceRecommender) and sequence.start_ is not None
    assert next_members(new, in_place, start_over=True) == new


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_out_of_range_are_refused(share: float) -> None:
    with pytest.raises(SettingsError):
        Plan(since_ms=0, test_share=share)
