"""What sells, and what the shopper bought most: exact numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.recommend.histories import histories_of, take_events, take_shoppers
from huaxiang.recommend.look_alikes import look_alikes
from huaxiang.recommend.own_frequency import Config as OwnConfig
from huaxiang.recommend.own_frequency import OwnFrequency
from huaxiang.recommend.popular import Config, Popular
from huaxiang.records import EventType
from recommend.small_shops import training_of, unit_rows

DAY = 86_400_000


def test_shares_are_of_the_most_popular() -> None:
    popular = Popular().fit(training_of([[0, 1], [0]], n_items=3))
    np.testing.assert_allclose(popular.shares(), [1, 0.5, 0])


def test_an_event_counts_half_after_a_half_life() -> None:
    timed = histories_of([[0], [1]], occurred_ms=[[0], [7 * DAY]])
    np.testing.assert_allclose(Popular().fit(training_of(timed, n_items=2)).shares(), [0.5, 1])
    timeless = Popular(Config(half_life_days=None)).fit(training_of(timed, n_items=2))
    np.testing.assert_allclose(timeless.shares(), [1, 1])


def test_disliked_items_are_less_popular_but_never_less_than_nothing() -> None:
    disliked = histories_of([[0, 0, 1]], types=[[8, EventType.DISLIKE.code, EventType.DISLIKE.code]])
    assert Popular().fit(training_of(disliked, n_items=2)).shares().min() == 0


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90)), min_size=1, max_size=10), st.randoms())
def test_learning_one_by_one_in_any_order_is_fitting_at_once(
    events: list[tuple[int, int]], random: object
) -> None:
    items, days = [item for item, _ in events], sorted(day * DAY for _, day in events)
    whole = histories_of([[item] for item in items], occurred_ms=[[ms] for ms in days])
    at_once = Popular().fit(training_of(whole, n_items=4))
    one_by_one = Popular().fit(training_of([], n_items=4))
    one_by_one.landmark_ms_ = at_once.landmark_ms_
    order = list(range(len(items)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for row in order:
        one_by_one.learn(take_shoppers(whole, slice(row, row + 1)))
    np.testing.assert_allclose(one_by_one.shares(), at_once.shares(), rtol=1e-6)


def test_popularity_goes_on_learning_for_decades() -> None:
    popular, moments = Popular().fit(training_of([[0]], n_items=3)), (0, 40 * 365 * DAY, 80 * 365 * DAY)
    for item, ms in zip((1, 2, 1), moments, strict=True):
        popular.learn(histories_of([[item]], occurred_ms=[[ms]]))
    np.testing.assert_allclose(popular.shares(), [0, 1, 0], atol=1e-6)
    popular.learn(histories_of([[2]], occurred_ms=[[moments[-1] - 7 * DAY]]))
    np.testing.assert_allclose(popular.shares(), [0, 1, 0.5], atol=1e-6)


def test_own_items_by_weight_then_what_is_popular() -> None:
    training = training_of([[2, 2, 3]], n_items=4)
    scores = OwnFrequency(OwnConfig(step_decay=0.5)).fit(training).score(histories_of([[0, 1, 0]]))[0]
    np.testing.assert_allclose(scores, [1.25, 0.5, 0.001, 0.0005])


def test_an_older_purchase_counts_less() -> None:
    timed = histories_of([[0, 1]], occurred_ms=[[0, 180 * DAY]])
    own = OwnFrequency(OwnConfig(step_decay=1, popular_share=0)).fit(training_of([[0]], n_items=2))
    np.testing.assert_allclose(own.score(timed)[0], [0.5, 1])


def test_a_new_shopper_gets_what_is_popular() -> None:
    own = OwnFrequency().fit(training_of([[1, 1, 0]], n_items=2))
    empty = take_events(histories_of([[0]]), np.zeros(1, dtype=bool))
    assert np.argmax(own.score(empty)[0]) == 1


def test_look_alikes_are_shares_of_the_nearest() -> None:
    items = unit_rows([[1, 0], [0.9, 0.1], [0, 1]])
    found = look_alikes(unit_rows([[1, 0]]), items, among_I=np.array([False, True, True]), n=2).toarray()[0]
    assert found[0] == 0 and found[1] > 0.99
    assert found.sum() == pytest.approx(1)


def test_a_zero_vector_resembles_nothing() -> None:
    items = unit_rows([[1, 0], [0, 1]])
    assert look_alikes(np.zeros((1, 2), "f"), items, among_I=np.ones(2, dtype=bool)).sum() == 0


@pytest.mark.parametrize("make", [lambda: Config(half_life_days=0), lambda: OwnConfig(popular_share=2)])
def test_settings_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        make()  # type: ignore[operator]
