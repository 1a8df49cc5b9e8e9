"""How well a learnt relevance orders what was judged, and finds it among everything, beside plain ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.encoders.finetuning.lexical import bm25_scores
from huaxiang.records import Vector
from huaxiang.search.learnt.lesson import Classroom, Lesson
from huaxiang.search.learnt.relevance import Relevance
from huaxiang.search.learnt.surroundings import first_of

GOOD = 2.33
"""Relevance from which a product should be found, of 1 to 3."""
FUSED = 60.0
"""What is added to places before they are turned over, so that the first place doesn't decide alone."""
DEPTHS = (10, 100)

Floats = NDArray[np.float64]
Scores = dict[str, Floats]


def judged_scores(relevance: Relevance, room: Classroom, lesson: Lesson) -> Scores:
    """Return the scores of the judged pairs: way → (N,).

    Parameters
    ----------
    lesson
        The pairs' features, as `lesson_of` made them.
    """
    judged = room.judged
    features_NF = lesson.features_NF[: len(judged.query_N)]
    column = {name: features_NF[:, number].astype(np.float64) for number, name in enumerate(lesson.names)}
    fused = fused_places(judged, [column["bm25"], column["cosine"]])
    return {
        "BM25": bm25_scores(judged.query_texts, judged.product_texts),
        "BM25 of stems, mended": column["bm25"],
        "encoder": column["cosine"],
        "rank fusion": fused,
        "learnt": relevance.orders["graded"].scores(features_NF).astype(np.float64),
    }


def fused_places(judged: Judged, ways: Sequence[Floats]) -> Floats:
    """Return the sum of each pair's turned places among its query's, over the ways, (N,).

    Source
    ------
    Cormack, Clarke and Büttcher, Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods, SIGIR 2009.
    """
    total_N = np.zeros(len(judged.query_N), np.float64)
    order = np.argsort(judged.query_N, kind="stable")
    starts = np.flatnonzero(np.diff(judged.query_N[order], prepend=-1))
    for pairs in np.split(order, starts[1:]):
        for scores_N in ways:
            total_N[pairs] += turned_places(scores_N[pairs])
    return total_N


def turned_places(scores_C: NDArray[np.floating]) -> Floats:
    """Return 1 over each place and `FUSED`: the best has place 1, equal scores the mean of their places.

    Examples
    --------
    >>> (1 / turned_places(np.array([0.5, 0.9, 0.5]))).round(2).tolist()
    [62.5, 61.0, 62.5]
    """
    _, group, counts = np.unique(-scores_C, return_inverse=True, return_counts=True)
    mean_place = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(1 / (FUSED + mean_place[group]), np.float64)


def catalogue_recall(
    relevance: Relevance,
    room: Classroom,
    *,
    good: float = GOOD,
    progress: Callable[[int, int], None] | None = None,
) -> Mapping[str, Floats]:
    """Return how many of each query's good products are among the first: way@depth → (Q,).

    Queries without a good product are left out. Whatever nobody judged counts as no answer, though it may be
    one, so that the figures are low, for all ways alike.
    """
    judged, offered = room.judged, room.offered
    wanted = [np.zeros(0, np.int64)] * len(judged.queries)
    for query, pairs in room.rows_by_query():
        wanted[query] = room.product_rows[judged.product_N[pairs[judged.relevance_N[pairs] >= good]]]
    asked = [query for query, rows in enumerate(wanted) if len(rows)]
    found: dict[str, list[float]] = {}
    for number, query in enumerate(asked):
        query_D = room.queries_QD[query]
        bm25_I = offered.bm25(room.asked[query])
        cosine_I = offered.cosines(query_D)
        lists = {
            "BM25 of stems, mended": first_of(bm25_I, max(DEPTHS)),
            "encoder": first_of(cosine_I, max(DEPTHS)),
            "rank fusion": first_of(_fused(bm25_I, cosine_I), max(DEPTHS)),
            "learnt": relevance.search(room.asked[query], query_D, offered=offered, n=max(DEPTHS)),
        }
        for way, rows in lists.items():
            for depth in DEPTHS:
                share = float(np.isin(wanted[query], rows[:depth]).mean())
                found.setdefault(f"{way}@{depth}", []).append(share)
        if progress and number % 50 == 0:
            progress(number, len(asked))
    return {name: np.array(values, np.float64) for name, values in found.items()}


def _fused(*ways: Vector) -> Vector:
    return np.asarray(sum(turned_places(scores_I) for scores_I in ways), np.float32)
