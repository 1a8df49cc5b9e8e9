"""A small model learns what a large one says: its outputs, its states, and the labels.

The large one is asked once for each text; what it said stays in memory. Of its states the mean over each
text's tokens is kept, so that the small one may read other tokens than the large one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from huaxiang.encoders.compression.base import TeachingConfig
from huaxiang.encoders.compression.layers import keep_layers
from huaxiang.encoders.finetuning.fit import TextInputs
from huaxiang.encoders.finetuning.network import TextNetwork, text_network
from huaxiang.encoders.finetuning.stored import read_finetuned
from huaxiang.encoders.finetuning.tasks import Task
from huaxiang.encoders.learning.quiet import quiet_transformers
from huaxiang.encoders.pooled import pooled
from huaxiang.encoders.pretraining.networks import SIZES, from_scratch
from huaxiang.errors import EncoderError
from huaxiang.records import Matrix

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.tables import Rows

SHARES: Mapping[str, float] = {"half": 1 / 2, "third": 1 / 3}
"""Students made of the teacher's own layers: how many of them stay."""
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a teacher said of some texts.

    Parameters
    ----------
    outputs_NC
        Its outputs, float32.
    states_NLD
        The mean over each text's tokens at some levels (0 is the embedding, then each layer), each number in
        standard deviations over the texts, float16.
    """

    outputs_NC: Matrix
    states_NLD: NDArray[np.float16]


def levels(student: Any, teacher: Any) -> list[int]:
    """Return which level of the teacher each level of the student is compared with, evenly spread."""
    n_ours, n_theirs = (int(model.config.num_hidden_layers) for model in (student, teacher))
    return [round(at * n_theirs / n_ours) for at in range(n_ours + 1)]


def ask(
    teacher: TextNetwork,
    texts: TextInputs,
    *,
    levels: Sequence[int],
    progress: Callable[[int], None] | None = None,
) -> Said:
    """Return what a teacher says of texts, with its states at these levels."""
    teacher.eval()
    device = next(teacher.parameters()).device
    n_texts, width = len(texts.lengths_N), int(teacher.model.config.hidden_size)
    order = np.argsort(texts.lengths_N, kind="stable")
    outputs_NC = np.zeros((n_texts, teacher.task.n_outputs), np.float32)
    states_NLD = np.zeros((n_texts, len(levels), width), np.float16)
    with torch.inference_mode():
        for start in range(0, n_texts, _AT_ONCE):
            rows = order[start : start + _AT_ONCE]
            made = {name: value.to(device) for name, value in texts.inputs(rows).items()}
            found = teacher.model(**made, output_hidden_states=True)
            mask = made["attention_mask"]
            outputs_NC[rows] = teacher.outputs_from(found.last_hidden_state, mask).cpu().numpy()
            for at, level in enumerate(levels):
                states_NLD[rows, at] = pooled(found.hidden_states[level], mask, "mean").cpu().numpy()
            if progress is not None:
                progress(min(start + _AT_ONCE, n_texts))
    for at in range(len(levels)):
        level_ND = states_NLD[:, at].astype(np.float32)
        spread_D = np.maximum(level_ND.std(0), 1e-3)
        states_NLD[:, at] = np.clip((level_ND - level_ND.mean(0)) / spread_D, -100, 100)
    return Said(outputs_NC=outputs_NC, states_NLD=states_NLD)


class TaughtTexts(TextInputs):
    """Texts as batches of ids with what the teacher said, and the labels where there are any."""

    def __init__(
        self,
        rows: Rows,
        unlabelled: Sequence[str],
        *,
        task: Task,
        tokenizer: Any,
        max_tokens: int,
        said: Said,
    ) -> None:
        super().__init__([*rows.texts, *unlabelled], tokenizer, max_tokens=max_tokens)
        targets = task.targets(rows)
        self.targets = np.concatenate([targets, np.zeros((len(unlabelled), *targets.shape[1:]), np.float32)])
        self.is_labelled_N = np.arange(len(self.targets)) < len(rows)
        self.said = said

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return ids, mask, targets, which of them count, and the teacher's outputs and states."""
        return {
            **self.inputs(rows_B),
            "targets": torch.from_numpy(self.targets[rows_B]),
            "is_labelled": torch.from_numpy(self.is_labelled_N[rows_B].astype(np.float32)),
            "outputs": torch.from_numpy(self.said.outputs_NC[rows_B]),
            "states": torch.from_numpy(self.said.states_NLD[rows_B].astype(np.float32)),
        }


