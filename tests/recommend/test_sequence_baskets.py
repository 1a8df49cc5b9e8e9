"""Lines of a basket have no order to be learnt."""

from __future__ import annotations

import numpy as np

from huaxiang.recommend.base import Targets
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.sequence_baskets import shuffled

BASKETS = histories_of([[4, 5, 6, 8, 9], [7, 2]], occurred_ms=[[1, 1, 1, 2, 2], [1, 3]])


def test_only_the_order_within_a_moment_is_shuffled() -> None:
    orders = {tuple(shuffled(BASKETS, np.random.default_rng(seed)).item_rows) for seed in range(60)}
    assert len(orders) == 12
    assert {frozenset(order[:3]) for order in orders} == {frozenset({4, 5, 6})}
    assert {order[5:] for order in orders} == {(7, 2)}


def test_what_belongs_to_an_event_stays_with_it() -> None:
    again = shuffled(BASKETS, np.random.default_rng(0))
    key_of = dict(zip(BASKETS.item_rows.tolist(), BASKETS.event_keys.tolist(), strict=True))
    assert [key_of[item] for item in again.item_rows.tolist()] == again.event_keys.tolist()


def test_epochs_are_compared_on_everything_that_came_next() -> None:
    from huaxiang.recommend.sequence_fit import _some

    targets = Targets(
        histories=histories_of([[1], [2], [3]]), offsets=np.array([0, 2, 2, 3]), item_rows=np.array([4, 5, 6])
    )
    asked = _some(targets, seed=0)
    assert asked.histories.item_rows.tolist() == [1, 3]
    assert asked.offsets.tolist() == [0, 2, 3] and asked.item_rows.tolist() == [4, 5, 6]
