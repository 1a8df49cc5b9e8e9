"""Side by side, then reduced: the simplest fusion, and the one to beat. Nothing is learnt from behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.fusion.base import Parts
from huaxiang.fusion.projection import fit_projection, unit
from huaxiang.fusion.stored import StoredFusion
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings: `dimensions` is D, 1 to 512."""

    dimensions: int = 128

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= 512:
            raise SettingsError("fusion.dimensions", value=str(self.dimensions), remedy="choose 1 to 512")


class Concatenated(StoredFusion):
    """The modalities side by side, a missing one filled by what the present ones predict, reduced by PCA.

    Examples
    --------
    >>> texts, photos = np.eye(4, dtype="f"), np.eye(4, 6, dtype="f")
    >>> fusion = Concatenated(Config(dimensions=3)).fit(Parts.of({"text": texts, "image": photos}))
    >>> fusion.fuse(Parts.of({"text": texts})).shape
    (4, 3)
    """

    name = "concatenated"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32] | None = None, *, seed: int = 0) -> Self:
        """Fit the projection; pairs and seed are not needed."""
        self.projection_ = fit_projection(parts, dimensions=self.dimensions)
        return self

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) rows of unit length; zero where an item has nothing."""
        return unit(sum(self._contributions(parts).values(), np.zeros((parts.n_items, self.dimensions))))

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return each modality's mean share of the length of the contributions; sums to 1."""
        contributions = self._contributions(parts)
        lengths_MI = np.stack([np.linalg.norm(rows, axis=1) for rows in contributions.values()])
        return mean_shares(tuple(contributions), lengths_MI)

    def _contributions(self, parts: Parts) -> dict[str, Matrix]:
        """Return what each modality adds: its own block, and its part in filling absent ones."""
        codes, names = self.projection, self.modalities
        codes.check(parts)
        present_MI = codes.present(parts)
        n_present_I = np.maximum(present_MI.sum(axis=0), 1)
        added = {}
        for one in names:
            added[one] = np.zeros((parts.n_items, self.dimensions), np.float32)
            if one not in parts.vectors:
                continue
            rows = codes.centred(parts, one)
            for k, other in enumerate(names):
                part_I = 1.0 if one == other else ((1 - present_MI[k]) / n_present_I)[:, None]
                added[one] += part_I * (rows @ codes.maps[one, other])
        return added


def mean_shares(names: tuple[str, ...], lengths_MI: NDArray[np.floating]) -> dict[str, float]:
    """Return the mean over items of each modality's share, for items that have any; sums to 1."""
    total_I = lengths_MI.sum(axis=0)
    some_I = total_I > 0
    if not some_I.any():
        return dict.fromkeys(names, 1 / len(names))
    shares_M = (lengths_MI[:, some_I] / total_I[some_I]).mean(axis=1)
    return {name: float(share) for name, share in zip(names, shares_M, strict=True)}
