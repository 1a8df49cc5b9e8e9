"""A second stage of matching: a model that reads query and product together and says how relevant it is.

It is slower than vectors that are made once, and sees which word of the query the product lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.fit import FinetuneConfig, Parts, finetune
from huaxiang.encoders.finetuning.judged import Judged, figures_of
from huaxiang.encoders.finetuning.match import PairParts
from huaxiang.encoders.finetuning.matcher import CROSS, Blend, together
from huaxiang.encoders.finetuning.predictor import Predictor
from huaxiang.encoders.finetuning.stored import write_finetuned
from huaxiang.encoders.finetuning.tables import Rows
from huaxiang.encoders.finetuning.tasks import Regress
from huaxiang.encoders.learning.base import Learnt, TrainerConfig
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.records import Matrix

WEIGHTS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
TRAINING = TrainerConfig(epochs=3, learning_rate=5e-5, head_factor=5.0, batch_rows=64, validations=3)


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """How the second stage did on the test pairs, alone and blended with the first."""

    blend: Blend
    test: Mapping[str, float]
    blended: Mapping[str, float]
    learnt: Learnt


def finetune_cross(  # noqa: PLR0913 - what, from where, and how
    parts: PairParts,
    *,
    model: Path,
    folder: Path,
    checkpoint: Path,
    max_tokens: int = 96,
    training: TrainerConfig = TRAINING,
    seed: int = 0,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> Crossed:
    """Teach a second stage beside the encoder that was written into `folder`, into its folder `cross`.

    The weight of the blend is chosen on the validation pairs.

    Raises
    ------
    InputError
        All pairs have the same relevance, besides the errors of `finetune`.
    """
    tables = {name: Judged.of(getattr(parts, name)) for name in ("train", "validation", "test")}
    rows = {name: _rows(table) for name, table in tables.items()}
    tell = progress or (lambda stage, done, total, note: None)
    config = FinetuneConfig(max_tokens=max_tokens, training=training)
    made = finetune(
        Parts(**rows),
        Regress.of(rows["train"]),
        model=model,
        config=config,
        checkpoint=checkpoint,
        seed=seed,
        progress=lambda stage, done, total, note: tell(f"{stage}, second stage", done, total, note),
    )
    write_finetuned(made, folder / CROSS, columns=["pair"], config=config)
    second = Predictor(folder / CROSS)
    asked = {
        name: (_cosines(folder, tables[name]), _read(second, rows[name])) for name in ("validation", "test")
    }
    blend = _best(tables["validation"], *asked["validation"])
    return Crossed(
        blend=blend,
        test=figures_of(tables["test"], asked["test"][1], seed=seed),
        blended=figures_of(tables["test"], blend.scores(*asked["test"]), seed=seed),
        learnt=made.learnt,
    )


def _rows(judged: Judged) -> Rows:
    texts = tuple(map(together, judged.query_texts, judged.product_texts))
    return Rows(
        file=judged.file,
        texts=texts,
        labels=tuple(map(str, judged.relevance_N.tolist())),
        keys=tuple(judged.query_texts),
        lines=np.arange(len(texts), dtype=np.int64),
    )


def _cosines(folder: Path, judged: Judged) -> NDArray[np.float64]:
    encoder = OnnxTextEncoder(folder)
    queries, products = (encoder.encode_cleaned(texts) for texts in (judged.queries, judged.products))
    return np.asarray((queries[judged.query_N] * products[judged.product_N]).sum(1), np.float64)


def _read(predictor: Predictor, rows: Rows) -> NDArray[np.float64]:
    outputs_NC: Matrix = predictor.outputs(rows.texts)
    return np.array(predictor.task.read(outputs_NC)["prediction"], np.float64)


def _best(judged: Judged, first_N: NDArray[np.float64], second_N: NDArray[np.float64]) -> Blend:
    """Return the blend that orders the validation pairs best."""
    blends = [Blend.of(first_N, second_N, weight=weight) for weight in WEIGHTS]
    return max(
        blends,
        key=lambda blend: figures_of(judged, blend.scores(first_N, second_N)).get("share", blend.weight),
    )
