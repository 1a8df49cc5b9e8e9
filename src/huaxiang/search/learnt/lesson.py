"""How relevance is learnt: pairs that people judged, and others, become features, trees and lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.judged import Judged
from huaxiang.errors import SettingsError
from huaxiang.records import Matrix
from huaxiang.search.learnt.features import Asked
from huaxiang.search.learnt.neighbours import Neighbours, gains
from huaxiang.search.learnt.relevance import (
    ORDERS,
    Encode,
    Learnt,
    Linear,
    Order,
    Relevance,
    columns_of,
    matrix_of,
    trees_file,
)
from huaxiang.search.learnt.surroundings import Offered
from huaxiang.search.learnt.titles import Lexicon
from huaxiang.search.learnt.trees import Trees, write_trees
from huaxiang.training import lightgbm_of_this_machine

Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """How relevance is learnt.

    Parameters
    ----------
    n_trees, n_leaves, least_rows, learning_rate
        Trees of each model, leaves of each tree, judged pairs in a leaf; ≥ 1, ≥ 2, ≥ 1, 0 to 1.
    seeds
        Models whose mean is taken; ≥ 1.
    feature_share, row_share
        Of what each tree sees; above 0, up to 1.
    ridge
        How strongly the line's weights are held back; > 0.
    line_share
        Of the line in the score; 0 to 1.
    n_unjudged
        Products that a search finds and nobody judged, for each query; they count as no answer. ≥ 0.
    n_searched
        Among how many found first they are drawn; ≥ 1.
    senses
        Dimensions of what stems mean; ≥ 1.
    """

    n_trees: int = 350
    n_leaves: int = 15
    least_rows: int = 150
    learning_rate: float = 0.04
    seeds: int = 2
    feature_share: float = 0.25
    row_share: float = 0.7
    ridge: float = 1000.0
    line_share: float = 0.5
    n_unjudged: int = 12
    n_searched: int = 200
    senses: int = 100

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            _in_range(name, getattr(self, name), getattr(self, name) >= least, f"{least} or more")
        for name in ("learning_rate", "feature_share", "row_share", "line_share"):
            value = getattr(self, name)
            _in_range(name, value, 0 <= value <= 1, "a number from 0 to 1")
        _in_range("ridge", self.ridge, self.ridge > 0, "a number above 0")


_LEAST = {
    "n_trees": 1,
    "n_leaves": 2,
    "least_rows": 1,
    "seeds": 1,
    "n_unjudged": 0,
    "n_searched": 1,
    "senses": 1,
}


def _in_range(name: str, value: float, is_in_range: bool, remedy: str) -> None:
    if not is_in_range:
        raise SettingsError(
            "out of range", column=f"search.{name}", value=str(value), remedy=f"give {remedy}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """What is learnt from: the features of candidates, and what each is worth.

    Parameters
    ----------
    features_NF, worth_N, query_N
        Of the judged pairs first, then of the unjudged ones, whose worth is 0.
    n_judged
        How many of them were judged.
    """

    names: tuple[str, ...]
    features_NF: NDArray[np.float32]
    worth_N: Floats
    query_N: NDArray[np.int64]
    n_judged: int

    def part(self, order: Order) -> Lesson:
        """Return what an order is learnt from: what is graded is judged."""
        n = self.n_judged if order == "graded" else len(self.worth_N)
        return Lesson(
            names=self.names,
            features_NF=self.features_NF[:n],
            worth_N=self.worth_N[:n],
            query_N=self.query_N[:n],
            n_judged=self.n_judged,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Classroom:
    """Judged queries beside the catalogue that they were asked of.

    Parameters
    ----------
    product_rows
        Row of each judged product among the titles.
    """

    judged: Judged
    asked: tuple[Asked, ...]
    queries_QD: Matrix
    product_rows: NDArray[np.int64]
    offered: Offered

    @classmethod
    def of(cls, judged: Judged, offered: Offered, titles: Sequence[str], *, encode: Encode) -> Self:
        """Return the judged queries as they are read."""
        asked = tuple(Asked.of(query, offered.lexicon) for query in judged.queries)
        row_of = {title.lower(): row for row, title in enumerate(titles)}
        rows = [row_of[product.lower()] for product in judged.products]
        queries_QD = encode([one.text or " " for one in asked])
        return cls(
            judged=judged,
            asked=asked,
            queries_QD=queries_QD,
            product_rows=np.array(rows, np.int64),
            offered=offered,
        )

    def rows_by_query(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each query's number and its pairs."""
        order = np.argsort(self.judged.query_N, kind="stable")
        starts = np.flatnonzero(np.diff(self.judged.query_N[order], prepend=-1))
        for pairs in np.split(order, starts[1:]):
            yield int(self.judged.query_N[pairs[0]]), pairs


