"""What rules say of a list: which items, which gains, under which circumstances."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from boutique import CATALOGUE
from huaxiang.knowledge.rules import Circumstances, Goods, Rulebook, RulesOnGoods, Ruling, read_rules
from huaxiang.records import Activity, Facet, Profile, Version

PRICED = replace(
    CATALOGUE,
    price_minor=np.array([1000, 2000, 3000, 4000, 5000, 6000, 7000, -1]),
    in_stock=np.array([True] * 7 + [False]),
    valid_from_ms=np.array(
        [round(datetime(2026, 5, day, tzinfo=UTC).timestamp() * 1000) for day in range(1, 8)] + [0]
    ),
    group_rows=np.array([0, 0, 1, 2, 2, 3, 4, 5], dtype=np.int32),
)
GOODS = Goods(
    catalogue=PRICED,
    group_ids=["g0", "g0", "g1", "g2", "g2", "g3", "g4", "g5"],
    paths=["Clothes > Dresses"] * 3 + ["Shoes > Sport > Running Shoes"] * 2 + ["Shoes > Boots"] * 2 + [None],
)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday


def on(text: str) -> RulesOnGoods:
    return RulesOnGoods(read_rules(f"version: 1\n{text}"), GOODS)


def ruling(rule: str, **under: object) -> Ruling:
    return on(f"rules:\n- {{name: a, {rule}}}").ruling(Circumstances(**{"now": NOW, **under}))  # type: ignore[arg-type]


def rows(mask: np.ndarray) -> list[int]:  # type: ignore[type-arg]
    return np.flatnonzero(mask).tolist()


@pytest.mark.parametrize(
    ("items", "named"),
    [
        ("item_id: [i-0, i-9]", [0]),
        ("variants_of: i-0", [0, 1]),
        ("group_id: [g2, g5]", [3, 4, 7]),
        ("category: Dresses", [0, 1, 2]),
        ("category: shoes", [3, 4, 5, 6]),
        ("category: sport", [3, 4]),
        ("category: shoes > sport", [3, 4]),
        ("brand: nike", [0, 3, 4, 6]),
        ("brand: 耐克", [0, 3, 4, 6]),
        ("attribute: {colour: black}", [2, 5, 6]),
        ("attribute: {colour: [red, blue], material: leather}", [0, 6]),
        ("title_has: BOOTS", [5, 6]),
        ("price: {min: 30, max: 50}", [2, 3, 4]),
        ("price: {max: 15}", [0]),
        ("in_stock: false", [7]),
        ("age_days: {max: 27}", [4, 5, 6]),
        ("brand: Nike, category: Boots", [6]),
        ("any: [{item_id: i-1}, {brand: Nike, category: Boots}]", [1, 6]),
        ("all: [{brand: Nike}, {attribute: {colour: red}}]", [0, 3, 6]),
        ("not: {brand: Nike}", [1, 2, 5, 7]),
    ],
)
def test_a_selector_names_its_items(items: str, named: list[int]) -> None:
    said = ruling(f"items: {{{items}}}, exclude: true")
    assert rows(~said.allowed_I) == named


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("items: {brand: Nike}, exclude: true", [1, 2, 5, 7]),
        ("items: {brand: Nike}, require: true", [0, 3, 4, 6]),
        ("price_floor: 40", [3, 4, 5, 6]),
        ("items: {brand: Nike}, price_floor: 40", [1, 2, 3, 4, 5, 6, 7]),
        ("in_stock_only: true", [0, 1, 2, 3, 4, 5, 6]),
        ("age_limit: {max: 27}", [4, 5, 6]),
    ],
)
def test_an_action_leaves_items_out(action: str, allowed: list[int]) -> None:
    assert rows(ruling(action).allowed_I) == allowed


def test_boosts_add_up_and_are_bounded() -> None:
    said = on(
        "rules:\n- {name: a, items: {brand: Nike}, boost: 2}\n"
        "- {name: b, items: {category: Boots}, boost: 2}\n"
        "- {name: c, items: {item_id: i-5}, bury: 0.5}"
    ).ruling(Circumstances())
    assert said.boosts_I is not None
    assert said.boosts_I.tolist() == [2, 0, 0, 2, 2, 1.5, 3, 0]
    assert [one.rule.name for one in said.on(5)] == ["b", "c"]


def test_a_group_is_named_by_many_rules() -> None:
    said = on(
        "groups: {boots: {category: Boots}}\nrules:\n- {name: a, items: {not: {group: boots}}, exclude: true}"
    )
    assert rows(said.ruling(Circumstances()).allowed_I) == [5, 6]


def facet(value: str, *, side: str = "liked", source: str = "inferred", confidence: float = 0.5) -> Facet:
    return Facet(
        dimension="brand",
        value=value,
        side=side,  # type: ignore[arg-type]
        share=0.5,
        lift=2.0,
        confidence=confidence,
        half_life_days=None,
        last_seen=None,
        source=source,  # type: ignore[arg-type]
        evidence=(),
    )


def profile(*facets: Facet, lifecycle: str = "new", n_orders: int = 0) -> Profile:
    activity = Activity(
        first_seen=None,
        last_seen=datetime(2026, 5, 30, 12, tzinfo=UTC),
        recency_days=2.0,
        n_orders=n_orders,
        n_units=0,
        spend_minor=0,
        currency=None,
        lifecycle=lifecycle,
        active_hours=(),
        channels={},
    )
    return Profile(
        shopper_id="s",
        as_of=NOW,
        version=Version(position=0, model="", catalogue=""),
        n_events=3,
        facets=facets,
        interests=(),
        intent=None,
        activity=activity,
        portrait={},
        vector=np.zeros(0, np.float32),
    )


@pytest.mark.parametrize(
    ("when", "under", "holds"),
    [
        ("placement: home", {"placement": "home"}, True),
        ("placement: [item, cart]", {"placement": "home"}, False),
        ("channel: APP", {"channel": "app"}, True),
        ("channel: app", {}, False),
        ("language: zh", {"language": "zh"}, True),
        ("query: running shoes", {"query": "Cheap running-shoes!"}, True),
        ("query: run", {"query": "running shoes"}, False),
        ("query: 跑鞋", {"query": "红色跑鞋"}, True),
        ("query: {is: [shoes]}", {"query": " SHOES "}, True),
        ("query: {is: shoes}", {"query": "red shoes"}, False),
        ("query: shoes", {}, False),
        ("time: {weekdays: [mon]}", {}, True),
        ("time: {weekdays: [sat, sun]}", {}, False),
        ("time: {hours: '11-13'}", {}, True),
        ("time: {hours: '22:00-12:01'}", {}, True),
        ("time: {hours: '12:01-22'}", {}, False),
        ("time: {from: 2026-06-01, until: 2026-06-01}", {}, True),
        ("time: {until: 2026-05-31}", {}, False),
        ("time: {from: '2026-06-01T20:00+08:00'}", {}, True),
        ("time: {from: '2026-06-01T12:01'}", {}, False),
        ("time: {weekdays: [mon]}", {"now": None}, False),
        ("profile: {likes: {brand: 耐克}}", {"profile": profile(facet("Nike"))}, True),
        ("profile: {likes: {brand: Acme}}", {"profile": profile(facet("Nike"))}, False),
        (
            "profile: {likes: {brand: Nike}, least_confidence: 0.6}",
            {"profile": profile(facet("Nike"))},
            False,
        ),
        ("profile: {dislikes: {brand: Nike}}", {"profile": profile(facet("Nike"))}, False),
        ("profile: {stated: {brand: Nike}}", {"profile": profile(facet("Nike"))}, False),
        ("profile: {stated: {brand: Nike}}", {"profile": profile(facet("Nike", source="corrected"))}, True),
        ("profile: {lifecycle: [new, loyal]}", {"profile": profile()}, True),
        ("profile: {orders: {min: 2}}", {"profile": profile(n_orders=2)}, True),
        ("profile: {last_seen_days: {min: 3}}", {"profile": profile()}, False),
        ("profile: {known: true}", {"profile": profile()}, True),
        ("profile: {known: false}", {}, True),
        ("profile: {lifecycle: new}", {}, False),
        ("not: {placement: home}", {"placement": "cart"}, True),
        ("any: [{placement: cart}, {channel: app}]", {"channel": "app"}, True),
        ("[{placement: cart}, {channel: app}]", {"channel": "web"}, False),
    ],
)
def test_a_condition_holds(when: str, under: dict[str, object], holds: bool) -> None:
    written = when if when.startswith("[") else f"{{{when}}}"
    said = ruling(f"when: {written}, items: {{brand: Nike}}, exclude: true", **under)
    assert bool(said.in_force) is holds
    assert (rows(~said.allowed_I) != []) is holds


def test_days_begin_where_the_shop_is() -> None:
    rules = on(
        "timezone: Asia/Shanghai\n"
        "rules:\n- {name: a, when: {time: {from: 2026-06-02}}, items: {brand: Nike}, exclude: true}"
    )
    assert not rules.ruling(Circumstances(now=datetime(2026, 6, 1, 15, 59, tzinfo=UTC))).in_force
    assert rules.ruling(Circumstances(now=datetime(2026, 6, 1, 16, tzinfo=UTC))).in_force


def test_the_same_rules_say_the_same_and_are_asked_once() -> None:
    rules = on("rules:\n- {name: a, when: {channel: app}, items: {brand: Nike}, boost: 1}")
    first = rules.ruling(Circumstances(channel="app"))
    assert rules.ruling(Circumstances(channel="app", query="x")) is first
    assert rules.ruling(Circumstances()) is not first
    assert first.tag != rules.ruling(Circumstances()).tag


def test_what_a_ruling_says_can_not_be_written_over() -> None:
    said = ruling("items: {brand: Nike}, boost: 1")
    assert said.boosts_I is not None
    for array in (said.allowed_I, said.boosts_I):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_tag_changes_with_what_time_changes() -> None:
    rules = on("rules:\n- {name: a, when: {time: {hours: '9-17'}}, items: {brand: Nike}, exclude: true}")
    assert rules.tag(NOW) == rules.tag(NOW.replace(minute=30)) != rules.tag(NOW.replace(hour=18))


def test_rules_follow_the_catalogue_they_are_asked_about() -> None:
    book = Rulebook()
    assert book.ruling(GOODS, Circumstances()) is None
    book.put(on("rules:\n- {name: a, items: {price: {max: 15}}, exclude: true}"))
    dear = replace(GOODS, catalogue=replace(PRICED, price_minor=np.full(8, 9_000)))
    cheap_now, cheap_then = book.ruling(GOODS, Circumstances()), book.ruling(dear, Circumstances())
    assert cheap_now is not None
    assert cheap_then is not None
    assert (rows(~cheap_now.allowed_I), rows(~cheap_then.allowed_I)) == ([0], [])


def test_an_empty_file_of_rules_leaves_everything() -> None:
    assert on("rules: []").ruling(Circumstances()).allowed_I.all()
