"""Ensembles: one scale, weights from validation, contributions that still add up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import NotFittedError, SettingsError
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.ensemble import Config, Ensemble
from huaxiang.recommend.histories import histories_of, leave_last_out
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
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
    np.testing.assert_allclose(ensemble.scores_by_event(history)[:, 2], explained.values, atol=1e-5)


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
