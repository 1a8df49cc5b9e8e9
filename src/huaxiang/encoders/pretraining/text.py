"""A language model that learns the shop's texts, from scratch or from where another one stopped.

Objectives are joined by `+`: `mlm` (hidden words), `nsp` (do two passages follow), `contrastive` (sentence
vectors); or `causal` alone, for a model that writes.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from huaxiang.encoders.learning.base import Learnt, TrainerConfig, in_range
from huaxiang.errors import SettingsError
from huaxiang.training import require

if TYPE_CHECKING:
    from torch import Tensor, nn

    from huaxiang.encoders.pretraining.corpus import Corpus
    from huaxiang.encoders.pretraining.encoded import Encoded

Progress = Callable[[str, int, int, str], None]
OBJECTIVES = ("mlm", "nsp", "contrastive", "causal")
MOST_HELD_OUT = 2000
CAUSAL_ONNX = "causal.onnx"
_ASKED_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """What a language model learns, and how.

    Parameters
    ----------
    objective
        Joined by `+`: mlm, nsp, contrastive; or causal alone.
    size
        From scratch: tiny, small, medium or base.
    vocabulary
        Pieces of the tokenizer of a model from scratch; ≥ 100.
    max_tokens
        Longest text, marks included; 16 or more.
    hidden_share
        Share of the words that mlm hides; 0 to 1.
    dropout
        While pretraining from scratch; 0 to 1.
    cooccurrence
        From scratch: begin with vectors of tokens that come from which stand near which.
    anchor
        contrastive: pull towards the sentence vectors of the model as it came; ≥ 0.
    held_out
        Share of the documents that are only asked; 0 to .5.
    """

    objective: str = "mlm+nsp"
    size: str = "small"
    vocabulary: int = 8000
    max_tokens: int = 128
    hidden_share: float = 0.2
    dropout: float = 0.0
    cooccurrence: bool = True
    anchor: float = 0.0
    held_out: float = 0.03
    training: TrainerConfig = field(
        default_factory=lambda: TrainerConfig(
            epochs=10, learning_rate=6e-4, validations=10, schedule="linear"
        )
    )

    def __post_init__(self) -> None:
        parts = set(self.parts)
        known = parts <= set(OBJECTIVES) and (parts == {"causal"} or "causal" not in parts)
        if not known or parts == {"nsp"}:
            remedy = "choose mlm, mlm+nsp, contrastive, mlm+nsp+contrastive or causal"
            raise SettingsError("no such objective", column="objective", value=self.objective, remedy=remedy)
        in_range("vocabulary", self.vocabulary, self.vocabulary >= 100, "100 or more")
        in_range("max_tokens", self.max_tokens, self.max_tokens >= 16, "16 or more")
        in_range("hidden_share", self.hidden_share, 0 < self.hidden_share < 1, "between 0 and 1")
        in_range("dropout", self.dropout, 0 <= self.dropout < 1, "0 to 1")
        in_range("anchor", self.anchor, self.anchor >= 0, "0 or more")
        in_range("held_out", self.held_out, 0 < self.held_out <= 0.5, "0 to .5")

    @property
    def parts(self) -> list[str]:
        """The objectives."""
        return self.objective.split("+")

    @property
    def is_causal(self) -> bool:
        """Whether the model is to write."""
        return self.objective == "causal"


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """How pretraining went: figures on held-out documents before and after, and its size."""

    metrics: Mapping[str, float]
    learnt: Learnt
    n_parameters: int
    n_documents: int


def pretrain_text(
    corpus: Corpus,
    *,
    config: TextConfig,
    folder: Path,
    checkpoint: Path,
    source: Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Pretrained:
    """Teach a language model the corpus and write it into `folder`: weights, tokenizer, ONNX.

    Parameters
    ----------
    source
        Folder of the model to go on from; None makes one from scratch, with a tokenizer of these texts.
    checkpoint
        Folder in which a stopped fit leaves what the next call goes on from.

    Raises
    ------
    MissingExtraError
        torch, transformers or accelerate is not installed.
    EncoderError
        `source` holds another architecture, or a tokenizer that is not its own.
    DivergedError, OutOfMemoryError
        As `train_large` says.
    """
    require("torch", "transformers", "accelerate")
    from huaxiang.encoders.learning.trainer import train_large
    from huaxiang.encoders.pretraining.encoded import encode_corpus

    tell = progress or (lambda stage, done, total, note: None)
    from huaxiang.encoders.learning.quiet import quiet_transformers

    learn, held_out = corpus.split(config.held_out)
    tell("read the texts", 0, 2, f"{len(corpus.documents):,} documents")
    tokenizer = _tokenizer(learn, source, config)
    encoded = encode_corpus(learn, tokenizer, spaced=config.is_causal)
    tell("read the texts", 1, 2, f"{len(encoded.ids):,} tokens")
    asked = _Asked(encode_corpus(held_out, tokenizer, spaced=config.is_causal), config)
    tell("read the texts", 2, 2, f"{len(encoded.ids):,} tokens")
    with quiet_transformers():
        network = _network(source, config, encoded, seed=seed)
    before = asked.figures(network)
    learnt = train_large(
        network,
        _Lessons(encoded, config),
        config=config.training,
        checkpoint=checkpoint,
        seed=seed,
        validate=lambda: asked.figures(network),
        of=json.dumps([corpus.fingerprint, asdict(config)], sort_keys=True),
        progress=lambda done, total, note: tell("pretrain", done, total, note),
    )
    tell("keep the model", 0, 1, "")
    _write(network, tokenizer, folder, config)
    tell("keep the model", 1, 1, "")
    return Pretrained(
        metrics={**{f"before_{name}": value for name, value in before.items()}, **asked.figures(network)},
        learnt=learnt,
        n_parameters=sum(weight.numel() for weight in network.model.parameters()),
        n_documents=len(corpus.documents),
    )


class _Lessons:
    """One batch for all objectives of a fit, the fields of each under its own names."""

    def __init__(self, corpus: Encoded, config: TextConfig) -> None:
        from huaxiang.encoders.pretraining.causal import CausalLesson
        from huaxiang.encoders.pretraining.contrastive import PassageLesson
        from huaxiang.encoders.pretraining.masked import MaskedConfig, MaskedLesson

        self.parts: list[Any] = []
        n = config.max_tokens
        if config.is_causal:
            self.parts.append(CausalLesson(corpus, max_tokens=n))
        if "mlm" in config.parts:
            said = MaskedConfig(hidden_share=config.hidden_share, pairs="nsp" in config.parts, max_tokens=n)
            self.parts.append(MaskedLesson(corpus, said))
        if "contrastive" in config.parts:
            self.parts.append(PassageLesson(corpus, max_tokens=n))
        self.lengths_N = np.max([part.lengths_N for part in self.parts], axis=0)

    def batch(self, rows_B: Any, rng: np.random.Generator) -> dict[str, Tensor]:
        return {name: value for part in self.parts for name, value in part.batch(rows_B, rng).items()}


class _Asked:
    """Held-out documents, hidden and cut in the same way each time."""

    def __init__(self, corpus: Encoded, config: TextConfig) -> None:
        lessons = _Lessons(corpus, config)
        rng = np.random.default_rng(0)
        rows = np.argsort(lessons.lengths_N, kind="stable")
        if len(rows) > MOST_HELD_OUT:
            rows = np.sort(rng.permutation(len(rows))[:MOST_HELD_OUT])
            rows = rows[np.argsort(lessons.lengths_N[rows], kind="stable")]
        starts = range(0, len(rows), _ASKED_AT_ONCE)
        self.batches = [lessons.batch(rows[start : start + _ASKED_AT_ONCE], rng) for start in starts]

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Return the mean of each figure over the batches, and the perplexity where there is one."""
        import torch

        was_training = network.training
        network.eval()
        device = next(network.parameters()).device
        sums: dict[str, list[float]] = {}
        with torch.inference_mode():
            for batch in self.batches:
                found = network(**{name: value.to(device) for name, value in batch.items()})
                for name, value in found.items():
                    if math.isfinite(float(value)):
                        sums.setdefault(name, []).append(float(value))
        network.train(was_training)
        figures = {name: float(np.mean(values)) for name, values in sums.items()}
        surprise = figures.get("mlm_loss", figures["loss"] if "next_right" in figures else None)
        return figures if surprise is None else {**figures, "perplexity": math.exp(min(surprise, 50))}


