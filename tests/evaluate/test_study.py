"""Trials that are kept: a stopped search makes the same ones as one that never was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from huaxiang.errors import ArtefactError, InputError
from huaxiang.evaluate.study import N_ECHOES, N_NEAR, NEAR, Study, Tried
from huaxiang.recommend.search_space import Range

SPACE = {"early": Range(low=0.01, high=10.0, log=True), "late": Range(low=0.0, high=1.0, is_read_late=True)}
START = {"early": 1.0, "late": 0.123456789}


def opened(folder: Path, *, of: str = "shop", seed: int = 0) -> Study:
    return Study(folder / "way.json", space=SPACE, start=START, of=of, seed=seed)


def height(number: int, settings: Mapping[str, float]) -> float:
    return -abs(np.log(settings["early"] / 3)) - abs(settings["late"] - 0.8)


def go_on(study: Study, n_trials: int, measure: Callable[..., float] = height) -> list[Tried]:
    for _ in range(n_trials):
        study.next_trial(measure, seconds=lambda: 1.5)
    return study.tried


def test_the_first_trial_is_the_start_to_the_last_digit(tmp_path: Path) -> None:
    first = go_on(opened(tmp_path), 1)[0]
    assert (first.kind, first.settings, first.seconds) == ("start", START, 1.5)


def test_values_drawn_have_four_digits(tmp_path: Path) -> None:
    drawn = [one for one in go_on(opened(tmp_path), N_ECHOES + 2) if one.kind == "drawn"]
    assert len(drawn) == 1
    assert all(value == float(f"{value:.4g}") for one in drawn for value in one.settings.values())


def test_late_settings_are_echoed_after_each_fit(tmp_path: Path) -> None:
    tried = go_on(opened(tmp_path), 2 + 2 * N_ECHOES)
    assert [one.kind for one in tried] == ["start", *["echo"] * N_ECHOES, "drawn", *["echo"] * N_ECHOES]
    drawn, *echoes = tried[1 + N_ECHOES :]
    assert {one.settings["early"] for one in echoes} == {drawn.settings["early"]}
    assert [one.settings["late"] for one in echoes] == pytest.approx([0.1667, 0.5, 0.8333])


def test_an_echo_that_would_repeat_its_trial_is_left_out(tmp_path: Path) -> None:
    start = {"early": 1.0, "late": 0.5}
    study = Study(tmp_path / "way.json", space=SPACE, start=start, of="shop", seed=0)
    tried = go_on(study, 1 + N_ECHOES)
    assert [one.kind for one in tried] == ["start", *["echo"] * (N_ECHOES - 1), "drawn"]


def test_the_same_seed_makes_the_same_trials_and_another_others(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    first, again = (go_on(opened(tmp_path / name), 40) for name in ("a", "b"))
    assert first == again
    assert go_on(opened(tmp_path / "c", seed=1), 40) != first


def test_a_stopped_search_makes_the_trials_of_one_that_went_through(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = go_on(opened(tmp_path / "whole"), 40)
    for n_trials in (1, 12, 27):
        go_on(opened(tmp_path / "parts"), n_trials)
    assert opened(tmp_path / "parts").tried == whole


@pytest.mark.parametrize("n_before", [0, 1 + N_ECHOES], ids=["the start", "a drawn one"])
def test_a_trial_that_was_cut_off_is_made_again(tmp_path: Path, n_before: int) -> None:
    def stopped(number: int, settings: Mapping[str, float]) -> float:
        raise KeyboardInterrupt

    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    go_on(opened(tmp_path / "parts"), n_before)
    with pytest.raises(KeyboardInterrupt):
        go_on(opened(tmp_path / "parts"), 1, stopped)
    assert len(opened(tmp_path / "parts").tried) == n_before
    parts, whole = (
        go_on(opened(tmp_path / name), n) for name, n in (("parts", 14), ("whole", 14 + n_before))
    )
    assert [one.settings for one in parts] == [one.settings for one in whole]
    assert [one.kind for one in parts] == [one.kind for one in whole]


def test_the_first_draws_lie_near_the_start(tmp_path: Path) -> None:
    tried = go_on(opened(tmp_path), (1 + N_NEAR) * (1 + N_ECHOES))
    near = [one.settings for one in tried if one.kind == "drawn"]
    assert len(near) == N_NEAR
    start = {name: own.share_of(START[name]) for name, own in SPACE.items()}
    for name, own in SPACE.items():
        shares = [own.share_of(settings[name]) for settings in near]
        assert max(abs(share - start[name]) for share in shares) <= NEAR + 1e-3
        assert len(set(shares)) == N_NEAR


def test_it_finds_what_is_higher_than_the_start(tmp_path: Path) -> None:
    study = opened(tmp_path)
    tried = go_on(study, 80)
    best = study.best()
    assert best is not None
    assert best.value is not None
    assert best.value > -0.3 > (tried[0].value or 0)


def test_of_equal_trials_the_first_is_best(tmp_path: Path) -> None:
    study = opened(tmp_path)
    go_on(study, 9, lambda number, settings: 0.5)
    best = study.best()
    assert best is not None
    assert best.kind == "start"


def test_a_system_without_solution_is_a_failed_trial(tmp_path: Path) -> None:
    def singular(number: int, settings: Mapping[str, float]) -> float:
        raise np.linalg.LinAlgError("singular")

    study = opened(tmp_path)
    tried = go_on(study, 2, singular)
    assert [one.value for one in tried] == [None, None]
    assert study.best() is None


def test_a_search_of_something_else_is_refused(tmp_path: Path) -> None:
    go_on(opened(tmp_path), 1)
    with pytest.raises(InputError, match="of another shop.*name another --out, or delete"):
        opened(tmp_path, of="another shop")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    go_on(opened(tmp_path), 2)
    kept = tmp_path / "way.json"
    kept.write_bytes(kept.read_bytes()[:-9])
    with pytest.raises(ArtefactError, match="can't be read.*delete"):
        opened(tmp_path)
