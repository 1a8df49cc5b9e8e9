"""Published counts: one contribution each, noise, a least group, a budget, the same answer again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from fractions import Fraction
from math import exp
from pathlib import Path
from random import Random

import pytest

from command_line import call
from huaxiang.records import EventType
from huaxiang.serve.noise import two_sided_geometric
from huaxiang.serve.published import Question, shoppers_by_value
from serve.talking import Talk, event, opened


def test_the_noise_has_the_distribution_that_is_stated() -> None:
    """Each probability within five standard deviations of q(z) = (1 − a) / (1 + a) · a^|z|, a = exp(−ε)."""
    draw, n, a = Random(7).randrange, 40_000, exp(-0.7)
    drawn = Counter(two_sided_geometric(Fraction(7, 10), below=draw) for _ in range(n))
    for z in range(-6, 7):
        expected = (1 - a) / (1 + a) * a ** abs(z)
        assert abs(drawn[z] / n - expected) < 5 * (expected / n) ** 0.5, z


def test_two_worlds_that_differ_in_one_shopper_look_alike_up_to_epsilon() -> None:
    draw, n, epsilon = Random(11).randrange, 40_000, Fraction(1, 2)
    worlds = [
        Counter(count + two_sided_geometric(epsilon, below=draw) for _ in range(n)) for count in (20, 21)
    ]
    for seen in range(15, 27):
        with_them, without = worlds[1][seen], worlds[0][seen]
        assert with_them <= exp(0.5) * without * 1.15
        assert without <= exp(0.5) * with_them * 1.15


def colours(talk: Talk) -> Question:
    values, now = talk.shop.serving.model.population.values, talk.shop.clock()
    today = now.date().isoformat()
    return Question.read(values, of="category", type="purchase", first=today, last=today, now=now)


def counted(talk: Talk) -> dict[str, int]:
    values = talk.shop.serving.model.population.values
    return {values.names[v]: n for v, n in shoppers_by_value(talk.shop, colours(talk)).items() if n}


def of_category(talk: Talk, place: int) -> tuple[str, str]:
    """Return an item of another category for each place, and the category."""
    catalogue = talk.shop.serving.model.catalogue
    categories = catalogue.dimensions["category"]
    row = int((categories.value_rows == place).argmax())
    item = next(
        i for i in range(catalogue.n_items) if categories.offsets[i] <= row < categories.offsets[i + 1]
    )
    return catalogue.item_ids[item], categories.values[place]


def test_a_shopper_counts_once_where_they_were_most_however_often_they_came(talk: Talk) -> None:
    (one, first), (two, second) = of_category(talk, 0), of_category(talk, 1)
    talk.send(*[event("often", "purchase", item_id=one) for _ in range(9)])
    talk.send(event("often", "purchase", item_id=two), event("once", "purchase", item_id=two))
    assert counted(talk) == {first: 1, second: 1}


def test_joined_ids_are_one_shopper_and_who_refuses_research_is_not_counted(talk: Talk) -> None:
    item_id, category = of_category(talk, 0)
    talk.send(*[event(who, "purchase", item_id=item_id) for who in ("ann", "anonymous:a", "ben", "cem")])
    talk.send(event("ann", "alias", context={"other": "anonymous:a"}))
    talk.client.put("/v1/shoppers/ben/consent", json={"purposes": {"research": False}})
    assert counted(talk) == {category: 2}


def test_what_is_sensitive_is_not_counted(talk: Talk) -> None:
    item_id, _ = of_category(talk, 0)
    values, settings = talk.shop.serving.model.population.values, talk.shop.serving.model.settings.profile
    row = talk.shop.serving.model.catalogue.row_of[item_id]
    known = values.sensitive(settings)
    values.hidden[settings.sensitive] = type(known)(known.config, frozenset({row}))
    talk.send(event("ann", "purchase", item_id=item_id))
    assert counted(talk) == {}


def asked(talk: Talk, **more: object) -> dict[str, object]:
    today = talk.shop.clock().date().isoformat()
    return talk.get("/v1/aggregates", params={"of": "category", "from": today, "to": today, **more}).json()


def test_small_groups_are_withheld_and_large_ones_are_shown_with_noise(talk: Talk) -> None:
    (large, category), (small, _) = of_category(talk, 0), of_category(talk, 1)
    talk.send(*[event(f"large-{n}", "purchase", item_id=large) for n in range(300)])
    talk.send(event("alone", "purchase", item_id=small))
    answer = asked(talk)
    (row,) = answer["values"]
    assert row["value"] == category and abs(row["shoppers"] - 300) < 60
    n_values = len(talk.shop.serving.model.catalogue.dimensions["category"].values)
    assert answer["n_withheld"] == n_values - 1


def test_the_same_question_on_the_same_day_has_the_same_answer_for_nothing(talk: Talk) -> None:
    item_id, _ = of_category(talk, 0)
    talk.send(*[event(f"s-{n}", "purchase", item_id=item_id) for n in range(200)])
    first = asked(talk)
    talk.send(*[event(f"t-{n}", "purchase", item_id=item_id) for n in range(200)])
    again = asked(talk)
    assert again == first
    assert first["epsilon_left_today"] == 4.5


def test_when_the_budget_is_spent_new_questions_wait_until_tomorrow(talk: Talk, live_run: Path) -> None:
    now = talk.shop.clock()
    days = [(now - timedelta(days=n)).date().isoformat() for n in range(12)]
    answers = [talk.get("/v1/aggregates", params={"from": day, "to": day}) for day in days]
    assert [one.status_code for one in answers] == [200] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 86_400
    assert answers[-1].json()["code"] == "too_many_requests"
    again = talk.get("/v1/aggregates", params={"from": days[0], "to": days[0]})
    assert again.json() == {**answers[0].json(), "epsilon_left_today": 0.0}
    talk.client.__exit__()
    with opened(live_run) as later:
        assert later.get("/v1/aggregates", params={"from": days[11], "to": days[11]}).status_code == 429


@pytest.mark.parametrize(
    "asked_for",
    [
        {"of": "shoe size"},
        {"type": "consent"},
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"to": "9999-12-31"},
        {"from": "0001-01-01"},
    ],
)
def test_a_question_that_means_nothing_is_refused_and_costs_nothing(
    talk: Talk, asked_for: dict[str, str]
) -> None:
    answer = talk.get("/v1/aggregates", params=asked_for)
    assert answer.status_code == 422 and answer.json()["remedy"]
    assert asked(talk)["epsilon_left_today"] == 4.5


@pytest.mark.parametrize(
    ("scope", "purpose", "status"),
    [
        ("marketing:use", "research", 200),
        ("marketing:use", "ads", 403),
        ("profile:read", "research", 403),
    ],
)
def test_a_key_needs_the_scope_and_the_purpose(talk: Talk, scope: str, purpose: str, status: int) -> None:
    made = call("keys", "create", "--scope", scope, "--purpose", purpose, "--run", talk.run, "--json").json
    answer = talk.get("/v1/aggregates", headers={"Authorization": f"Bearer {made['key']}"})
    assert answer.status_code == status


def test_only_deeds_of_the_type_that_is_asked_for_are_counted(talk: Talk) -> None:
    item_id, _ = of_category(talk, 0)
    talk.send(event("ann", "view_item", item_id=item_id))
    assert counted(talk) == {}
    assert colours(talk).type is EventType.PURCHASE
