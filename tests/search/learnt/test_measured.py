"""Figures of learnt relevance are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.search.learnt.measured import turned_places
from huaxiang.search.learnt.neighbours import Neighbours
from huaxiang.search.learnt.surroundings import first_of
from huaxiang.search.learnt.taught import recall_figures


def test_equal_scores_share_their_places() -> None:
    np.testing.assert_allclose(1 / turned_places(np.array([3.0, 1, 1, 0])), [61, 62.5, 62.5, 64])


@pytest.mark.parametrize(("n", "rows"), [(0, []), (1, [2]), (2, [2, 0]), (9, [2, 0, 1])])
def test_the_first_are_the_best(n: int, rows: list[int]) -> None:
    assert first_of(np.array([0.5, 0.1, 0.9], np.float32), n).tolist() == rows


def test_recall_is_a_mean_over_queries() -> None:
    found = recall_figures({"a@10": np.array([0.0, 1.0, 0.5]), "a@100": np.ones(3)})
    assert found["a"]["recall@10"] == 0.5
    assert found["a"]["recall@100_low"] == 1.0


def test_a_query_is_not_asked_about_itself() -> None:
    judged = Judged(
        queries=("a", "b"),
        products=("p", "r"),
        query_N=np.array([0, 0, 1]),
        product_N=np.array([0, 1, 0]),
        relevance_N=np.array([3.0, 1.0, 1.0]),
    )
    vectors = np.eye(2, dtype=np.float32)
    neighbours = Neighbours.of(judged, vectors, vectors)
    asked = neighbours.columns(vectors[0], vectors, but=0)
    assert asked["nearest_query"].tolist() == [0, 0]
    assert neighbours.columns(vectors[0], vectors)["nearest_query"].tolist() == [1, 1]
    # the other query's product p was judged 1, below the mean of gains (7 + 1 + 1) / 3 = 3
    assert asked["said_wide"][0] < 0
