"""A fine-tuned model at work: texts → what its task says, by ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.encoders.clean import has_words
from huaxiang.encoders.finetuning.tables import joined
from huaxiang.encoders.finetuning.tasks import Task, task_from_json
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.text import length_buckets, onnx_session
from huaxiang.encoders.tokens import Tokens, pad
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix

VERSION = 1
MODEL, TASK, TOKENIZER = "task.onnx", "task.json", "task_tokenizer.json"


class Predictor:
    """Texts to the outputs of a task.

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
        self,
        folder: str | Path,
        *,
        threads: int | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        said = read_task(self.folder)
        self.task: Task = task_from_json(said["task"])
        self.columns: list[str] = list(said["columns"])
        self._pad_id = int(said["pad_id"])
        self._tokens = Tokens(
            self.folder / TOKENIZER, max_tokens=int(said["max_tokens"]), pad_id=self._pad_id
        )
        self._session = onnx_session(self.folder / MODEL, threads=threads)
        self._progress = progress

    def outputs(self, texts: Sequence[str]) -> Matrix:
        """Return the outputs of cleaned texts, (N, C)."""
        ids = [encoding.ids for encoding in self._tokens.encoded(list(texts))]
        outputs_NC = np.zeros((len(texts), self.task.n_outputs), np.float32)
        n_done = 0
        for rows in length_buckets([len(one) for one in ids]) if ids else ():
            batch = pad([ids[row] for row in rows], pad_id=self._pad_id)
            outputs_NC[rows] = self._session.run(["outputs"], batch)[0]
            n_done += len(rows)
            if self._progress:
                self._progress(n_done, len(texts), "texts read")
        return outputs_NC

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
