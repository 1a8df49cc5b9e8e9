"""The training loop, on lines fitted through a few points."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from huaxiang.errors import ArtefactError, SettingsError, StorageError
from huaxiang.training import CHECKPOINT, Config, Trained, length_batches, read_checkpoint, step_size, train

POINTS = np.linspace(-1, 1, 12, dtype=np.float32)
LENGTHS = np.array([1, 2, 3, 4] * 3)
SHORT = Config(steps=30, batch_events=10, max_epochs=8, learning_rate=0.05, weight_decay=0.0)


class Line(nn.Module):
    """y = a x + b with dropout, so that the random state matters."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1, 1))
        self.height = nn.Parameter(torch.zeros(1))
        self.dropout = nn.Dropout(0.1)

    def loss(self, rows: np.ndarray) -> Tensor:
        x = torch.from_numpy(POINTS[rows])
        return ((self.dropout(x * self.slope[0]) + self.height - (2 * x + 1)) ** 2).mean()


def fitted(line: Line, **more: object) -> Trained:
    return train(line, line.loss, LENGTHS, **{"config": SHORT, **more})  # type: ignore[arg-type]


def weights(line: Line) -> list[float]:
    return [line.slope.item(), line.height.item()]


def test_the_line_is_found() -> None:
    line = Line()
    line.dropout.p = 0.0
    fitted(
        line, config=Config(steps=400, batch_events=10, max_epochs=200, learning_rate=0.05, weight_decay=0)
    )
    assert weights(line) == pytest.approx([2, 1], abs=0.05)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    first, again, other = Line(), Line(), Line()
    for line, seed in ((first, 1), (again, 1), (other, 2)):
        fitted(line, seed=seed)
    assert weights(first) == weights(again) != weights(other)


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fitted(Line())
    assert torch.equal(torch.rand(1), expected)


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("epochs_before", [1, 3])
def test_a_killed_fit_goes_on_and_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, epochs_before: int
) -> None:
    def kill(done: int, total: int, note: str) -> None:
        if done == epochs_before:
            raise KilledError

    whole, killed, resumed = Line(), Line(), Line()
    through = fitted(whole, validate=lambda: -whole.loss(np.arange(12)).item())
    with pytest.raises(KilledError):
        fitted(
            killed, validate=lambda: -killed.loss(np.arange(12)).item(), progress=kill, checkpoint=tmp_path
        )
    after = fitted(resumed, validate=lambda: -resumed.loss(np.arange(12)).item(), checkpoint=tmp_path)
    assert weights(resumed) == weights(whole)
    assert [epoch.loss for epoch in after.epochs] == [epoch.loss for epoch in through.epochs]
    assert after.resumed_after == epochs_before


def interrupted(folder: Path, **more: object) -> None:
    def kill(done: int, total: int, note: str) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        fitted(Line(), progress=kill, checkpoint=folder, **more)


def test_a_finished_fit_leaves_no_checkpoint(tmp_path: Path) -> None:
    fitted(Line(), checkpoint=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_fit_is_set_aside_aloud(tmp_path: Path) -> None:
    interrupted(tmp_path, of="other sequences")
    notes: list[str] = []
    trained = fitted(Line(), checkpoint=tmp_path, progress=lambda done, total, note: notes.append(note))
    assert trained.resumed_after == 0
    assert notes[0] == "the checkpoint is of another fit; starting over"


def test_a_truncated_checkpoint_is_named(tmp_path: Path) -> None:
    interrupted(tmp_path)
    file = tmp_path / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ArtefactError, match="checkpoint can't be read"):
        fitted(Line(), checkpoint=tmp_path)


def test_a_checkpoint_of_a_newer_version_is_named(tmp_path: Path) -> None:
    save_file({"network.a": torch.zeros(1)}, tmp_path / CHECKPOINT, {"json": json.dumps({"version": 99})})
    with pytest.raises(ArtefactError, match="newer version"):
        read_checkpoint(tmp_path / CHECKPOINT)


def test_the_optimiser_is_stored_as_plain_tensors(tmp_path: Path) -> None:
    interrupted(tmp_path)
    names = set(load_file(tmp_path / CHECKPOINT))
    assert {"network.slope", "optimiser.0.exp_avg", "optimiser.0.exp_avg_sq", "optimiser.0.step"} <= names


def test_a_checkpoint_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="checkpoint can't be written"):
        fitted(Line(), checkpoint=tmp_path / "file")


def test_a_stalled_validation_stops_the_fit_and_gives_back_the_best_weights() -> None:
    line, seen = Line(), []
    metrics = iter([0.1, 0.5, 0.4, 0.3])

    def validate() -> float:
        seen.append(weights(line))
        return next(metrics)

    trained = fitted(line, config=Config(steps=30, batch_events=10, patience=2), validate=validate)
    assert (trained.best_epoch, trained.best_metric, len(trained.epochs)) == (2, 0.5, 4)
    assert weights(line) == seen[1]


def test_a_fit_that_stops_after_an_epoch_is_the_beginning_of_a_whole_one() -> None:
    whole, begun, seen = Line(), Line(), []

    def better_and_better() -> float:
        seen.append(weights(whole))
        return float(len(seen))

    fitted(whole, validate=better_and_better)
    assert len(fitted(begun, stop_after=2).epochs) == 2 < len(seen)
    assert weights(begun) == seen[1]
    assert len(fitted(Line(), stop_after=10_000).epochs) == len(seen)


def test_progress_tells_epochs_loss_validation_and_seconds() -> None:
    told: list[tuple[int, int, str]] = []
    ticks = iter(range(100))
    line = Line()
    fitted(
        line,
        config=Config(steps=1, min_epochs=2, batch_events=100),
        validate=lambda: 0.25,
        progress=lambda *now: told.append(now),
        clock=lambda: float(next(ticks)),
    )
    assert [(done, total) for done, total, _ in told] == [(1, 2), (2, 2)]
    assert told[0][2].endswith("validation 0.2500, 1.0 s")


@given(
    lengths=st.lists(st.integers(1, 30), max_size=60),
    batch_events=st.integers(1, 100),
    seed=st.integers(0, 9),
)
def test_every_sequence_is_in_one_batch_and_no_batch_is_too_large(
    lengths: list[int], batch_events: int, seed: int
) -> None:
    lengths_N = np.array(lengths, dtype=np.int64)
    rng = np.random.default_rng(seed)
    batches = list(length_batches(lengths_N, batch_events=batch_events, rng=rng))
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))
    assert all(len(b) == 1 or lengths_N[b].max() * len(b) <= batch_events for b in batches)


def test_like_lengths_share_a_batch_so_little_is_padding() -> None:
    lengths_N = np.random.default_rng(0).geometric(0.1, 2000)
    batches = list(length_batches(lengths_N, batch_events=512, rng=np.random.default_rng(1)))
    padded = sum(int(lengths_N[batch].max()) * len(batch) for batch in batches)
    assert lengths_N.sum() / padded > 0.75


def test_the_step_size_rises_then_falls_to_nothing() -> None:
    sizes = [step_size(done, warmup_share=0.1) for done in np.linspace(0, 1, 21)]
    assert sizes[0] == 0 and max(sizes) == sizes[2] == 1 and sizes[-1] == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"min_epochs": 9, "max_epochs": 8},
        {"batch_events": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"warmup_share": 1.5},
        {"clip_norm": 0.0},
        {"patience": 0},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Config(**wrong)  # type: ignore[arg-type]