def lesson_of(
    room: Classroom,
    neighbours: Neighbours,
    *,
    config: Config,
    seed: int = 0,
    is_taught: bool = True,
    progress: Progress | None = None,
) -> Lesson:
    """Return the features of the judged pairs and of some unjudged ones.

    Parameters
    ----------
    is_taught
        Whether the neighbours know these queries, so that each must be kept from being asked about itself.
    """
    rng = np.random.default_rng(seed)
    judged, n_queries = room.judged, len(room.judged.queries)
    n_judged = len(judged.query_N)
    features, others, other_queries = {}, [], []
    names: tuple[str, ...] = ()
    for number, (query, pairs) in enumerate(room.rows_by_query()):
        rows = room.product_rows[judged.product_N[pairs]]
        found = room.offered.find(room.asked[query], room.queries_QD[query], n=config.n_searched)
        unjudged = np.setdiff1d(found, rows)
        drawn = rng.permutation(unjudged)[: config.n_unjudged]
        columns = columns_of(
            room.asked[query],
            room.queries_QD[query],
            np.concatenate([rows, drawn]),
            offered=room.offered,
            found=found,
            neighbours=neighbours,
            but=query if is_taught else None,
        )
        names = names or tuple(columns)
        matrix_CF = matrix_of(columns, names)
        features[query] = (pairs, matrix_CF[: len(rows)])
        others.append(matrix_CF[len(rows) :])
        other_queries.append(np.full(len(drawn), query))
        if progress and number % 200 == 0:
            progress("compare", number, n_queries)
    judged_NF = np.zeros((n_judged, len(names)), np.float32)
    for pairs, matrix_CF in features.values():
        judged_NF[pairs] = matrix_CF
    return Lesson(
        names=names,
        features_NF=np.concatenate([judged_NF, *others]),
        worth_N=np.concatenate([gains(judged.relevance_N), np.zeros(sum(map(len, others)))]),
        query_N=np.concatenate([judged.query_N, *other_queries]).astype(np.int64),
        n_judged=n_judged,
    )


