"""Drift: the index by hand, what chance alone does, and what is watched of a shop."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutique import catalogue
from huaxiang.errors import ArtefactError
from huaxiang.feedback.drift import (
    LARGE_FROM,
    OTHER,
    STEADY_BELOW,
    Drift,
    Reference,
    Seen,
    noise_level,
    quantile_edges,
    stability_index,
)
from huaxiang.feedback.watched import seen_in
from huaxiang.records import EventType

counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


def seen(values: dict[str, float] | None = None, numbers: object = ()) -> Seen:
    return Seen(values={"brand": values or {}}, numbers={"score": np.asarray(numbers, dtype=float)})


def test_index_is_that_worked_out_by_hand() -> None:
    p, q = [0.25, 0.25, 0.5], [0.5, 0.25, 0.25]
    by_hand = 0.25 * math.log(2) + 0 - 0.25 * math.log(0.5)
    many = 10_000_000
    found = stability_index([many * share for share in p], [many * share for share in q])
    assert found == pytest.approx(by_hand, abs=1e-5)
    assert STEADY_BELOW == 0.1 and LARGE_FROM == 0.25


@given(reference=counts, data=st.data())
def test_index_is_never_negative_symmetric_and_nothing_for_the_same(
    reference: list[int], data: st.DataObject
) -> None:
    window = data.draw(st.lists(st.integers(0, 1000), min_size=len(reference), max_size=len(reference)))
    assert stability_index(reference, reference) == pytest.approx(0, abs=1e-12)
    assert stability_index(reference, window) >= 0
    assert stability_index(reference, window) == pytest.approx(stability_index(window, reference))


def test_chance_alone_stays_below_the_noise_level_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    shares = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    found = [
        stability_index(rng.multinomial(3000, shares), rng.multinomial(500, shares)) for _ in range(2000)
    ]
    level = noise_level(5, 3000, 500)
    assert np.mean(np.array(found) < level) == pytest.approx(0.99, abs=0.008)
    assert noise_level(5, 3000, 0) == math.inf


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200))
def test_bins_hold_every_number_once(numbers: list[int]) -> None:
    reference = Reference.of(seen(numbers=numbers))
    assert sum(reference.counts["score"]) == len(numbers)
    assert len(reference.counts["score"]) == len(reference.edges["score"]) + 1


def test_bins_of_different_numbers_hold_equally_many() -> None:
    reference = Reference.of(seen(numbers=np.random.default_rng(0).permutation(1000)))
    assert reference.counts["score"] == [100] * 10
    assert len(quantile_edges([])) == 0


def test_shifted_scores_are_found_and_the_same_are_not() -> None:
    rng = np.random.default_rng(2)
    reference = Reference.of(seen(numbers=rng.normal(size=5000)))
    same = reference.drift(seen(numbers=rng.normal(size=2000)))
    shifted = reference.drift(seen(numbers=rng.normal(loc=0.8, size=2000)))
    assert {one.name: one.verdict for one in same}["score"] == "steady"
    assert {one.name: one.verdict for one in shifted}["score"] == "large"
    # Two normal distributions one shift apart are that shift squared apart.
    assert shifted[0].index == pytest.approx(0.8**2, rel=0.25)


def test_a_new_brand_is_named_as_what_moved() -> None:
    reference = Reference.of(seen({"Acme": 600, "Nike": 400}))
    found = reference.drift(seen({"Acme": 200, "Nike": 400, "Newcomer": 400}))[0]
    assert (found.name, found.verdict, found.as_json()["is_large"]) == ("brand", "large", True)
    assert {(value, before, now) for value, before, now in found.moved[:2]} == {
        ("Acme", 0.6, 0.2),
        (OTHER, 0.0, 0.4),
    }


@pytest.mark.parametrize(
    ("index", "noise", "verdict"),
    [
        (0.05, 0.01, "steady"),
        (0.1, 0.01, "moved"),
        (0.25, 0.01, "large"),
        (0.3, 0.4, "too few"),
        (0.05, 0.4, "steady"),
    ],
)
def test_verdicts(index: float, noise: float, verdict: str) -> None:
    found = Drift(name="x", index=index, noise=noise, n_reference=1, n_window=1, moved=())
    assert found.verdict == verdict


def test_rare_values_count_together_and_a_window_without_events_says_so() -> None:
    reference = Reference.of(seen({f"b{row:02}": 100 - row for row in range(30)}))
    assert len(reference.values["brand"]) == 21
    assert reference.values["brand"][OTHER] == sum(100 - row for row in range(20, 30))
    empty = reference.drift(seen())[0]
    assert (empty.index, empty.n_window, empty.as_json()["noise"]) == (0, 0, None)
    assert empty.verdict == "too few"


def test_a_reference_reads_back_from_json_and_a_newer_one_is_refused() -> None:
    reference = Reference.of(seen({"Acme": 6, "Nike": 4}, [0.1, 0.2, 0.7]))
    written = json.loads(json.dumps(reference.as_json()))
    window = seen({"Acme": 1}, [0.2])
    assert Reference.from_json(written).drift(window) == reference.drift(window)
    for wrong in ({**written, "version": 99}, {}, {"version": 1}):
        with pytest.raises(ArtefactError):
            Reference.from_json(wrong)


def test_a_shop_is_watched_by_type_facets_and_price_without_its_own_impressions() -> None:
    shop = catalogue()
    kinds = (EventType.PURCHASE, EventType.VIEW_ITEM, EventType.VIEW_ITEM_LIST, EventType.SEARCH)
    types = np.array([kind.code for kind in kinds])
    found = seen_in(types, np.array([6, 0, 1, -1]), shop, scores=[0.5])
    assert found.values["event type"] == {"purchase": 1, "view_item": 1, "search": 1}
    assert found.values["brand"] == {"Nike": 2}
    assert found.values["colour"] == {"red": 1.5, "black": 0.5}
    assert found.numbers["score"].tolist() == [0.5]
