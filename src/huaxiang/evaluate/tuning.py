"""Settings of a recommender found by trying, on the validation part alone: the test part is never read.

The search begins at the settings it is given, and looks at a random part of the validation shoppers. What it
finds is then held to the others, whom it has not seen: the gain that is told is theirs, and where there is
none the settings stay as they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import ArtefactError, InputError, ShopError, TrainingError
from huaxiang.evaluate.amazon import SETTINGS, Dataset, Protocol
from huaxiang.evaluate.holdout import HeldOut, Next, Window, new_items_only
from huaxiang.evaluate.measure import interval, measure
from huaxiang.evaluate.study import Study, Tried
from huaxiang.recommend.base import Recommender, TrainingData
from huaxiang.recommend.histories import newest, take_shoppers, take_targets
from huaxiang.recommend.search_space import started
from huaxiang.recommend.ways import WAYS, make_recommender, space_of

SEARCHED_SHARE = 2 / 3
"""Of the validation shoppers, at most, that a search looks at; the others check what it found."""
FEWEST_CHECKED = 100
"""With fewer left to check on chance would decide: the search looks at everybody, and nothing is checked."""

Figures = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What each trial learns from and is held to.

    Parameters
    ----------
    training
        What trials are fitted on; its histories are those of each window in turn.
    searched, checked
        The same windows with the shoppers that the search looks at, and with the others. The first is the
        validation part, later ones are earlier stretches of the log. None to check on is an empty tuple.
    exclude_had
        Whether lists leave out what the shopper had.
    overlay
        By way: settings that the protocol asks for, whatever is searched.
    """

    training: TrainingData
    searched: tuple[Window, ...]
    checked: tuple[Window, ...]
    exclude_had: bool
    overlay: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def n_searched(self) -> int:
        """Shoppers that the search looks at, each once per window."""
        return sum(_n_shoppers(window) for window in self.searched)

    @property
    def n_checked(self) -> int:
        """Shoppers that check what was found."""
        return sum(_n_shoppers(window) for window in self.checked)

    @property
    def order_only(self) -> bool:
        """Whether the shop knows only an order."""
        return self.training.histories.order_only


def lesson_of_sequences(dataset: Dataset, protocol: Protocol, *, n_shoppers: int, seed: int) -> Lesson:
    """Return what sequences without times are tuned on, split and cut as the benchmark does it."""
    targets = dataset.validation
    cut = replace(targets, histories=newest(targets.histories, protocol.history))
    whole = Window(training=dataset.training, validation=Next(targets=cut, had=targets.histories))
    training = TrainingData(
        histories=dataset.training, catalogue=dataset.catalogue, vectors=dataset.vectors, seed=seed
    )
    return _lesson(
        training,
        [whole],
        n_shoppers=n_shoppers,
        exclude_had=protocol.exclude_had,
        overlay=SETTINGS[protocol.name],
    )


def lesson_of_shop(
    training: TrainingData, held_out: HeldOut, *, exclude_had: bool, n_shoppers: int
) -> Lesson:
    """Return what a shop is tuned on: the validation part that `build` chooses weights on, and those before.

    Parameters
    ----------
    training
        Its histories are replaced by those of each stretch.
    exclude_had
        Only items that the shopper has not had are to be foretold.
    n_shoppers
        That the search looks at, at most, shared out evenly over the stretches.

    Raises
    ------
    ShopError
        Nobody has anything to be foretold.
    """
    windows = [Window(training=held_out.training, validation=held_out.validation), *held_out.earlier]
    if exclude_had:
        windows = [replace(one, validation=new_items_only(one.validation)) for one in windows]
    return _lesson(training, windows, n_shoppers=n_shoppers, exclude_had=exclude_had, overlay={})


