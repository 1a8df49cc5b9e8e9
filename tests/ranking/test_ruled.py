"""Lists keep to the shop's rules: pins at their places, caps, gains, and nothing that is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.feedback.policies import Config as Exploration
from huaxiang.feedback.policies import explore
from huaxiang.knowledge.rules import Circumstances, Goods, RulesOnGoods, Ruling, read_rules
from huaxiang.ranking.base import Occasion, Shelf
from huaxiang.ranking.rank import Config, Ranking, rank
from huaxiang.ranking.ruled import arranged, in_places
from huaxiang.records import Slate
from ranking.test_ranking import N, case, catalogue

BEST_FIRST = [8.0, 7, 6, 5, 4, 3, 2, 1]


def ruling(*rules: str, **changes: object) -> Ruling:
    listed_rules = "".join(f"- {{name: r{n}, {rule}}}\n" for n, rule in enumerate(rules)) or "  []\n"
    text = f"version: 1\nrules:\n{listed_rules}"
    goods = Goods(catalogue=replace(catalogue(), **changes))  # type: ignore[arg-type]
    return RulesOnGoods(read_rules(text), goods).ruling(Circumstances())


def listed(said: Ruling | None, *, k: int = 4, **changes: object) -> Ranking:
    shelf = Shelf(
        catalogue=replace(catalogue(), **changes),  # type: ignore[arg-type]
        vectors_ID=np.eye(N, dtype=np.float32),
    )
    return rank(case(BEST_FIRST), shelf, k=k, config=Config(variety=0), occasion=Occasion(ruling=said))


def rows(ranking: Ranking) -> list[int]:
    return ranking.item_rows.tolist()


def test_what_is_left_out_is_not_listed() -> None:
    assert rows(listed(ruling("items: {attribute: {colour: red}}, exclude: true"))) == [4, 5, 6, 7]


def test_a_pin_has_its_place_and_the_others_stand_around_it() -> None:
    ranking = listed(ruling("items: {item_id: i7}, pin: 2"))
    assert rows(ranking) == [0, 7, 1, 2]
    assert [one.is_pinned for one in ranking.items] == [False, True, False, False]


def test_two_pins_on_one_place_stand_beside_each_other() -> None:
    said = ruling("items: {item_id: i7}, pin: 1", "items: {item_id: i6}, pin: 1, priority: 1")
    assert rows(listed(said)) == [6, 7, 0, 1]


def test_the_best_of_what_a_pin_names_is_pinned() -> None:
    said = ruling("items: {attribute: {colour: blue}}, pin: {place: 1, most: 2}")
    assert rows(listed(said)) == [4, 5, 0, 1]


def test_a_pin_beyond_the_list_pins_nothing() -> None:
    assert rows(listed(ruling("items: {item_id: i7}, pin: 5"))) == [0, 1, 2, 3]


def test_a_pin_in_a_list_too_short_for_it_moves_up() -> None:
    said = ruling("items: {item_id: i7}, pin: 4", "items: {item_id: [i0, i7]}, require: true")
    assert rows(listed(said)) == [0, 7]


def test_an_exclusion_wins_over_a_pin_of_any_priority() -> None:
    said = ruling("items: {item_id: i7}, pin: 1, priority: 9", "items: {item_id: i7}, exclude: true")
    assert 7 not in rows(listed(said, k=8))


def test_what_is_out_of_stock_is_not_pinned() -> None:
    in_stock = np.arange(N) != 7
    assert rows(listed(ruling("items: {item_id: i7}, pin: 1", in_stock=in_stock), in_stock=in_stock)) == [
        0,
        1,
        2,
        3,
    ]


def test_a_cap_keeps_the_best_of_each_value() -> None:
    assert rows(listed(ruling("cap: {of: colour, most: 1}"))) == [0, 4]
    assert rows(listed(ruling("cap: {of: colour, most: 2}"))) == [0, 1, 4, 5]
    assert rows(listed(ruling("items: {attribute: {colour: red}}, cap: {most: 1}"))) == [0, 4, 5, 6]


def test_a_pin_counts_against_a_cap_first() -> None:
    said = ruling("cap: {of: colour, most: 1}", "items: {item_id: i3}, pin: 2")
    assert rows(listed(said)) == [4, 3]


def test_a_cap_counts_products_and_not_variants() -> None:
    variants = np.array([0, 0, 0, 1, 2, 2, 3, 4], dtype=np.int32)
    said = ruling("cap: {of: colour, most: 2}", group_rows=variants)
    assert rows(listed(said, group_rows=variants)) == [0, 3, 4, 6]


def test_only_one_variant_of_what_is_pinned_is_listed() -> None:
    variants = np.array([0, 1, 2, 3, 4, 5, 0, 0], dtype=np.int32)
    said = ruling("items: {item_id: [i6, i7]}, pin: {place: 1, most: 2}", group_rows=variants)
    assert rows(listed(said, group_rows=variants)) == [6, 1, 2, 3]


def test_a_boost_of_one_span_brings_the_middle_to_the_top() -> None:
    span = 8 - 4.5
    ranking = listed(ruling("items: {item_id: i3}, boost: 1"), k=1)
    assert (rows(ranking), ranking.items[0].score) == ([3], 5 + span)
    assert ranking.items[0].reasons[-1].contribution == span


def test_what_is_buried_goes_down_and_stays() -> None:
    assert rows(listed(ruling("items: {item_id: i0}, bury: 3"), k=8)) == [1, 2, 3, 4, 5, 6, 7, 0]


def test_every_rule_that_holds_for_an_item_is_among_its_reasons() -> None:
    said = ruling(
        "items: {item_id: i3}, boost: 1",
        "items: {attribute: {colour: red}}, require: true",
        "items: {item_id: i2}, pin: 1, reason: {en: Our pick}",
        "items: {item_id: i1}, exclude: true",
    )
    reasons = {
        one.item_id: [
            (reason.rule, reason.type, reason.text) for reason in one.reasons if reason.kind == "rule"
        ]
        for one in listed(said).items
    }
    assert reasons["i2"] == [("r2", "pin", "Our pick"), ("r1", "require", "By the shop’s rule “r1”")]
    assert [rule for rule, _, _ in reasons["i3"]] == ["r0", "r1"]
    assert "i1" not in reasons


def test_rules_that_leave_nothing_leave_an_empty_list_that_says_so() -> None:
    ranking = listed(ruling("items: {attribute: {colour: [red, blue]}}, exclude: true"))
    assert (rows(ranking), ranking.degraded) == ([], ("the shop's rules leave no item",))


def test_no_rules_change_nothing() -> None:
    assert (
        listed(None).items
        == listed(ruling("when: {channel: app}, items: {item_id: i0}, exclude: true")).items
    )


def test_an_order_by_likeness_keeps_to_the_rules() -> None:
    said = ruling(
        "items: {item_id: i1}, exclude: true",
        "items: {item_id: i5}, pin: 1",
        "items: {item_id: i3}, boost: 3",
    )
    found = arranged(
        np.array([1, 2, 3]),
        np.array([0.9, 0.8, 0.7], dtype=np.float32),
        said,
        catalogue(),
        k=3,
        allowed_I=np.ones(N, dtype=bool),
    )
    assert [one.row for one in found] == [5, 3, 2]


RULES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "exclude: true",
                "require: true",
                "pin: 1",
                "pin: {place: 2, most: 3}",
                "boost: 2",
                "bury: 1",
                "cap: {most: 2}",
            ]
        ),
        st.lists(st.sampled_from([f"i{n}" for n in range(N)]), min_size=1, max_size=5, unique=True),
        st.integers(-2, 2),
    ),
    max_size=8,
)
SCORES = st.lists(st.floats(-5, 5, width=32), min_size=N, max_size=N)


@given(RULES, SCORES, st.integers(1, 10), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_no_order_and_no_draw_lists_what_is_left_out_or_beyond_a_cap(
    rules: list[tuple[str, list[str], int]],
    scores: list[float],
    k: int,
    variety: float,
    share: float,
    seed: int,
) -> None:
    said = ruling(*(f"items: {{item_id: {ids}}}, priority: {first}, {does}" for does, ids, first in rules))
    shelf = Shelf(catalogue=catalogue(), vectors_ID=np.eye(N, dtype=np.float32))
    exploring = Exploration(share=share, n_candidates=6)
    ranking = rank(
        case(scores),
        shelf,
        k=exploring.n_wanted(k),
        config=Config(variety=variety, temperature=share if share > 0.01 else 0.0),
        occasion=Occasion(ruling=said, rng=np.random.default_rng(seed)),
    )
    slate = Slate(shopper_id="s", model="m", slate_id=str(seed), items=ranking.items)
    shown = explore(slate, k=k, config=exploring, seed=seed)
    rows_shown = [int(one.item_id[1:]) for one in shown.items]
    excluded = {item for does, ids, _ in rules if does.startswith("exclude") for item in ids}
    assert not excluded & {one.item_id for one in shown.items}
    for does, ids, _ in rules:
        if does.startswith("require"):
            assert {one.item_id for one in shown.items} <= set(ids)
        if does.startswith("cap"):
            assert len([row for row in rows_shown if f"i{row}" in ids]) <= 2
    assert len(set(rows_shown)) == len(rows_shown) <= k
    assert [one.rank for one in shown.items] == list(range(1, len(rows_shown) + 1))


@given(st.floats(0.01, 1), st.integers(1, 4), st.integers(0, 200))
def test_what_is_pinned_stays_and_its_chance_is_one(share: float, place: int, seed: int) -> None:
    exploring = Exploration(share=share, n_candidates=6)
    ranking = listed(ruling(f"items: {{item_id: i7}}, pin: {place}"), k=exploring.n_wanted(4))
    slate = Slate(shopper_id="s", model="m", slate_id=str(seed), items=ranking.items)
    shown = explore(slate, k=4, config=exploring, seed=seed).items
    assert (shown[place - 1].item_id, shown[place - 1].propensity) == ("i7", 1.0)
    assert all(one.propensity is not None and 0 < one.propensity <= 1 for one in shown)
    assert len({one.item_id for one in shown}) == 4


def test_chances_under_a_pin_are_how_often_it_happens() -> None:
    exploring = Exploration(share=0.5, n_candidates=5)
    ranking = listed(ruling("items: {item_id: i7}, pin: 2"), k=5)
    n_lists, seen, stated = 4000, 0, 0.0
    for seed in range(n_lists):
        slate = Slate(shopper_id="s", model="m", slate_id=str(seed), items=ranking.items)
        third = explore(slate, k=3, config=exploring, seed=1).items[2]
        seen += third.item_id == "i1"
        stated = third.propensity or 0.0 if third.item_id == "i1" else stated
    assert seen / n_lists == pytest.approx(stated, abs=0.03)


@given(
    st.dictionaries(st.integers(0, 8), st.integers(100, 200), max_size=5),
    st.integers(0, 8),
    st.integers(0, 9),
)
def test_things_are_in_their_places_and_none_is_lost(placed: dict[int, int], n_others: int, k: int) -> None:
    found = in_places(placed, list(range(n_others)), k=k)
    kept = {place: one for place, one in placed.items() if place < k}
    assert len(found) == min(k, len(kept) + n_others)
    assert [one for one in found if one < 100] == list(
        range(len(found) - len([x for x in found if x >= 100]))
    )
    if len(kept) + n_others >= k:
        assert all(found[place] == one for place, one in kept.items())
