"""Planted structures that every personal recommender must recover."""

from collections.abc import Callable

import numpy as np
import pytest

from huaxiang.recommend.base import Recommender
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.deep_belief import Config as DeepBeliefConfig
from huaxiang.recommend.deep_belief import DeepBelief
from huaxiang.recommend.histories import histories_of
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.top import top_items
from recommend.small_shops import training_of

PERSONAL: dict[str, Callable[[], Recommender]] = {
    "neighbours": Neighbours,
    "closed_form": lambda: ClosedForm(Config(ridge=1, text_weight=0)),
    "ease": lambda: ClosedForm(Config(way="symmetric", ridge=1, text_weight=0)),
    "deep_belief": lambda: DeepBelief(
        DeepBeliefConfig(units=(8, 4), learning_rate=0.5, steps=150, history_weight=1)
    ),
}
personal = pytest.mark.parametrize("name", list(PERSONAL))


@personal
def test_checkerboard_even_shoppers_get_even_items(name: str) -> None:
    """Shopper u likes item i where u + i is even; one item each is hidden, and must be found."""
    rng = np.random.default_rng(7)
    squares = [rng.permutation(np.arange(u % 2, 20, 2)).tolist() for u in range(60)]
    recommender = PERSONAL[name]().fit(training_of([items[:-1] for items in squares], n_items=20))
    top = top_items(recommender.score, histories_of([items[:-1] for items in squares]), k=1, exclude_had=True)
    assert top.item_rows[:, 0].tolist() == [items[-1] for items in squares]


@personal
def test_two_tribes_never_get_each_others_items(name: str) -> None:
    """Tribe A buys 0-9, tribe B buys 10-19, both buy the bestseller 20."""
    rng = np.random.default_rng(3)
    tribes = [(rng.permutation(10)[:5] + 10 * (u % 2)).tolist() + [20] for u in range(80)]
    recommender = PERSONAL[name]().fit(training_of(tribes, n_items=21))
    top = top_items(recommender.score, histories_of([[0, 3], [12, 17]]), k=5, exclude_had=True)
    assert set(top.item_rows[0]) <= {*range(10), 20}
    assert set(top.item_rows[1]) <= {*range(10, 20), 20}


@personal
def test_direction_is_kept_where_the_way_has_one(name: str) -> None:
    """A camera (0) is followed by a film (1), never the other way round."""
    sequences = [[0, 1, 2 + u % 5] for u in range(50)] + [[2 + u % 5, 0, 1] for u in range(50)]
    recommender = PERSONAL[name]().fit(training_of(sequences, n_items=7))
    scores = recommender.score(histories_of([[0], [1]]))
    if name not in ("ease", "deep_belief"):
        assert scores[0, 1] > scores[1, 0]
