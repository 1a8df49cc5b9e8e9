from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as peer

from boutique import CATALOGUE, POPULATION, Diary, diary, facet
from huaxiang.evaluate.foretelling import forecasts
from huaxiang.records import Profile

RED_DRESS, BLUE_DRESS, BLACK_DRESS, RED_RUNNER, BLUE_RUNNER = range(5)


def profile_of(item: int) -> Profile:
    liking: Diary = diary(*((day, "purchase", item) for day in range(1, 9)))
    profile: Profile = liking.derived().profile
    return profile


def of_dimension(name: str, bought: list[list[int]], profiles: list[Profile]) -> dict[str, float]:
    rows = [np.array(items, np.int32) for items in bought]
    found = {row["dimension"]: row for row in forecasts(profiles, rows, CATALOGUE, POPULATION)}
    return {key: float(figure) for key, figure in found[name].items() if key != "dimension"}


def test_who_buys_what_they_like_is_foretold_better_than_by_everybodys_shares() -> None:
    profiles = [profile_of(RED_DRESS), profile_of(BLUE_RUNNER)]
    row = of_dimension("colour", [[RED_RUNNER] * 30, [BLUE_DRESS] * 30], profiles)
    assert (row["n"], row["accuracy"], row["auc"]) == (60, 1.0, 1.0)
    assert row["log_loss"] < row["population_log_loss"]
    assert row["population_auc"] == pytest.approx(0.5)


def test_who_buys_the_contrary_is_foretold_worse() -> None:
    row = of_dimension("colour", [[BLUE_DRESS] * 60], [profile_of(RED_DRESS)])
    assert row["accuracy"] == 0.0
    assert row["log_loss"] > row["population_log_loss"]


def test_log_loss_is_that_of_the_chances_the_facets_give() -> None:
    profile = profile_of(RED_DRESS)
    red = facet(profile, "colour", "red")
    assert red is not None
    others = (1 - red.share) / 2
    expected = peer.log_loss([0] * 40 + [1] * 20, [[red.share, others, others]] * 60, labels=[0, 1, 2])
    row = of_dimension("colour", [[RED_DRESS] * 40 + [BLUE_DRESS] * 20], [profile])
    assert row["log_loss"] == pytest.approx(expected)


def test_few_outcomes_make_no_forecast() -> None:
    assert forecasts([profile_of(RED_DRESS)], [np.array([RED_DRESS], np.int32)], CATALOGUE, POPULATION) == []
