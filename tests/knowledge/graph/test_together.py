"""What is bought together is counted in people, and pairs of few are not kept."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.knowledge.graph import count_together
from huaxiang.knowledge.graph.together import Config
from knowledge.graph.small_graph import shop_of

baskets = st.lists(
    st.tuples(st.sampled_from(["s-1", "s-2", "s-3", "s-4"]), st.lists(st.integers(0, 5), max_size=5)),
    max_size=12,
)


def pairs_of(shop: object, **settings: int) -> dict[tuple[int, int], int]:
    table = count_together(shop, Config(**settings)).shoppers_II.tocoo()  # type: ignore[arg-type]
    return {(int(a), int(b)): int(n) for a, b, n in zip(table.row, table.col, table.data, strict=True)}


def test_a_pair_counts_each_shopper_once() -> None:
    shop = shop_of(baskets=[("s-1", [0, 2]), ("s-1", [0, 2]), ("s-2", [2, 0]), ("s-3", [0, 1])])
    assert pairs_of(shop, min_shoppers=2) == {(0, 2): 2, (2, 0): 2}


def test_a_pair_of_too_few_shoppers_is_not_kept() -> None:
    shop = shop_of(baskets=[("s-1", [0, 2]), ("s-2", [0, 2])])
    assert pairs_of(shop) == {}


def test_two_baskets_of_one_shopper_are_not_together() -> None:
    shop = shop_of(baskets=[(f"s-{n}", [row]) for n in range(3) for row in (0, 2)])
    assert pairs_of(shop) == {}


def test_anonymous_visits_are_nobody_known() -> None:
    shop = shop_of(baskets=[(f"anonymous:{n}", [0, 2]) for n in range(5)])
    assert pairs_of(shop, min_shoppers=2) == {}


def test_where_only_an_order_is_known_near_items_are_together() -> None:
    shop = shop_of(baskets=[(f"s-{n}", [0, 1, 2]) for n in range(3)], order_only=True)
    assert pairs_of(shop, window=1) == {(0, 1): 3, (1, 0): 3, (1, 2): 3, (2, 1): 3}


def test_smoothed_lift_by_hand() -> None:
    shop = shop_of(baskets=[*((f"s-{n}", [0, 2]) for n in range(3)), ("s-3", [1]), ("s-4", [1])])
    rows, lifts, shoppers = count_together(shop).of(0)
    assert (rows.tolist(), shoppers.tolist()) == ([2], [3])
    assert lifts[0] == pytest.approx((3 + 5) / (3 * 3 / 5 + 5))


def test_a_shop_where_nothing_happened_has_no_pairs() -> None:
    assert count_together(shop_of()).shoppers_II.nnz == 0


def test_new_items_were_bought_with_nothing() -> None:
    together = count_together(shop_of(baskets=[(f"s-{n}", [0, 2]) for n in range(3)])).with_items(9)
    assert together.n_items == 9
    assert not len(together.of(8)[0])


def test_a_threshold_that_hides_nobody_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 2"):
        Config(min_shoppers=1)


@given(baskets)
def test_counts_are_those_of_counting_by_hand(drawn: list[tuple[str, list[int]]]) -> None:
    people: dict[tuple[int, int], set[str]] = defaultdict(set)
    for shopper_id, rows in drawn:
        for one in rows:
            for other in rows:
                if one != other:
                    people[one, other].add(shopper_id)
    expected = {pair: len(own) for pair, own in people.items() if len(own) >= 2}
    assert pairs_of(shop_of(baskets=drawn), min_shoppers=2) == expected


def test_erased_shoppers_leave_no_pair() -> None:
    everybody = [(f"s-{n}", [0, 2]) for n in range(3)]
    assert pairs_of(shop_of(baskets=everybody)) != {}
    assert pairs_of(shop_of(baskets=everybody[:2])) == {}
    assert np.all(count_together(shop_of(baskets=everybody[:2])).shoppers_I == [2, 0, 2, 0, 0, 0])
