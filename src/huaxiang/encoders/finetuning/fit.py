"""A text model learns a task from labelled rows: full, its head alone, or by LoRA."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.calibrate import with_temperature, with_thresholds
from huaxiang.encoders.finetuning.linear import NgramConfig, NgramModel, fit_ngrams
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Classify, MultiLabel, Task
from huaxiang.encoders.learning.base import (
    Learnt,
    TrainerConfig,
    even_width,
    in_range,
    is_lower_better,
    one_of,
)
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.errors import SettingsError
from huaxiang.records import Matrix
from huaxiang.training import require

if TYPE_CHECKING:
    import torch

    from huaxiang.encoders.finetuning.network import TextNetwork
    from huaxiang.encoders.learning.trainer import Attack

Progress = Callable[[str, int, int, str], None]
Method = Literal["full", "frozen", "lora"]
Adversarial = Literal["none", "fgm", "pgd"]
_ASKED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """How a model learns a task.

    Parameters
    ----------
    method
        full: every weight; frozen: the head alone; lora: small matrices beside the layers, and the head.
    lora_rank
        Width of those matrices; ≥ 1.
    max_tokens
        Longer texts are cut, marks included; ≥ 8.
    dropout
        Share of each vector left out while learning; 0 to 1.
    label_smoothing
        classify: share of certainty given to all classes alike; 0 to 1.
    class_weights
        classify: whether rare classes count as much as common ones.
    hidden_share
        Share of the tokens that are hidden while learning, others each time, so that no text is learnt by
        heart; 0 to below 1.
    untrained
        Take the model's shape alone: what the weights were worth.
    adversarial
        none, or learn each batch once more with the vectors of its words moved against the model: fgm in one
        step, pgd in three. See `hardening.adversarial`.
    epsilon
        How far they are moved, in typical sizes of one number of those vectors; > 0.
    """

    method: Method = "full"
    lora_rank: int = 8
    max_tokens: int = 128
    dropout: float = 0.1
    label_smoothing: float = 0.05
    hidden_share: float = 0.0
    class_weights: bool = False
    untrained: bool = False
    adversarial: Adversarial = "none"
    epsilon: float = 5.0
    training: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(epochs=4, learning_rate=1e-4, head_factor=5.0, validations=4)
    )

    def __post_init__(self) -> None:
        one_of("method", self.method, get_args(Method))
        one_of("adversarial", self.adversarial, get_args(Adversarial))
        in_range("epsilon", self.epsilon, self.epsilon > 0, "a number above 0")
        in_range("lora_rank", self.lora_rank, self.lora_rank >= 1, "1 or more")
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 8, "8 or more")
        in_range("dropout", self.dropout, 0 <= self.dropout < 1, "0 to 1")
        in_range("hidden_share", self.hidden_share, 0 <= self.hidden_share < 1, "0 to below 1")
        in_range("label_smoothing", self.label_smoothing, 0 <= self.label_smoothing < 1, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class Finetuned:
    """A model that learnt a task: the network, and its figures on the rows it was chosen by and on others."""

    network: TextNetwork | NgramModel
    tokenizer: Any
    task: Task
    learnt: Learnt
    validation: Mapping[str, float]
    test: Mapping[str, float]
    test_outputs_NC: Matrix

    @property
    def n_parameters(self) -> int:
        """Weights of the model and its head."""
        if isinstance(self.network, NgramModel):
            return self.network.n_parameters
        return sum(weight.numel() for weight in self.network.parameters())


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Rows to learn from, to choose by, and to report on."""

    train: Rows
    validation: Rows
    test: Rows


