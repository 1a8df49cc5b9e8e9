"""Every metric against scikit-learn, SciPy, or Python loops written from its definition."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.sparse import csr_matrix
from sklearn import metrics as sk

from huaxiang import metrics

N_ITEMS = 30
K = 10


def lists(seed: int, n_shoppers: int = 25) -> tuple[np.ndarray, list[set[int]]]:
    """Lists of up to K different items, and what each shopper wanted (sometimes nothing)."""
    rng = np.random.default_rng(seed)
    top_UK = np.array([rng.permutation(N_ITEMS)[:K] for _ in range(n_shoppers)])
    top_UK[rng.random(n_shoppers) < 0.2, rng.integers(0, K) :] = -1
    wanted = [set(rng.permutation(N_ITEMS)[: rng.integers(0, 16)].tolist()) for _ in range(n_shoppers)]
    return top_UK, wanted


def masks(top_UK: np.ndarray, wanted: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    n_wanted = np.array([len(some) for some in wanted])
    offsets = np.concatenate([[0], np.cumsum(n_wanted)])
    rows = np.array([item for some in wanted for item in sorted(some)], dtype=np.int32)
    return metrics.hits(top_UK, offsets, rows), n_wanted


def by_loops(top_UK: np.ndarray, wanted: list[set[int]]) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {"recall": [], "hit_rate": [], "mrr": [], "ndcg": []}
    for listed, some in zip(top_UK.tolist(), wanted, strict=True):
        ranks = [rank for rank, item in enumerate(listed, start=1) if item in some]
        best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(some), K) + 1))
        nothing = not some
        figures["recall"].append(math.nan if nothing else len(ranks) / len(some))
        figures["hit_rate"].append(math.nan if nothing else float(bool(ranks)))
        figures["mrr"].append(math.nan if nothing else (1 / ranks[0] if ranks else 0.0))
        figures["ndcg"].append(math.nan if nothing else sum(1 / math.log2(r + 1) for r in ranks) / best)
    return figures


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["recall", "hit_rate", "mrr", "ndcg"])
def test_ranking_metrics_equal_loops_from_the_definition(name: str, seed: int) -> None:
    top_UK, wanted = lists(seed)
    ours = getattr(metrics, name)(*masks(top_UK, wanted))
    np.testing.assert_allclose(ours, by_loops(top_UK, wanted)[name])


@pytest.mark.parametrize("seed", range(3))
def test_ndcg_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    relevance_UI = rng.integers(0, 4, (20, N_ITEMS))
    scores_UI = rng.random((20, N_ITEMS))
    top_UK = np.argsort(-scores_UI, axis=1)[:, :K]
    gains_UI = 2.0**relevance_UI - 1
    ours = metrics.graded_ndcg(np.take_along_axis(gains_UI, top_UK, axis=1), gains_UI)
    theirs = [sk.ndcg_score(gains_UI[u : u + 1], scores_UI[u : u + 1], k=K) for u in range(20)]
    np.testing.assert_allclose(ours, theirs)
    wanted = [set(np.flatnonzero(row >= 2).tolist()) for row in relevance_UI]
    binary = [
        sk.ndcg_score((r >= 2)[None], s[None], k=K) for r, s in zip(relevance_UI, scores_UI, strict=True)
    ]
    np.testing.assert_allclose(metrics.ndcg(*masks(top_UK, wanted)), binary)


def test_an_item_listed_twice_is_one_hit() -> None:
    found = metrics.hits(np.array([[3, 3, 5]]), np.array([0, 2]), np.array([3, 5]))
    assert found.tolist() == [[True, False, True]]


def test_empty_lists_and_nothing_wanted_have_no_hits() -> None:
    nobody = metrics.hits(np.full((2, 3), -1), np.array([0, 0, 0]), np.array([], dtype=int))
    assert not nobody.any()
    assert np.isnan(metrics.ndcg(nobody, np.array([0, 0]))).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_equals_scikit_learn_with_ties(pairs: list[tuple[int, bool]]) -> None:
    scores, labels = [score for score, _ in pairs], [label for _, label in pairs]
    if len(set(labels)) == 1:
        assert math.isnan(metrics.auc(scores, labels))
    else:
        assert metrics.auc(scores, labels) == pytest.approx(sk.roc_auc_score(labels, scores))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_average_ranks_equal_scipy(values: list[int]) -> None:
    np.testing.assert_allclose(metrics.average_ranks(values), stats.rankdata(values))


@pytest.mark.parametrize("seed", range(3))
def test_spearman_equals_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a_UV, b_UV = rng.integers(0, 6, (12, 9)), rng.random((12, 9))
    theirs = [stats.spearmanr(a, b).statistic for a, b in zip(a_UV, b_UV, strict=True)]
    np.testing.assert_allclose(metrics.spearman(a_UV, b_UV), theirs)


def test_spearman_of_a_constant_is_not_a_number() -> None:
    assert np.isnan(metrics.spearman([[1, 1, 1]], [[1, 2, 3]])).all()


def test_accuracy_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    predicted, actual = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    assert metrics.accuracy(predicted, actual) == pytest.approx(sk.accuracy_score(actual, predicted))


def test_log_loss_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    classes_NC = rng.dirichlet(np.ones(4), 60)
    labels = rng.integers(0, 4, 60)
    assert metrics.log_loss(classes_NC, labels) == pytest.approx(
        sk.log_loss(labels, classes_NC, labels=range(4))
    )
    chance, happened = rng.random(60), rng.integers(0, 2, 60)
    assert metrics.log_loss(chance, happened) == pytest.approx(sk.log_loss(happened, chance))


def test_one_certain_error_is_large_but_finite() -> None:
    assert 30 < metrics.log_loss([0.0], [1]) < 40


@pytest.mark.parametrize("seed", range(3))
def test_list_metrics_equal_loops_from_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    top_UK, _ = lists(seed)
    vectors_ID = rng.normal(size=(N_ITEMS, 6))
    vectors_ID /= np.linalg.norm(vectors_ID, axis=1, keepdims=True)
    vectors_ID[3] = 0
    n_had_I = rng.integers(0, 25, N_ITEMS)
    kept = [[item for item in listed if item >= 0] for listed in top_UK.tolist()]
    distances = [
        [1 - float(vectors_ID[a] @ vectors_ID[b]) for i, a in enumerate(items) for b in items[:i]]
        for items in kept
    ]
    bits = [[-math.log2(max(n_had_I[item], 1) / 25) for item in items] for items in kept]
    np.testing.assert_allclose(metrics.variety(top_UK, vectors_ID, block=7), [_mean(d) for d in distances])
    np.testing.assert_allclose(metrics.novelty(top_UK, n_had_I, 25), [_mean(b) for b in bits])
    assert metrics.coverage(top_UK, N_ITEMS) == len({item for items in kept for item in items}) / N_ITEMS


def _mean(some: list[float]) -> float:
    return sum(some) / len(some) if some else math.nan


def test_slate_ctr_counts_only_what_was_shown() -> None:
    clicked = np.array([[True, False, True], [False, False, False]])
    shown = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_allclose(metrics.slate_ctr(clicked, shown), [0.5, math.nan])


@pytest.mark.parametrize("seed", range(3))
def test_calibration_equals_scipys_relative_entropy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p_UV, q_UV = rng.dirichlet(np.full(7, 0.3), 20), rng.dirichlet(np.full(7, 0.3), 20)
    theirs = stats.entropy(p_UV, 0.99 * q_UV + 0.01 * p_UV, axis=1)
    np.testing.assert_allclose(metrics.calibration(p_UV, q_UV), theirs, atol=1e-12)


def test_value_shares_equal_loops_from_the_definition() -> None:
    top_UK, _ = lists(1)
    shares_IV = np.random.default_rng(1).dirichlet(np.ones(4), N_ITEMS)
    expected = [np.mean([shares_IV[i] for i in row if i >= 0] or [np.zeros(4)], axis=0) for row in top_UK]
    offsets = np.concatenate([[0], np.cumsum((top_UK >= 0).sum(axis=1))])
    for given_IV in (shares_IV, csr_matrix(shares_IV)):
        np.testing.assert_allclose(metrics.value_shares(offsets, top_UK[top_UK >= 0], given_IV), expected)


def test_bootstrap_interval_equals_scipys() -> None:
    values = np.random.default_rng(0).exponential(size=400)
    ours = metrics.bootstrap_interval(values, rng=np.random.default_rng(1), n_resamples=4000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2)
    ).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_bootstrap_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [
        metrics.bootstrap_interval(rng.normal(size=60), rng=rng, level=0.9, n_resamples=300)
        for _ in range(400)
    ]
    assert 0.85 < np.mean([low < 0 < high for low, high in intervals]) < 0.94


def test_pairing_narrows_the_interval() -> None:
    rng = np.random.default_rng(0)
    ours = rng.random(300)
    theirs = ours - 0.01 + 0.01 * rng.random(300)
    low, high = metrics.paired_bootstrap_interval(ours, theirs, rng=rng)
    apart = metrics.bootstrap_interval(ours, rng=rng)
    assert 0 < low < high < (apart[1] - apart[0]) / 5


def test_the_same_seed_gives_the_same_interval() -> None:
    draws = [metrics.bootstrap_interval([0.0, 1.0, 1.0], rng=np.random.default_rng(3)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_bootstrap_in_blocks_has_every_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "BOOTSTRAP_BLOCK", 7)
    low, high = metrics.bootstrap_interval(
        [0.0, 1.0, math.nan], rng=np.random.default_rng(0), n_resamples=101
    )
    assert (low, high) == (0.0, 1.0)


def test_interval_of_auc_contains_it() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(200) < 0.3
    scores = rng.normal(size=200) + labels
    low, high = metrics.bootstrap_statistic(metrics.auc, scores, labels, rng=rng, n_resamples=200)
    assert low < metrics.auc(scores, labels) < high


def test_an_interval_of_nothing_is_not_a_number() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metrics.bootstrap_interval([], rng=np.random.default_rng(0))).all()