def _lesson(
    training: TrainingData,
    windows: Sequence[Window],
    *,
    n_shoppers: int,
    exclude_had: bool,
    overlay: Mapping[str, Mapping[str, Any]],
) -> Lesson:
    windows = [one for one in windows if _n_shoppers(one)]
    if not windows:
        remedy = "it needs shoppers who took something new later; try --protocol unmasked, or more events"
        raise ShopError("the validation part of the shop has no shopper", remedy=remedy)
    parts = [_divided(one, most=n_shoppers // len(windows), seed=training.seed) for one in windows]
    if sum(_n_shoppers(others) for _, others in parts) < FEWEST_CHECKED:
        parts = [(one, _of_shoppers(one, np.arange(0))) for one in windows]
    return Lesson(
        training=replace(training, validation=None, progress=None, checkpoint=None),
        searched=tuple(first for first, _ in parts),
        checked=tuple(others for _, others in parts),
        exclude_had=exclude_had,
        overlay=overlay,
    )


def _divided(window: Window, *, most: int, seed: int) -> tuple[Window, Window]:
    """Return the window with the shoppers to be searched on, drawn at random, and with the others."""
    n_all = _n_shoppers(window)
    drawn = np.random.default_rng(seed).permutation(n_all)
    n_searched = max(1, min(most, round(SEARCHED_SHARE * n_all)))
    first, others = np.sort(drawn[:n_searched]), np.sort(drawn[n_searched:])
    return _of_shoppers(window, first), _of_shoppers(window, others)


def _of_shoppers(window: Window, rows: NDArray[np.integer]) -> Window:
    held = window.validation
    some = Next(targets=take_targets(held.targets, rows), had=take_shoppers(held.had, rows))
    return replace(window, validation=some)


def _n_shoppers(window: Window) -> int:
    return window.validation.had.n_shoppers


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What the search for one way's settings found.

    Parameters
    ----------
    trials
        In the order in which they were made; the first has the settings that the search began with.
    start_ndcg, found_ndcg
        NDCG@10 on the shoppers that the search looked at, of the start and of the best trial.
    gain
        Mean and 95 % interval of NDCG@10, best minus start, shopper by shopper, and of how many shoppers.
        They are shoppers that the search did not look at where `is_checked`; else the interval is of those it
        did, and too hopeful.
    found
        Setting → value, only those that were searched; empty where the start stays.
    """

    name: str
    trials: tuple[Tried, ...] = ()
    start: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    start_ndcg: float | None = None
    found_ndcg: float | None = None
    gain: Mapping[str, float] | None = None
    is_checked: bool = False
    found: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as reports have it."""
        return {
            "name": self.name,
            "start": {"settings": dict(self.start), "ndcg@10": self.start_ndcg},
            "best": {"settings": dict(self.best), "ndcg@10": self.found_ndcg},
            "gain": dict(self.gain) if self.gain is not None else None,
            "gain_on": "shoppers not searched on" if self.is_checked else "the shoppers searched on",
            "kept": bool(self.found),
            "found": dict(self.found),
            "seconds": round(sum(one.seconds for one in self.trials), 1),
            "trials": [
                {
                    "number": one.number,
                    "kind": one.kind,
                    "ndcg@10": one.value,
                    "seconds": round(one.seconds, 2),
                    **one.settings,
                }
                for one in self.trials
            ],
        }


def check_ways(names: Sequence[str], *, order_only: bool = False) -> None:
    """Raise `InputError` unless each way is known and has something to search for, in shops of this kind."""
    known = [name for name in WAYS if _searchable(name, order_only)]
    for name in names:
        if name not in known:
            why = "nothing of it is searched"
            if name not in WAYS:
                why = "no such recommender"
            elif space_of(name):
                why += " where only an order is known"
            raise InputError(why, column="--models", value=name, remedy=f"choose of {', '.join(known)}")


def _searchable(name: str, order_only: bool) -> bool:
    return any(not (own.needs_times and order_only) for own in space_of(name).values())


Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Where a search ends.

    Parameters
    ----------
    minutes
        Wall-clock, for all ways; > 0. No trial begins after them.
    n_trials
        Of each way, at most; ≥ 1.
    """

    minutes: float
    n_trials: int


def tune(
    configs: Mapping[str, Any],
    lesson: Lesson,
    *,
    folder: Path,
    of: Mapping[str, str],
    bounds: Bounds,
    progress: Callable[[str, int, int, str], None],
    clock: Clock = time.monotonic,
) -> list[Tuned]:
    """Return what was found for each way, each with its share of the time; what one leaves, the next has.

    Parameters
    ----------
    configs
        Way → the settings to begin with.
    folder
        Keeps the trials: called again, the search goes on, and time already spent counts.
    of
        Way → a fingerprint of all that decides what its trials reach.
    """
    left_s, found = bounds.minutes * 60, []
    for number, (name, config) in enumerate(configs.items()):
        search = _Search(name, config, lesson, folder=folder, of=of[name], clock=clock)
        most_s = left_s / (len(configs) - number)
        search.go_on(most_s=most_s, n_trials=bounds.n_trials, progress=progress)
        left_s -= search.spent_s
        found.append(search.result())
    return found


class _Search:
    """The search for one way's settings: what is fitted last is kept, for trials that need no other fit."""

    def __init__(
        self, name: str, config: Any, lesson: Lesson, *, folder: Path, of: str, clock: Clock
    ) -> None:
        self.name, self.lesson, self.folder, self.clock = name, lesson, folder, clock
        self.config = replace(config, **lesson.overlay.get(name, {}))
        self.space, self.start = started(space_of(name), self.config, order_only=lesson.order_only)
        seed = lesson.training.seed
        file = folder / f"{name}.json"
        self.study = Study(file, space=self.space, start=self.start, of=of, seed=seed)
        self._fitted: tuple[Any, list[Recommender]] = (None, [])

    @property
    def spent_s(self) -> float:
        """Seconds of all finished trials, those of earlier calls too."""
        return sum(one.seconds for one in self.study.tried)

    def go_on(self, *, most_s: float, n_trials: int, progress: Callable[[str, int, int, str], None]) -> None:
        """Try until the time is spent, or so many are tried."""
        mark = self.clock()

        def seconds() -> float:
            nonlocal mark
            before, mark = mark, self.clock()
            return mark - before

        stage = f"tune {self.name}"
        while len(tried := self.study.tried) < n_trials and self.spent_s < most_s:
            progress(stage, len(tried), n_trials, self._note())
            self.study.next_trial(self._measured, seconds=seconds)
            self._check_start()
        n_done = len(tried)
        progress(stage, n_done, max(n_done, 1), self._note())

    def result(self) -> Tuned:
        """Return what was found so far."""
        tried = self.study.tried
        if not tried:
            return Tuned(name=self.name, start=self.start)
        best, start = self.study.best(), tried[0]
        assert best is not None  # the start has a figure
        ours, theirs = self._kept(best.number), self._kept(start.number)
        part = "checked" if self.lesson.n_checked else "searched"
        gain = interval(ours[part] - theirs[part], seed=self.lesson.training.seed)
        is_better = best.number != start.number and gain["mean"] >= 0
        return Tuned(
            name=self.name,
            trials=tuple(tried),
            start=self.start,
            best=best.settings,
            start_ndcg=start.value,
            found_ndcg=best.value,
            gain={**gain, "n_shoppers": len(ours[part])},
            is_checked=part == "checked",
            found=best.settings if is_better else {},
        )

    def _check_start(self) -> None:
        if self.study.tried[0].value is None:
            remedy = f"give others as recommend.{self.name} in --settings, such as a larger ridge"
            raise TrainingError("the settings that the search begins with can't be fitted", remedy=remedy)

    def _measured(self, number: int, settings: Mapping[str, float]) -> float:
        """Return the mean NDCG@10 of the searched shoppers; of the best so far, everybody's is kept."""
        config = replace(self.config, **settings)
        models = self._models(config)
        searched = self._figures(models, config, self.lesson.searched)
        best = self.study.best()
        if best is None or best.value is None or searched.mean() > best.value:
            checked = self._figures(models, config, self.lesson.checked)
            with self._file(number).open("wb") as out:
                np.savez(out, searched=searched, checked=checked)
        return float(searched.mean())

    def _models(self, config: Any) -> list[Recommender]:
        """Return the way as fitted before each window: as it is, where another setting is only read late."""
        late = {name: self.start[name] for name, own in self.space.items() if own.is_read_late}
        key = replace(config, **late)
        if self._fitted[0] != key:
            self._fitted = (None, [])  # before the next ones stand in memory
            lessons = [replace(self.lesson.training, histories=one.training) for one in self.lesson.searched]
            self._fitted = (key, [make_recommender(self.name, config).fit(own) for own in lessons])
        return self._fitted[1]

    def _figures(self, models: Sequence[Recommender], config: Any, windows: Sequence[Window]) -> Figures:
        parts = []
        for model, window in zip(models, windows, strict=True):
            if not _n_shoppers(window):
                continue
            model.config = config  # type: ignore[attr-defined]  # of which only what is read late differs
            held = window.validation
            said = measure(
                self.name, model.score, held.targets, exclude_had=self.lesson.exclude_had, had=held.had
            )
            parts.append(said.ndcg_U)
        return np.concatenate(parts) if parts else np.zeros(0)

    def _kept(self, number: int) -> dict[str, Figures]:
        try:
            with self._file(number).open("rb") as kept, np.load(kept, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in ("searched", "checked")}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            remedy = f"delete {self.folder} and search again"
            raise ArtefactError(
                "figures of a trial can't be read", file=str(self._file(number)), remedy=remedy
            ) from error

    def _file(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number}.npz"

    def _note(self) -> str:
        best = self.study.best()
        return f"best ndcg@10 {best.value:.4f}" if best is not None else "the start"
