"""Fits that are stopped, break, or do not fit into memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from encoders.learning.small_lesson import Net, Sums
from huaxiang.encoders.learning.base import Learnt, TrainerConfig, is_lower_better
from huaxiang.encoders.learning.checkpoints import WEIGHTS
from huaxiang.encoders.learning.trainer import train_large
from huaxiang.errors import DivergedError, OutOfMemoryError

CONFIG = TrainerConfig(
    epochs=4, batch_tokens=64, batch_rows=8, learning_rate=1e-2, validations=4, precision="fp32"
)


class StopHereError(Exception):
    """What ends a fit in its middle."""


def fit(folder: Path, network: Net, *, lesson: Sums | None = None, **more: object) -> Learnt:
    lesson = lesson or Sums()
    x, y = torch.from_numpy(lesson.x), torch.from_numpy(lesson.y)
    settings: dict[str, object] = {"config": CONFIG, "of": "sums", **more}
    if "validate" not in settings:
        settings["validate"] = lambda: {"loss": float(((network_out(network, x) - y) ** 2).mean())}
    return train_large(network, lesson, checkpoint=folder, **settings)  # type: ignore[arg-type]


def network_out(network: Net, x: Tensor) -> Tensor:
    return network.head(network.body(x))[:, 0]


def stop_at(step: int, error: BaseException):
    def progress(done: int, total: int, note: str) -> None:
        if done == step:
            raise error

    return progress


def weights(network: Net) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_fit_that_broke_off_ends_with_the_weights_of_one_that_did_not(tmp_path: Path) -> None:
    whole, broken, resumed = Net(), Net(), Net()
    fit(tmp_path / "whole", whole)
    with pytest.raises(StopHereError):
        fit(tmp_path / "broken", broken, progress=stop_at(21, StopHereError()))
    learnt = fit(tmp_path / "broken", resumed)
    assert 0 < learnt.resumed_from <= 21
    assert same(weights(whole), weights(resumed))
    assert not list((tmp_path / "broken").glob("checkpoint-*"))


def test_ctrl_c_saves_and_the_rerun_ends_with_the_same_weights(tmp_path: Path) -> None:
    def press(done: int, total: int, note: str) -> None:
        if done == 13:
            os.kill(os.getpid(), signal.SIGINT)

    whole, resumed = Net(), Net()
    fit(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped", Net(), progress=press)
    learnt = fit(tmp_path / "stopped", resumed)
    assert learnt.resumed_from in (13, 14)
    assert same(weights(whole), weights(resumed))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_loss_falls_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    network = Net()
    learnt = fit(tmp_path / "c", network)
    asked = [point["loss"] for point in learnt.curve if "learning_rate" not in point]
    assert asked[-1] < asked[0]
    assert learnt.best["loss"] == min(asked)


@pytest.mark.parametrize(("figure", "kept"), [("loss", 0), ("mae", 0), ("accuracy", 1), ("auc", 1)])
def test_the_direction_of_a_figure_decides_which_weights_stay(tmp_path: Path, figure: str, kept: int) -> None:
    network, seen = Net(), []

    def validate() -> dict[str, float]:
        seen.append(weights(network))
        return {figure: float(len(seen))}

    learnt = fit(tmp_path / "c", network, validate=validate, best=figure)
    assert learnt.best[figure] == (1 if kept == 0 else len(seen))
    assert same(weights(network), seen[0 if kept == 0 else -1])


def test_figures_by_name() -> None:
    lower = [
        name for name in ("loss", "mae", "calibration_error", "perplexity", "auc") if is_lower_better(name)
    ]
    assert lower == ["loss", "mae", "calibration_error", "perplexity"]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_weights(tmp_path: Path) -> None:
    network, lesson = Net(), Sums()
    lesson.y[17] = float("nan")
    with pytest.raises(DivergedError, match="not a number in batch") as caught:
        fit(tmp_path / "c", network, lesson=lesson)
    kept = load_file(tmp_path / "c" / "last_good" / WEIGHTS)
    assert all(torch.isfinite(value).all() for value in kept.values())
    assert same(kept, weights(network))
    assert caught.value.remedy is not None
    assert "learning rate" in caught.value.remedy


def test_a_batch_that_memory_does_not_hold_is_learnt_in_parts_alike(tmp_path: Path) -> None:
    notes: list[str] = []
    whole, parted = Net(dropout=0.0), Net(dropout=0.0, most_rows=3)
    fit(tmp_path / "a", whole)
    learnt = fit(tmp_path / "b", parted, progress=lambda done, total, note: notes.append(note))
    assert learnt.n_parts == 4
    assert any("out of memory" in note for note in notes)
    for name, value in weights(whole).items():
        torch.testing.assert_close(value, weights(parted)[name], rtol=1e-3, atol=1e-4)


def test_a_row_that_memory_does_not_hold_ends_the_fit(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="one row"):
        fit(tmp_path / "c", Net(most_rows=0))


def test_another_error_of_torch_is_not_taken_for_a_full_memory(tmp_path: Path) -> None:
    lesson = Sums()
    lesson.x = lesson.x[:, :3]
    lesson.batch = lambda rows, rng: {  # type: ignore[method-assign]
        "x": torch.from_numpy(lesson.x[rows]),
        "y": torch.from_numpy(lesson.y[rows]),
    }
    with pytest.raises(RuntimeError, match="shapes"):
        fit(tmp_path / "c", Net(), lesson=lesson, validate=None)


def test_a_fit_that_was_done_is_read_and_not_repeated(tmp_path: Path) -> None:
    first, again, other = Net(), Net(), Net()
    learnt = fit(tmp_path / "c", first)
    assert not list((tmp_path / "c").glob("checkpoint-*"))
    lesson = Sums()
    assert fit(tmp_path / "c", again, lesson=lesson) == learnt
    assert same(weights(first), weights(again))
    assert not lesson.asked
    assert not again.training
    assert fit(tmp_path / "c", other, lesson=lesson, of="other rows").curve != ()
    assert lesson.asked


@pytest.mark.parametrize("damaged", ["network.safetensors", "learnt.json"])
def test_a_done_fit_that_was_cut_short_on_the_disk_is_learnt_again(tmp_path: Path, damaged: str) -> None:
    first, again = Net(), Net()
    fit(tmp_path / "c", first)
    file = tmp_path / "c" / "finished" / damaged
    file.write_bytes(file.read_bytes()[:20])
    lesson = Sums()
    fit(tmp_path / "c", again, lesson=lesson)
    assert lesson.asked
    assert same(weights(first), weights(again))


@pytest.mark.parametrize("change", [{"of": "other rows"}, {"seed": 5}])
def test_a_checkpoint_of_another_fit_is_not_gone_on_with(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(StopHereError):
        fit(tmp_path / "c", Net(), progress=stop_at(21, StopHereError()))
    notes: list[str] = []
    learnt = fit(tmp_path / "c", Net(), progress=lambda done, total, note: notes.append(note), **change)
    assert learnt.resumed_from == 0
    assert "of another fit" in notes[0]


def test_a_truncated_checkpoint_is_skipped_for_the_one_before(tmp_path: Path) -> None:
    whole, resumed = Net(), Net()
    fit(tmp_path / "whole", whole)
    with pytest.raises(StopHereError):
        fit(tmp_path / "c", Net(), progress=stop_at(29, StopHereError()))
    saved = sorted((tmp_path / "c").glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    assert len(saved) == 2
    content = (saved[-1] / WEIGHTS).read_bytes()
    (saved[-1] / WEIGHTS).write_bytes(content[: len(content) // 2])
    learnt = fit(tmp_path / "c", resumed)
    assert learnt.resumed_from == int(saved[0].name[11:])
    assert same(weights(whole), weights(resumed))


def test_each_row_is_learnt_from_once_per_epoch(tmp_path: Path) -> None:
    lesson = Sums()
    fit(tmp_path / "c", Net(), lesson=lesson, validate=None)
    n_batches = len(lesson.asked) // 4
    for epoch in range(4):
        rows = [row for batch in lesson.asked[epoch * n_batches : (epoch + 1) * n_batches] for row in batch]
        assert sorted(rows) == list(range(60))


def test_a_checkpoint_that_finds_no_room_is_said(tmp_path: Path) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from pathlib import Path; import torch; from torch import nn; import numpy as np;"
        "from huaxiang.encoders.learning.base import TrainerConfig;"
        "from huaxiang.encoders.learning.trainer import train_large\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__(); self.head = nn.Linear(100, 100)\n"
        "    def forward(self, x):\n"
        "        return {'loss': self.head(x).square().mean()}\n"
        "class Rows:\n"
        "    lengths_N = np.ones(32, np.int64)\n"
        "    def batch(self, rows, rng):\n"
        "        return {'x': torch.ones(len(rows), 100)}\n"
        "config = TrainerConfig(steps=2, validations=2, precision='fp32')\n"
        "train_large(Net(), Rows(), config=config, checkpoint=Path(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "c")], capture_output=True, text=True, check=False
    )
    assert "StorageError: no space left" in done.stderr