def grown(lesson: Lesson, config: Config, *, seed: int) -> list[Any]:
    """Return LightGBM's models of what candidates are worth, one for each seed.

    Raises
    ------
    MissingExtraError
        LightGBM is not installed.
    """
    library = lightgbm_of_this_machine()
    settings = {
        "objective": "regression",
        "num_leaves": config.n_leaves,
        "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.least_rows,
        "feature_fraction": config.feature_share,
        "bagging_fraction": config.row_share,
        "bagging_freq": 1,
        "lambda_l2": 20.0,
        "max_bin": 127,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = library.Dataset(
        lesson.features_NF, lesson.worth_N, feature_name=list(lesson.names), free_raw_data=False
    )
    return [
        library.train({**settings, "seed": seed + number}, data, config.n_trees)
        for number in range(config.seeds)
    ]


def line(lesson: Lesson, config: Config) -> Linear:
    """Return the line that tells best which of a query's candidates is worth more, and how much.

    Ridge regression on what differs within each query.
    """
    n_Q = np.maximum(np.bincount(lesson.query_N), 1)
    means_F = lesson.features_NF.mean(0)
    spreads_F = np.maximum(lesson.features_NF.std(0), 1e-6)
    scaled_NF = (lesson.features_NF - means_F) / spreads_F
    centre_QF = np.stack([np.bincount(lesson.query_N, column) / n_Q for column in scaled_NF.T], axis=1)
    within_NF = scaled_NF - centre_QF[lesson.query_N]
    worth_N = lesson.worth_N - (np.bincount(lesson.query_N, lesson.worth_N) / n_Q)[lesson.query_N]
    gram_FF = within_NF.T @ within_NF + config.ridge * np.eye(within_NF.shape[1])
    weights_F = np.linalg.solve(gram_FF, within_NF.T @ worth_N)
    return Linear(
        means_F=means_F.astype(np.float32),
        spreads_F=spreads_F.astype(np.float32),
        weights_F=weights_F.astype(np.float32),
        share=config.line_share,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Taught:
    """A relevance, and how much each feature counted for the trees of each order."""

    relevance: Relevance
    importance: Mapping[str, Mapping[str, float]]


def learn_relevance(  # noqa: PLR0913 - what, where to, and how
    judged: Judged,
    titles: Sequence[str],
    vectors_ID: Matrix,
    *,
    encode: Encode,
    folder: Path,
    config: Config | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Taught:
    """Learn relevance from judged pairs, and write it into a folder.

    Parameters
    ----------
    titles, vectors_ID
        The catalogue, all judged products among it, and the vectors of its titles.
    encode
        Queries to vectors in the same space.

    Raises
    ------
    MissingExtraError
        LightGBM or onnx is not installed.
    InputError
        Nothing is relevant.
    """
    config = config or Config()
    judged.check_relevant()
    tell = progress or (lambda stage, done, total: None)
    tell("read titles", 0, len(titles))
    lexicon = Lexicon.of(titles, dimensions=config.senses, seed=seed)
    offered = Offered.of(titles, vectors_ID, lexicon)
    room = Classroom.of(judged, offered, titles, encode=encode)
    neighbours = Neighbours.of(judged, room.queries_QD, vectors_ID[room.product_rows])
    lesson = lesson_of(room, neighbours, config=config, seed=seed, progress=progress)
    tell("grow trees", 0, 1)
    taught = taught_by(lesson, lexicon, neighbours, folder=folder, config=config, seed=seed)
    tell("grow trees", 1, 1)
    return taught


def taught_by(
    lesson: Lesson,
    lexicon: Lexicon,
    neighbours: Neighbours,
    *,
    folder: Path,
    config: Config,
    seed: int = 0,
) -> Taught:
    """Return what features teach, both orders, and write it into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    orders: dict[str, Learnt] = {}
    importance: dict[str, Mapping[str, float]] = {}
    for order in ORDERS:
        part = lesson.part(order)
        boosters = grown(part, config, seed=seed)
        write_trees(boosters, len(lesson.names), folder / trees_file(order))
        orders[order] = Learnt(trees=Trees(folder / trees_file(order)), linear=line(part, config))
        importance[order] = _importance(boosters, lesson.names)
    relevance = Relevance(lexicon=lexicon, neighbours=neighbours, names=lesson.names, orders=orders)
    relevance.save(folder)
    return Taught(relevance=relevance, importance=importance)


def _importance(boosters: Sequence[Any], names: Sequence[str]) -> dict[str, float]:
    """Return each feature's share of what the trees gain, the greatest first."""
    gain_F = np.sum([one.feature_importance("gain") for one in boosters], axis=0)
    share_F = gain_F / max(float(gain_F.sum()), 1e-9)
    return {names[row]: float(share_F[row]) for row in np.argsort(-share_F)}
