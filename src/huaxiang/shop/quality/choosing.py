"""Which rows to label next: those a model is unsure of, unlike each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MEASURES = ("margin", "entropy")
_DIMENSIONS = 64
_SHORTLIST = 10
"""Rows that are looked at for each that is chosen: the least sure ones."""

Numbers = NDArray[np.float64]


def uncertainty(probabilities_NC: Numbers, *, by: str = "margin") -> Numbers:
    """Return how unsure each row of probabilities is, 0 (sure) to 1 (all labels alike).

    Parameters
    ----------
    by
        `margin`: 1 less the gap between the two likeliest; `entropy`: over all labels.

    Raises
    ------
    SettingsError
        When `by` is another word.

    Examples
    --------
    >>> uncertainty(np.array([[0.5, 0.5], [0.9, 0.1], [1.0, 0.0]])).round(2).tolist()
    [1.0, 0.2, 0.0]
    """
    if by not in MEASURES:
        raise SettingsError("measure is not known", column="by", value=by, remedy="say margin or entropy")
    n_labels = probabilities_NC.shape[1]
    if n_labels < 2:
        return np.zeros(len(probabilities_NC))
    if by == "entropy":
        safe = np.maximum(probabilities_NC, 1e-12)
        return np.asarray(-np.sum(safe * np.log(safe), axis=1) / np.log(n_labels)).clip(0, 1)
    best_two = np.partition(probabilities_NC, n_labels - 2, axis=1)[:, -2:]
    return np.asarray(1 - (best_two[:, 1] - best_two[:, 0]))


def dense_vectors(grams: csr_matrix, *, seed: int = 0) -> Numbers:
    """Return the rows of a sparse matrix in at most 64 dimensions, of unit length, close where they were.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> dense_vectors(csr_matrix(np.eye(3, 4))).shape
    (3, 2)
    """
    from sklearn.decomposition import TruncatedSVD

    n_dimensions = max(1, min(_DIMENSIONS, *(side - 1 for side in grams.shape)))
    with np.errstate(invalid="ignore"):  # rows that are all alike have no variance to explain
        reduced = TruncatedSVD(n_dimensions, random_state=seed).fit_transform(grams)
    lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
    return np.asarray(reduced / np.maximum(lengths, 1e-12), dtype=np.float64)


def spread_out(vectors_ND: Numbers, weights_N: Numbers, *, k: int, rng: np.random.Generator) -> list[int]:
    """Return `k` rows far from each other, the heaviest first: each drawn by weight times squared distance.

    Drawing, where always taking the farthest would gather the strange ones. All rows where there are no more.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0], [1, 0.01], [0, 1], [0.01, 1]])
    >>> chosen = spread_out(vectors, np.array([1.0, 0.5, 0.5, 0.5]), k=2, rng=np.random.default_rng(0))
    >>> chosen[0], chosen[1] in (2, 3)
    (0, True)

    Source
    ------
    Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007, section 2; weighted.
    """
    weights = np.maximum(weights_N, 1e-9)
    chosen = [int(np.argmax(weights))]
    distances = np.full(len(vectors_ND), np.inf)
    while len(chosen) < min(k, len(vectors_ND)):
        gap = vectors_ND - vectors_ND[chosen[-1]]
        distances = np.minimum(distances, np.einsum("nd,nd->n", gap, gap))
        distances[chosen] = 0
        mass = weights * distances
        if mass.sum() <= 0:  # what is left repeats what is chosen: the heaviest of it
            mass = weights.copy()
            mass[chosen] = 0
        chosen.append(int(rng.choice(len(mass), p=mass / mass.sum())))
    return chosen


def worth_labelling(grams: csr_matrix, unsure_N: Numbers | None, *, k: int, seed: int = 0) -> list[int]:
    """Return the rows worth labelling first, at most `k`: unsure ones that are unlike each other.

    Parameters
    ----------
    grams
        Rows by `text_model.gram_vectors`.
    unsure_N
        By `uncertainty`; None where nothing is known yet: then the rows are only unlike each other.
    """
    unsure = np.ones(grams.shape[0]) if unsure_N is None else unsure_N
    vectors = dense_vectors(grams, seed=seed)
    looked_at = np.arange(len(unsure))
    if unsure_N is not None and len(unsure) > _SHORTLIST * k:
        looked_at = np.argsort(-unsure, kind="stable")[: _SHORTLIST * k]
    rng = np.random.default_rng(seed)
    chosen = spread_out(vectors[looked_at], unsure[looked_at], k=k, rng=rng)
    return [int(looked_at[place]) for place in chosen]