def _tokenizer(corpus: Corpus, source: Path | None, config: TextConfig) -> Any:
    if source is None:
        from huaxiang.encoders.pretraining.tokenizer import train_tokenizer, wrapped

        texts = (document.text for document in corpus.documents)
        trained = train_tokenizer(texts, size=config.vocabulary, exact=config.is_causal)
        return wrapped(trained, max_tokens=config.max_tokens)
    from huaxiang.encoders.pretraining.tokenizer import read_tokenizer

    return read_tokenizer(source)


def _network(source: Path | None, config: TextConfig, corpus: Encoded, *, seed: int) -> Any:
    import torch

    from huaxiang.encoders.pretraining.cooccurrence import token_vectors
    from huaxiang.encoders.pretraining.networks import from_folder, from_scratch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if source is None:
            model = from_scratch(
                config.size,
                n_tokens=corpus.marks.n_tokens,
                max_tokens=config.max_tokens,
                pad=corpus.marks.pad,
                dropout=config.dropout,
                causal=config.is_causal,
            )
            if config.cooccurrence:
                vectors = token_vectors(corpus, width=model.config.hidden_size, seed=seed)
                model.get_input_embeddings().weight.data.copy_(torch.from_numpy(vectors))
        else:
            model = from_folder(source, n_tokens=corpus.marks.n_tokens, causal=config.is_causal)
        return _with_objectives(model, config)


