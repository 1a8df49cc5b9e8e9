"""The lists that the simulated shop shows: drawn by a known policy, so that every propensity is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def draw_slate(
    log_weights_I: Floats, k: int, *, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """Return up to k different items in order, and how likely each was at its place given those above it.

    Items are drawn one after the other without replacement, in proportion to their weights (Plackett-Luce);
    the k largest of log weight + Gumbel noise are such a draw. A weight of −inf is never listed.

    Source
    ------
    Kool, van Hoof, Welling, Stochastic beams and where to find them, ICML 2019, section 2.3.

    Examples
    --------
    >>> items, propensities = draw_slate(np.log([1.0, 1.0, 0.5]), 3, rng=np.random.default_rng(0))
    >>> float(propensities[-1])
    1.0
    """
    n_listed = min(k, int(np.isfinite(log_weights_I).sum()))
    if n_listed == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    keys_I = log_weights_I + rng.gumbel(size=len(log_weights_I))
    items = np.argsort(-keys_I)[:n_listed]
    weights_I = np.exp(log_weights_I - log_weights_I.max())
    listed = weights_I[items]
    rest = weights_I.sum() - np.concatenate([[0.0], np.cumsum(listed)[:-1]])
    return items, np.minimum(listed / np.maximum(rest, listed), 1.0)


def examination(n_places: int, position_bias: float) -> Floats:
    """Return how likely a shopper looks at each place: p^(−position_bias), p from 1.

    Source
    ------
    Joachims, Swaminathan, Schnabel, Unbiased learning-to-rank with biased feedback, WSDM 2017, section 6.1.

    Examples
    --------
    >>> examination(2, 1.0).tolist()
    [1.0, 0.5]
    """
    return np.asarray(np.arange(1, n_places + 1) ** -position_bias)
