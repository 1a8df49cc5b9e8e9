"""The weighted sum of what each modality says of an item: F = λ_f f(x) + λ_g g(y).

f and g project texts and photos to one D (`projection.py`); λ says how much each is worth in this shop.
It is learnt from what goes together: of two items that a shopper took one after the other, the second
should be more like the first than other items are. An item without a photo has F = f(x), in the same space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from huaxiang.errors import SettingsError
from huaxiang.fusion.base import Parts
from huaxiang.fusion.concatenated import mean_shares
from huaxiang.fusion.projection import fit_projection, unit
from huaxiang.fusion.stored import StoredFusion
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings.

    Parameters
    ----------
    dimensions
        D, 1 to 512.
    most_pairs
        Pairs that λ is learnt from, at least 1; more are sampled down.
    prior_pairs
        λ starts at equal weights, which count as much as this many pairs. > 0.
    """

    dimensions: int = 128
    most_pairs: int = 4096
    prior_pairs: float = 20.0

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= 512:
            raise SettingsError("fusion.dimensions", value=str(self.dimensions), remedy="choose 1 to 512")
        if self.most_pairs < 1 or self.prior_pairs <= 0:
            value = f"{self.most_pairs}, {self.prior_pairs}"
            raise SettingsError("fusion.most_pairs, prior_pairs", value=value, remedy="choose above 0")


class Weighted(StoredFusion):
    """One weight per modality, learnt from pairs of items; shared among those that an item has.

    Examples
    --------
    >>> texts = np.eye(4, dtype="f")[[0, 0, 1, 1, 2, 2, 3, 3]]           # two of a kind
    >>> photos = np.random.default_rng(0).normal(size=(8, 4)).astype("f")  # say nothing
    >>> pairs = np.array([[0, 1], [2, 3], [4, 5], [6, 7]] * 25, "i4")
    >>> fusion = Weighted(Config(dimensions=4)).fit(Parts.of({"text": texts, "image": photos}), pairs)
    >>> fusion.lambdas["text"] > fusion.lambdas["image"]
    True
    """

    name = "weighted"

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config or Config())

    @property
    def lambdas(self) -> dict[str, float]:
        """λ of each modality; they sum to 1."""
        return dict(zip(self.modalities, self.arrays_["lambda"].tolist(), strict=True))

    def fit(self, parts: Parts, pairs_P2: NDArray[np.int32], *, seed: int = 0) -> Self:
        """Fit the projections, then λ from pairs of item rows, shape (P, 2)."""
        self.projection_ = fit_projection(parts, dimensions=self.dimensions)
        codes_MID = self.projection.project(parts)
        pairs_P2 = some_pairs(pairs_P2, most=self.config.most_pairs, seed=seed)
        self.arrays_ = {"lambda": learn_lambda(codes_MID, pairs_P2, prior_pairs=self.config.prior_pairs)}
        return self

    def fuse(self, parts: Parts) -> Matrix:
        """Return (I, D) rows of unit length; zero where an item has nothing."""
        return weighted_sum(self.projection.project(parts), self.arrays_["lambda"])

    def weights(self, parts: Parts) -> Mapping[str, float]:
        """Return the mean share of each modality among those that the items have; sums to 1."""
        return mean_shares(self.modalities, self.arrays_["lambda"][:, None] * self.projection.present(parts))


def weighted_sum(codes_MID: NDArray[np.float32], lambda_M: NDArray[np.floating]) -> Matrix:
    """Return F, rows of unit length. Absent modalities have zero rows, so they add nothing.

    Examples
    --------
    >>> f, g = np.array([[1, 0]], "f"), np.array([[0, 1]], "f")
    >>> weighted_sum(np.stack([f, g]), np.array([0.6, 0.8], "f"))
    array([[0.6, 0.8]], dtype=float32)
    """
    return unit(np.tensordot(lambda_M, codes_MID, axes=1))


def some_pairs(pairs_P2: NDArray[np.int32], *, most: int, seed: int) -> NDArray[np.int32]:
    """Return at most `most` pairs of two different items, in random order."""
    pairs_P2 = np.asarray(pairs_P2, np.int32).reshape(-1, 2)
    different = pairs_P2[pairs_P2[:, 0] != pairs_P2[:, 1]]
    rng = np.random.default_rng(seed)
    return np.asarray(different[rng.permutation(len(different))[:most]])


def learn_lambda(
    codes_MID: NDArray[np.float32], pairs_P2: NDArray[np.int32], *, prior_pairs: float
) -> NDArray[np.float32]:
    """Return the λ under which the second item of a pair is best told from others by the first.

    λ = softmax(θ), and a temperature beside it, minimise the mean surprise of `pairs_P2`; a weak prior
    holds λ at equal weights while pairs are few.
    """
    n_modalities = len(codes_MID)
    if n_modalities == 1 or len(pairs_P2) == 0:
        return np.full(n_modalities, 1 / n_modalities, np.float32)

    def surprise(settings: NDArray[np.float64]) -> float:
        lambda_M = _softmax(settings[1:])
        fused_ID = weighted_sum(codes_MID, lambda_M)
        prior = -prior_pairs / len(pairs_P2) * float(np.log(lambda_M).mean())
        return mean_surprise(fused_ID, pairs_P2, sharpness=float(np.exp(settings[0]))) + prior

    start = np.array([np.log(10.0), *np.zeros(n_modalities)])
    # From a setting of 0 SciPy's own first step is 0.00025: within the tolerance, so it would stay there.
    first_steps = start + np.vstack([np.zeros_like(start), 0.5 * np.eye(len(start))])
    options = {"initial_simplex": first_steps, "xatol": 0.02, "fatol": 1e-4, "maxfev": 60 * n_modalities}
    best = minimize(surprise, start, method="Nelder-Mead", options=options)
    return _softmax(best.x[1:]).astype(np.float32)


def mean_surprise(
    fused_ID: Matrix, pairs_P2: NDArray[np.int32], *, sharpness: float, batch: int = 256
) -> float:
    """Return the mean of −log softmax of each pair's similarity among the other pairs of its batch.

    Source
    ------
    van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018 (InfoNCE).
    A batch's second item that equals this pair's own items is no counterexample, and is left out.
    """
    total = 0.0
    for start in range(0, len(pairs_P2), batch):
        first, second = pairs_P2[start : start + batch].T
        logits = sharpness * (fused_ID[first] @ fused_ID[second].T)
        own = logits.diagonal().copy()
        logits[(second[None, :] == second[:, None]) | (second[None, :] == first[:, None])] = -np.inf
        np.fill_diagonal(logits, own)
        total += float((np.logaddexp.reduce(logits, axis=1) - own).sum())
    return total / len(pairs_P2)


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum())
