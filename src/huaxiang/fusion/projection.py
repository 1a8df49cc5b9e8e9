"""Every modality projected to one D, so that what was seen and what was said can be compared.

An item's code is its modalities side by side, reduced to D by PCA. A modality alone fills in the others
with what it predicts of them (ridge regression on the items that have both), so a text-only and a
photo-only vector of the same item land near each other. Closed form: no steps, no seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import EncoderError
from huaxiang.fusion.base import Parts
from huaxiang.records import Matrix, Vector

MOST_ROWS = 20_000
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Tried in units of the mean eigenvalue; generalised cross-validation chooses."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Linear maps from every modality to the code.

    `means[m]` is (D_m,); `maps[m, k]`, (D_m, D), is what modality m gives to the part of the code that
    belongs to modality k: its own vector where k is m, what it predicts of k elsewhere.
    """

    modalities: tuple[str, ...]
    means: Mapping[str, Vector]
    maps: Mapping[tuple[str, str], Matrix]

    @property
    def dimensions(self) -> int:
        """D."""
        return int(next(iter(self.maps.values())).shape[1])

    def present(self, parts: Parts) -> NDArray[np.float32]:
        """Return 1 where an item has a modality, else 0; float32, shape (M, I)."""
        absent = np.zeros(parts.n_items, np.bool_)
        return np.stack([parts.present.get(name, absent) for name in self.modalities]).astype(np.float32)

    def project(self, parts: Parts) -> NDArray[np.float32]:
        """Return the code that each modality gives alone; (M, I, D), rows of unit length, zero where absent.

        Raises
        ------
        EncoderError
            A modality was not there at fitting, or has another width.
        """
        self.check(parts)
        codes_MID = np.zeros((len(self.modalities), parts.n_items, self.dimensions), np.float32)
        for m, name in enumerate(self.modalities):
            if name in parts.vectors:
                whole = sum(self.maps[name, other] for other in self.modalities)
                codes_MID[m] = self.centred(parts, name) @ whole
        return unit(codes_MID)

    def centred(self, parts: Parts, name: str) -> Matrix:
        """Return the modality's vectors less their mean; zero where absent."""
        return (parts.vectors[name] - self.means[name]) * parts.present[name][:, None]

    def check(self, parts: Parts) -> None:
        """Raise `EncoderError` where a modality is unknown or has another width."""
        for name, vectors in parts.vectors.items():
            if name not in self.modalities:
                if parts.present[name].any():
                    remedy = (
                        f"fitted on {', '.join(self.modalities)}; build the run again with {name} vectors"
                    )
                    raise EncoderError("fusion doesn't know a modality", value=name, remedy=remedy)
            elif vectors.shape[1] != len(self.means[name]):
                remedy = f"expected {len(self.means[name])}; use the encoder that the fusion was fitted with"
                raise EncoderError(
                    f"{name} vectors of another width", value=str(vectors.shape[1]), remedy=remedy
                )


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return rows of unit length along the last axis; zero stays zero."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return (rows / np.where(length > 1e-12, length, 1.0)).astype(np.float32)


def fit_projection(parts: Parts, *, dimensions: int) -> Projection:
    """Return the projection fitted on the items of `parts`.

    Each modality is centred and scaled to the same total variance first, so a wide or lively one
    does not fill the code by itself.

    Raises
    ------
    EncoderError
        No item has any vector.
    """
    parts = _at_most(parts, MOST_ROWS)
    names = tuple(name for name, here in parts.present.items() if here.any())
    if not names:
        raise EncoderError("nothing to fuse: no item has a text or a photo", remedy="give the items titles")
    rows = {name: np.asarray(parts.vectors[name], np.float64) for name in names}
    here = {name: parts.present[name] for name in names}
    # One row more than there is, so that a single item is not its own mean.
    means = {name: rows[name][here[name]].sum(axis=0) / (here[name].sum() + 1) for name in names}
    centred = {name: (rows[name] - means[name]) * here[name][:, None] for name in names}
    scales = {name: _inverse_spread(centred[name], here[name]) for name in names}
    guesses = {
        (one, other): np.eye(centred[one].shape[1])
        if one == other
        else _ridge(centred[one], centred[other], both=here[one] & here[other])
        for one in names
        for other in names
    }
    basis = _basis([_filled(name, centred, here, guesses) * scales[name] for name in names], dimensions)
    maps = {pair: (guess * scales[pair[1]]) @ basis[names.index(pair[1])] for pair, guess in guesses.items()}
    return Projection(
        modalities=names,
        means={name: mean.astype(np.float32) for name, mean in means.items()},
        maps={pair: np.asarray(whole, np.float32) for pair, whole in maps.items()},
    )


def _at_most(parts: Parts, n: int) -> Parts:
    """Return about `n` items of a large shop, evenly spaced."""
    step = -(-parts.n_items // n) or 1
    return Parts(
        vectors={name: rows[::step] for name, rows in parts.vectors.items()},
        present={name: here[::step] for name, here in parts.present.items()},
    )


def _inverse_spread(centred: NDArray[np.float64], here: NDArray[np.bool_]) -> float:
    spread = float(np.sqrt((centred**2).sum() / here.sum()))
    return 1.0 / spread if spread > 1e-9 else 1.0


def _ridge(x: NDArray[np.float64], y: NDArray[np.float64], *, both: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the map from x to y learnt on the rows that have both; zero where hardly any has.

    Source
    ------
    Golub, Heath, Wahba, Generalized cross-validation as a method for choosing a good ridge parameter,
    Technometrics 1979.
    """
    n = int(both.sum())
    if n < 3:
        return np.zeros((x.shape[1], y.shape[1]))
    x, y = x[both], y[both]
    eigenvalues, axes = np.linalg.eigh(x.T @ x)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    rotated = axes.T @ (x.T @ y)
    best, least = 0.0, np.inf
    for ridge in np.array(RIDGES) * max(eigenvalues.mean(), 1e-9):
        kept = rotated / (eigenvalues + ridge)[:, None]
        left = (y**2).sum() - 2 * (rotated * kept).sum() + (eigenvalues[:, None] * kept**2).sum()
        error = left / max(1 - (eigenvalues / (eigenvalues + ridge)).sum() / n, 1e-6) ** 2
        if error < least:
            best, least = ridge, error
    return np.asarray(axes @ (rotated / (eigenvalues + best)[:, None]))


def _filled(
    name: str,
    centred: Mapping[str, NDArray[np.float64]],
    here: Mapping[str, NDArray[np.bool_]],
    guesses: Mapping[tuple[str, str], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return a modality with its gaps filled by what the others predict, averaged."""
    others = [other for other in centred if other != name]
    n_others = np.maximum(sum((here[other] for other in others), np.zeros(len(here[name]))), 1)
    guessed = sum((centred[other] @ guesses[other, name] for other in others), np.zeros_like(centred[name]))
    return np.where(here[name][:, None], centred[name], guessed / n_others[:, None])


def _basis(blocks: list[NDArray[np.float64]], dimensions: int) -> list[NDArray[np.float64]]:
    """Return the PCA basis of the blocks side by side, (ΣD_m, D) cut back into blocks; zero beyond ΣD_m."""
    side_by_side = np.hstack(blocks)
    _, axes = np.linalg.eigh(side_by_side.T @ side_by_side)
    axes = axes[:, ::-1][:, :dimensions]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])  # else the sign is the library's whim
    padded = np.zeros((len(axes), dimensions))
    padded[:, : axes.shape[1]] = axes
    return np.split(padded, np.cumsum([block.shape[1] for block in blocks])[:-1])
