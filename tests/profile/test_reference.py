"""What a vector measures against: learnt from the past alone, the same whenever it is learnt, and kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from boutique import CATALOGUE, NOW, POPULATION, background, diary
from huaxiang.errors import ArtefactError
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background, derive, derive_vector
from huaxiang.profile.habits import HABITS
from huaxiang.profile.population import Population
from huaxiang.profile.reference import Reference, learn_reference
from huaxiang.profile.vector import PLACES, SIZES, WEIGHTS, WIDTH
from huaxiang.records import EventType
from huaxiang.shop.base import EVENT_COLUMNS

N_SHOPPERS = 40


def log(*, seed: int = 0, days: int = 120) -> pl.DataFrame:
    """Return purchases of forty shoppers: even ones often buy items 0 to 2, the others rarely 5 to 7."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"s-{shopper:02}", day, int(rng.integers(0, 3) + (5 if shopper % 2 else 0)))
        for shopper in range(N_SHOPPERS)
        for day in range(days)
        if day == shopper or rng.random() < (0.02 if shopper % 2 else 0.15)
    ]
    known = {
        "event_id": [f"e-{row}" for row in range(len(rows))],
        "shopper_id": [shopper for shopper, _, _ in rows],
        "anonymous": [False] * len(rows),
        "type": [EventType.PURCHASE.code] * len(rows),
        "item_row": [item for _, _, item in rows],
        "occurred_at": [NOW - timedelta(days=days - 1 - day) for _, day, _ in rows],
        "quantity": [1.0] * len(rows),
        "price_minor": [1000] * len(rows),
        "new_order": [True] * len(rows),
    }
    nothing = {name: [None] * len(rows) for name in EVENT_COLUMNS if name not in known}
    return pl.DataFrame({**known, **nothing}, schema=dict(EVENT_COLUMNS))


LOG = log()
REFERENCE = learn_reference(LOG, POPULATION.values, order_only=False)


def seen(reference: Reference = REFERENCE) -> Background:
    """Return the boutique with its other shoppers."""
    return Background(
        catalogue=CATALOGUE,
        population=POPULATION,
        contents=Contents(),
        item_vectors_ID=np.eye(8, 16, dtype=np.float32),
        now=NOW,
        reference=reference,
    )


def vectors(reference: Reference = REFERENCE, events: pl.DataFrame = LOG) -> np.ndarray:
    states = build_states(events, order_only=False)
    ids = states.table()["shopper_id"].to_list()
    return np.stack([derive_vector(states.state(shopper_id), seen(reference)) for shopper_id in ids])


