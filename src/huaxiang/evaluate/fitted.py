"""Models by name, each fitted at most once with the same data and seed: a mix takes its members from here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from huaxiang.evaluate.trial import as_validated
from huaxiang.recommend.base import Recommender, TrainingData
from huaxiang.recommend.ensemble import Ensemble, within_limits

Make = Callable[[str], Recommender]
"""From a name, the model, yet to be fitted; of names joined by a plus, an `Ensemble`."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model, and the seconds that it took: of a mix, its members' too."""

    model: Recommender
    train_s: float
    train_cpu_s: float


class Fitted:
    """Fits what is asked for, and keeps it.

    Parameters
    ----------
    progress
        Told first which model it is about.
    before
        Fits with validation, from which a fit without it takes the weights of mixes and the number of epochs.
    """

    def __init__(
        self,
        make: Make,
        training: TrainingData,
        *,
        stage: str,
        progress: Callable[[str, int, int, str], None],
        before: Fitted | None = None,
    ) -> None:
        self.make = make
        self.training = training
        self.stage = stage
        self.progress = progress
        self.before = before
        self._fits: dict[str, Fit] = {}

    def of(self, name: str) -> Fit:
        """Return the model of that name, fitted."""
        if name not in self._fits:
            self._fits[name] = self._mixed(name) if "+" in name else self._alone(name)
        return self._fits[name]

    def _alone(self, name: str) -> Fit:
        model = self.make(name)
        if self.before is not None:
            model = as_validated({name: model}, {name: self.before.of(name).model})[name]
        tell = partial(self.progress, f"{name}, {self.stage}")
        wall, cpu = time.perf_counter(), time.process_time()
        model.fit(replace(self.training, progress=tell))
        return Fit(model=model, train_s=time.perf_counter() - wall, train_cpu_s=time.process_time() - cpu)

    def _mixed(self, name: str) -> Fit:
        mix = self.make(name)
        assert isinstance(mix, Ensemble)
        kept, notes = within_limits(mix.members, self.training.catalogue.n_items)
        fits = {member: self.of(member) for member in kept}
        mix = Ensemble(mix.config, members={member: fit.model for member, fit in fits.items()})
        mix.degraded_ = notes
        wall, cpu = time.perf_counter(), time.process_time()
        if self.before is not None:
            chosen = self.before.of(name).model
            assert isinstance(chosen, Ensemble)
            mix.weights_ = dict(chosen.weights_)
        else:
            assert self.training.validation is not None
            mix.choose(self.training.validation, seed=self.training.seed)
        return Fit(
            model=mix,
            train_s=time.perf_counter() - wall + sum(fit.train_s for fit in fits.values()),
            train_cpu_s=time.process_time() - cpu + sum(fit.train_cpu_s for fit in fits.values()),
        )
