"""Every way of recommending against every promise of `recommend.base`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import ArtefactError, NotFittedError
from huaxiang.recommend.base import (
    Histories,
    LearnsEvents,
    Recommender,
    ScoresByEvent,
    TakesNewItems,
    TrainingData,
)
from huaxiang.recommend.closed_form import ClosedForm, Ease
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.deep_belief import Config as DeepBeliefConfig
from huaxiang.recommend.deep_belief import DeepBelief
from huaxiang.recommend.ensemble import Ensemble
from huaxiang.recommend.histories import histories_of, take_shoppers
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.own_frequency import OwnFrequency
from huaxiang.recommend.popular import Popular
from huaxiang.recommend.stacked import Config as StackedConfig
from huaxiang.recommend.stacked import Stacked
from huaxiang.recommend.top import top_items
from huaxiang.recommend.ways import WAYS, load_recommender, make_recommender
from recommend.small_shops import training_of

SEQUENCES = [[0, 1, 2, 3], [1, 2, 3], [4, 5, 6, 7], [5, 6, 7], [0, 2, 3], [4, 6, 7]]
N_ITEMS = 8
DATA_USED = {"ids", "order", "times", "text", "image"}

MADE: dict[str, Callable[[], Recommender]] = {
    "popular": Popular,
    "own_frequency": OwnFrequency,
    "neighbours": Neighbours,
    "closed_form": lambda: ClosedForm(ClosedFormConfig(ridge=1, text_weight=1)),
    "ease": lambda: Ease(ClosedFormConfig(way="symmetric", ridge=1, text_weight=1)),
    "deep_belief": lambda: DeepBelief(DeepBeliefConfig(units=(8, 4), steps=40)),
    "stacked": lambda: Stacked(
        StackedConfig(closed_form=ClosedFormConfig(ridge=1, text_weight=1), n_trees=5, n_leaves=2)
    ),
    "ensemble": lambda: Ensemble(members={"popular": Popular(), "neighbours": Neighbours()}),
}
ways = pytest.mark.parametrize("name", list(MADE))


def training() -> TrainingData:
    return training_of(SEQUENCES, n_items=N_ITEMS)


def fitted(name: str) -> Recommender:
    return MADE[name]().fit(training())


def shoppers() -> Histories:
    return histories_of([[0, 1], [5], [], [7, 3, 7]])


@ways
def test_fit_returns_itself(name: str) -> None:
    recommender = MADE[name]()
    assert recommender.fit(training()) is recommender


@ways
def test_it_says_what_it_uses(name: str) -> None:
    assert set(fitted(name).uses) <= DATA_USED


@ways
def test_scores_are_finite_float32_one_row_per_shopper(name: str) -> None:
    scores = fitted(name).score(shoppers())
    assert scores.shape == (4, N_ITEMS) and scores.dtype == np.float32
    assert np.isfinite(scores).all()


@ways
def test_a_batch_scores_like_its_shoppers_one_by_one(name: str) -> None:
    recommender, batch = fitted(name), shoppers()
    alone = [recommender.score(take_shoppers(batch, slice(row, row + 1))) for row in range(4)]
    np.testing.assert_allclose(recommender.score(batch), np.concatenate(alone), rtol=1e-5, atol=1e-6)


@ways
def test_fitting_twice_gives_the_same(name: str) -> None:
    recommender = fitted(name)
    once = recommender.score(shoppers())
    np.testing.assert_allclose(recommender.fit(training()).score(shoppers()), once, rtol=1e-6)


@ways
def test_an_empty_history_is_served(name: str) -> None:
    top = top_items(fitted(name).score, histories_of([[]]), k=3)
    assert (top.item_rows >= 0).all()


@ways
def test_exact_contributions_sum_to_the_score(name: str) -> None:
    recommender, history = fitted(name), histories_of([[0, 1, 2]])
    for item_row in range(N_ITEMS):
        explained = recommender.contributions(history, item_row)
        assert len(explained.values) == len(history.event_keys)
        if explained.is_exact:
            total = float(explained.values.sum()) + explained.rest
            assert total == pytest.approx(float(recommender.score(history)[0, item_row]), abs=1e-5)


@ways
def test_scores_by_event_are_the_contributions(name: str) -> None:
    recommender, history = fitted(name), histories_of([[0, 1, 2]])
    if isinstance(recommender, ScoresByEvent):
        scores_I, effects = recommender.scores_by_event(history)
        values = recommender.contributions(history, 3).values
        np.testing.assert_allclose(effects.at(np.array([3]))[:, 0], values, atol=1e-6)
        np.testing.assert_allclose(scores_I, recommender.score(history)[0], atol=1e-6)


@ways
def test_what_is_saved_is_read_back_by_whoever(name: str, tmp_path: Path) -> None:
    recommender = fitted(name)
    recommender.save(tmp_path)
    loaded = load_recommender(tmp_path)
    np.testing.assert_allclose(loaded.score(shoppers()), recommender.score(shoppers()), rtol=1e-5, atol=1e-7)
    assert loaded.uses == recommender.uses


@ways
def test_a_newer_version_is_refused(name: str, tmp_path: Path) -> None:
    fitted(name).save(tmp_path)
    file = tmp_path / "recommender.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 99'))
    with pytest.raises(ArtefactError, match="newer"):
        load_recommender(tmp_path)


@ways
def test_use_before_fit_says_so(name: str) -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        MADE[name]().score(shoppers())


@ways
def test_a_longer_catalogue_keeps_the_scores_of_the_old_items_in_order(name: str) -> None:
    recommender = fitted(name)
    assert isinstance(recommender, TakesNewItems)
    fused = np.vstack([np.eye(N_ITEMS, dtype="f"), np.eye(N_ITEMS, dtype="f")[:1]])
    longer = recommender.with_items({"fused": fused}).score(shoppers())
    assert longer.shape == (4, N_ITEMS + 1)
    old = recommender.score(shoppers())
    np.testing.assert_array_equal(
        np.argsort(-longer[0, :-1], kind="stable")[:3], np.argsort(-old[0], kind="stable")[:3]
    )


@ways
def test_learning_changes_nothing_but_what_it_may(name: str) -> None:
    recommender = fitted(name)
    if isinstance(recommender, LearnsEvents):
        recommender.learn(histories_of([[0, 5]]))
        assert np.isfinite(recommender.score(shoppers())).all()


def test_every_way_can_be_made_by_name() -> None:
    simple = [name for name in WAYS if name != "sequence"]
    assert [make_recommender(name).name for name in simple] == simple