def block(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[..., PLACES[name]] / WEIGHTS[name]


def test_blocks_fill_the_vector_and_do_not_overlap() -> None:
    assert sum(SIZES.values()) == WIDTH == 512
    assert list(SIZES) == list(WEIGHTS) == list(PLACES)
    assert len(set(HABITS)) == len(HABITS) == SIZES["habits"]


def test_habits_are_standardised_on_the_shops_own_shoppers() -> None:
    habits = block(vectors(), "habits")
    telling = REFERENCE.spread_H > 1e-6
    assert np.abs(habits[:, ~telling]).max() == 0
    unclipped = np.abs(habits).max(axis=0) < 5
    np.testing.assert_allclose(habits[:, telling & unclipped].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(habits[:, telling & unclipped].std(axis=0), 1, atol=1e-4)


def test_who_buys_often_has_the_better_outlook() -> None:
    outlook = block(vectors(), "outlook")
    assert outlook[::2].mean(axis=0).min() > outlook[1::2].mean(axis=0).max() + 1
    np.testing.assert_allclose(outlook.std(axis=0), 1, atol=1e-4)


def test_who_buys_alike_lies_alike_in_item_factors() -> None:
    factors = block(vectors(), "item_factors")
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    assert (unit[::2] @ unit[::2].T).min() > 0.5 > np.abs(unit[::2] @ unit[1::2].T).max()


def test_categories_are_logs_of_liking_of_the_most_liked() -> None:
    assert REFERENCE.categories[0] == "Dresses"
    state = diary((1, "purchase", 0), (2, "purchase", 1), (2, "purchase", 7)).state()
    categories = block(derive_vector(state, seen()), "categories") * REFERENCE.sizes[1]
    by_name = dict(zip(REFERENCE.categories, np.expm1(categories).round(4).tolist(), strict=False))
    assert by_name == {"Dresses": 2.0, "Backpacks": 1.0, "Boots": 0.0}


def test_the_vector_alone_is_the_one_of_the_profile() -> None:
    state = build_states(LOG, order_only=False).state("s-00")
    np.testing.assert_array_equal(derive_vector(state, seen()), derive(state, seen()).profile.vector)


def test_learning_twice_gives_the_same_numbers() -> None:
    again = learn_reference(LOG.sample(fraction=1, shuffle=True, seed=1), POPULATION.values, order_only=False)
    np.testing.assert_allclose(vectors(again), vectors(), atol=1e-3)


def test_what_comes_after_the_moment_changes_nothing() -> None:
    cut = NOW - timedelta(days=30)
    pasts = []
    for seed in (1, 2):
        future = log(seed=seed).filter(pl.col("occurred_at") > cut)
        known = pl.concat([LOG.filter(pl.col("occurred_at") <= cut), future])
        past = known.filter(pl.col("occurred_at") <= cut)
        pasts.append(vectors(learn_reference(past, POPULATION.values, order_only=False), past))
    np.testing.assert_allclose(pasts[0], pasts[1], atol=1e-6)


def test_a_shop_without_times_has_habits_and_no_outlook() -> None:
    events = LOG.with_columns(occurred_at=pl.lit(None, pl.Datetime("ms", "UTC")))
    reference = learn_reference(events, POPULATION.values, order_only=True)
    assert not reference.outlook_HO.any()
    assert reference.spread_H[HABITS.index("events")] > 0 == reference.spread_H[HABITS.index("recency_days")]


def test_a_shop_without_shoppers_still_has_vectors() -> None:
    nobody = learn_reference(LOG.clear(), POPULATION.values, order_only=False)
    state = diary((1, "purchase", 0)).state()
    vector = derive_vector(state, seen(nobody))
    assert np.isfinite(vector).all() and vector.any()


def test_an_empty_state_and_a_new_item_are_no_error() -> None:
    assert np.isfinite(derive_vector(diary().state(), seen())).all()
    few = learn_reference(LOG.filter(pl.col("shopper_id") == "s-00"), POPULATION.values, order_only=False)
    assert np.isfinite(derive_vector(diary((1, "purchase", 7)).state(), seen(few))).all()


def test_a_sensitive_item_leaves_no_trace_even_if_its_factors_were_learnt() -> None:
    titles = {"en": [*CATALOGUE.titles["en"][:5], "boots for diabetics", *CATALOGUE.titles["en"][6:]]}
    clinic = replace(CATALOGUE, titles=titles, languages=("en",))
    here = replace(seen(), catalogue=clinic, population=Population.empty(clinic))
    assert REFERENCE.factors_IF[5].any()
    ordinary = ((9, "purchase", 0), (2, "purchase", 7))
    with_it, without = diary(*ordinary, (3, "purchase", 5)), diary(*ordinary)
    rows = [derive_vector(made.state(), here) for made in (with_it, without)]
    np.testing.assert_array_equal(rows[0], rows[1])
    learnt = learn_reference(LOG, here.population.values, order_only=False)
    assert not learnt.factors_IF[5].any() and learnt.factors_IF[6].any()


def test_it_is_kept_and_read_back(tmp_path: Path) -> None:
    REFERENCE.save(tmp_path)
    np.testing.assert_array_equal(vectors(Reference.load(tmp_path)), vectors())


def test_a_run_of_before_has_none(tmp_path: Path) -> None:
    assert not Reference.load(tmp_path).factors_IF.size


@pytest.mark.parametrize(
    ("text", "says"), [("{", "can't be read"), ('{"version": 99, "categories": []}', "newer")]
)
def test_a_broken_or_newer_file_says_so(tmp_path: Path, text: str, says: str) -> None:
    REFERENCE.save(tmp_path)
    (tmp_path / "reference.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match=says):
        Reference.load(tmp_path)


def test_the_boutique_alone_is_measured_against_nobody() -> None:
    assert background(Contents()).reference.categories == ()