def finetune(  # noqa: PLR0913 - what, from where, and how
    parts: Parts,
    task: Task,
    *,
    model: Path,
    config: FinetuneConfig,
    checkpoint: Path,
    seed: int = 0,
    watch: Callable[[Mapping[str, float]], None] | None = None,
    progress: Progress | None = None,
) -> Finetuned:
    """Return the model of a folder, taught a task.

    Parameters
    ----------
    watch
        Called with the figures of each validation; what it raises stops the fit.

    Raises
    ------
    MissingExtraError
        torch, transformers or accelerate is not installed.
    EncoderError
        The folder holds no text encoder, or another one's tokenizer.
    InputError
        A label can't be: see the tasks.
    DivergedError, OutOfMemoryError
        As `train_large` says.
    """
    require("torch", "transformers", "accelerate")
    from huaxiang.encoders.finetuning.network import TextNetwork, made_ready, text_network
    from huaxiang.encoders.learning.quiet import quiet_transformers
    from huaxiang.encoders.learning.trainer import train_large

    tell = progress or (lambda stage, done, total, note: None)
    tokenizer = read_tokenizer(model)
    lessons = {name: TextLesson(getattr(parts, name), task, tokenizer, config) for name in PARTS}
    with quiet_transformers():
        network = text_network(
            model,
            task,
            n_tokens=len(tokenizer),
            dropout=config.dropout,
            is_untrained=config.untrained,
            seed=seed,
            kind=TextNetwork,
        )
        network = made_ready(network, config, seed=seed)
    held_out = lessons["validation"]

    def validate() -> dict[str, float]:
        figures = task.figures(outputs_of(network, held_out), held_out.targets)
        if watch is not None:
            watch(figures)
        return figures

    with against(network, config) as attack:
        learnt = train_large(
            network,
            lessons["train"],
            config=config.training,
            checkpoint=checkpoint,
            seed=seed,
            validate=validate,
            best=task.best,
            of=json.dumps(
                [parts.train.fingerprint, task.as_json(), asdict(config), str(model)], sort_keys=True
            ),
            attack=attack,
            progress=lambda done, total, note: tell("fine-tune", done, total, note),
        )
    with quiet_transformers():
        network = network.merged()
    tell("test", 0, 1, "")
    read = calibrated(task, outputs_of(network, held_out), held_out.targets)
    outputs = {name: outputs_of(network, lessons[name]) for name in ("validation", "test")}
    figures = {name: read.figures(outputs[name], lessons[name].targets) for name in outputs}
    tell("test", 1, 1, "")
    return Finetuned(
        network=network,
        tokenizer=tokenizer,
        task=read,
        learnt=learnt,
        validation=figures["validation"],
        test=figures["test"],
        test_outputs_NC=outputs["test"],
    )


