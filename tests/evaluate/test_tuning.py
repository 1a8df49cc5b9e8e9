"""The search for settings: no worse than the start, bounded, gone on with, and blind to the test part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huaxiang.errors import ArtefactError, InputError, ShopError, TrainingError
from huaxiang.evaluate.holdout import HeldOut, Next, Window
from huaxiang.evaluate.measure import measure
from huaxiang.evaluate.tuning import (
    FEWEST_CHECKED,
    Bounds,
    Lesson,
    Tuned,
    check_ways,
    lesson_of_shop,
    tune,
)
from huaxiang.notes import Note
from huaxiang.recommend.base import Histories
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import histories_of, leave_last_out, take_shoppers
from huaxiang.recommend.neighbours import Config as NeighboursConfig
from huaxiang.recommend.ways import make_recommender
from recommend.small_shops import training_of

N_ITEMS = 40
POOR = NeighboursConfig(backward_share=1.0, history_decay=1.0)
"""Everything that the ring below is not: without direction and without order."""


def ring(n_shoppers: int = 400) -> Histories:
    """Return walks around a ring, mostly one step at a time."""
    rng = np.random.default_rng(3)
    steps = np.cumsum(rng.choice([1, 1, 1, 2, 7], size=(n_shoppers, 7)), axis=1)
    return histories_of(((steps + np.arange(n_shoppers)[:, None]) % N_ITEMS).tolist())


def held_out_of(histories: Histories) -> HeldOut:
    test = leave_last_out(histories)
    validation = leave_last_out(test.histories)
    return HeldOut(
        description=Note("each shopper's last item"),
        training=validation.histories,
        known=test.histories,
        validation=Next(targets=validation, had=validation.histories),
        test=Next(targets=test, had=test.histories),
    )


def lesson(
    histories: Histories | None = None, *, n_shoppers: int = 16384, exclude_had: bool = True
) -> Lesson:
    held_out = held_out_of(ring() if histories is None else histories)
    training = training_of(held_out.training, n_items=N_ITEMS)
    return lesson_of_shop(training, held_out, exclude_had=exclude_had, n_shoppers=n_shoppers)


def search(
    folder: Path,
    on: Lesson,
    *,
    configs: dict[str, Any] | None = None,
    minutes: float = 60,
    n_trials: int = 25,
    clock: Callable[[], float] = lambda: 0.0,
) -> list[Tuned]:
    chosen = {"neighbours": POOR} if configs is None else configs
    return tune(
        chosen,
        on,
        folder=folder,
        of=dict.fromkeys(chosen, "ring"),
        bounds=Bounds(minutes=minutes, n_trials=n_trials),
        progress=lambda *_: None,
        clock=clock,
    )


def test_what_is_found_is_better_where_the_start_is_poor(tmp_path: Path) -> None:
    (found,) = search(tmp_path, lesson())
    assert found.is_checked
    assert found.gain is not None
    assert found.gain["low"] > 0
    assert found.found["backward_share"] < 0.5
    assert found.start_ndcg is not None
    assert found.found_ndcg is not None
    assert found.found_ndcg > found.start_ndcg


def test_the_figures_are_those_of_a_fit_with_these_settings(tmp_path: Path) -> None:
    on = lesson()
    (found,) = search(tmp_path, on, n_trials=8)
    for part, settings, told in (("start", {}, found.start_ndcg), ("best", found.best, found.found_ndcg)):
        model = make_recommender("neighbours", replace(POOR, **settings))
        held = on.searched[0].validation
        model.fit(replace(on.training, histories=on.searched[0].training))
        said = measure(part, model.score, held.targets, exclude_had=True, had=held.had)
        assert told == pytest.approx(said.ndcg_U.mean())


def test_a_setting_that_is_read_late_needs_no_other_fit_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huaxiang.recommend.closed_form import ClosedForm

    fits: list[ClosedFormConfig] = []
    real = ClosedForm.fit_whole
    monkeypatch.setattr(
        ClosedForm, "fit_whole", lambda self, training: (fits.append(self.config), real(self, training))[1]
    )
    on = lesson()
    start = ClosedFormConfig(history_decay=1.0, ridge=5.0)
    (found,) = search(tmp_path, on, configs={"closed_form": start}, n_trials=4)
    assert [one.kind for one in found.trials] == ["start", *["echo"] * 3]
    assert len(fits) == 1
    model = ClosedForm(replace(start, **found.best)).fit(
        replace(on.training, histories=on.searched[0].training)
    )
    held = on.searched[0].validation
    said = measure("best", model.score, held.targets, exclude_had=True, had=held.had)
    assert found.found_ndcg == pytest.approx(said.ndcg_U.mean())


@pytest.mark.parametrize("seed", range(3))
def test_a_start_that_nothing_beats_for_other_shoppers_stays(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = lesson()
    noise = np.random.default_rng(seed)
    asked: list[float] = []

    def worse_for_others(search: Any, models: Any, config: Any, windows: tuple[Window, ...]) -> Any:
        n_shoppers = sum(one.validation.had.n_shoppers for one in windows)
        if windows is on.searched:
            asked.append(len(asked) / 100)
            return np.full(n_shoppers, asked[-1])
        return noise.random(n_shoppers) * 0.01 - asked[-1]

    monkeypatch.setattr("huaxiang.evaluate.tuning._Search._figures", worse_for_others)
    (found,) = search(tmp_path, on, n_trials=5)
    assert found.best != {}
    assert found.found == {}
    assert not found.as_json()["kept"]


def test_the_search_and_its_check_share_no_shopper_and_draw_them_at_random() -> None:
    on = lesson(n_shoppers=150)
    searched, checked = (part[0].validation.had for part in (on.searched, on.checked))
    assert (searched.n_shoppers, checked.n_shoppers) == (150, 250)
    keys = [set(part.event_keys[part.offsets[:-1]].tolist()) for part in (searched, checked)]
    assert not keys[0] & keys[1]
    assert max(keys[0]) > min(keys[1])


def test_a_small_shop_is_searched_whole_and_says_that_nothing_was_checked(tmp_path: Path) -> None:
    on = lesson(take_shoppers(ring(), slice(0, 2 * FEWEST_CHECKED)))
    assert (on.n_searched, on.n_checked) == (2 * FEWEST_CHECKED, 0)
    (found,) = search(tmp_path, on, n_trials=6)
    assert not found.is_checked
    assert found.gain is not None
    assert found.gain["mean"] >= 0


def test_the_test_part_is_never_read(tmp_path: Path) -> None:
    held_out = held_out_of(ring())
    blind = replace(held_out, test=None, known=None)  # type: ignore[arg-type]
    training = training_of(held_out.training, n_items=N_ITEMS)
    on = lesson_of_shop(training, blind, exclude_had=True, n_shoppers=16384)
    assert len(search(tmp_path, on, n_trials=5)[0].trials) == 5


def test_earlier_stretches_are_searched_too(tmp_path: Path) -> None:
    held_out = held_out_of(ring())
    earlier = leave_last_out(held_out.training)
    window = Window(training=earlier.histories, validation=Next(targets=earlier, had=earlier.histories))
    training = training_of(held_out.training, n_items=N_ITEMS)
    both = replace(held_out, earlier=(window,))
    on = lesson_of_shop(training, both, exclude_had=False, n_shoppers=200)
    assert [part.validation.had.n_shoppers for part in on.searched] == [100, 100]
    assert on.searched[1].training is earlier.histories
    (found,) = search(tmp_path, on, n_trials=4)
    assert found.gain is not None
    assert found.gain["n_shoppers"] == 2 * 300


def test_the_same_seed_tries_the_same_and_a_stopped_search_goes_on(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    (whole,) = search(tmp_path / "whole", lesson(), n_trials=15)
    search(tmp_path / "parts", lesson(), n_trials=4)
    (parts,) = search(tmp_path / "parts", lesson(), n_trials=15)
    assert parts == whole


def test_no_trial_begins_after_the_time_and_time_spent_before_counts(tmp_path: Path) -> None:
    minutes = iter(range(1000))
    (first,) = search(tmp_path, lesson(), minutes=3, clock=lambda: 60.0 * next(minutes))
    assert [one.seconds for one in first.trials] == [60.0] * 3
    (again,) = search(tmp_path, lesson(), minutes=3, clock=lambda: 60.0 * next(minutes))
    assert again == first
    (longer,) = search(tmp_path, lesson(), minutes=5, clock=lambda: 60.0 * next(minutes))
    assert len(longer.trials) == 5


def test_ways_share_the_time_and_what_one_leaves_the_next_has(tmp_path: Path) -> None:
    minutes = iter(range(1000))
    on = lesson(histories_of([[0, 1, 2, 3]] * 30, occurred_ms=[[0, 9**9, 2 * 9**9, 3 * 9**9]] * 30))
    configs = {name: make_recommender(name).config for name in ("popular", "neighbours")}  # type: ignore[attr-defined]
    few = search(tmp_path, on, configs=configs, minutes=10, n_trials=2, clock=lambda: 60.0 * next(minutes))
    assert [len(one.trials) for one in few] == [2, 2]
    more = search(tmp_path, on, configs=configs, minutes=10, clock=lambda: 60.0 * next(minutes))
    assert [len(one.trials) for one in more] == [5, 5]


def test_a_way_for_which_no_time_is_left_keeps_its_settings(tmp_path: Path) -> None:
    minutes = iter(range(1000))
    configs = {"neighbours": POOR, "closed_form": ClosedFormConfig()}
    first, second = search(
        tmp_path, lesson(), configs=configs, minutes=0.5, clock=lambda: 60.0 * next(minutes)
    )
    assert len(first.trials) == 1
    assert (second.trials, second.found, second.gain) == ((), {}, None)
    assert second.as_json()["start"]["ndcg@10"] is None


def test_a_start_that_cannot_be_fitted_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(*_: Any) -> None:
        raise np.linalg.LinAlgError("singular")

    monkeypatch.setattr("huaxiang.recommend.neighbours.Neighbours.fit", singular)
    with pytest.raises(TrainingError, match="can't be fitted"):
        search(tmp_path, lesson())


def test_figures_that_are_gone_are_an_error(tmp_path: Path) -> None:
    search(tmp_path, lesson(), n_trials=2)
    (tmp_path / "neighbours-0.npz").write_bytes(b"cut")
    with pytest.raises(ArtefactError, match="figures of a trial"):
        search(tmp_path, lesson(), n_trials=2)


def test_a_shop_without_anybody_to_foretell_is_refused() -> None:
    with pytest.raises(ShopError, match="no shopper.*--protocol unmasked"):
        lesson(histories_of([[1, 1, 1, 1]] * 9))


@pytest.mark.parametrize(
    ("name", "order_only", "said"),
    [
        ("neighbors", False, "no such recommender"),
        ("sequence", False, "nothing of it is searched"),
        ("popular", True, "where only an order is known"),
    ],
)
def test_ways_that_cannot_be_searched_are_refused(name: str, order_only: bool, said: str) -> None:
    with pytest.raises(InputError, match=f"{said}.*{name}.*neighbours, closed_form"):
        check_ways(["closed_form", name], order_only=order_only)
