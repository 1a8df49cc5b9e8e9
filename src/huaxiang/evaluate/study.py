"""The trials of one way's search, kept in a file so that a stopped search goes on where it was.

What a trial is follows from the seed and the trials before it alone. So a search that was stopped and gone on
with makes the same trials as one that never was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.errors import ArtefactError, InputError
from huaxiang.files import write_json
from huaxiang.recommend.search_space import Range
from huaxiang.training import require

N_NEAR = 8
"""Draws from around the start, before they follow from what went well: where fits take a minute, draws from
anywhere are wasted on what no shop needs."""
NEAR = 0.25
"""How far from the start those lie at most, as a share of the range."""
N_ECHOES = 3
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
        start: the settings the search began with; drawn; echo: the last ones with another late setting.
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
    settings jointly. Ours begins at the start and around it, tries settings that need no fit beside each fit,
    and gives each trial a seed of its own.
    """

    def __init__(
        self, file: Path, *, space: Mapping[str, Range], start: Mapping[str, float], of: str, seed: int
    ) -> None:
        """Read the trials in `file`, or begin with none.

        Parameters
        ----------
        space, start
            The values to draw from, and those of the first trial.
        of
            Fingerprint of whatever else decides what trials reach.

        Raises
        ------
        MissingExtraError
            optuna is not installed.
        InputError
            The file holds a search of something else.
        ArtefactError
            The file is damaged.
        """
        require("optuna")
        self._file, self._space, self._start, self._of, self._seed = file, space, start, of, seed
        self.tried: list[Tried] = _read(file, of) if file.exists() else []

    def best(self) -> Tried | None:
        """Return the trial that reached most, the earliest of equals; None where none has a figure."""
        return max((one for one in self.tried if one.value is not None), key=_value, default=None)

    def next_trial(
        self, measure: Callable[[int, Mapping[str, float]], float], *, seconds: Callable[[], float]
    ) -> None:
        """Draw settings, measure them, and keep what they reached.

        Parameters
        ----------
        measure
            Takes the number and the settings of the trial. A system of equations without a solution is a
            failed trial; other errors are not caught.
        seconds
            What the trial took, asked for once it is measured.
        """
        number = len(self.tried)
        kind, settings = self._next()
        value: float | None = None
        try:
            value = float(measure(number, settings))
        except np.linalg.LinAlgError:
            kind = f"{kind}, failed"
        done = Tried(number=number, value=value, settings=settings, kind=kind, seconds=seconds())
        self.tried.append(done)
        write_json(self._file, {"of": self._of, "trials": [asdict(one) for one in self.tried]})

    def _next(self) -> tuple[str, Mapping[str, float]]:
        if not self.tried:
            return "start", self._start
        n_echoes = next(n for n, one in enumerate(reversed(self.tried)) if one.kind != "echo")
        echoed = self.tried[-1 - n_echoes]
        others = self._others(echoed.settings) if echoed.value is not None else []
        return ("echo", others[n_echoes]) if n_echoes < len(others) else ("drawn", self._drawn())

    def _others(self, settings: Mapping[str, float]) -> list[dict[str, float]]:
        """Return the settings with other values of what is read late, off the ends of its range."""
        shares = (np.arange(N_ECHOES) + 0.5) / N_ECHOES
        late = {name: own for name, own in self._space.items() if own.is_read_late}
        others = [
            {**settings, name: _short(own.at(share), own)} for name, own in late.items() for share in shares
        ]
        return [one for one in others if one != settings]

    def _drawn(self) -> dict[str, float]:
        seed = np.random.SeedSequence([self._seed, len(self.tried)])
        is_near = sum(one.kind.startswith("drawn") for one in self.tried) < N_NEAR
        drawn = self._near_start(seed) if is_near else self._among_the_better(seed)
        return {name: _short(value, self._space[name]) for name, value in drawn.items()}

    def _near_start(self, seed: np.random.SeedSequence) -> dict[str, float]:
        rng = np.random.default_rng(seed)
        shares = {name: own.share_of(self._start[name]) for name, own in self._space.items()}
        return {
            name: own.at(rng.uniform(max(shares[name] - NEAR, 0), min(shares[name] + NEAR, 1)))
            for name, own in self._space.items()
        }

    def _among_the_better(self, seed: np.random.SeedSequence) -> dict[str, float]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        ranges: dict[str, Any] = {
            name: optuna.distributions.FloatDistribution(own.low, own.high, log=own.log)
            for name, own in self._space.items()
        }
        sampler = optuna.samplers.TPESampler(
            seed=int(seed.generate_state(1)[0]), n_startup_trials=0, multivariate=True
        )
        study = optuna.create_study(sampler=sampler, direction="maximize")
        study.add_trials(
            optuna.trial.create_trial(params=dict(one.settings), distributions=ranges, value=one.value)
            for one in self.tried
            if one.value is not None
        )
        return dict(study.ask(ranges).params)


def _value(one: Tried) -> float:
    return -np.inf if one.value is None else one.value


def _short(value: float, own: Range) -> float:
    """Return a value in four digits, inside its range: what is tried is what people read in the file."""
    return min(max(float(f"{value:.4g}"), own.low), own.high)


def _read(file: Path, of: str) -> list[Tried]:
    remedy = f"name another --out, or delete {file.parent}"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        trials, of_kept = [Tried(**one) for one in kept["trials"]], kept["of"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError("the search kept there can't be read", file=str(file), remedy=remedy) from error
    if of_kept != of:
        said = "the search kept there is of another shop or other settings, or of another version"
        raise InputError(said, file=str(file), remedy=remedy)
    return trials
