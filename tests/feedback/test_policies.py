"""Exploration: what is drawn is drawn as often as it says, and what is learnt from it is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.feedback.policies import Config, chances, draw, explore, rng_of
from huaxiang.records import Ranked, Slate

Floats = NDArray[np.float64]


def slate_of(n_items: int, *, slate_id: str = "slate") -> Slate:
    items = tuple(
        Ranked(rank=row + 1, item_id=f"i{row}", title=f"item {row}", score=1.0 / (row + 1), propensity=1.0)
        for row in range(n_items)
    )
    return Slate(shopper_id="s", model="m", slate_id=slate_id, items=items)


def chances_by_enumeration(n_candidates: int, k: int, share: float) -> Floats:
    """Return the same table by going through every list there is."""
    table_KN = np.zeros((k, n_candidates))

    def go_on(left: list[int], place: int, chance: float) -> None:
        if place == k:
            return
        for at, candidate in enumerate(left):
            here = chance * (share / len(left) + (1 - share) * (at == 0))
            table_KN[place, candidate] += here
            go_on(left[:at] + left[at + 1 :], place + 1, here)

    go_on(list(range(n_candidates)), 0, 1.0)
    return table_KN


@pytest.mark.parametrize(("n_candidates", "k"), [(1, 1), (3, 2), (5, 3), (6, 6), (7, 4)])
@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_chances_are_those_of_every_list_there_is(n_candidates: int, k: int, share: float) -> None:
    expected_KN = chances_by_enumeration(n_candidates, k, share)
    np.testing.assert_allclose(chances(n_candidates, k, share=share), expected_KN, atol=1e-12)


@given(n_candidates=st.integers(1, 40), share=st.floats(0, 1), data=st.data())
def test_a_place_is_filled_for_certain_and_an_item_stands_once_at_most(
    n_candidates: int, share: float, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, n_candidates))
    table_KN = chances(n_candidates, k, share=share)
    np.testing.assert_allclose(table_KN.sum(axis=1), 1, atol=1e-9)
    assert (table_KN >= -1e-12).all() and (table_KN.sum(axis=0) <= 1 + 1e-9).all()


def test_items_come_as_often_as_their_chance_says() -> None:
    n_lists, n_candidates, k, share = 20_000, 6, 3, 0.4
    drawn_LK = np.array(
        [draw(n_candidates, k, share=share, rng=rng_of(11, str(number))) for number in range(n_lists)]
    )
    seen_KN = np.stack([np.bincount(drawn_LK[:, place], minlength=n_candidates) for place in range(k)])
    expected_KN = chances(n_candidates, k, share=share)
    errors_KN = np.sqrt(expected_KN * (1 - expected_KN) / n_lists)
    assert (np.abs(seen_KN / n_lists - expected_KN) < 4 * errors_KN).all()
    assert all(len(set(row)) == k for row in drawn_LK.tolist())


def test_without_exploration_the_best_are_listed_and_nothing_was_left_to_chance() -> None:
    shown = explore(slate_of(5), k=3, config=Config(), seed=7)
    assert [one.item_id for one in shown.items] == ["i0", "i1", "i2"]
    assert [one.propensity for one in shown.items] == [None] * 3
    assert all(one["propensity"] is None for one in shown.as_json()["items"])  # type: ignore[attr-defined]


def test_the_same_seed_and_slate_give_the_same_list_and_others_another() -> None:
    config = Config(share=0.8)
    lists = [explore(slate_of(30, slate_id=name), k=8, config=config, seed=7) for name in ("a", "a", "b")]
    assert lists[0] == lists[1]
    assert lists[0].items != lists[2].items
    assert lists[0].items != explore(slate_of(30, slate_id="a"), k=8, config=config, seed=8).items


def test_each_shown_item_carries_the_chance_of_its_place() -> None:
    shown = explore(slate_of(6), k=4, config=Config(share=0.5, n_candidates=6), seed=3)
    table_KN = chances(6, 4, share=0.5)
    for place, one in enumerate(shown.items):
        assert one.rank == place + 1
        assert one.propensity == table_KN[place, int(one.item_id[1:])]


def test_fewer_candidates_than_places_are_all_listed() -> None:
    shown = explore(slate_of(3), k=10, config=Config(share=0.5), seed=7)
    assert sorted(one.item_id for one in shown.items) == ["i0", "i1", "i2"]


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"share": -0.1}, {"n_candidates": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        Config(**wrong)  # type: ignore[arg-type]


def planted(n_lists: int, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], Floats, Floats]:
    """Return drawn lists, clicks, the chance of each item at its place, and the true click rates (K, N)."""
    rng = np.random.default_rng(seed)
    truth_KN = np.linspace(0.6, 0.05, 3)[:, None] * rng.permutation(np.linspace(0.1, 1.0, 8))[None, :]
    drawn_LK = np.array([draw(8, 3, share=0.3, rng=rng_of(seed, str(number))) for number in range(n_lists)])
    places_K = np.arange(3)
    clicked_LK = rng.random((n_lists, 3)) < truth_KN[places_K, drawn_LK]
    return drawn_LK, clicked_LK, chances(8, 3, share=0.3)[places_K, drawn_LK], truth_KN


def test_weighted_logs_tell_what_another_policy_would_have_earned() -> None:
    """The list that always shows candidates 5, 6 and 7: rarely drawn, and yet its clicks are told."""
    drawn_LK, clicked_LK, chance_LK, truth_KN = planted(60_000, seed=5)
    wanted_K = np.array([5, 6, 7])
    truth = truth_KN[np.arange(3), wanted_K].sum()
    weights_LK = (drawn_LK == wanted_K) / chance_LK
    by_weight_L = (weights_LK * clicked_LK).sum(axis=1)

    half = len(drawn_LK) // 2  # a model of clicks from the first half: crude, as it ignores the place
    n_shown_N = np.bincount(drawn_LK[:half].ravel(), minlength=8)
    guess_N = np.bincount(drawn_LK[:half].ravel(), clicked_LK[:half].ravel(), minlength=8) / n_shown_N
    corrected_LK = guess_N[wanted_K] + weights_LK * (clicked_LK - guess_N[drawn_LK])
    doubly_robust_L = corrected_LK[half:].sum(axis=1)

    for estimate_L in (by_weight_L, doubly_robust_L):
        error = estimate_L.std() / np.sqrt(len(estimate_L))
        assert abs(estimate_L.mean() - truth) < 3 * error
        assert error < 0.15 * truth
    naive = clicked_LK[(drawn_LK == wanted_K).any(axis=1)].sum(axis=1).mean()
    assert abs(naive - truth) > 0.15 * truth  # what the same lists say when the chances are left out
