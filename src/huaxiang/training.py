"""One training loop: batches of like length, warm-up then decay, early stop, and resuming after a kill.

The loop knows nothing of shops. It is given a network, the length of each sequence, and a function that
returns the loss of some of them. After each epoch it saves itself beside the old checkpoint and renames, so
that a killed fit goes on from its last whole epoch and ends with the very weights it would have ended with.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import ArtefactError, MissingExtraError, SettingsError, StorageError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

VERSION = 1
CHECKPOINT = "training.safetensors"

Progress = Callable[[int, int, str], None]
LossOf = Callable[[NDArray[np.int64]], "Tensor"]
"""The mean loss of some sequences, given their rows."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """How long and how fast to learn.

    Parameters
    ----------
    steps
        Optimiser steps to aim at; ≥ 1. Small shops go through their sequences more often for it.
    min_epochs, max_epochs
        Fewest and most times that each sequence is seen, whatever `steps` says; 1 ≤ min ≤ max.
    batch_events
        Events in a batch, padding included; ≥ 1.
    learning_rate
        Highest step size of AdamW; > 0.
    weight_decay
        Pull of each weight towards 0, times the learning rate; ≥ 0.
    warmup_share
        Share of the fit in which the step size rises; 0 to 1. Then it falls as a half cosine.
    clip_norm
        Longest gradient; longer ones are shortened; > 0.
    patience
        Epochs without a better validation after which the fit stops; ≥ 1.
    """

    steps: int = 1000
    min_epochs: int = 3
    max_epochs: int = 60
    batch_events: int = 2048
    learning_rate: float = 2e-3
    weight_decay: float = 0.3
    warmup_share: float = 0.05
    clip_norm: float = 1.0
    patience: int = 4

    def __post_init__(self) -> None:
        _in_range("steps", self.steps, self.steps >= 1, "at least 1")
        _in_range("min_epochs", self.min_epochs, 1 <= self.min_epochs <= self.max_epochs, "1 to max_epochs")
        _in_range("batch_events", self.batch_events, self.batch_events >= 1, "at least 1")
        _in_range("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        _in_range("weight_decay", self.weight_decay, self.weight_decay >= 0, "0 or more")
        _in_range("warmup_share", self.warmup_share, 0 <= self.warmup_share <= 1, "0 to 1")
        _in_range("clip_norm", self.clip_norm, self.clip_norm > 0, "above 0")
        _in_range("patience", self.patience, self.patience >= 1, "at least 1")

    def epochs(self, lengths_N: NDArray[np.int64]) -> int:
        """Return how often each sequence is seen.

        Examples
        --------
        >>> Config(steps=100, batch_events=50).epochs(np.full(10, 50))
        10
        """
        steps_per_epoch = max(1, math.ceil(int(lengths_N.sum()) / self.batch_events))
        return min(max(math.ceil(self.steps / steps_per_epoch), self.min_epochs), self.max_epochs)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the sequences: its mean loss, its validation (higher is better) and its seconds."""

    loss: float
    metric: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Trained:
    """How a fit went; the network holds the weights of `best_epoch`, which counts from 1."""

    epochs: tuple[Epoch, ...] = ()
    best_epoch: int = 0
    resumed_after: int = 0
    """Epochs that an earlier, interrupted fit had made."""

    @property
    def best_metric(self) -> float | None:
        """The validation of the weights that were kept."""
        return self.epochs[self.best_epoch - 1].metric if self.best_epoch else None

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Trained:
        """Return what `dataclasses.asdict` of it became in JSON."""
        return cls(**{**said, "epochs": tuple(Epoch(**epoch) for epoch in said["epochs"])})

    def has_stalled(self, patience: int) -> bool:
        """Whether the last `patience` epochs brought nothing better."""
        return self.best_metric is not None and len(self.epochs) - self.best_epoch >= patience


