"""What every fusion promises: several vectors per item in, one vector per item out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The vectors of each modality for the same items, and which of them are there.

    Modalities differ in width, so this is a mapping and not one (I, M, D) array.
    `vectors[m]` is float32 (I, D_m), rows of unit length or zero; `present[m]` is bool (I,).
    """

    vectors: Mapping[str, Matrix]
    present: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(cls, vectors: Mapping[str, Matrix]) -> Self:
        """Return parts in which a row of zeros means that the item has no such modality.

        Examples
        --------
        >>> parts = Parts.of({"text": np.eye(2, dtype="f"), "image": np.array([[0, 0], [0, 1]], "f")})
        >>> parts.present["image"]
        array([False,  True])
        """
        present = {name: np.asarray(rows.any(axis=1), np.bool_) for name, rows in vectors.items()}
        return cls(vectors=vectors, present=present)

    @property
    def n_items(self) -> int:
        """I."""
        return len(next(iter(self.vectors.values())))


class Fusion(Protocol):
    """One D for every modality, alone or with others, so a photo-only event lives beside a bought item."""

    @property
    def dimensions(self) -> int:
        """D."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities it was fitted on: those that at least one item had."""

    @property
    def fingerprint(self) -> str:
        """Differs whenever the fused vectors would: part of the name of their space."""

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32], *, seed: int = 0) -> Self:
        """Learn from pairs of item rows that go together in shoppers' sequences, shape (P, 2)."""

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) float32 rows of unit length; zero where an item has no modality at all.

        `parts` may hold any subset of the modalities.
        """

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return the mean share of each modality in the fused vectors, for the report; sums to 1."""

    def save(self, folder: Path) -> None:
        """Write weights (safetensors) and settings (JSON)."""
