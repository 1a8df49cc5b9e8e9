"""A vector's worth: figures against plain ones, targets by hand, and a network that learns what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang import metrics
from huaxiang.errors import SettingsError, ShopError
from huaxiang.evaluate.representation import Config, Outcome, folds, measure
from huaxiang.evaluate.representation_baselines import (
    Purchases,
    category_counts,
    gru_autoencoder,
    mean_item_vector,
    purchases_of,
    rfm,
    svd,
)
from huaxiang.evaluate.representation_figures import (
    diversity,
    novelty,
    popularity,
    resamples,
    weighted_auc,
    weighted_macro_auc,
    weighted_spearman,
)
from huaxiang.evaluate.representation_report import as_json, figures_of, table_of
from huaxiang.evaluate.representation_tasks import Task, moment_of, tasks_of
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Dimension

AT = datetime(2026, 3, 1, tzinfo=UTC)
CATEGORIES = Dimension(
    name="category",
    values=["mugs", "bags"],
    offsets=np.array([0, 1, 2, 3]),
    value_rows=np.array([0, 0, 1], np.int32),
    weights=np.ones(3, np.float32),
    confidence=np.ones(3, np.float32),
    is_inferred=np.zeros(3, np.bool_),
)
QUICK = Config(
    thin=8,
    wide=8,
    n_folds=2,
    n_resamples=20,
    training=replace(Config().training, min_epochs=8, max_epochs=8, batch_events=32, learning_rate=1e-2),
)
ONCE = np.ones((1, 40))


def bought(*rows: tuple[str, float, int, float]) -> pl.DataFrame:
    """Return purchases given as (shopper, days after `AT`, item, quantity), each of 2.50."""
    return pl.DataFrame(
        {
            "event_id": [f"e-{row}" for row in range(len(rows))],
            "shopper_id": [shopper for shopper, *_ in rows],
            "anonymous": [shopper.startswith("anonymous") for shopper, *_ in rows],
            "type": pl.Series([EventType.PURCHASE.code] * len(rows), dtype=pl.UInt8),
            "item_row": pl.Series([item for _, _, item, _ in rows], dtype=pl.Int32),
            "occurred_at": pl.Series(
                [AT + timedelta(days=days) for _, days, _, _ in rows], dtype=pl.Datetime("ms", "UTC")
            ),
            "quantity": pl.Series([quantity for *_, quantity in rows], dtype=pl.Float32),
            "price_minor": pl.Series([250] * len(rows), dtype=pl.Int64),
            "new_order": [True] * len(rows),
        }
    )


LOG = bought(
    ("a", -20, 0, 1), ("a", -3, 2, 2), ("b", -9, 0, 1), ("b", -9, 1, 4), ("anonymous:1", -1, 0, 1),
    ("a", 2, 2, 2), ("a", 15, 0, 9), ("new", 3, 1, 1), ("a", 16, 0, 1),
)  # fmt: skip


def test_targets_by_hand() -> None:
    churn, categories, products, spend, age = tasks_of(
        moment_of(LOG, AT), CATEGORIES, bands={"age": {"a": "old", "c": "young"}}
    )
    assert churn.targets_UO.tolist() == [[0], [1]]
    assert categories.targets_UO.tolist() == [[0, 1], [0, 0]]  # mugs were bought more often before
    assert products.targets_UO.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert products.popularity_O is not None and products.popularity_O.tolist() == [3, 1, 1]
    np.testing.assert_allclose(spend.targets_UO, np.log1p([[5.0], [0.0]]))
    np.testing.assert_array_equal(age.targets_UO, [[1, 0], [np.nan, np.nan]])


def test_shoppers_are_known_ones_who_bought_before() -> None:
    assert moment_of(LOG, AT).shopper_ids == ["a", "b"]


@pytest.mark.parametrize("days", [-60, 10])
def test_a_date_without_a_past_or_a_whole_future_is_refused(days: int) -> None:
    with pytest.raises(ShopError, match="cut date"):
        moment_of(LOG, AT + timedelta(days=days))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), n_values=st.integers(2, 9))
def test_figures_of_everybody_are_the_plain_ones(seed: int, n_values: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, n_values, 40) / 1.0, rng.integers(0, 2, (40, 2)) / 1.0
    plain = [metrics.auc(scores, labels[:, column]) for column in range(2)]
    assert weighted_auc(scores, labels[:, 0], ONCE)[0] == pytest.approx(plain[0])
    both = np.stack([scores, scores], axis=1)
    assert weighted_macro_auc(both, labels, ONCE)[0] == pytest.approx(np.mean(plain))
    amounts = rng.normal(size=40)
    assert weighted_spearman(scores, amounts, ONCE)[0] == pytest.approx(
        metrics.spearman([scores], [amounts])[0], nan_ok=True
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_resample_is_the_shoppers_drawn_so_often(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 5, 30) / 1.0, rng.integers(0, 2, 30) / 1.0
    often = rng.poisson(1.0, 30)
    drawn = np.repeat(np.arange(30), often)
    expected = metrics.auc(scores[drawn], labels[drawn])
    assert weighted_auc(scores, labels, often[None] / 1.0)[0] == pytest.approx(expected, nan_ok=True)


def test_shoppers_are_compared_only_within_their_fold() -> None:
    scores, labels = np.array([0.1, 0.2, 10.1, 10.2]), np.array([0.0, 1, 0, 1])
    assert weighted_auc(scores, labels, np.ones((1, 4)))[0] == 0.75
    assert weighted_auc(scores, labels, np.ones((1, 4)), np.array([0, 0, 1, 1]))[0] == 1.0
    assert weighted_spearman(scores, -labels, np.ones((1, 4)), np.array([0, 0, 1, 1]))[0] == -1.0


def test_a_shopper_is_drawn_alike_whoever_stands_beside() -> None:
    alone, together = resamples(["s-1"], n_resamples=9), resamples(["s-0", "s-1"], n_resamples=9)
    np.testing.assert_array_equal(alone[:, 0], together[:, 1])
    assert (alone[0] == 1).all()


def test_novelty_and_diversity_by_hand() -> None:
    certain = np.full((1, 20), -50.0)
    certain[0, :10] = 50.0
    counts = np.arange(20, 0, -1) / 1.0
    assert popularity(certain, counts)[0] == pytest.approx(1.0)  # the ten most bought, for certain
    assert novelty(popularity(-certain, counts)[0]) == pytest.approx((1 - 55 / 155) ** 100)
    assert diversity(certain)[0] == pytest.approx(np.log2(10) / np.log2(20))


def test_each_shopper_is_tested_once_by_networks_that_never_saw_them() -> None:
    parts = folds(50, QUICK, seed=3)
    assert sorted(np.concatenate([tested for *_, tested in parts]).tolist()) == list(range(50))
    for learning, validation, tested in parts:
        assert sorted([*learning, *validation, *tested]) == list(range(50))


def planted(n_shoppers: int = 200) -> tuple[dict[str, np.ndarray], list[Task], list[str]]:
    """Return a vector that tells everything, one that tells nothing, and tasks of every kind."""
    rng = np.random.default_rng(0)
    taste_UD = rng.normal(size=(n_shoppers, 3)).astype(np.float32)
    high_UO = (taste_UD > 0).astype(np.float64)
    classes_UO = np.eye(3)[taste_UD.argmax(axis=1)]
    classes_UO[::5] = np.nan
    tasks = [
        Task(name="churn", kind="yes_or_no", targets_UO=high_UO[:, :1]),
        Task(name="products", kind="labels", targets_UO=high_UO, popularity_O=np.array([3.0, 2, 1])),
        Task(name="spend", kind="amount", targets_UO=np.exp(taste_UD[:, 1:2]).astype(np.float64)),
        Task(name="band", kind="classes", targets_UO=classes_UO),
    ]
    vectors = {"tells": taste_UD, "nothing": rng.normal(size=(n_shoppers, 3)).astype(np.float32)}
    return vectors, tasks, [f"s-{row}" for row in range(n_shoppers)]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Outcome]]:
    vectors, tasks, ids = planted()
    return measure(vectors, tasks, ids, config=QUICK)


@pytest.mark.parametrize(
    ("task", "chance"), [("churn", 0.5), ("products", 0.5), ("spend", 0.0), ("band", 0.5)]
)
def test_what_the_vector_tells_is_learnt_and_noise_is_not(
    outcomes: dict[str, dict[str, Outcome]], task: str, chance: float
) -> None:
    assert outcomes[task]["tells"].figure > 0.8
    assert outcomes[task]["nothing"].figure == pytest.approx(chance, abs=0.15)


def test_the_same_seed_gives_the_same_figures(outcomes: dict[str, dict[str, Outcome]]) -> None:
    vectors, tasks, ids = planted()
    again = measure({"tells": vectors["tells"]}, tasks[:1], ids, config=QUICK)
    np.testing.assert_array_equal(again["churn"]["tells"].figure_B, outcomes["churn"]["tells"].figure_B)


def test_the_unit_of_a_representation_changes_nothing(outcomes: dict[str, dict[str, Outcome]]) -> None:
    vectors, tasks, ids = planted()
    scaled = measure({"tells": 1000 * vectors["tells"] + 5}, tasks[:1], ids, config=QUICK)
    assert scaled["churn"]["tells"].figure == pytest.approx(outcomes["churn"]["tells"].figure, abs=0.02)


def test_more_than_512_numbers_are_refused() -> None:
    _, tasks, ids = planted()
    with pytest.raises(SettingsError, match="compared"):
        measure({"wide": np.zeros((200, 513), np.float32)}, tasks, ids, config=QUICK)


def test_a_fold_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="out of range"):
        Config(n_folds=1)


def test_the_table_averages_over_cut_dates(outcomes: dict[str, dict[str, Outcome]]) -> None:
    results = [
        {"shop": "toys", "cut": cut, "n_shoppers": 9, "tasks": as_json(outcomes)} for cut in ("a", "b")
    ]
    table = table_of(results, ours="tells")
    assert "| toys | churn | **" in table and "(nothing)" in table
    assert "products: novelty / diversity / score" in table and "spend: novelty" not in table
    figures_B = figures_of(results, "toys", "spend")["tells"]
    np.testing.assert_allclose(figures_B, outcomes["spend"]["tells"].figure_B, atol=1e-5)


def shown(log: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return every baseline as of `AT`."""
    purchases: Purchases = purchases_of(moment_of(log, AT), n_items=3)
    vectors_ID = np.eye(3, 4, dtype=np.float32)
    return {
        "rfm": rfm(purchases),
        "categories": category_counts(purchases, CATEGORIES),
        "mean": mean_item_vector(purchases, vectors_ID),
        "svd": svd(purchases),
        "gru": gru_autoencoder(purchases, vectors_ID, width=4),
    }


def test_baselines_by_hand() -> None:
    known = shown(LOG)
    assert known["rfm"].shape == (2, 17)
    np.testing.assert_allclose(np.expm1(known["categories"]), [[1, 1], [2, 0]], atol=1e-6)
    np.testing.assert_allclose(known["mean"], [[0.5, 0, 0.5, 0], [0.5, 0.5, 0, 0]])
    assert known["svd"].shape == (2, 1) and known["gru"].shape == (2, 4)


def test_what_comes_after_the_cut_changes_no_baseline() -> None:
    other_future = bought(("b", 1, 1, 7), ("b", 2, 2, 7), ("a", 20, 1, 1))
    before = LOG.filter(pl.col("occurred_at") <= AT)
    again = shown(pl.concat([before, other_future]))
    for name, rows in shown(LOG).items():
        np.testing.assert_array_equal(again[name], rows, err_msg=name)
