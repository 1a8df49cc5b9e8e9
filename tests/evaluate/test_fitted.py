"""Models that are fitted once, alone and as members of mixes."""

from dataclasses import replace

import pytest

from huaxiang.evaluate.amazon import recommender_for
from huaxiang.evaluate.fitted import Fitted
from huaxiang.recommend.base import Recommender
from huaxiang.recommend.ensemble import Ensemble
from huaxiang.recommend.histories import histories_of, leave_last_out
from recommend.small_shops import training_of

SPLIT = leave_last_out(
    histories_of([[row % 7, (row + 1) % 7, (row + 2) % 7, (row + 3) % 7] for row in range(30)])
)
TRAINING = replace(training_of(SPLIT.histories, n_items=7), validation=SPLIT)


def make(name: str) -> Recommender:
    return recommender_for(name, "masked")


def silent(*_: object) -> None: ...


def test_a_mix_takes_what_is_fitted() -> None:
    first = Fitted(make, TRAINING, stage="first", progress=silent)
    alone = first.of("neighbours")
    mix = first.of("popular+neighbours")
    assert isinstance(mix.model, Ensemble)
    assert mix.model.members["neighbours"] is alone.model
    assert first.of("popular").model is mix.model.members["popular"]
    assert mix.train_cpu_s >= alone.train_cpu_s + first.of("popular").train_cpu_s
    whole = recommender_for("popular+neighbours", "masked").fit(TRAINING)
    assert isinstance(whole, Ensemble)
    assert mix.model.weights_ == pytest.approx(whole.weights_)


def test_a_second_fit_keeps_the_weights_of_the_first() -> None:
    first = Fitted(make, TRAINING, stage="first", progress=silent)
    chosen = first.of("popular+neighbours").model
    assert isinstance(chosen, Ensemble)
    chosen.weights_ = {"popular": 0.2, "neighbours": 0.7}
    more = replace(TRAINING, validation=None)
    second = Fitted(make, more, stage="second", progress=silent, before=first)
    again = second.of("popular+neighbours").model
    assert isinstance(again, Ensemble)
    assert again.weights_ == chosen.weights_
    assert again.members["popular"] is not chosen.members["popular"]
