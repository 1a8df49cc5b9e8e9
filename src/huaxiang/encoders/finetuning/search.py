"""Settings found by trying: poor trials are cut short, and a stopped search is gone on with."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huaxiang.encoders.finetuning.fit import FinetuneConfig
from huaxiang.encoders.learning.base import is_lower_better
from huaxiang.training import require

Watch = Callable[[Mapping[str, float]], None]
Try = Callable[[FinetuneConfig, Path, Watch], Mapping[str, float]]
"""Fits with some settings, in a folder of its own, telling each validation; returns the best validation."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was tried, and the settings that went best.

    Parameters
    ----------
    trials
        One mapping per trial: `number`, `state` (complete, pruned or failed), `value`, and the settings.
    """

    config: FinetuneConfig
    figure: str
    trials: tuple[Mapping[str, Any], ...]


def search(
    try_out: Try,
    config: FinetuneConfig,
    *,
    figure: str,
    n_trials: int,
    folder: Path,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Searched:
    """Return the settings, of `n_trials` drawn ones, whose fit has the best validation figure.

    Settings are drawn by Optuna's tree-structured Parzen estimator; a trial that is below the median of the
    earlier ones at the same validation is cut short.

    Parameters
    ----------
    config
        What is not searched for stays as it is here.
    figure
        By which trials are compared; its name tells whether lower is better.
    folder
        Keeps the study, so that the same search goes on after a stop.

    Raises
    ------
    MissingExtraError
        optuna is not installed.
    """
    require("optuna")
    import optuna

    optuna.logging.set_verbosity(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="search",
        storage=f"sqlite:///{folder / 'search.db'}",
        load_if_exists=True,
        direction="minimize" if is_lower_better(figure) else "maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )

    def value_of(trial: optuna.Trial) -> float:
        seen: list[float] = []

        def watch(figures: Mapping[str, float]) -> None:
            seen.append(figures[figure])
            trial.report(seen[-1], step=len(seen))
            if trial.should_prune():
                raise optuna.TrialPruned

        own = folder / f"trial-{trial.number}"
        found = try_out(drawn(trial, config), own, watch)
        shutil.rmtree(own, ignore_errors=True)
        return float(found[figure])

    n_done = len([trial for trial in study.trials if trial.state.is_finished()])
    for number in range(n_done, n_trials):
        if progress is not None:
            progress(number, n_trials, _best(study, figure))
        study.optimize(value_of, n_trials=1)
    if progress is not None:
        progress(n_trials, n_trials, _best(study, figure))
    return Searched(
        config=drawn(study.best_trial, config),
        figure=figure,
        trials=tuple(
            {"number": t.number, "state": t.state.name.lower(), "value": t.value, **t.params}
            for t in study.trials
        ),
    )


def drawn(trial: Any, config: FinetuneConfig) -> FinetuneConfig:
    """Return the settings of a trial: those drawn, and the rest as they are in `config`."""
    training = replace(
        config.training,
        learning_rate=trial.suggest_float("learning_rate", 2e-5, 2e-3, log=True),
        epochs=float(trial.suggest_int("epochs", 2, 6)),
        weight_decay=trial.suggest_float("weight_decay", 1e-3, 0.3, log=True),
        head_factor=trial.suggest_float("head_factor", 1.0, 20.0, log=True),
    )
    return replace(
        config,
        dropout=trial.suggest_float("dropout", 0.0, 0.3),
        label_smoothing=trial.suggest_float("label_smoothing", 0.0, 0.2),
        training=training,
    )


def _best(study: Any, figure: str) -> str:
    try:
        return f"best {figure} {study.best_value:.4f}"
    except ValueError:
        return "first trial"
