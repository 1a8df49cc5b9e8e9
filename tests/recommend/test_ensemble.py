"""Ensembles: one scale, weights from validation, contributions that still add up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.recommend.base import Histories, Targets
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.ensemble import Config, Earlier, Ensemble
from huaxiang.recommend.histories import histories_of, leave_last_out
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
from huaxiang.records import Matrix
from recommend.small_shops import training_of

CYCLES = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0], [4, 0, 1]] * 4


def members() -> dict[str, Popular | Neighbours]:
    return {"popular": Popular(), "neighbours": Neighbours()}


def test_weights_go_to_the_member_that_foretells() -> None:
    held_out = leave_last_out(histories_of(CYCLES))
    training = replace(training_of(held_out.histories, n_items=5), validation=held_out)
    ensemble = Ensemble(members=members()).fit(training)
    assert ensemble.weights_["neighbours"] > ensemble.weights_["popular"]


def test_without_validation_members_count_alike() -> None:
    assert Ensemble(members=members()).fit(training_of(CYCLES, n_items=5)).weights_ == {
        "popular": 1.0,
        "neighbours": 1.0,
    }


def test_given_weights_are_kept() -> None:
    config = Config(members=("popular", "neighbours"), weights={"popular": 0.3})
    ensemble = Ensemble(config, members=members()).fit(training_of(CYCLES, n_items=5))
    assert ensemble.weights_ == {"popular": 0.3, "neighbours": 0.0}
    assert ensemble.uses == ("ids", "times")


def test_scores_are_sums_of_standard_scores() -> None:
    ensemble = Ensemble(members={"neighbours": Neighbours()}).fit(training_of(CYCLES, n_items=5))
    scores = ensemble.score(histories_of([[0, 1], [3]]))
    np.testing.assert_allclose(scores.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=1), 1, rtol=1e-5)


def test_contributions_and_rest_sum_to_the_score() -> None:
    ensemble = Ensemble(members=members()).fit(training_of([*CYCLES, [0, 2]], n_items=5))
    history = histories_of([[0, 1]])
    explained = ensemble.contributions(history, 2)
    assert explained.is_exact
    assert explained.values.sum() + explained.rest == pytest.approx(
        float(ensemble.score(history)[0, 2]), abs=1e-5
    )
    scores_I, effects = ensemble.scores_by_event(history)
    np.testing.assert_allclose(effects.at(np.array([2]))[:, 0], explained.values, atol=1e-5)
    np.testing.assert_allclose(scores_I, ensemble.score(history)[0], atol=1e-5)


def test_scores_beside_another_ensemble_of_the_members_are_its_own() -> None:
    first = Ensemble(members=members()).fit(training_of([*CYCLES, [0, 2]], n_items=5))
    other, history = first.over(first.members), histories_of([[0, 1]])
    name, *_ = first.weights_ = {next(iter(first.members)): 1.0}
    other.weights_ = {one: 0.5 + number for number, one in enumerate(first.members)}
    scores_I, _, own = first.scores_with_members(history)
    assert list(own) == [name]
    np.testing.assert_allclose(scores_I, first.score(history)[0], atol=1e-6)
    np.testing.assert_allclose(other.score_beside(history, own), other.score(history)[0], atol=1e-6)


def test_a_member_whose_limit_is_exceeded_is_left_out_aloud() -> None:
    small = ClosedForm(ClosedFormConfig(max_items=3))
    ensemble = Ensemble(members={"neighbours": Neighbours(), "closed_form": small})
    ensemble.fit(training_of(CYCLES, n_items=5))
    assert list(ensemble.members) == ["neighbours"]
    assert "closed_form left out" in ensemble.degraded_[0]


def test_learning_reaches_the_members_that_learn() -> None:
    ensemble = Ensemble(members={"neighbours": Neighbours()}).fit(training_of([[0, 1]], n_items=4))
    ensemble.learn(histories_of([[2]]))
    ensemble.learn(histories_of([[2, 3]]))
    assert np.argmax(ensemble.score(histories_of([[2]]))[0]) == 3


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    ensemble = Ensemble(members=members()).fit(training_of(CYCLES, n_items=5))
    ensemble.save(tmp_path)
    loaded, history = Ensemble.from_pretrained(tmp_path), histories_of([[0, 1], [2]])
    np.testing.assert_allclose(loaded.score(history), ensemble.score(history), rtol=1e-6)
    assert loaded.weights_ == ensemble.weights_


def test_weights_of_strangers_are_refused() -> None:
    with pytest.raises(SettingsError, match="not an ensemble"):
        Config(members=("popular",), weights={"sequence": 1.0})


def test_use_before_fit_says_so() -> None:
    with pytest.raises(NotFittedError):
        Ensemble(members=members()).score(histories_of([[0]]))


class Oracle:
    """Foretells in one season what comes next, and in the other nothing."""

    def __init__(self, item_row: int) -> None:
        self.item_row = item_row

    def score(self, histories: Histories) -> Matrix:
        scores_UI = np.tile(np.arange(5, dtype=np.float32)[::-1] / 10, (histories.n_shoppers, 1))
        scores_UI[:, self.item_row] = 1
        return scores_UI


def bought_next(item_row: int, *, n_shoppers: int) -> Targets:
    return Targets(
        histories=histories_of([[0]] * n_shoppers),
        offsets=np.arange(n_shoppers + 1),
        item_rows=np.full(n_shoppers, item_row, dtype=np.int32),
    )


def test_weights_are_those_that_hold_for_earlier_stretches_too() -> None:
    members = {"fashion": Oracle(3), "steady": Oracle(4)}
    newest = bought_next(3, n_shoppers=10)  # only the fashion is right
    earlier = Earlier(members=members, targets=bought_next(4, n_shoppers=30))  # the steady one was
    alone = Ensemble(members=members).choose(newest)  # type: ignore[arg-type]
    together = Ensemble(members=members).choose(newest, earlier=[earlier])  # type: ignore[arg-type]
    assert alone.weights_["fashion"] > alone.weights_["steady"]
    assert together.weights_["steady"] > together.weights_["fashion"]


def test_a_member_that_was_not_there_earlier_is_weighed_on_the_newest_alone() -> None:
    members = {"steady": Oracle(4), "slow": Oracle(3)}
    earlier = Earlier(members={"steady": Oracle(4)}, targets=bought_next(4, n_shoppers=30))  # type: ignore[dict-item]
    chosen = Ensemble(members=members).choose(bought_next(3, n_shoppers=10), earlier=[earlier])  # type: ignore[arg-type]
    assert min(chosen.weights_["slow"], chosen.weights_["steady"]) > 0
