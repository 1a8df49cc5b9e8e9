"""The simplest text encoder: equal words give equal directions, with no weights at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from huaxiang.encoders.base import Encoded
from huaxiang.encoders.cache import write_beside
from huaxiang.encoders.export import SETTINGS, VERSION
from huaxiang.encoders.ngrams import Buckets, Offsets, hashed_ngrams
from huaxiang.records import Matrix
from huaxiang.shop.clean import clean_text, has_words

N_BUCKETS = 16_384


class HashedEncoder:
    """Sums one fixed random direction per n-gram of characters or words (a random projection of the bag).

    It knows spellings, not meanings: good for tests, and where a shop wants no pretrained weights.

    Parameters
    ----------
    dimensions
        D, ≥ 1. More tells more words apart.

    Examples
    --------
    >>> vectors = HashedEncoder().encode(["red dress", "red dress, long", "garden hose"]).vectors_ID
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """

    def __init__(self, *, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.space = f"hashed-ngrams/1/{dimensions}"

    @cached_property
    def _directions(self) -> Matrix:
        rng = np.random.default_rng(0)
        return rng.standard_normal((N_BUCKETS, self.dimensions), np.float32)

    def encode(self, texts: Sequence[str | None]) -> Encoded:
        """Return one vector per text; None and texts without a letter or digit are absent."""
        cleaned = [clean_text(text) for text in texts]
        present_I = np.array([has_words(text) for text in cleaned], np.bool_)
        buckets, offsets = hashed_ngrams(cleaned, n_buckets=N_BUCKETS, longest=3)
        return Encoded(vectors_ID=unit_rows(summed(self._directions, buckets, offsets)), present_I=present_I)

    def save(self, folder: Path) -> None:
        """Write the settings; there are no weights."""
        settings = {"version": VERSION, "kind": "hashed", "dimensions": self.dimensions}
        write_beside(folder / SETTINGS, json.dumps(settings).encode())


def summed(rows_BD: Matrix, buckets: Buckets, offsets: Offsets) -> Matrix:
    """Return the sum of the rows in each bag: float32 (I, D), zero for an empty bag."""
    lengths = np.diff(offsets)
    sums_ID = np.zeros((len(lengths), rows_BD.shape[1]), np.float32)
    filled = lengths > 0
    if filled.any():
        sums_ID[filled] = np.add.reduceat(rows_BD[buckets], offsets[:-1][filled], axis=0)
    return sums_ID


def unit_rows(vectors_ID: Matrix) -> Matrix:
    """Return the rows at unit length; rows of zeros stay zero."""
    lengths_I1 = np.linalg.norm(vectors_ID, axis=1, keepdims=True)
    return np.asarray(vectors_ID / np.where(lengths_I1 > 0, lengths_I1, 1), np.float32)