def finetune_ngrams(
    parts: Parts,
    task: Task,
    *,
    config: NgramConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Finetuned:
    """Return the linear model of runs of words, taught a task: what larger models have to beat.

    Without a `config`, how long runs are is chosen on the validation rows.
    """
    tell = progress or (lambda stage, done, total, note: None)
    started = time.perf_counter()
    rows = {"validation": parts.validation, "test": parts.test}
    configs = [config] if config is not None else [NgramConfig(longest=longest) for longest in RUNS]
    found: list[Finetuned] = []
    for done, one in enumerate(configs):
        tell("fine-tune", done, len(configs), f"runs of up to {one.longest} words")
        model = fit_ngrams(parts.train, task, config=one, seed=seed)
        outputs = {name: model.outputs(part.texts) for name, part in rows.items()}
        read = calibrated(task, outputs["validation"], task.targets(parts.validation))
        figures = {name: read.figures(outputs[name], task.targets(part)) for name, part in rows.items()}
        made = Finetuned(
            network=model,
            tokenizer=None,
            task=read,
            learnt=Learnt.at_once(figures["validation"], seconds=0.0),
            validation=figures["validation"],
            test=figures["test"],
            test_outputs_NC=outputs["test"],
        )
        found.append(made)
    tell("fine-tune", len(configs), len(configs), "")
    best = "loss" if "loss" in found[0].validation else task.best
    better = min if is_lower_better(best) else max
    chosen = better(found, key=lambda made: made.validation[best])
    spent = time.perf_counter() - started
    return replace(chosen, learnt=Learnt.at_once(chosen.validation, seconds=spent))


def against(network: TextNetwork, config: FinetuneConfig) -> AbstractContextManager[Attack | None]:
    """Return what moves the words' vectors against the network while it learns, or nothing that does."""
    if config.adversarial == "none":
        return nullcontext()
    from huaxiang.encoders.hardening.adversarial import WordsConfig, moving_words

    return moving_words(network, replace(WordsConfig.of(config.adversarial), epsilon=config.epsilon))


RUNS = (2, 3)
"""Words of the longest runs that the linear model is tried with."""
PARTS = ("train", "validation", "test")


class TextInputs:
    """Texts as batches of token ids."""

    def __init__(self, texts: Sequence[str], tokenizer: Any, *, max_tokens: int) -> None:
        self.ids = token_ids(texts, tokenizer, max_tokens=max_tokens)
        self.pad = int(tokenizer.pad_token_id or 0)
        self.lengths_N = np.array([len(ids) for ids in self.ids], np.int64)

    def inputs(self, rows_B: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Return ids and mask."""
        import torch

        width = even_width(int(self.lengths_N[rows_B].max()))
        ids_BT = np.full((len(rows_B), width), self.pad, np.int64)
        mask_BT = np.zeros_like(ids_BT)
        for at, row in enumerate(rows_B):
            n = int(self.lengths_N[row])
            ids_BT[at, :n], mask_BT[at, :n] = self.ids[row], 1
        return {"input_ids": torch.from_numpy(ids_BT), "attention_mask": torch.from_numpy(mask_BT)}


class TextLesson(TextInputs):
    """Labelled texts as batches of token ids and targets."""

    def __init__(self, rows: Rows, task: Task, tokenizer: Any, config: FinetuneConfig) -> None:
        super().__init__(rows.texts, tokenizer, max_tokens=config.max_tokens)
        self.targets = task.targets(rows)
        self.hidden_share = config.hidden_share
        self.mask: int | None = tokenizer.mask_token_id
        if self.hidden_share and self.mask is None:
            remedy = "leave hidden_share at 0"
            raise SettingsError("tokenizer has no mask mark", column="hidden_share", remedy=remedy)

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return ids, mask and targets."""
        import torch

        made = self.inputs(rows_B)
        if self.hidden_share and self.mask is not None:
            is_text = made["attention_mask"].bool()
            is_text[:, 0] = False  # the start mark stays
            drawn = torch.from_numpy(rng.random(tuple(is_text.shape)) < self.hidden_share)
            made["input_ids"] = made["input_ids"].masked_fill(drawn & is_text, self.mask)
        return {**made, "targets": torch.from_numpy(self.targets[rows_B])}


def outputs_of(network: TextNetwork, lesson: TextInputs) -> Matrix:
    """Return the network's outputs for all rows, (N, C), in evaluation mode."""
    import torch

    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    order = np.argsort(lesson.lengths_N, kind="stable")
    outputs_NC = np.zeros((len(order), network.task.n_outputs), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), _ASKED_AT_ONCE):
            rows = order[start : start + _ASKED_AT_ONCE]
            made = {name: value.to(device) for name, value in lesson.inputs(rows).items()}
            outputs_NC[rows] = network.outputs(**made).float().cpu().numpy()
    network.train(was_training)
    return outputs_NC


def token_ids(texts: Sequence[str], tokenizer: Any, *, max_tokens: int) -> list[NDArray[np.int64]]:
    """Return the ids of each text with its marks, cut at `max_tokens`."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(max_length=max_tokens)
    found = backend.encode_batch([text[: max_tokens * 40] for text in texts])
    return [np.array(encoding.ids, np.int64) for encoding in found]


def calibrated(task: Task, outputs_NC: Matrix, targets_N: NDArray[np.float32]) -> Task:
    """Return the task with temperature or thresholds fitted on the rows the weights were chosen by."""
    if isinstance(task, Classify):
        return replace(task, temperature=with_temperature(outputs_NC, targets_N))
    if isinstance(task, MultiLabel):
        return replace(task, thresholds=with_thresholds(outputs_NC, targets_N))
    return task