def train(  # noqa: PLR0913 - what is learnt comes first, the rest has defaults
    network: Module,
    loss_of: LossOf,
    lengths_N: NDArray[np.int64],
    *,
    config: Config | None = None,
    seed: int = 0,
    validate: Callable[[], float] | None = None,
    stop_after: int | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    of: str = "",
    clock: Callable[[], float] = time.perf_counter,
) -> Trained:
    """Fit `network` in place and return how it went; it ends in evaluation mode with the best weights.

    Without `validate` every epoch is made, or those until `stop_after`, and the last weights are kept.

    Parameters
    ----------
    loss_of
        Mean loss of the sequences with these rows, a scalar with a gradient.
    lengths_N
        Events in each sequence; sequences of like length share a batch.
    seed
        Decides batches and dropout; the caller's random state is left as it was.
    validate
        Called after each epoch in evaluation mode; higher is better.
    stop_after
        Last epoch to make, as an earlier fit with `validate` found best; the step sizes are those of a whole
        fit, as they were there. None makes all.
    checkpoint
        Folder in which the fit saves itself after each epoch, and from which it resumes. A checkpoint of
        another fit is not resumed. A finished fit removes it.
    of
        What is learnt from, as a short text or hash: one part of what tells one fit from another.

    Raises
    ------
    MissingExtraError
        Without torch.
    StorageError
        The checkpoint can't be written.
    """
    require("torch")
    config = config or Config()
    loop = _Loop(network, config, lengths_N, seed=seed, of=of)
    file = checkpoint / CHECKPOINT if checkpoint is not None else None
    if file is not None and file.exists():
        loop.resume(file, progress)
    n_epochs = config.epochs(lengths_N)
    n_made = n_epochs if stop_after is None else min(stop_after, n_epochs)
    while len(loop.trained.epochs) < n_made and not loop.trained.has_stalled(config.patience):
        started = clock()
        loss = loop.one_epoch(loss_of, n_epochs)
        metric = _validated(network, validate)
        loop.remember(Epoch(loss=loss, metric=metric, seconds=clock() - started))
        if file is not None:
            loop.save(file)
        if progress is not None:
            progress(len(loop.trained.epochs), n_made, _note(loop.trained.epochs[-1]))
    loop.finish()
    if file is not None:
        file.unlink(missing_ok=True)
    return loop.trained


