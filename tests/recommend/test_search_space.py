"""What is searched: settings that exist, between bounds that they may have, around where they start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from huaxiang.config import RecommendSettings
from huaxiang.recommend.search_space import Range, started
from huaxiang.recommend.ways import WAYS, space_of

SEARCHED = [name for name in WAYS if space_of(name)]


def test_whatever_counts_or_is_solved_is_searched() -> None:
    assert SEARCHED == ["popular", "own_frequency", "neighbours", "closed_form", "ease"]


@pytest.mark.parametrize("order_only", [True, False], ids=["order only", "times"])
@pytest.mark.parametrize("name", SEARCHED)
def test_defaults_lie_inside_their_range(name: str, order_only: bool) -> None:
    space, start = started(space_of(name), getattr(RecommendSettings(), name), order_only=order_only)
    assert set(start) == {one for one, own in space_of(name).items() if not (own.needs_times and order_only)}
    assert all(own == space_of(name)[setting] for setting, own in space.items())  # nothing was widened


@pytest.mark.parametrize("name", SEARCHED)
def test_settings_may_have_the_bounds(name: str) -> None:
    config: Any = getattr(RecommendSettings(), name)
    for setting, own in space_of(name).items():
        for bound in (own.low, own.high):
            assert getattr(replace(config, **{setting: bound}), setting) == bound


def test_a_range_is_widened_by_a_start_outside_it() -> None:
    config = replace(RecommendSettings().closed_form, ridge=5000.0)
    space, start = started(space_of("closed_form"), config, order_only=True)
    assert (space["ridge"].high, start["ridge"]) == (5000.0, 5000.0)


def test_what_was_switched_off_is_not_searched() -> None:
    config = replace(RecommendSettings().closed_form, text_weight=0.0, half_life_days=None)
    space, start = started(space_of("closed_form"), config, order_only=False)
    assert not {"text_weight", "half_life_days"} & (set(space) | set(start))


def test_what_none_stands_for_is_where_the_search_starts() -> None:
    own = Range(low=0, high=1, unset=(0.1, 0.5))
    assert (own.placed(None, order_only=True), own.placed(None, order_only=False)) == (0.1, 0.5)
    assert Range(low=0, high=1).placed(None, order_only=True) is None
