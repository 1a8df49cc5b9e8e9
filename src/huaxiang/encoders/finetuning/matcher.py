"""A matching model at work: a query and a product → how well the one answers the other, without torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.encoders.finetuning.predictor import TASK, VERSION, Predictor, Tagged, read_task
from huaxiang.encoders.finetuning.tables import BETWEEN
from huaxiang.encoders.finetuning.tasks import Tag
from huaxiang.encoders.text import OnnxTextEncoder
from huaxiang.errors import InputError
from huaxiang.shop.clean import clean_text, has_words

KIND, CROSS = "match", "cross"

Progress = Callable[[int, int, str], None]
Floats = NDArray[np.float64]


class PredictsRows(Protocol):
    """Whatever a fine-tuned model's folder becomes."""

    columns: list[str]

    def predict_rows(self, rows: Sequence[Sequence[str | None]]) -> dict[str, list[Any]]:
        """Return new columns for rows of cells, `error` among them."""
        ...


@dataclass(frozen=True, kw_only=True)
class Blend:
    """How the two stages become one score: each with its mean taken off and over its spread.

    Parameters
    ----------
    weight
        Of the second stage, which reads query and product together; 0 to 1.
    means, spreads
        Of the first stage and of the second.
    """

    weight: float
    means: tuple[float, float]
    spreads: tuple[float, float]

    @classmethod
    def of(cls, first_N: Floats, second_N: Floats, *, weight: float) -> Blend:
        """Return the blend for scores that lie as these do."""
        stages = (first_N, second_N)
        return cls(
            weight=weight,
            means=(float(first_N.mean()), float(second_N.mean())),
            spreads=tuple(max(float(stage.std()), 1e-9) for stage in stages),  # type: ignore[arg-type]
        )

    def scores(self, first_N: Floats, second_N: Floats) -> Floats:
        """Return the scores, (N,).

        Examples
        --------
        >>> blend = Blend(weight=0.5, means=(0.5, 2.0), spreads=(0.1, 1.0))
        >>> blend.scores(np.array([0.6]), np.array([3.0])).round(6).tolist()
        [1.0]
        """
        parts = [
            (stage - mean) / spread
            for stage, mean, spread in zip((first_N, second_N), self.means, self.spreads, strict=True)
        ]
        return np.asarray((1 - self.weight) * parts[0] + self.weight * parts[1], np.float64)


class Matcher:
    """Pairs of texts to scores: cosines, or blended with a model that reads both texts together.

    Raises
    ------
    ArtefactError
        The folder holds no whole model of this kind, or a newer one.
    """

    def __init__(
        self, folder: str | Path, *, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        self.folder = Path(folder)
        said = read_task(self.folder)
        self.columns: list[str] = list(said["columns"])
        self._encoder = OnnxTextEncoder(self.folder, threads=threads, progress=progress)
        self._cross: Predictor | None = None
        if said.get("blend"):
            self._blend = Blend(**said["blend"])
            self._cross = Predictor(self.folder / CROSS, threads=threads, progress=progress)

    def scores(self, queries: Sequence[str], products: Sequence[str]) -> Floats:
        """Return the score of each pair of cleaned texts, (N,): higher is better."""
        if not queries:
            return np.zeros(0, np.float64)
        texts = sorted({*queries, *products})
        vectors = self._encoder.encode_cleaned(texts)
        row_of = {text: row for row, text in enumerate(texts)}
        asked, offered = ([row_of[text] for text in side] for side in (queries, products))
        first_N = np.asarray((vectors[asked] * vectors[offered]).sum(1), np.float64)
        if self._cross is None:
            return first_N
        read = self._cross.predict([together(*pair) for pair in zip(queries, products, strict=True)])
        return self._blend.scores(first_N, np.array(read["prediction"], np.float64))

    def predict_rows(self, rows: Sequence[Sequence[str | None]]) -> dict[str, list[Any]]:
        """Return `score` of rows of a query and a product, and `error` where one of them has no word."""
        if rows and len(rows[0]) != len(self.columns):
            remedy = "give two: --text QUERY --text PRODUCT"
            raise InputError("a query and a product are needed", column="--text", remedy=remedy)
        pairs = [[clean_text(cell) for cell in cells] for cells in rows]
        errors = [_missing(*pair) for pair in pairs]
        whole = [row for row, error in enumerate(errors) if error is None]
        found = self.scores(*([pairs[row][side] for row in whole] for side in range(2)))
        scores: list[Any] = [None] * len(rows)
        for row, score in zip(whole, found.tolist(), strict=True):
            scores[row] = score
        return {"score": scores, "error": errors}


def together(query: str, product: str) -> str:
    """Return both texts as the second stage reads them."""
    return f"{query}{BETWEEN}{product}"


def write_matcher(folder: Path, *, columns: Sequence[str], blend: Blend | None = None) -> None:
    """Write what `Matcher` reads beside the encoder."""
    said = {"version": VERSION, "task": {"kind": KIND}, "columns": list(columns)}
    if blend is not None:
        said["blend"] = asdict(blend)
    (folder / TASK).write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def load_predictor(folder: str | Path, *, progress: Progress | None = None) -> PredictsRows:
    """Return whatever the folder of a fine-tuned model holds, ready to predict.

    Raises
    ------
    ArtefactError
        The folder holds no whole model, or a newer one.
    """
    kind = read_task(Path(folder))["task"].get("kind")
    if kind == KIND:
        return Matcher(folder, progress=progress)
    if kind == Tag.kind:
        return Tagged(folder)
    return Predictor(folder, progress=progress)


def _missing(query: str, product: str) -> str | None:
    absent = [name for name, text in (("query", query), ("product", product)) if not has_words(text)]
    return f"no {' and no '.join(absent)}" if absent else None
