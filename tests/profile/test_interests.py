"""Interests: planted directions are found again, weighed and named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boutique import CATALOGUE, diary
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import derive
from huaxiang.profile.interests import Things, directions
from huaxiang.profile.population import Population
from huaxiang.profile.vector import WIDTH
from huaxiang.profile.weights import Config

DIMENSIONS = 32


def planted(n_tribes: int, per_tribe: int = 6) -> Things:
    rng = np.random.default_rng(3)
    centres = np.linalg.qr(rng.standard_normal((DIMENSIONS, n_tribes)))[0].T
    vectors = np.repeat(centres, per_tribe, axis=0) + 0.03 * rng.standard_normal(
        (n_tribes * per_tribe, DIMENSIONS)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    importance = np.repeat(np.arange(n_tribes, 0, -1.0), per_tribe)
    n_things = len(vectors)
    return Things(vectors.astype("f"), np.arange(n_things), importance, [[t] for t in range(n_things)])


@pytest.mark.parametrize("n_tribes", [1, 2, 3, 5])
def test_planted_tribes_are_recovered(n_tribes: int) -> None:
    found = directions(planted(n_tribes), config=Config(interests=n_tribes))
    assert [sorted(one.items // 6) for one in found] == [[tribe] * 6 for tribe in range(n_tribes)]


def test_weights_sum_to_one_and_fall() -> None:
    weights = [one.weight for one in directions(planted(5), config=Config())]
    assert sum(weights) == pytest.approx(1) and weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(5 / 15)


def test_vectors_have_unit_length_and_the_medoid_is_a_member() -> None:
    for one in directions(planted(3), config=Config(interests=3)):
        assert np.linalg.norm(one.vector) == pytest.approx(1, abs=1e-5)
        assert one.item in one.items and one.rows[0] == one.item


def test_alike_things_are_one_interest() -> None:
    assert len(directions(planted(1), config=Config())) == 1


def test_never_more_than_five() -> None:
    assert len(directions(planted(9), config=Config())) == 5


def test_names_say_the_quality_and_the_thing() -> None:
    made = diary(*[(n, "purchase", item) for n, item in enumerate((3, 4, 3, 4))])
    interests = made.derived(config=Config(interests=1)).profile.interests
    assert [one.name for one in interests] == ["red Running Shoes"]
    assert interests[0].title in ("red runner", "blue runner")
    assert len(interests[0].evidence) == Config().evidence_per_facet


def test_names_and_titles_are_said_in_both_languages() -> None:
    made = diary(*[(n, "purchase", item) for n, item in enumerate((3, 4, 3, 4))])
    [interest] = made.derived(config=Config(interests=1)).profile.interests
    assert interest.names == {"en": "red Running Shoes", "zh": "红色跑步鞋"}
    assert interest.titles["en"] == interest.title
    assert interest.titles["zh"] in ("商品3", "商品4")


def test_the_name_is_in_the_shops_first_language() -> None:
    made = diary(*[(n, "purchase", item) for n, item in enumerate((3, 4, 3, 4))])
    chinese = replace(CATALOGUE, languages=("zh", "en"))
    read_against = replace(
        made.background(config=Config(interests=1)),
        catalogue=chinese,
        population=Population.empty(chinese),
    )
    [interest] = derive(made.state(), read_against).profile.interests
    assert (interest.name, interest.title) == (interest.names["zh"], interest.titles["zh"])
    assert interest.names["en"] == "red running shoes"


def test_an_interest_in_words_alone_is_called_by_them_and_has_no_title() -> None:
    made = diary((1, "search", "something odd"))
    made.contents.add_vectors([made.events[0].content], np.eye(1, 16, dtype="f"))
    [interest] = made.derived().profile.interests
    assert interest.names == {"en": "something odd", "zh": "something odd"}
    assert (interest.title, interest.titles) == (None, {})


def test_words_count_as_events_where_they_have_a_vector() -> None:
    made = diary((1, "search", "red dress"))
    content = made.events[0].content
    made.contents.add_vectors([content], np.eye(1, 16, dtype="f"))
    assert len(made.derived().profile.interests) == 1
    assert isinstance(made.contents, Contents)


def test_the_vector_is_deterministic_and_no_longer_than_512() -> None:
    made = diary((1, "purchase", 0), (2, "view_item", 3))
    first, again = made.derived().profile.vector, made.derived().profile.vector
    assert first.shape == (WIDTH,) and first.dtype == np.float32
    assert np.array_equal(first, again) and np.isfinite(first).all()


def test_alike_shoppers_have_alike_vectors() -> None:
    one, alike, other = (
        diary(*[(n, "purchase", item) for n, item in enumerate(items)]).derived().profile.vector
        for items in ((3, 4, 3), (4, 3, 4), (7, 5, 2))
    )
    assert one @ alike > one @ other
