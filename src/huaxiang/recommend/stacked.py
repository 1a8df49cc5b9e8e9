"""Trees that weigh what the linear models propose: they learn from answers that the models were never told.

Two closed forms and the neighbours propose candidates. Gradient-boosted trees then order them by what each
model says, how like they are to what the shopper did, and how popular they are lately. What the trees learn
from are the newest moments of every shopper, with the models as they would be had that shopper stopped before
(see `untold`): so neither a second fit nor held-out shoppers are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.errors import ArtefactError, NotFittedError, SettingsError
from huaxiang.recommend.attribution import contributions_of
from huaxiang.recommend.base import Contributions, Histories, TrainingData
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import histories_of, take_shoppers
from huaxiang.recommend.linear import Linear
from huaxiang.recommend.neighbours import Config as NeighboursConfig
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.pairs import baskets_of
from huaxiang.recommend.ridge import Solution
from huaxiang.recommend.stacked_features import (
    MODELS,
    Entries,
    Habits,
    Past,
    Proposal,
    Row,
    candidates_of,
    features_of,
    names_of,
    newest_items,
)
from huaxiang.recommend.stacked_lessons import Lessons
from huaxiang.recommend.stored import Arrays, load_arrays, load_settings, save_arrays
from huaxiang.recommend.weights import faded_weights, sum_by_shopper
from huaxiang.records import Matrix, Vector
from huaxiang.training import lightgbm_of_this_machine

if TYPE_CHECKING:
    import lightgbm

TREES = "trees.txt"
TASTES: Mapping[str, Any] = {
    "source_decay": 0.8,
    "target_decay": 0.7,
    "history_decay": 0.85,
    "text_weight": 0.0,
    "ridge": 50.0,
}
"""What the slow closed form has otherwise than the quick one."""
SPACES = ("fused", "text", "image")
N_POPULAR = 100
REPORT_EVERY = 500
BLOCK = 256
"""Shoppers that are read at once, and items that are looked up at once."""

ByModel = Mapping[str, Entries]
"""What follows from each of some items, and last what was asked for, by model."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of `Stacked`.

    Parameters
    ----------
    n_candidates
        Best items of the quick closed form that are weighed, and half as many of each other model; ≥ 1.
    n_answers
        Newest moments of each shopper that the trees learn from; ≥ 1.
    most_queries
        Moments that the trees learn from in all, drawn at random where there are more; ≥ 1.
    n_trees, n_leaves, learning_rate
        Trees, leaves of each (≥ 2), and what each tree counts, in (0, 1].
    fewest_rows
        Candidates in a leaf, at least; ≥ 1. A thousandth of all where that is fewer.
    closed_form, tastes, neighbours
        Settings of the models: a closed form that says what comes next, one that fades slowly and reads no
        text, and the neighbours. Both closed forms are directed.
    """

    n_candidates: int = 60
    n_answers: int = 3
    most_queries: int = 100_000
    n_trees: int = 150
    n_leaves: int = 16
    learning_rate: float = 0.06
    fewest_rows: int = 300
    closed_form: ClosedFormConfig = field(default_factory=ClosedFormConfig)
    tastes: ClosedFormConfig = field(default_factory=lambda: ClosedFormConfig(**TASTES))
    neighbours: NeighboursConfig = field(default_factory=NeighboursConfig)

    def __post_init__(self) -> None:
        kinds = {"closed_form": ClosedFormConfig, "tastes": ClosedFormConfig, "neighbours": NeighboursConfig}
        for name, kind in kinds.items():
            if isinstance(getattr(self, name), Mapping):  # a table of a settings file, or of what was saved
                object.__setattr__(self, name, kind(**getattr(self, name)))
        for name in ("n_candidates", "n_answers", "most_queries", "n_trees", "fewest_rows"):
            _at_least(name, getattr(self, name), 1)
        _at_least("n_leaves", self.n_leaves, 2)
        if not 0 < self.learning_rate <= 1:
            raise SettingsError(
                "out of range",
                column="stacked.learning_rate",
                value=str(self.learning_rate),
                remedy="above 0, up to 1",
            )
        for name in ("closed_form", "tastes"):
            if (way := getattr(self, name).way) != "directed":
                raise SettingsError(
                    "only the directed closed form can be stacked",
                    column=f"stacked.{name}.way",
                    value=way,
                    remedy="leave it directed",
                )


class Stacked:
    """Gradient-boosted trees over two directed ridges and directed neighbours.

    A shopper's new events count at once, as the history that is read; the models and the trees wait for the
    next retraining.

    Source
    ------
    Burges, From RankNet to LambdaRank to LambdaMART, Microsoft Research 2010; Ke et al., LightGBM, NIPS 2017.
    Wolpert, Stacked Generalization, 1992, for learning from what models say of rows they were not told. Ours
    takes each shopper's answers out of the closed forms exactly, instead of fitting them in folds.
    """

    name = "stacked"
    uses: tuple[str, ...] = ("ids", "order", "times", "text", "image")

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.models: dict[str, ClosedForm | Neighbours] = {
            "closed": ClosedForm(self.config.closed_form),
            "tastes": ClosedForm(self.config.tastes),
            "pairs": Neighbours(self.config.neighbours),
        }
        self.trees_: lightgbm.Booster | None = None
        self.vectors_: dict[str, Matrix] = {}
        self.habits_: Habits | None = None
        self.popular_: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._after: dict[str, dict[int, Row]] = {name: {} for name in MODELS}

    @property
    def max_items(self) -> int:
        """The largest catalogue that `fit` takes: what lessons are made from stands whole."""
        return min(self.config.closed_form.n_exact, self.config.tastes.n_exact)

    def fit(self, training: TrainingData) -> Self:
        """Start over: solve, count, and let the trees learn. Four I × I float32 matrices stand in memory.

        The same seed gives the same trees on the same machine.

        Raises
        ------
        MissingExtraError
            Without lightgbm, or what it is linked with.
        """
        lightgbm_of_this_machine()
        self._after = {name: {} for name in MODELS}
        solutions = {name: self._solved(name, training) for name in ("closed", "tastes")}
        self.models["pairs"].fit(training)
        n_items = training.catalogue.n_items
        self.vectors_ = distinct_spaces(training.vectors)
        self.habits_ = Habits.in_baskets(baskets_of(training.histories, n_items))
        self.popular_ = _most_popular(self.habits_)
        lessons = Lessons(self, training, solutions)
        self.trees_ = grown(lessons, self.config, names_of(list(self.vectors_)), training)
        return self

    def score(self, histories: Histories) -> Matrix:
        """Return scores, (U, I): the trees' for the candidates, and below them what the closed form says."""
        self.habits()
        proposed = [Proposed.of(past, self) for past in self.pasts(histories)]
        rows = [one.rows_CF for one in proposed if len(one.rows_CF)]
        found = self._judged(np.concatenate(rows)) if rows else np.zeros(0)
        ends = np.cumsum([0, *(len(one.rows_CF) for one in proposed)])
        scores = [one.scores(found[ends[row] : ends[row + 1]]) for row, one in enumerate(proposed)]
        return np.stack(scores) if scores else np.zeros((0, len(self.habits().taken)), dtype=np.float32)

    def pasts(
        self,
        histories: Histories,
        *,
        untold: Callable[[int, NDArray[np.int64], ByModel], ByModel] | None = None,
    ) -> Iterator[Past]:
        """Yield each shopper's past; `untold` may take something out of what follows from their items."""
        n_items = len(self.habits().taken)
        for start in range(0, histories.n_shoppers, BLOCK):
            block = histories
            if histories.n_shoppers > BLOCK:
                block = take_shoppers(histories, slice(start, start + BLOCK))
            weights_E = {name: _faded(model, block) for name, model in self.models.items()}
            asked = {name: _asked(model, block) for name, model in self.models.items()}
            newest = [newest_items(block, row, weights_E) for row in range(block.n_shoppers)]
            self._look_up(np.unique(np.concatenate([items for items, *_ in newest])))
            for row, (items, weights, n_times, since) in enumerate(newest):
                rows = {name: [self._after[name][item] for item in items] for name in MODELS}
                entries: ByModel = {
                    name: Entries.of([*rows[name], asked[name][row]], n_items) for name in MODELS
                }
                if untold is not None:
                    entries = untold(start + row, items, entries)
                yield Past(
                    item_rows=items,
                    weights_N=weights["closed"],
                    n_times_N=n_times,
                    since_N=since,
                    proposals={name: Proposal.of(own, weights[name]) for name, own in entries.items()},
                )

    def _look_up(self, item_rows: NDArray[np.int64]) -> None:
        """Keep what each model proposes after each of these items alone; neither learns after `fit`."""
        new = item_rows[[item not in self._after[MODELS[0]] for item in item_rows]]
        for start in range(0, len(new), BLOCK):
            some = new[start : start + BLOCK]
            alone = histories_of([[int(item)] for item in some])
            for name in reversed(MODELS):  # the first last: what it has, all have
                found_XI = csr_matrix(self.models[name].score(alone))
                self._after[name].update((int(item), _row_of(found_XI, x)) for x, item in enumerate(some))

    def features(self, past: Past, candidates: NDArray[np.int64], habits: Habits) -> NDArray[np.float32]:
        """Return the features of each candidate, (C, F), given the habits of all items."""
        newest = past.item_rows[:1]
        popularity = float(np.log1p(habits.taken[newest[0]])) if len(newest) else 0.0
        return features_of(past, candidates, self.vectors_, habits.at(candidates), popularity)

    def candidates(self, past: Past) -> NDArray[np.int64]:
        """Return the items worth weighing, in ascending order."""
        return candidates_of(past, self.popular_, n_candidates=self.config.n_candidates)

    def contributions(self, histories: Histories, item_row: int) -> Contributions:
        """Return how much lower the item's score would be without each event of the only shopper."""
        return contributions_of(self, histories, item_row)

    def with_items(self, vectors: Mapping[str, Matrix]) -> Self:
        """Return the same trees over a longer catalogue, whose new items nobody took."""
        n_items = len(vectors["fused"])
        longer = type(self)(self.config)
        longer.models = {name: model.with_items(vectors) for name, model in self.models.items()}
        longer.trees_, longer.popular_ = self.trees_, self.popular_
        longer.vectors_ = {name: vectors[name] for name in self.vectors_}
        longer.habits_ = self.habits().longer(n_items)
        return longer

    def save(self, folder: Path) -> None:
        """Write the two models in folders of their own, the trees as text, and what is known of the items."""
        arrays: Arrays = {f"habit.{name}": values for name, values in self.habits().arrays().items()}
        arrays |= {f"space.{name}": vectors_ID for name, vectors_ID in self.vectors_.items()}
        save_arrays(folder, name=self.name, config=self.config, arrays=arrays)
        for name, model in self.models.items():
            model.save(folder / name)
        if self.trees_ is not None:
            self.trees_.save_model(folder / TREES)

    @classmethod
    def from_pretrained(cls, folder: Path) -> Self:
        """Return what `save` wrote."""
        library = lightgbm_of_this_machine()
        said = load_settings(folder, name=cls.name)
        loaded, arrays = cls(Config(**said["config"])), load_arrays(folder)
        loaded.models = {
            name: type(model).from_pretrained(folder / name) for name, model in loaded.models.items()
        }
        loaded.habits_ = Habits(
            **{
                name[6:]: values.astype(np.float64)
                for name, values in arrays.items()
                if name.startswith("habit.")
            }
        )
        loaded.vectors_ = {name: arrays[f"space.{name}"] for name in SPACES if f"space.{name}" in arrays}
        loaded.popular_ = _most_popular(loaded.habits_)
        file = folder / TREES
        if file.exists():
            try:
                loaded.trees_ = library.Booster(model_file=str(file))
            except library.basic.LightGBMError as error:
                remedy = "build the run again"
                raise ArtefactError("trees can't be read", file=str(file), remedy=remedy) from error
        return loaded

    def _solved(self, name: str, training: TrainingData) -> Solution:
        model = self.models[name]
        assert isinstance(model, ClosedForm)
        solution = model.fit_whole(training)
        assert solution is not None  # the way is directed
        return solution

    def _judged(self, rows_CF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the trees say, (C,); where none grew, what the closed form says."""
        if self.trees_ is None:
            return rows_CF[:, 0].astype(np.float64)
        return np.asarray(self.trees_.predict(rows_CF, num_threads=1))

    def habits(self) -> Habits:
        """Return what is known of the items' popularity, or raise `NotFittedError`."""
        if self.habits_ is None:
            raise NotFittedError("stacked was not fitted", remedy="call fit first")
        return self.habits_


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """The candidates of one shopper, and the order of everything else."""

    candidates: NDArray[np.int64]
    rows_CF: NDArray[np.float32]
    others_I: Vector

    @classmethod
    def of(cls, past: Past, stacked: Stacked) -> Self:
        """Return what is to be weighed; nothing for a shopper of whom nothing is known."""
        closed, taken_I = past.proposals["closed"], stacked.habits().taken
        if not closed.scores_I.any():
            nothing = np.zeros(0, dtype=np.int64)
            popular_I = np.log1p(taken_I).astype(np.float32)
            return cls(candidates=nothing, rows_CF=np.zeros((0, 0), dtype=np.float32), others_I=popular_I)
        candidates = stacked.candidates(past)
        rows_CF = stacked.features(past, candidates, stacked.habits())
        return cls(candidates=candidates, rows_CF=rows_CF, others_I=closed.scores_I.astype(np.float32))

    def scores(self, found_C: NDArray[np.float64]) -> Vector:
        """Return all scores, (I,): the candidates as judged, the others below the last of them."""
        if not len(found_C):
            return self.others_I
        spread = max(float(self.others_I.max() - self.others_I.min()), 1e-12)
        scores_I = found_C.min() - 1 + (self.others_I - self.others_I.max()) / spread
        scores_I[self.candidates] = found_C
        return np.asarray(scores_I, dtype=np.float32)


def grown(
    lessons: Lessons, config: Config, names: list[str], training: TrainingData
) -> lightgbm.Booster | None:
    """Return the trees, or None where no list holds what was taken."""
    library = lightgbm_of_this_machine()
    tell = training.progress or (lambda done, total, note: None)
    rows, wanted = [], []
    for number, (rows_CF, is_wanted_C) in enumerate(lessons):
        if number % REPORT_EVERY == 0:
            tell(number, len(lessons), "stacked: candidates")
        if len(rows_CF):
            rows.append(rows_CF)
            wanted.append(is_wanted_C)
    tell(len(lessons), len(lessons), "stacked: candidates")
    if not rows:
        return None
    n_rows = sum(map(len, rows))
    data = library.Dataset(
        np.concatenate(rows),
        np.concatenate(wanted).astype(np.int8),
        group=[len(own) for own in wanted],
        feature_name=names,
    )
    settings = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": 20,
        "learning_rate": config.learning_rate,
        "num_leaves": config.n_leaves,
        "min_data_in_leaf": max(1, min(config.fewest_rows, n_rows // 1000)),
        "feature_fraction": 0.4,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "max_bin": 127,
        "seed": training.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    trees: lightgbm.Booster = library.train(
        settings,
        data,
        config.n_trees,
        callbacks=[lambda done: tell(done.iteration + 1, config.n_trees, "stacked: trees")],
    )
    return trees


def distinct_spaces(vectors: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """Return the spaces that are worth comparing in: those that are not another's copy."""
    found: dict[str, Matrix] = {}
    for name in SPACES:
        if name in vectors and not any(np.array_equal(vectors[name], other) for other in found.values()):
            found[name] = np.ascontiguousarray(vectors[name], dtype=np.float32)
    return found


def _asked(model: Linear, histories: Histories) -> list[Row]:
    """Return what the words and photos of each shopper ask for."""
    if (histories.content_rows < 0).all():
        return [_NOTHING] * histories.n_shoppers
    asked_UI = csr_matrix(sum_by_shopper(histories, model.events(histories)[1].matrix()))
    return [_row_of(asked_UI, row) for row in range(histories.n_shoppers)]


def _faded(model: ClosedForm | Neighbours, histories: Histories) -> Vector:
    """Return what each event counts for a model, (E,)."""
    config = model.config
    return faded_weights(histories, step_decay=config.history_decay, half_life_days=config.half_life_days)


_NOTHING: Row = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


def _row_of(rows_XI: csr_matrix, row: int) -> Row:
    own = slice(rows_XI.indptr[row], rows_XI.indptr[row + 1])
    return rows_XI.indices[own], rows_XI.data[own].astype(np.float32)


def _most_popular(habits: Habits) -> NDArray[np.int64]:
    return np.argsort(-habits.taken, kind="stable")[:N_POPULAR]


def _at_least(name: str, value: float, least: int) -> None:
    if value < least:
        raise SettingsError(
            "out of range", column=f"stacked.{name}", value=str(value), remedy=f"give {least} or more"
        )