class Taught(TextNetwork):
    """A student while it learns: its own weights, and matrices from its states to the teacher's."""

    def __init__(self, student: TextNetwork, said: Said, config: TeachingConfig, *, seed: int) -> None:
        nn.Module.__init__(self)
        self.model, self.head, self.dropout = student.model, student.head, student.dropout
        self.task = student.task
        self.teaching = config
        width, n_levels = int(student.model.config.hidden_size), said.states_NLD.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.projections = nn.ModuleList(
                nn.Linear(width, said.states_NLD.shape[2]) for _ in range(n_levels)
            )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        targets: Tensor,
        is_labelled: Tensor,
        outputs: Tensor,
        states: Tensor,
    ) -> dict[str, Tensor]:
        """Return the mean loss, and its parts."""
        found = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        ours = self.outputs_from(found.last_hidden_state, attention_mask)
        of_labels = (self.task.loss(ours, targets) * is_labelled).mean()
        of_outputs = soft_loss(self.task.kind, ours, outputs, temperature=self.teaching.temperature).mean()
        loss = self.teaching.label_weight * of_labels + (1 - self.teaching.label_weight) * of_outputs
        parts = {"of_labels": of_labels.detach(), "of_outputs": of_outputs.detach()}
        if len(self.projections):
            of_states = self._states_apart(found.hidden_states, attention_mask, states)
            loss = loss + self.teaching.hidden_weight * of_states
            parts["of_states"] = of_states.detach()
        return {"loss": loss, **parts}

    def _states_apart(self, ours: Sequence[Tensor], mask: Tensor, theirs_BLD: Tensor) -> Tensor:
        apart = [
            functional.mse_loss(projection(pooled(ours[at], mask, "mean")).float(), theirs_BLD[:, at])
            for at, projection in enumerate(self.projections)
        ]
        return torch.stack(apart).mean()


def soft_loss(kind: str, ours_NC: Tensor, theirs_NC: Tensor, *, temperature: float) -> Tensor:
    """Return how far each output is from the teacher's, (N,); 0 where they are the same.

    For classes the Kullback-Leibler divergence of the softened probabilities, for labels and steps that of
    each yes or no, both times the squared temperature; for a number the squared distance.

    Source
    ------
    Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2.

    Examples
    --------
    >>> same = torch.tensor([[1.0, -2.0]])
    >>> [float(soft_loss(kind, same, same, temperature=2.0)) for kind in ("classify", "grade", "regress")]
    [0.0, 0.0, 0.0]
    """
    if kind == "regress":
        return ((ours_NC - theirs_NC) ** 2).mean(1)
    ours, theirs = ours_NC / temperature, theirs_NC / temperature
    if kind == "classify":
        apart = functional.kl_div(
            functional.log_softmax(ours, 1),
            functional.log_softmax(theirs, 1),
            reduction="none",
            log_target=True,
        )
        return temperature**2 * apart.sum(1)
    wanted = theirs.sigmoid()
    surprise = functional.binary_cross_entropy_with_logits(ours, wanted, reduction="none")
    least = functional.binary_cross_entropy_with_logits(theirs, wanted, reduction="none")
    each = temperature**2 * (surprise - least)
    return each.sum(1) if kind == "grade" else each.mean(1)


def student_of(
    name: str, teacher: Path, *, task: Task, tokenizer: Any, max_tokens: int, dropout: float, seed: int
) -> TextNetwork:
    """Return a student: of a size, from scratch; or with some of the teacher's layers; or of a folder.

    Parameters
    ----------
    name
        tiny, small, medium, base; half, third; or a folder.
    tokenizer
        What the student will read by; a student from a folder has to be asked for its own.

    Raises
    ------
    EncoderError
        There is no such student.
    """
    if name in SIZES:
        return _new(name, task=task, tokenizer=tokenizer, max_tokens=max_tokens, dropout=dropout, seed=seed)
    if name in SHARES:
        network, _ = read_finetuned(teacher, dropout=dropout)
        keep_layers(network.model, SHARES[name])
        return network
    if not Path(name).is_dir():
        remedy = f"choose {', '.join([*SIZES, *SHARES])} or a model's folder"
        raise EncoderError("no such student", column="--distil", value=name, remedy=remedy)
    with quiet_transformers():
        return text_network(
            Path(name),
            task,
            n_tokens=len(tokenizer),
            dropout=dropout,
            is_untrained=False,
            seed=seed,
            kind=TextNetwork,
        )


def _new(size: str, *, task: Task, tokenizer: Any, max_tokens: int, dropout: float, seed: int) -> TextNetwork:
    with torch.random.fork_rng(devices=[]), quiet_transformers():
        torch.manual_seed(seed)
        made = from_scratch(
            size,
            n_tokens=len(tokenizer),
            max_tokens=max_tokens,
            pad=int(tokenizer.pad_token_id or 0),
            dropout=dropout,
            causal=False,
        )
        model = made.base_model
        model.pooler = None
        return TextNetwork(model, task, dropout=dropout)
