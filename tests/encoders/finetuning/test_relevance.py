from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.encoders.finetuning.lexical import bm25_scores
from huaxiang.encoders.finetuning.relevance import ranked, share_of_gain

FIVE = np.zeros(5, np.int64)


def test_graded_ndcg_by_hand() -> None:
    found = ranked(FIVE, np.array([3.0, 2, 1, 1, 1]), np.array([0.1, 0.5, 0.4, 0.3, 0.2]))
    gained = 3 + 1 / np.log2(3) + 1 / np.log2(4) + 1 / np.log2(5) + 7 / np.log2(6)
    ideal = 7 + 3 / np.log2(3) + 1 / np.log2(4) + 1 / np.log2(5) + 1 / np.log2(6)
    assert found.ndcg_Q[0] == pytest.approx(gained / ideal)


def test_random_is_the_mean_over_every_order() -> None:
    gains = np.array([7.0, 3, 1, 1, 1])
    rng = np.random.default_rng(0)
    discounts = 1 / np.log2(np.arange(2, 7))
    drawn = np.mean([rng.permutation(gains) @ discounts for _ in range(20_000)]) / (gains @ discounts)
    found = ranked(FIVE, np.array([3.0, 2, 1, 1, 1]), np.arange(5.0))
    assert found.random_Q[0] == pytest.approx(drawn, abs=3e-3)


def test_queries_with_few_judged_products_or_alike_ones_are_left_out() -> None:
    queries = np.repeat([0, 1, 2], [5, 4, 6])
    relevance = np.array([1.0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 2, 2, 2, 2, 2])
    assert len(ranked(queries, relevance, np.zeros(15)).ndcg_Q) == 1


@given(st.lists(st.sampled_from([1.0, 1.33, 2.0, 2.67, 3.0]), min_size=5, max_size=16))
def test_the_best_order_has_all_of_the_gain_and_ties_have_none(relevance: list[float]) -> None:
    judged, queries = np.array(relevance), np.zeros(len(relevance), np.int64)
    if len(set(relevance)) > 1:
        best, tied = ranked(queries, judged, judged), ranked(queries, judged, np.zeros(len(judged)))
        assert share_of_gain(best.ndcg_Q, best.random_Q) == pytest.approx(1.0)
        assert share_of_gain(tied.ndcg_Q, tied.random_Q) == pytest.approx(0.0)


def test_the_figures_have_an_interval_around_the_share() -> None:
    rng = np.random.default_rng(1)
    relevance = rng.integers(0, 4, 300).astype(float)
    found = ranked(np.arange(300) // 6, relevance, relevance + rng.normal(0, 1, 300)).figures()
    assert found["share_low"] < found["share"] < found["share_high"]
    assert found["queries"] == 50


def test_bm25_prefers_the_product_with_the_rarer_word_in_both_languages() -> None:
    corpus = ["red hat", "red dress", "red shoe", "红色 帽子", "红色 连衣裙"]
    english = bm25_scores(["red hat"] * 2, ["red hat", "red dress"], corpus=corpus)
    chinese = bm25_scores(["红色帽子"] * 2, ["红色 帽子", "红色 连衣裙"], corpus=corpus)
    assert english[0] > english[1] > 0
    assert chinese[0] > chinese[1] > 0