def length_batches(
    lengths_N: NDArray[np.int64], *, batch_events: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each batch: sequences of like length, at most `batch_events` events with padding.

    Lengths are stretched at random by up to a half before sorting, so that batches differ between epochs.
    Each row comes once; one that is longer than a batch comes alone.

    Examples
    --------
    >>> batches = length_batches(np.array([2, 9, 2, 9]), batch_events=18, rng=np.random.default_rng(0))
    >>> sorted(sorted(rows.tolist()) for rows in batches)
    [[0, 2], [1, 3]]
    """
    order = np.argsort(lengths_N * rng.uniform(1.0, 1.5, len(lengths_N)), kind="stable")
    batches, first, longest = [], 0, 0
    for place, length in enumerate(lengths_N[order].tolist()):
        if max(longest, length) * (place - first + 1) > batch_events and place > first:
            batches.append(order[first:place])
            first, longest = place, 0
        longest = max(longest, length)
    batches.append(order[first:])
    for batch in rng.permutation(len(batches)) if len(order) else ():
        yield batches[batch]


def step_size(done: float, *, warmup_share: float) -> float:
    """Return the share of the highest step size after `done`, 0 to 1, of the fit.

    Examples
    --------
    >>> [round(step_size(done, warmup_share=0.2), 3) for done in (0.1, 0.2, 0.6, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if done < warmup_share:
        return done / warmup_share
    return 0.5 * (1.0 + math.cos(math.pi * (done - warmup_share) / max(1.0 - warmup_share, 1e-9)))


@dataclass
class _Loop:
    """A fit between two epochs: everything a checkpoint has to hold."""

    network: Module
    config: Config
    lengths_N: NDArray[np.int64]
    seed: int
    of: str
    trained: Trained = field(default_factory=Trained, init=False)
    best: dict[str, Tensor] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.optimiser = _optimiser(self.network, self.config)

    def one_epoch(self, loss_of: LossOf, n_epochs: int) -> float:
        """Go through every sequence once; return the mean loss over the batches."""
        epoch = len(self.trained.epochs)
        rng = np.random.default_rng([self.seed, epoch])
        batches = list(length_batches(self.lengths_N, batch_events=self.config.batch_events, rng=rng))
        self.network.train()
        losses = []
        with _torch_seed(int(rng.integers(2**31))):
            for number, rows in enumerate(batches):
                self._set_step_size((epoch + (number + 1) / len(batches)) / n_epochs)
                losses.append(self._step(loss_of(rows)))
        self.network.eval()
        return float(np.mean(losses)) if losses else 0.0

    def remember(self, epoch: Epoch) -> None:
        """Add an epoch, and keep its weights if none were better."""
        before = self.trained.best_metric
        is_best = epoch.metric is None or before is None or epoch.metric > before
        epochs = (*self.trained.epochs, epoch)
        self.trained = replace(
            self.trained, epochs=epochs, best_epoch=len(epochs) if is_best else self.trained.best_epoch
        )
        if is_best and epoch.metric is not None:
            self.best = {name: weight.detach().clone() for name, weight in self.network.state_dict().items()}

    def finish(self) -> None:
        """Put the best weights back."""
        if self.best:
            self.network.load_state_dict(self.best)
        self.network.eval()

    def save(self, file: Path) -> None:
        """Write the checkpoint beside the old one, then rename it."""
        from safetensors.torch import save_file

        tensors = {f"network.{name}": weight for name, weight in self.network.state_dict().items()}
        tensors |= {f"best.{name}": weight for name, weight in self.best.items()}
        tensors |= {f"optimiser.{key}": value for key, value in _optimiser_tensors(self.optimiser).items()}
        said = {"version": VERSION, "of": self._fingerprint(), "trained": asdict(self.trained)}
        beside = file.with_suffix(".beside")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            save_file(
                {name: t.detach().contiguous() for name, t in tensors.items()},
                beside,
                {"json": json.dumps(said)},
            )
            os.replace(beside, file)
        except OSError as error:
            remedy = "free some space, or choose another folder"
            raise StorageError("checkpoint can't be written", file=str(file), remedy=remedy) from error

    def resume(self, file: Path, progress: Progress | None) -> None:
        """Go on from a checkpoint if it is of this very fit; else say so and start over."""
        said, tensors = read_checkpoint(file)
        if said.get("of") != self._fingerprint():
            if progress is not None:
                progress(0, 1, "the checkpoint is of another fit; starting over")
            return
        past = Trained.from_json(said["trained"])
        self.trained = replace(past, resumed_after=len(past.epochs))
        self.network.load_state_dict(_named(tensors, "network."))
        self.best = _named(tensors, "best.")
        _restore(self.optimiser, _named(tensors, "optimiser."))

    def _step(self, loss: Tensor) -> float:
        from torch.nn.utils import clip_grad_norm_

        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        self.optimiser.step()
        return float(loss.detach())

    def _set_step_size(self, done: float) -> None:
        share = step_size(done, warmup_share=self.config.warmup_share)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * share

    def _fingerprint(self) -> str:
        """Return a text that is the same only for the same settings, seed, sequences and shapes."""
        shapes = {name: list(weight.shape) for name, weight in self.network.state_dict().items()}
        lengths = [len(self.lengths_N), int(self.lengths_N.sum())]
        return json.dumps([asdict(self.config), self.seed, self.of, lengths, shapes], sort_keys=True)


def read_checkpoint(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what a checkpoint says and its tensors.

    Raises
    ------
    ArtefactError
        It is truncated, or of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            said = json.loads((opened.metadata() or {})["json"])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ArtefactError(
            "checkpoint can't be read", file=str(file), remedy="delete it to start over"
        ) from error
    version = str(said["version"])
    if int(version) > VERSION:
        remedy = "update huaxiang, or delete it to start over"
        raise ArtefactError("checkpoint of a newer version", file=str(file), value=version, remedy=remedy)
    return said, tensors


def _optimiser(network: Module, config: Config) -> Optimizer:
    """Return AdamW; gains, biases and other vectors do not decay."""
    from torch.optim import AdamW

    matrices = [weight for weight in network.parameters() if weight.ndim > 1]
    vectors = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=config.learning_rate, fused=True)


def _optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """Return the moments and step counts as `row.name` → tensor."""
    state = optimiser.state_dict()["state"]
    return {f"{row}.{name}": value for row, values in state.items() for name, value in values.items()}


def _restore(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        row, name = key.split(".", 1)
        state.setdefault(int(row), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _validated(network: Module, validate: Callable[[], float] | None) -> float | None:
    from torch import inference_mode

    if validate is None:
        return None
    network.eval()
    with inference_mode():
        return validate()


def _note(epoch: Epoch) -> str:
    metric = "" if epoch.metric is None else f", validation {epoch.metric:.4f}"
    return f"loss {epoch.loss:.3f}{metric}, {epoch.seconds:.1f} s"


@contextmanager
def _torch_seed(seed: int) -> Iterator[None]:
    """Let dropout depend on `seed` alone, and leave the caller's random state as it was."""
    from torch import manual_seed
    from torch.random import fork_rng

    with fork_rng():
        manual_seed(seed)
        yield


def require(*packages: str) -> None:
    """Raise `MissingExtraError` unless the packages that only fitting needs are installed."""
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtraError.of(package, extra="train")


def lightgbm_of_this_machine() -> Any:
    """Return the library, or raise `MissingExtraError` where it, or what it is linked with, is missing."""
    require("lightgbm")
    try:
        return import_module("lightgbm")
    except OSError as error:  # its wheel leaves OpenMP's run time to the system
        remedy = "install libgomp1 (Debian's name of GCC's OpenMP run time)"
        raise MissingExtraError("lightgbm can't be loaded", value=str(error), remedy=remedy) from error


def _in_range(name: str, value: float, is_allowed: bool, allowed: str) -> None:
    if not is_allowed or not math.isfinite(value):
        raise SettingsError(
            "setting is out of range", column=f"training.{name}", value=str(value), remedy=f"give {allowed}"
        )
