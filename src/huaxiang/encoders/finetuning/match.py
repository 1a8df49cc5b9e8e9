"""A text encoder learns which products answer a query, from pairs that people judged or clicked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.judged import Asked, Judged, Texts
from huaxiang.encoders.finetuning.match_lesson import MatchConfig, MatchLesson, Miner
from huaxiang.encoders.finetuning.pairs import Pairs
from huaxiang.encoders.learning.base import Learnt
from huaxiang.training import require

if TYPE_CHECKING:
    from huaxiang.encoders.finetuning.bi_encoder import BiEncoder
    from huaxiang.encoders.finetuning.match_network import MatchNetwork

Progress = Callable[[str, int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class PairParts:
    """Pairs to learn from, to choose weights by, and to report on; no query is in two of them."""

    train: Pairs
    validation: Pairs
    test: Pairs


@dataclass(frozen=True, kw_only=True)
class Matched:
    """How it went.

    Parameters
    ----------
    before, validation, test
        Figures of the encoder as it came, on the test pairs, and of the tuned one.
    scores_N
        Cosines of the test pairs.
    """

    before: Mapping[str, float]
    validation: Mapping[str, float]
    test: Mapping[str, float]
    scores_N: NDArray[np.float64]
    learnt: Learnt
    n_parameters: int


def finetune_match(
    parts: PairParts,
    *,
    model: Path,
    folder: Path,
    checkpoint: Path,
    config: MatchConfig | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Matched:
    """Teach the encoder of a folder to match, and write it into another one as a text encoder.

    Parameters
    ----------
    model
        Folder of the encoder to start from.
    checkpoint
        Folder in which a stopped fit leaves what the next call goes on from.

    Raises
    ------
    MissingExtraError
        torch, transformers or accelerate is not installed.
    EncoderError
        `model` holds no text encoder, or another one's tokenizer.
    InputError
        No query has a relevant product.
    DivergedError, OutOfMemoryError
        As `train_large` says.
    """
    require("torch", "transformers", "accelerate")
    from huaxiang.encoders.finetuning.bi_encoder import bi_encoder, write_encoder
    from huaxiang.encoders.learning.trainer import train_large

    config = config or MatchConfig()
    tell = progress or (lambda stage, done, total, note: None)
    tables = {name: Judged.of(getattr(parts, name)) for name in ("train", "validation", "test")}
    tables["train"].check_relevant()
    texts = Texts.of(tables)
    encoder, tokenizer = bi_encoder(model, texts.texts, max_tokens=config.max_tokens, seed=seed)
    lesson = MatchLesson(tables["train"], encoder.lengths_N.numpy()[texts.rows["train"]], config)
    network = _network(encoder, lesson, config)
    held_out = {name: Asked(tables[name], texts.rows[name]) for name in ("validation", "test")}
    tell("ask the untuned encoder", 0, 1, "")
    before = held_out["test"].figures(encoder, seed=seed)
    miner = Miner(lesson, config, seed=seed)
    miner.mine(network)
    tell("ask the untuned encoder", 1, 1, "")

    def validate() -> Mapping[str, float]:
        miner.mine(network)
        return held_out["validation"].quick(encoder)

    learnt = train_large(
        network,
        lesson,
        config=config.training,
        checkpoint=checkpoint,
        seed=seed,
        validate=validate,
        best=held_out["validation"].best,
        of=json.dumps([parts.train.fingerprint, asdict(config), str(model)], sort_keys=True),
        progress=lambda done, total, note: tell("fine-tune", done, total, note),
    )
    tell("test", 0, 1, "")
    figures = {name: held_out[name].figures(encoder, seed=seed) for name in held_out}
    scores_N = held_out["test"].scores(encoder)
    tell("test", 1, 1, "")
    write_encoder(encoder, tokenizer, folder, source=model)
    return Matched(
        before=before,
        validation=figures["validation"],
        test=figures["test"],
        scores_N=scores_N,
        learnt=learnt,
        n_parameters=sum(weight.numel() for weight in encoder.parameters()),
    )


def _network(encoder: BiEncoder, lesson: MatchLesson, config: MatchConfig) -> MatchNetwork:
    from huaxiang.encoders.finetuning.match_network import MatchNetwork

    return MatchNetwork(
        encoder,
        n_products=len(lesson.judged.products),
        known=lesson.known,
        mined_QM=np.full((len(lesson.judged.queries), config.mined), -1, np.int64),
        sharpness=config.sharpness,
        graded=config.graded,
    )