def _with_objectives(model: Any, config: TextConfig) -> Any:
    from huaxiang.encoders.pretraining.contrastive import PassageNetwork
    from huaxiang.encoders.pretraining.joint import JointNetwork
    from huaxiang.encoders.pretraining.networks import CausalNetwork, MaskedNetwork

    if config.is_causal:
        return CausalNetwork(model)
    parts: list[Any] = []
    if "mlm" in config.parts:
        parts.append(MaskedNetwork(model, pair_weight=float("nsp" in config.parts)))
    if "contrastive" in config.parts:
        parts.append(PassageNetwork(model, anchor=config.anchor))
    return parts[0] if len(parts) == 1 else JointNetwork(parts)


def _write(network: Any, tokenizer: Any, folder: Path, config: TextConfig) -> None:
    """Write the model as transformers keeps it, and as it is served."""
    import torch

    from huaxiang.encoders.learning.quiet import quiet_transformers

    folder.mkdir(parents=True, exist_ok=True)
    with quiet_transformers(), torch.random.fork_rng():  # loading again draws what a head lacks
        network.model.to("cpu").save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if config.is_causal:
            _write_causal_onnx(network, folder)
        else:
            _write_onnx(folder)


def _write_causal_onnx(network: Any, folder: Path) -> None:
    """Write ids and mask → the score of each next token: whoever serves it adds the loop."""
    from huaxiang.encoders.export import export_checked

    ids_BT = np.array([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]], np.int64)
    mask_BT = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int64)
    export_checked(
        network.scores().eval(),
        {"input_ids": ids_BT, "attention_mask": mask_BT},
        folder / CAUSAL_ONNX,
        output="scores",
        output_axes={0: "texts", 1: "tokens"},
    )


def _write_onnx(folder: Path) -> None:
    from huaxiang.encoders.export import export_text_encoder

    exported = export_text_encoder(folder, folder / "exported", name=folder.name.removesuffix(".partial"))
    for file in exported.iterdir():
        shutil.move(file, folder / file.name)
    exported.rmdir()
