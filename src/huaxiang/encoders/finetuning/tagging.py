"""A text model learns to tag words: a head on every token."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.fit import FinetuneConfig, Parts
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks.tag import Span, Tag, span_figures
from huaxiang.encoders.learning.base import Learnt, even_width
from huaxiang.encoders.pretraining.tokenizer import read_tokenizer
from huaxiang.records import Matrix
from huaxiang.training import require

if TYPE_CHECKING:
    import torch

    from huaxiang.encoders.finetuning.network import TokenNetwork

IGNORED = -100
_ASKED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Tagger:
    """A model that learnt to tag, and its figures on the rows it was chosen by and on others."""

    network: TokenNetwork
    tokenizer: Any
    task: Tag
    learnt: Learnt
    validation: Mapping[str, float]
    test: Mapping[str, float]

    @property
    def n_parameters(self) -> int:
        """Weights of the model and its head."""
        return sum(weight.numel() for weight in self.network.parameters())


class TagLesson:
    """Texts as token ids, and what each token is."""

    def __init__(self, rows: Rows, task: Tag, tokenizer: Any, config: FinetuneConfig) -> None:
        backend = tokenizer.backend_tokenizer
        backend.no_padding()
        backend.enable_truncation(max_length=config.max_tokens)
        found = backend.encode_batch(list(rows.texts))
        self.spans = task.spans(rows)
        self.ids = [np.array(encoding.ids, np.int64) for encoding in found]
        self.offsets = [encoding.offsets for encoding in found]
        self.wanted = [
            np.where(np.array(e.special_tokens_mask) == 1, IGNORED, task.targets(spans, e.offsets))
            for e, spans in zip(found, self.spans, strict=True)
        ]
        self.pad = int(tokenizer.pad_token_id or 0)
        self.lengths_N = np.array([len(ids) for ids in self.ids], np.int64)

    def batch(self, rows_B: NDArray[np.int64], rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return ids, mask and the wanted output of each token."""
        import torch

        width = even_width(int(self.lengths_N[rows_B].max()))
        ids_BT = np.full((len(rows_B), width), self.pad, np.int64)
        mask_BT, wanted_BT = np.zeros_like(ids_BT), np.full_like(ids_BT, IGNORED)
        for at, row in enumerate(rows_B):
            n = int(self.lengths_N[row])
            ids_BT[at, :n], mask_BT[at, :n], wanted_BT[at, :n] = self.ids[row], 1, self.wanted[row]
        arrays = {"input_ids": ids_BT, "attention_mask": mask_BT, "targets": wanted_BT}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def finetune_tags(
    parts: Parts,
    task: Tag,
    *,
    model: Path,
    config: FinetuneConfig,
    checkpoint: Path,
    seed: int = 0,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> Tagger:
    """Return the model of a folder, taught to tag; the errors are those of `finetune`."""
    require("torch", "transformers", "accelerate")
    from huaxiang.encoders.finetuning.network import TokenNetwork, made_ready, text_network
    from huaxiang.encoders.learning.quiet import quiet_transformers
    from huaxiang.encoders.learning.trainer import train_large

    tell = progress or (lambda stage, done, total, note: None)
    tokenizer = read_tokenizer(model)
    lessons = {
        name: TagLesson(getattr(parts, name), task, tokenizer, config)
        for name in ("train", "validation", "test")
    }
    with quiet_transformers():
        network = text_network(
            model,
            task,
            n_tokens=len(tokenizer),
            dropout=config.dropout,
            is_untrained=config.untrained,
            seed=seed,
            kind=TokenNetwork,
        )
        network = made_ready(network, config, seed=seed)
    learnt = train_large(
        network,
        lessons["train"],
        config=config.training,
        checkpoint=checkpoint,
        seed=seed,
        validate=lambda: _figures(network, task, lessons["validation"]),
        best=task.best,
        of=json.dumps([parts.train.fingerprint, task.as_json(), asdict(config), str(model)], sort_keys=True),
        progress=lambda done, total, note: tell("fine-tune", done, total, note),
    )
    with quiet_transformers():
        network = network.merged()
    return Tagger(
        network=network,
        tokenizer=tokenizer,
        task=task,
        learnt=learnt,
        validation=_figures(network, task, lessons["validation"]),
        test=_figures(network, task, lessons["test"]),
    )


def _figures(network: TokenNetwork, task: Tag, lesson: TagLesson) -> dict[str, float]:
    return span_figures(tagged(network, task, lesson), lesson.spans)


def tagged(network: TokenNetwork, task: Tag, lesson: TagLesson) -> Sequence[Sequence[Span]]:
    """Return the spans that the network finds in each text."""
    import torch

    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    order = np.argsort(lesson.lengths_N, kind="stable")
    found: list[list[Span]] = [[] for _ in order]
    rng = np.random.default_rng(0)
    with torch.inference_mode():
        for start in range(0, len(order), _ASKED_AT_ONCE):
            rows = order[start : start + _ASKED_AT_ONCE]
            batch = lesson.batch(rows, rng)
            asked = {name: batch[name].to(device) for name in ("input_ids", "attention_mask")}
            outputs_BTC: Matrix = network.outputs(**asked).float().cpu().numpy()
            for at, row in enumerate(rows.tolist()):
                n = int(lesson.lengths_N[row])
                found[row] = task.decode(outputs_BTC[at, :n], lesson.offsets[row])
    network.train(was_training)
    return found
