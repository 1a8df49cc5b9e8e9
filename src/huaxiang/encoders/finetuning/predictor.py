"""A fine-tuned model at work: texts → what its task says, by ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from huaxiang.encoders.finetuning.ensemble import EnsembleModel
from huaxiang.encoders.finetuning.linear import NgramModel
from huaxiang.encoders.finetuning.tables import joined
from huaxiang.encoders.finetuning.tasks import Tag, Task, task_from_json
from huaxiang.encoders.finetuning.tasks.tag import Span
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.text import length_buckets, onnx_session
from huaxiang.encoders.tokens import Tokens, pad
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix
from huaxiang.shop.clean import has_words

Progress = Callable[[int, int, str], None]

VERSION = 1
MODEL, TASK, TOKENIZER = "task.onnx", "task.json", "task_tokenizer.json"


class Model(Protocol):
    """Texts to the outputs of a task."""

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the outputs of cleaned texts, (N, C)."""
        ...


class OnnxModel:
    """Texts to outputs by ONNX Runtime."""

    def __init__(
        self, folder: Path, said: Mapping[str, Any], *, threads: int | None, progress: Progress | None
    ) -> None:
        self._pad_id = int(said["pad_id"])
        self._tokens = Tokens(folder / TOKENIZER, max_tokens=int(said["max_tokens"]), pad_id=self._pad_id)
        self._session = onnx_session(folder / MODEL, threads=threads)
        self._n_outputs = int(self._session.get_outputs()[0].shape[-1])
        self._progress = progress

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the outputs of cleaned texts, (N, C)."""
        ids = [encoding.ids for encoding in self._tokens.encoded(list(texts))]
        outputs_NC = np.zeros((len(texts), self._n_outputs), np.float32)
        n_done = 0
        for rows in length_buckets([len(one) for one in ids]) if ids else ():
            batch = pad([ids[row] for row in rows], pad_id=self._pad_id)
            outputs_NC[rows] = self._session.run(["outputs"], batch)[0]
            n_done += len(rows)
            if self._progress:
                self._progress(n_done, len(texts), "texts read")
        return outputs_NC


class TagModel:
    """Texts to their tagged stretches, by ONNX Runtime."""

    def __init__(self, folder: Path, said: Mapping[str, Any], *, threads: int | None) -> None:
        self._pad_id = int(said["pad_id"])
        self._task = Tag(labels=tuple(said["task"]["labels"]))
        self._tokens = Tokens(folder / TOKENIZER, max_tokens=int(said["max_tokens"]), pad_id=self._pad_id)
        self._session = onnx_session(folder / MODEL, threads=threads)

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return the stretches of each text, in order."""
        encoded = self._tokens.encoded(list(texts), offsets=True)
        found: list[list[Span]] = [[] for _ in texts]
        for rows in length_buckets([len(one.ids) for one in encoded]) if encoded else ():
            batch = pad([encoded[row].ids for row in rows], pad_id=self._pad_id)
            for row, outputs_TC in zip(rows, self._session.run(["outputs"], batch)[0], strict=True):
                offsets = encoded[row].offsets
                found[row] = self._task.decode(outputs_TC[: len(offsets)], offsets)
        return found


class Tagged:
    """What `Predictor` is for tags: texts, as they are written, to lists of stretches."""

    def __init__(self, folder: str | Path, *, threads: int | None = None) -> None:
        said = read_task(Path(folder))
        self.columns: list[str] = list(said["columns"])
        self._model = TagModel(Path(folder), said, threads=threads)

    def predict(self, texts: Sequence[str]) -> dict[str, list[Any]]:
        """Return `prediction`, lists of start, end, label and text, and `error` where a text has no word."""
        is_readable = [has_words(text) for text in texts]
        rows = [row for row, readable in enumerate(is_readable) if readable]
        prediction: list[Any] = [None] * len(texts)
        for row, spans in zip(rows, self._model.spans([texts[row] for row in rows]), strict=True):
            prediction[row] = [{**s._asdict(), "text": texts[row][s.start : s.end]} for s in spans]
        return {"prediction": prediction, "error": [None if ok else "no text" for ok in is_readable]}

    def predict_rows(self, rows: Sequence[Sequence[str | None]]) -> dict[str, list[Any]]:
        """Return the same of rows of cells, the text as it is written."""
        return self.predict([row[0] or "" for row in rows])


class Predictor:
    """Texts to what a task says of them.

    Parameters
    ----------
    folder
        What `huaxiang finetune` or `huaxiang compress` wrote.
    threads
        Cores to use; None leaves it to ONNX Runtime.
    progress
        Called with (texts done, texts, note).

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
        self.task: Task = task_from_json(said["task"])
        self.columns: list[str] = list(said["columns"])
        self._model = load_model(self.folder, threads=threads, progress=progress)

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the outputs of cleaned texts, (N, C)."""
        return self._model.outputs(texts)

    def predict(self, texts: Sequence[str]) -> dict[str, list[Any]]:
        """Return the columns that the task reads from the texts, and `error` where a text has no word."""
        is_readable = np.array([has_words(text) for text in texts], np.bool_)
        rows = np.flatnonzero(is_readable)
        read = self.task.read(self.outputs([texts[row] for row in rows.tolist()]))
        columns: dict[str, list[Any]] = {name: [None] * len(texts) for name in read}
        for name, values in read.items():
            for row, value in zip(rows.tolist(), values, strict=True):
                columns[name][row] = value
        columns["error"] = [None if readable else "no text" for readable in is_readable]
        return columns

    def predict_rows(self, rows: Sequence[Sequence[str | None]]) -> dict[str, list[Any]]:
        """Return the same of rows of cells, one cell for each of `columns`."""
        return self.predict([joined(cells) for cells in rows])


def load_model(folder: Path, *, threads: int | None = None, progress: Progress | None = None) -> Model:
    """Return the model of a folder: ONNX, runs of words, or an ensemble of such.

    Raises
    ------
    ArtefactError
        As `Predictor` says.
    """
    said = read_task(folder)
    kind = said.get("model", "onnx")
    if kind == "onnx":
        return OnnxModel(folder, said, threads=threads, progress=progress)
    if kind == "ngrams":
        return NgramModel.load(folder)
    if kind == "ensemble":
        return EnsembleModel.load(folder, said["members"], threads=threads, progress=progress)
    remedy = "upgrade huaxiang"
    raise ArtefactError("no such kind of model", file=str(folder / TASK), value=str(kind), remedy=remedy)


def read_task(folder: Path) -> dict[str, Any]:
    """Return what `task.json` of a model's folder says.

    Raises
    ------
    ArtefactError
        There is none, or it is of another version.
    """
    said: dict[str, Any] = read_json(folder / TASK, otherwise={})
    if said.get("version") != VERSION:
        remedy = "make it with huaxiang finetune, or upgrade huaxiang"
        raise ArtefactError(
            "no fine-tuned model", file=str(folder / TASK), value=str(said.get("version")), remedy=remedy
        )
    return said
