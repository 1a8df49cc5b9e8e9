"""The trials of one way's search, kept in a file so that a stopped search goes on where it was.

A search that was stopped and gone on with makes the same trials as one that never was: what each draws
follows from the seed, its number, and the trials that are finished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.errors import InputError
from huaxiang.recommend.search_space import Range
from huaxiang.training import require

N_DRAWN_BLINDLY = 24
"""Finished trials before draws follow from what went well; fewer trust a lucky one."""
N_ECHOES = 5
"""Other values of each setting that is read late, tried with what a trial has fitted: they cost no fit."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One finished trial.

    Parameters
    ----------
    value
        The figure that is searched for, higher is better; None where the fit failed.
    settings
        Only those that are searched.
    kind
        start: the settings the search began with; drawn; echo: a drawn one with another late setting.
    seconds
        Wall-clock, of everything since the trial before.
    """

    number: int
    value: float | None
    settings: Mapping[str, float]
    kind: str
    seconds: float


class Study:
    """Draws settings, remembers what they reached, and begins with the settings it is given.

    Source
    ------
    Bergstra et al., Algorithms for Hyper-Parameter Optimization, NIPS 2011, as Optuna has it, over all
    settings jointly. Ours begins at the start, tries settings that need no fit beside each fit, and gives
    each trial a seed of its own.
    """

    def __init__(
        self,
        file: Path,
        *,
        name: str,
        space: Mapping[str, Range],
        start: Mapping[str, float],
        of: str,
        seed: int,
    ) -> None:
        """Open the study called `name`, or begin it.

        Parameters
        ----------
        file
            SQLite, made where it is not there; holds the studies of several ways.
        space, start
            The values to draw from, and those of the first trial.
        of
            Fingerprint of whatever else decides what trials reach.

        Raises
        ------
        MissingExtraError
            optuna is not installed.
        InputError
            The file holds a study of something else.
        """
        require("optuna")
        import optuna

        optuna.logging.set_verbosity(logging.ERROR)
        self._optuna = optuna
        self._space, self._start, self._seed = space, start, seed
        self._ranges: dict[str, optuna.distributions.BaseDistribution] = {
            setting: optuna.distributions.FloatDistribution(own.low, own.high, log=own.log)
            for setting, own in space.items()
        }
        self._study = optuna.create_study(
            study_name=name, storage=f"sqlite:///{file}", load_if_exists=True, direction="maximize"
        )
        if self._study.user_attrs.get("of", of) != of:
            raise InputError(
                "the search kept there is of another shop or of other settings, or of another version",
                file=str(file),
                value=name,
                remedy=f"name another --out, or delete {file.parent}",
            )
        self._study.set_user_attr("of", of)
        self._again()

    def tried(self) -> list[Tried]:
        """Return the finished trials, oldest first."""
        return [
            Tried(
                number=one.number,
                value=one.value if one.values else None,
                settings=self._settings(one.params),
                kind=one.user_attrs["kind"],
                seconds=one.user_attrs["seconds"],
            )
            for one in self._study.get_trials(deepcopy=False)
            if "seconds" in one.user_attrs
        ]

    def best(self) -> Tried | None:
        """Return the trial that reached most, the earliest of equals; None where none has a figure."""
        return max((one for one in self.tried() if one.value is not None), key=_value, default=None)

    def next_trial(
        self, measure: Callable[[int, Mapping[str, float]], float], *, seconds: Callable[[], float]
    ) -> None:
        """Draw settings, measure them, and remember what they reached.

        Parameters
        ----------
        measure
            Takes the number and the settings of the trial. A system of equations without a solution is a
            failed trial; other errors are not caught.
        seconds
            What the trial took, asked for once it is measured.
        """
        n_finished = len(self.tried())
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=int(np.random.SeedSequence([self._seed, n_finished]).generate_state(1)[0]),
            n_startup_trials=N_DRAWN_BLINDLY,
            multivariate=True,
        )
        trial = self._study.ask(self._ranges)
        kind = trial.user_attrs.get("kind", "drawn")
        trial.set_user_attr("kind", kind)
        try:
            value = measure(trial.number, self._settings(trial.params))
        except np.linalg.LinAlgError:
            trial.set_user_attr("seconds", seconds())
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return
        trial.set_user_attr("seconds", seconds())
        self._study.tell(trial, value)
        if kind != "echo":
            self._echo(trial.params)

    def _echo(self, settings: Mapping[str, Any]) -> None:
        for setting, own in self._space.items():
            if own.is_read_late:
                for value in _spread(own):
                    self._study.enqueue_trial({**settings, setting: value}, user_attrs={"kind": "echo"})

    def _settings(self, drawn: Mapping[str, float]) -> dict[str, float]:
        """Return what was drawn as it is tried and told: in four digits, but the start to the last."""
        start = self._start
        return {
            name: value if value == start[name] else float(f"{value:.4g}") for name, value in drawn.items()
        }

    def _again(self) -> None:
        """Put what a killed process was at back into the queue; at the very beginning, the start."""
        states = self._optuna.trial.TrialState
        trials = self._study.get_trials(deepcopy=False)
        for one in trials:
            if one.state == states.RUNNING:
                self._study.tell(one.number, state=states.FAIL)
                kind = one.user_attrs.get("kind", "drawn")
                self._study.enqueue_trial(one.params, user_attrs={"kind": kind})
        if not trials:
            self._study.enqueue_trial(dict(self._start), user_attrs={"kind": "start"})


def _value(one: Tried) -> float:
    return -np.inf if one.value is None else one.value


def _spread(own: Range) -> list[float]:
    """Return values that lie evenly in a range, off its ends."""
    shares = (np.arange(N_ECHOES) + 0.5) / N_ECHOES
    if own.log:
        return [float(own.low * (own.high / own.low) ** share) for share in shares]
    return [float(own.low + (own.high - own.low) * share) for share in shares]
