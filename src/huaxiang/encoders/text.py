"""Any Hugging Face text encoder, served by ONNX Runtime without torch."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from huaxiang.encoders.base import Encoded, Progress
from huaxiang.encoders.export import MODEL, SETTINGS, TOKENIZER, VERSION
from huaxiang.encoders.pooling import read_json
from huaxiang.encoders.tokens import Tokens, pad
from huaxiang.errors import ArtefactError, StorageError
from huaxiang.records import Matrix
from huaxiang.shop.clean import clean_text, has_words

TOKENS_PER_BATCH = 4096
TEXTS_PER_BATCH = 64


class OnnxTextEncoder:
    """Texts to unit vectors by an exported encoder.

    Texts are encoded in batches of similar length, so that little is spent on padding; a vector does
    not depend on its neighbours beyond rounding (int8: beyond its noise).

    Parameters
    ----------
    folder
        What `export_text_encoder` wrote.
    threads
        How many cores to use; None leaves it to ONNX Runtime.
    progress
        Called with (texts done, texts, note).

    Raises
    ------
    ArtefactError
        When the folder is not a whole export, or was made by a newer version.
    """

    def __init__(
        self, folder: str | Path, *, threads: int | None = None, progress: Progress | None = None
    ) -> None:
        self.folder = Path(folder)
        settings = read_settings(self.folder)
        self.precision = str(settings["precision"])
        self.space = f"{settings['name']}/{settings['fingerprint']}/{self.precision}"
        self.tokens = Tokens(
            self.folder / TOKENIZER, max_tokens=int(settings["max_tokens"]), pad_id=int(settings["pad_id"])
        )
        self._prompt = str(settings["prompt"])
        self._pad_id = int(settings["pad_id"])
        self._session = onnx_session(self.folder / MODEL, threads=threads)
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])
        self._progress = progress

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent."""
        cleaned = [clean_text(text) for text in texts]
        present_I = np.array([has_words(text) for text in cleaned], np.bool_)
        vectors_ID = np.zeros((len(texts), self.dimensions), np.float32)
        rows = np.flatnonzero(present_I)
        if len(rows):
            vectors_ID[rows] = self.encode_cleaned([cleaned[row] for row in rows])
        return Encoded(vectors_ID=vectors_ID, present_I=present_I)

    def encode_cleaned(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of texts that are clean and have words."""
        ids = [encoding.ids for encoding in self.tokens.encoded([self._prompt + text for text in texts])]
        vectors_ID = np.zeros((len(texts), self.dimensions), np.float32)
        n_done = 0
        for rows in length_buckets([len(row) for row in ids]):
            batch = pad([ids[row] for row in rows], pad_id=self._pad_id)
            vectors_ID[rows] = self._session.run(["vectors"], batch)[0]
            n_done += len(rows)
            if self._progress:
                self._progress(n_done, len(texts), "texts encoded")
        return vectors_ID

    def save(self, folder: Path) -> None:
        """Copy the export, so that a run can be served where the encoder isn't."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in self.folder.glob("text*"):
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise StorageError(
                "encoder can't be written", file=str(folder), remedy="free some space"
            ) from error


def length_buckets(lengths: Sequence[int]) -> list[list[int]]:
    """Return rows in batches of similar length, shortest first.

    Examples
    --------
    >>> length_buckets([3, 9, 2])
    [[2, 0, 1]]
    """
    batches: list[list[int]] = []
    for row in np.argsort(lengths, kind="stable").tolist():
        n = len(batches[-1]) + 1 if batches else 0
        if not batches or n > TEXTS_PER_BATCH or n * lengths[row] > TOKENS_PER_BATCH:
            batches.append([])
        batches[-1].append(row)
    return batches


def onnx_session(file: Path, *, threads: int | None) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session on the CPU.

    Raises
    ------
    ArtefactError
        When the file is missing or not an ONNX model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no other base
        raise ArtefactError(
            "not an ONNX model", file=str(file), remedy="delete its folder; it is made again"
        ) from error


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the settings beside an exported or saved text encoder; `kind` says which it is."""
    settings: dict[str, Any] = read_json(folder / SETTINGS, otherwise={})
    if settings.get("version") != VERSION:
        raise ArtefactError(
            "not an exported text encoder, or of another version",
            file=str(folder / SETTINGS),
            value=str(settings.get("version")),
            remedy="export it again, or upgrade huaxiang",
        )
    return settings
