"""The content of items, words and photos as the sequence network reads it: some spaces, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from huaxiang.errors import InputError, SettingsError
from huaxiang.records import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class Spaces:
    """Item vectors that are read beside each other, each counted from the mean of its items.

    Zero then says "as usual" and "unknown" alike, so what has a vector in one space only can be read too.

    Parameters
    ----------
    means
        Space name → mean vector. Words and photos of shoppers lie in the first space.
    """

    means: Mapping[str, Vector]

    @classmethod
    def among(cls, vectors: Mapping[str, Matrix], names: Sequence[str]) -> Self:
        """Return those of `names` that the shop has; the first must be there.

        Raises
        ------
        SettingsError
            The shop lacks the first.
        """
        if names and names[0] not in vectors:
            remedy = f"choose {', '.join(vectors) or 'none'}"
            raise SettingsError("no such vectors", column="sequence.spaces", value=names[0], remedy=remedy)
        return cls(means={name: _mean(vectors[name]) for name in names if name in vectors})

    @property
    def first_width(self) -> int:
        """Columns of the first space."""
        return len(next(iter(self.means.values()), ()))

    def of_items(self, vectors: Mapping[str, Matrix], n_items: int) -> Matrix:
        """Return the content of items, (I, C); zero in spaces that are not given."""
        content_IC = np.zeros((n_items, max(1, sum(map(len, self.means.values())))), dtype=np.float32)
        first = 0
        for name, mean in self.means.items():
            if name in vectors:
                content_IC[:, first : first + len(mean)] = _centred(vectors[name], mean)
            first += len(mean)
        return content_IC

    def of_words(self, vectors_CX: Matrix) -> Matrix:
        """Return the content of words and photos, (C, X), the first columns of that of items.

        Raises
        ------
        InputError
            The vectors have another number of dimensions than the first space.
        """
        mean = next(iter(self.means.values()), np.zeros(0, dtype=np.float32))
        if vectors_CX.shape[1] != len(mean):
            remedy = f"the model was fitted on {len(mean)}"
            raise InputError(
                "vectors of another space", value=f"{vectors_CX.shape[1]} dimensions", remedy=remedy
            )
        return _centred(vectors_CX, mean)


def _mean(vectors_IX: Matrix) -> Vector:
    """Return the mean of the rows that are there."""
    present = vectors_IX[vectors_IX.any(axis=1)]
    return np.asarray(present.mean(axis=0) if len(present) else vectors_IX.sum(axis=0), dtype=np.float32)


def _centred(vectors_XX: Matrix, mean: Vector) -> Matrix:
    """Return the rows counted from the mean; rows that are not there stay zero."""
    return np.asarray((vectors_XX - mean) * vectors_XX.any(axis=1, keepdims=True), dtype=np.float32)
