"""Hugging Face's Trainer as it is used here: batches of like length, any figure, exact resuming.

What it adds to theirs: rows share a batch by length; what is random in a batch depends on seed, epoch and
rows alone; a batch that the memory does not hold is learnt in parts, aloud; a loss or gradient that is no
number stops the fit before it reaches a weight; a first Ctrl-C ends the step, saves and stops.
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, TrainingArguments

from huaxiang.encoders.learning.base import Learnt, Lesson, TrainerConfig, Validate, is_lower_better
from huaxiang.encoders.learning.batches import Batches, Rows
from huaxiang.encoders.learning.checkpoints import WEIGHTS, finished, keep_finished, last_checkpoint
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.learning.watch import Progress, Watch, ctrl_c_asks, plain
from huaxiang.errors import DivergedError, OutOfMemoryError, StorageError, is_disk_full

_POINTS = 200


class Attack(Protocol):
    """Harder examples: what is learnt once more from the same batch, moved a little against the network."""

    def again(self, network: nn.Module, repeat: Callable[[], None]) -> None:
        """Move something, call `repeat`, which adds the gradients there to the others, and move it back."""
        ...


def train_large(  # noqa: PLR0913 - what is learnt comes first, the rest has defaults
    network: nn.Module,
    lesson: Lesson,
    *,
    config: TrainerConfig,
    checkpoint: Path,
    seed: int = 0,
    validate: Validate | None = None,
    best: str = "loss",
    of: str = "",
    attack: Attack | None = None,
    progress: Progress | None = None,
) -> Learnt:
    """Teach `network` the lesson in place and return how it went; it ends in evaluation mode.

    Parameters
    ----------
    network
        Its `forward` takes what `lesson.batch` returns by name, and returns a dict with the mean `loss`.
    checkpoint
        Folder in which the fit saves itself, and from which the same fit goes on. Where it was done already,
        its weights are read: a command of several fits, stopped in a later one, repeats none.
    validate
        Figures of the network as it is; asked `config.validations` times.
    best
        The figure by which the weights to keep are chosen: lower is better for those that end in `loss`,
        `error` or `perplexity`, higher for all others.
    of
        What is learnt from, as a short text or hash: a checkpoint of something else is not gone on with.
    attack
        Called after each batch's gradients.

    Raises
    ------
    DivergedError
        The loss or a gradient is no number. The weights are those of the last good step; they are also in
        `checkpoint / "last_good"`.
    OutOfMemoryError
        Not even one row fits.
    KeyboardInterrupt
        After Ctrl-C, once the fit is saved.
    """
    started = time.perf_counter()
    checkpoint.mkdir(parents=True, exist_ok=True)
    said = json.dumps([asdict(config), seed, of, len(lesson.lengths_N), _shapes(network)], sort_keys=True)
    last = last_checkpoint(checkpoint, said, progress)
    if (done := finished(checkpoint, network)) is not None:
        network.eval()
        return done
    rows = Rows(lesson, config, seed=seed)
    with quiet_transformers(), _own_random_state():
        trainer = _Trainer(
            network, rows, config=config, folder=checkpoint, seed=seed, validate=validate, best=best
        )
        trainer.attack = attack
        watch = Watch(progress, is_validated=validate is not None)
        trainer.tell = watch.tell
        trainer.add_callback(watch)
        if config.patience is not None and validate is not None:
            trainer.add_callback(EarlyStoppingCallback(config.patience))
        with ctrl_c_asks(watch):
            trainer.train(resume_from_checkpoint=str(last) if last else None)
    if watch.is_stopped:
        raise KeyboardInterrupt
    network.eval()
    learnt = _learnt(trainer, config, last, time.perf_counter() - started)
    with _a_full_disk_is_said(checkpoint):
        keep_finished(checkpoint, network, learnt)
    return learnt


class _Trainer(transformers.Trainer):
    """Theirs, with our batches, our figures, and weights without pickle."""

    def __init__(
        self,
        network: nn.Module,
        rows: Rows,
        *,
        config: TrainerConfig,
        folder: Path,
        seed: int,
        validate: Validate | None,
        best: str,
    ) -> None:
        self.rows = rows
        self.config = config
        self.folder = folder
        self.ask = validate
        self.n_parts = 1
        self.attack: Attack | None = None
        self.tell: Callable[[str], None] = lambda note: None
        arguments = _arguments(rows, config, folder, seed, is_validated=validate is not None, best=best)
        self.network = network
        super().__init__(model=network, args=arguments, train_dataset=rows, eval_dataset=rows)
        self.model_accepts_loss_kwargs = False
        self.remove_callback(transformers.PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the rows in batches of like length."""
        loader: DataLoader[Any] = DataLoader(
            self.rows,
            batch_sampler=Batches(self.rows, self.args.world_size),
            collate_fn=self.rows.collate,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return AdamW: gains and biases do not decay, the head learns at its own speed."""
        if self.optimizer is None:
            self.optimizer = _optimiser(self.network, self.config)
        return self.optimizer

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Any:
        """Return the mean loss of a batch, or raise when it is no number."""
        loss = model(**inputs)["loss"].mean()
        if not torch.isfinite(loss):
            raise self._diverged("loss", inputs)
        return loss

    def training_step(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Learn from a batch, in as many parts as the memory asks for."""
        n_rows = len(next(iter(inputs.values())))
        while True:
            try:
                loss = self._in_parts(model, inputs, n_rows)
                break
            except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(n_rows, error)
                model.zero_grad()
        if not all(
            torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.grad is not None
        ):
            raise self._diverged("gradient", inputs)
        return loss

    def _in_parts(self, model: nn.Module, inputs: dict[str, Any], n_rows: int) -> Tensor:
        n_parts = min(self.n_parts, n_rows)
        size = -(-n_rows // n_parts)
        total = torch.zeros((), device=self.args.device)
        for start in range(0, n_rows, size):
            part = {name: value[start : start + size] for name, value in inputs.items()}
            share = len(next(iter(part.values()))) / n_rows
            total += self._learn(model, part, share)
        return total

    def _learn(self, model: nn.Module, part: dict[str, Any], share: float) -> Tensor:
        def once() -> Tensor:
            with self.compute_loss_context_manager():
                loss: Tensor = self.compute_loss(model, ready) * share
            self.accelerator.backward(loss)
            return loss.detach()

        model.train()
        ready = self._prepare_inputs(part)
        loss = once()
        if self.attack is not None:
            self.attack.again(model, lambda: (once(), None)[1])
        return loss

    def _halve(self, n_rows: int, error: Exception) -> None:
        if self.n_parts >= n_rows:
            raise OutOfMemoryError(
                "memory does not hold one row",
                value=f"{n_rows} rows in {self.n_parts} parts",
                remedy="give a smaller model or shorter texts (--max-tokens), or a larger machine",
            ) from error
        self.n_parts *= 2
        self.tell(f"out of memory: each batch is learnt in {self.n_parts} parts from here on")
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _diverged(self, what: str, inputs: Mapping[str, Any]) -> DivergedError:
        """Return the error, and keep the weights as they are: this batch has not reached them."""
        step, folder = self.state.global_step, self.folder / "last_good"
        self.save_model(str(folder))
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in inputs.items())
        return DivergedError(
            f"{what} is not a number in batch {step + 1}",
            file=str(folder / WEIGHTS),
            value=shapes,
            remedy=f"the weights after step {step} are kept there; lower the learning rate, "
            "use fp32, or look for broken rows",
        )

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the figures of the network as it is."""
        assert self.ask is not None
        was_training = self.network.training
        self.network.eval()
        with torch.inference_mode(), self.compute_loss_context_manager():
            figures = {f"eval_{name}": float(value) for name, value in self.ask().items()}
        self.network.train(was_training)
        self.log(dict(figures))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, figures)
        return figures

    def _save_checkpoint(self, *what: Any, **how: Any) -> None:
        with _a_full_disk_is_said(self.folder):
            super()._save_checkpoint(*what, **how)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.network, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_model(self.network, str(Path(resume_from_checkpoint) / WEIGHTS))

    def _load_best_model(self) -> None:
        if self.state.best_model_checkpoint is not None:
            load_model(self.network, str(Path(self.state.best_model_checkpoint) / WEIGHTS))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch says that the memory is used up, of a device or of the machine.

    Examples
    --------
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate …"))
    True
    >>> is_out_of_memory(RuntimeError("shapes differ"))
    False
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "can't allocate memory" in str(error) or "out of memory" in str(error).lower()


def is_write_cut_short(error: BaseException) -> bool:
    """Return whether a file could not be written to its end; torch says so in words of its own.

    Examples
    --------
    >>> is_write_cut_short(RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"))
    True
    >>> is_write_cut_short(RuntimeError("shapes differ"))
    False
    """
    return is_disk_full(error) or "inline_container" in str(error) or "PytorchStreamWriter" in str(error)


@contextmanager
def _a_full_disk_is_said(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if is_write_cut_short(error):
            raise StorageError.full(str(folder)) from error
        raise


def quick_precision(wanted: str) -> str:
    """Return bf16 or fp32: what "auto" stands for on this machine.

    Without the tile instructions (AMX) a CPU multiplies bf16 more slowly than fp32.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return "bf16" if has_tiles else "fp32"


def _arguments(
    rows: Rows, config: TrainerConfig, folder: Path, seed: int, *, is_validated: bool, best: str
) -> TrainingArguments:
    steps = config.steps or max(1, round(config.epochs * len(rows.sizes)))
    every = -(-steps // config.validations)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule if config.schedule != "constant" else "constant_with_warmup",
        warmup_steps=config.warmup_share * steps if config.warmup_share * steps >= 1 else 0,
        max_grad_norm=config.clip_norm,
        bf16=quick_precision(config.precision) == "bf16",
        eval_strategy="steps" if is_validated else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=is_validated,
        metric_for_best_model=f"eval_{best}" if is_validated else None,
        greater_is_better=not is_lower_better(best) if is_validated else None,
        restore_callback_states_from_checkpoint=True,
        logging_steps=max(1, steps // _POINTS),
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        seed=seed,
        data_seed=seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        accelerator_config={"even_batches": False},
        remove_unused_columns=False,
    )


def _optimiser(network: nn.Module, config: TrainerConfig) -> torch.optim.Optimizer:
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            groups.setdefault((weight.ndim > 1, name.startswith("head.")), []).append(weight)
    return torch.optim.AdamW(
        [
            {
                "params": weights,
                "weight_decay": config.weight_decay if is_matrix else 0.0,
                "lr": config.learning_rate * (config.head_factor if is_head else 1.0),
            }
            for (is_matrix, is_head), weights in groups.items()
        ],
        lr=config.learning_rate,
        fused=True,
    )


def _learnt(trainer: _Trainer, config: TrainerConfig, last: Path | None, seconds: float) -> Learnt:
    curve = tuple(
        {plain(name): float(value) for name, value in point.items() if isinstance(value, int | float)}
        for point in trainer.state.log_history
        if "loss" in point or any(name.startswith("eval_") for name in point)
    )
    figure = str(trainer.args.metric_for_best_model or "").removeprefix("eval_")
    asked = [point for point in curve if "learning_rate" not in point and figure in point]
    better = min if is_lower_better(figure) else max
    return Learnt(
        curve=curve,
        best=better(asked, key=lambda point: point[figure]) if asked else {},
        steps=trainer.state.global_step,
        resumed_from=int(last.name.rpartition("-")[2]) if last else 0,
        n_parts=trainer.n_parts,
        precision=quick_precision(config.precision),
        device=str(trainer.args.device),
        seconds=seconds,
    )


def _shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(weight.shape) for name, weight in network.state_dict().items()}


@contextmanager
def _own_random_state() -> Iterator[None]:
    """Leave the caller's random states as they were: the trainer seeds all there are."""
    numbers, others = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(numbers)
            np.random.set_state(others)
