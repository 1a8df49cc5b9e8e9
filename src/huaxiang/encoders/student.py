"""The bilingual student: Chinese into MiniLM's space, from hashed n-grams alone.

MiniLM reads no Chinese. The student learnt from the parallel names of a product taxonomy to put a Chinese
name where MiniLM puts its English one (`scripts/train_student.py`); its weights ship in `student/`, with a
card.

Source
------
Reimers and Gurevych, Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation,
EMNLP 2020, section 2; ours is a bag of n-grams with one hidden layer in place of a transformer, and learns
by contrast with other names besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.cache import write_beside
from huaxiang.encoders.export import SETTINGS
from huaxiang.encoders.hashed import summed, unit_rows
from huaxiang.encoders.ngrams import hashed_ngrams
from huaxiang.errors import ArtefactError
from huaxiang.records import Matrix
from huaxiang.shop.clean import clean_text, has_words

VERSION = 1
WEIGHTS = "text_student.safetensors"
SHIPPED = Path(__file__).parent / "student" / WEIGHTS
LONGEST = 2_000
"""Characters read of one text."""
TEXTS_PER_BATCH = 1024

_MATRICES = ("norm_gain", "norm_bias", "hidden", "hidden_bias", "out", "straight", "bias")


class StudentEncoder:
    """Texts in Chinese, or in Chinese mixed with English, to vectors in the space of its teacher.

    A bag of hashed n-grams (up to four characters), each with a row of 8-bit numbers and a scale; the sum is
    normalised, then goes straight and through one hidden layer to D.

    Parameters
    ----------
    file
        Weights; the shipped ones by default.

    Raises
    ------
    ArtefactError
        When the weights are missing, truncated or of a newer version.

    Examples
    --------
    >>> vectors = StudentEncoder().encode(["红色连衣裙", "连衣裙", "螺丝刀"]).vectors_ID
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """

    def __init__(self, file: str | Path = SHIPPED) -> None:
        self._content = _read(Path(file))
        self.weights, settings = _parsed(self._content, file=Path(file))
        self._longest_ngram = int(settings["longest_ngram"])
        self.dimensions = self.weights["bias"].shape[0]
        self.space = f"student/{hashlib.sha256(self._content).hexdigest()[:16]}"

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent.

        A text of n-grams never seen gets a vector all the same, near the middle of the space.
        """
        cleaned = [clean_text(text)[:LONGEST] for text in texts]
        present_I = np.array([has_words(text) for text in cleaned], np.bool_)
        vectors_ID = np.zeros((len(texts), self.dimensions), np.float32)
        rows = np.flatnonzero(present_I)
        for first in range(0, len(rows), TEXTS_PER_BATCH):
            batch = rows[first : first + TEXTS_PER_BATCH]
            vectors_ID[batch] = self._vectors([cleaned[row] for row in batch])
        return Encoded(vectors_ID=vectors_ID, present_I=present_I)

    def _vectors(self, texts: Sequence[str]) -> Matrix:
        weights = self.weights
        buckets, offsets = hashed_ngrams(texts, n_buckets=len(weights["rows"]), longest=self._longest_ngram)
        seen, buckets = np.unique(buckets, return_inverse=True)
        rows = weights["rows"][seen] * weights["scales"][seen, None]
        counts_I1 = np.maximum(np.diff(offsets), 1)[:, None]
        bags = np.asarray(summed(rows, buckets, offsets) / np.sqrt(counts_I1), np.float32)
        bags = _layer_norm(bags) * weights["norm_gain"] + weights["norm_bias"]
        hidden = _gelu(bags @ weights["hidden"] + weights["hidden_bias"])
        return unit_rows(bags @ weights["straight"] + hidden @ weights["out"] + weights["bias"])

    def save(self, folder: Path) -> None:
        """Copy the weights, so that a run stays readable when newer ones ship."""
        write_beside(folder / WEIGHTS, self._content)
        write_beside(folder / SETTINGS, json.dumps({"version": 1, "kind": "student"}).encode())


def student_file(weights: Mapping[str, Matrix], *, longest_ngram: int, settings: Mapping[str, str]) -> bytes:
    """Return trained weights as the file that ships: n-gram rows in 8 bits with a scale each, the rest in 16.

    Parameters
    ----------
    weights
        `rows` (buckets, R) and the matrices of the layers above.
    settings
        What else the file should say of itself: its teacher, its data.
    """
    rows = weights["rows"]
    scales = np.maximum(np.abs(rows).max(1), 1e-8) / 127
    tensors: dict[str, NDArray[Any]] = {
        name: np.ascontiguousarray(weights[name], np.float16) for name in _MATRICES
    }
    tensors["rows"] = np.rint(rows / scales[:, None]).astype(np.int8)
    tensors["scales"] = scales.astype(np.float16)
    return save(tensors, {**settings, "version": str(VERSION), "longest_ngram": str(longest_ngram)})


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ArtefactError(
            "student's weights can't be read", file=str(file), remedy="install huaxiang again"
        ) from error


def _parsed(content: bytes, *, file: Path) -> tuple[dict[str, NDArray[Any]], Mapping[str, str]]:
    try:
        with safe_open(file, framework="numpy") as stored:
            settings = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in (*_MATRICES, "rows", "scales")}
    except (OSError, SafetensorError) as error:
        raise ArtefactError(
            "student's weights are truncated", file=str(file), remedy="install huaxiang again"
        ) from error
    if settings.get("version") != str(VERSION):
        raise ArtefactError(
            "student is of another version",
            file=str(file),
            value=settings.get("version"),
            remedy="upgrade huaxiang",
        )
    return {
        name: tensor if name == "rows" else tensor.astype(np.float32) for name, tensor in tensors.items()
    }, settings


def _layer_norm(rows: Matrix) -> Matrix:
    centred = rows - rows.mean(1, keepdims=True, dtype=np.float32)
    return np.asarray(centred / np.sqrt(centred.var(1, keepdims=True) + 1e-5), np.float32)


def _gelu(x: Matrix) -> Matrix:
    """Return the Gaussian error linear unit in its tanh form, as trained."""
    return np.asarray(0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))), np.float32)
