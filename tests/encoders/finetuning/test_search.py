from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from huaxiang.encoders.finetuning.fit import FinetuneConfig
from huaxiang.encoders.finetuning.search import Searched, Watch, search


def _near(config: FinetuneConfig, place: Path, watch: Watch) -> Mapping[str, float]:
    """A fit whose accuracy is best at a dropout of .1."""
    figures = {"accuracy": 1 - abs(config.dropout - 0.1)}
    watch(figures)
    return figures


def searched(folder: Path, n_trials: int, fit: object = _near) -> Searched:
    return search(fit, FinetuneConfig(), figure="accuracy", n_trials=n_trials, folder=folder, seed=1)  # type: ignore[arg-type]


def test_better_settings_are_found(tmp_path: Path) -> None:
    found = searched(tmp_path, 25)
    assert abs(found.config.dropout - 0.1) < 0.05
    assert found.config.max_tokens == FinetuneConfig().max_tokens


def test_a_stopped_search_goes_on(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    n_seen = []

    def stops(config: FinetuneConfig, place: Path, watch: Watch) -> Mapping[str, float]:
        n_seen.append(1)
        if len(n_seen) == 4:
            raise StoppedError
        return _near(config, place, watch)

    with pytest.raises(StoppedError):
        searched(tmp_path, 6, stops)
    found = searched(tmp_path, 6)
    assert [trial["state"] for trial in found.trials].count("complete") >= 5
    assert len(found.trials) == 6


def test_poor_trials_are_cut_short(tmp_path: Path) -> None:
    def slow(config: FinetuneConfig, place: Path, watch: Watch) -> Mapping[str, float]:
        for part in (0.5, 0.6, 0.7, 0.8):
            watch({"accuracy": part * (1 - config.dropout)})
        return {"accuracy": 0.8 * (1 - config.dropout)}

    assert "pruned" in {trial["state"] for trial in searched(tmp_path, 15, slow).trials}
