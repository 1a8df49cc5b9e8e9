"""Relevance learnt from a table of judged pairs, chosen on some of its queries and reported on others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.cross import WEIGHTS
from huaxiang.encoders.finetuning.judged import Judged, figures_of
from huaxiang.encoders.finetuning.match import PairParts
from huaxiang.encoders.finetuning.matcher import Blend, Matcher
from huaxiang.metrics import bootstrap_statistic
from huaxiang.search.learnt.lesson import Classroom, Config, Lesson, learn_relevance, lesson_of
from huaxiang.search.learnt.measured import Scores, catalogue_recall, judged_scores
from huaxiang.search.learnt.relevance import Encode, Relevance

Figures = Mapping[str, Mapping[str, float]]
Progress = Callable[[str, int, int, str], None]
LINE_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class TaughtSearch:
    """How it went.

    Parameters
    ----------
    validation, test, catalogue
        Way → its figures: the order of judged lists, and what is found among all products.
    importance
        Order → feature → its share of what the trees gain.
    """

    relevance: Relevance
    validation: Figures
    test: Figures
    catalogue: Figures
    importance: Mapping[str, Mapping[str, float]]
    n_parameters: int


def teach_search(
    parts: PairParts,
    *,
    encode: Encode,
    folder: Path,
    cross: Path | None = None,
    config: Config | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaughtSearch:
    """Learn relevance, write it into a folder, and measure it on the test pairs.

    The share of the line, and the weight of what `cross` says, are chosen on the validation pairs.

    Parameters
    ----------
    cross
        Folder of a matching model that learnt from no validation or test query of these.
    """
    config = config or Config()
    tell = progress or (lambda stage, done, total, note: None)
    tables = {name: Judged.of(getattr(parts, name)) for name in ("train", "validation", "test")}
    titles = titles_of(tables)
    tell("encode titles", 0, len(titles), "")
    vectors_ID = encode(titles)
    taught = learn_relevance(
        tables["train"],
        titles,
        vectors_ID,
        encode=encode,
        folder=folder,
        config=config,
        seed=seed,
        progress=lambda stage, done, total: tell(stage, done, total, ""),
    )
    offered = taught.relevance.offer(titles, vectors_ID)
    rooms = {
        name: Classroom.of(tables[name], offered, titles, encode=encode) for name in ("validation", "test")
    }
    asking = replace(config, n_unjudged=0)
    lessons = {
        name: lesson_of(room, taught.relevance.neighbours, config=asking, is_taught=False)
        for name, room in rooms.items()
    }
    relevance = with_best_line(taught.relevance, rooms["validation"].judged, lessons["validation"])
    scores = {name: judged_scores(relevance, rooms[name], lessons[name]) for name in rooms}
    if cross is not None:
        relevance = _with_read(relevance, scores, rooms, Matcher(cross))
    relevance.save(folder)
    tell("search", 0, 1, "")
    recall = catalogue_recall(
        relevance, rooms["test"], progress=lambda done, total: tell("search", done, total, "")
    )
    return TaughtSearch(
        relevance=relevance,
        validation=_figures(rooms["validation"].judged, scores["validation"], seed),
        test=_figures(rooms["test"].judged, scores["test"], seed),
        catalogue=recall_figures(recall, seed=seed),
        importance=taught.importance,
        n_parameters=sum(one.linear.weights_F.size for one in relevance.orders.values()),
    )


def titles_of(tables: Mapping[str, Judged]) -> list[str]:
    """Return every product's title once, however its letters are capitalised."""
    found = {title.lower(): title for table in tables.values() for title in table.products}
    return list(found.values())


def with_best_line(relevance: Relevance, judged: Judged, lesson: Lesson) -> Relevance:
    """Return the relevance with the share of the line that orders validation pairs best."""
    learnt = relevance.orders["graded"]
    features_NF = lesson.features_NF[: len(judged.query_N)]
    trees_N, line_N = learnt.trees.scores(features_NF), learnt.linear.scores(features_NF)

    def share_of(line: float) -> float:
        both = (line * line_N + (1 - line) * trees_N).astype(np.float64)
        return figures_of(judged, both).get("share", 0.0)

    best = max(LINE_SHARES, key=share_of)
    orders = {
        **relevance.orders,
        "graded": replace(learnt, linear=replace(learnt.linear, share=best)),
    }
    return replace(relevance, orders=orders)


def _with_read(
    relevance: Relevance,
    scores: dict[str, Scores],
    rooms: Mapping[str, Classroom],
    reader: Matcher,
) -> Relevance:
    """Return the relevance blended with a matching model, and add what both say to the scores."""
    for name, room in rooms.items():
        judged = room.judged
        scores[name]["read"] = reader.scores(judged.query_texts, judged.product_texts)
    first, second = (scores["validation"][way] for way in ("learnt", "read"))
    judged = rooms["validation"].judged
    blends = [Blend.of(first, second, weight=weight) for weight in WEIGHTS]
    best = max(blends, key=lambda one: figures_of(judged, one.scores(first, second)).get("share", 0.0))
    for name in rooms:
        scores[name]["learnt, read"] = best.scores(scores[name]["learnt"], scores[name]["read"])
    return replace(relevance, blend=best, reader=reader)


def _figures(judged: Judged, scores: Scores, seed: int) -> dict[str, dict[str, float]]:
    return {way: figures_of(judged, scores_N, seed=seed) for way, scores_N in scores.items()}


def recall_figures(
    recall: Mapping[str, NDArray[np.float64]], *, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return way → recall at each depth, its 95 % interval over queries, and how many those are.

    Examples
    --------
    >>> recall_figures({"BM25@10": np.ones(3)})
    {'BM25': {'recall@10': 1.0, 'recall@10_low': 1.0, 'recall@10_high': 1.0, 'queries': 3.0}}
    """
    found: dict[str, dict[str, float]] = {}
    for name, values_Q in recall.items():
        way, depth = name.rsplit("@", 1)
        low, high = bootstrap_statistic(_mean, values_Q, rng=np.random.default_rng(seed))
        figures = {
            f"recall@{depth}": float(values_Q.mean()),
            f"recall@{depth}_low": low,
            f"recall@{depth}_high": high,
        }
        found.setdefault(way, {}).update({**figures, "queries": float(len(values_Q))})
    return found


def _mean(values_Q: NDArray[np.float64]) -> float:
    return float(values_Q.mean())
