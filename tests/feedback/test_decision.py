"""The decision: at its edges, as often right as it says, and all of it on record."""

from __future__ import annotations

import json

import numpy as np
import pytest

from huaxiang.errors import InputError, SettingsError
from huaxiang.feedback.decision import Decision, Rule, decide


def decided(candidate: object, incumbent: object, **rule: float) -> Decision:
    return decide(candidate, incumbent, metric="ndcg@10", seed=7, rule=Rule(**rule))  # type: ignore[arg-type]


OLD = np.random.default_rng(0).uniform(size=400)


@pytest.mark.parametrize(
    ("change", "promote"),
    [(1.2, True), (1.0, True), (0.995, True), (0.98, False), (0.5, False)],
    ids=["better", "the same", "half a percent worse", "two percent worse", "spoilt"],
)
def test_a_candidate_is_promoted_unless_it_may_be_more_than_one_percent_worse(
    change: float, promote: bool
) -> None:
    found = decided(change * OLD, OLD)
    assert found.promote is promote
    assert found.promote is (found.low > found.bound)
    assert found.bound == pytest.approx(-0.01 * OLD.mean())
    assert found.difference == pytest.approx((change - 1) * OLD.mean())


def test_an_uncertain_candidate_is_kept_out_though_its_mean_is_the_same() -> None:
    noise = np.random.default_rng(1).normal(scale=0.5, size=400)
    found = decided(OLD + noise - noise.mean(), OLD)
    assert found.difference == pytest.approx(0, abs=1e-9)
    assert not found.promote and found.low < found.bound < 0 < found.high


def test_a_margin_of_zero_asks_for_better() -> None:
    assert not decided(OLD, OLD, margin=0).promote
    assert decided(1.2 * OLD, OLD, margin=0).promote


def test_too_few_shoppers_decide_nothing() -> None:
    found = decided(np.ones(29), np.zeros(29))
    assert not found.promote and found.reason == "too few shoppers to tell: 29 of 30"
    nobody = decided([], []).as_json()
    assert (nobody["promote"], nobody["n_shoppers"], nobody["low"]) == (False, 0, None)


def test_an_incumbent_that_finds_nothing_is_replaced_by_one_that_finds_something() -> None:
    assert decided(np.full(50, 0.1), np.zeros(50)).promote
    assert not decided(np.zeros(50), np.zeros(50)).promote


def test_shoppers_without_a_figure_are_left_out_of_both() -> None:
    candidate, incumbent = OLD.copy(), OLD.copy()
    candidate[0], incumbent[1] = np.nan, np.nan
    found = decided(candidate, incumbent)
    assert found.n_shoppers == 398 and found.difference == 0


def test_a_candidate_two_percent_worse_is_rarely_promoted_by_chance() -> None:
    rng = np.random.default_rng(6)
    promoted = []
    for seed in range(200):
        old = rng.uniform(size=300)
        new = old - 0.01 + rng.normal(scale=0.05, size=300)  # 2 % of a mean of .5
        promoted.append(decide(new, old, metric="m", seed=seed, n_resamples=400).promote)
    assert np.mean(promoted) < 0.05


def test_the_record_is_json_and_the_same_for_the_same_seed() -> None:
    found = decided(1.01 * OLD, OLD)
    said = json.loads(json.dumps(found.as_json()))
    assert said == decided(1.01 * OLD, OLD).as_json()
    assert {
        "metric",
        "candidate",
        "incumbent",
        "low",
        "high",
        "n_shoppers",
        "rule",
        "promote",
        "reason",
    } <= set(said)
    assert said["rule"].startswith("promote when") and "-1.0%" in said["rule"]


def test_figures_of_other_shoppers_are_refused() -> None:
    with pytest.raises(InputError):
        decided(OLD, OLD[:-1])


@pytest.mark.parametrize("wrong", [{"margin": 2}, {"least_shoppers": 1}])
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        Rule(**wrong)
