"""Numbers and lengths far from the others, by a scale that outliers themselves don't stretch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NORMAL = 1.4826
"""Median distance → standard deviation, of normally distributed numbers."""
_NORMAL_MEAN = 1.2533
"""Mean distance → standard deviation, likewise."""
_MOSTLY = 0.99


def robust_z(values_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each number lies from the median, in robust standard deviations; NaN stays NaN.

    Where more than half are the same the mean distance stands in for the median one; where all are the same
    nothing is far.

    Examples
    --------
    >>> robust_z(np.array([9.0, 10.0, 11.0, 100.0])).round(1).tolist()
    [-1.0, -0.3, 0.3, 60.4]

    Source
    ------
    Iglewicz and Hoaglin, How to detect and handle outliers, 1993.
    """
    known = values_N[np.isfinite(values_N)]
    if not len(known):
        return np.full(len(values_N), np.nan)
    middle = np.median(known)
    distance = np.abs(known - middle)
    scale = _NORMAL * np.median(distance) or _NORMAL_MEAN * np.mean(distance) or np.inf
    return np.asarray((values_N - middle) / scale)


def far_numbers(values_N: NDArray[np.float64], *, limit: float) -> NDArray[np.float64]:
    """Return the robust z of numbers beyond `limit`, and 0 for the others and for NaN.

    Numbers that are positive but for a few, such as prices, are compared by their logarithms: those that are
    not positive are then far by themselves, minus infinity.

    Examples
    --------
    >>> prices = np.array([9.0, 20.0, 14.0, 30.0, 99_000.0, np.nan])
    >>> far_numbers(prices, limit=6).round(1).tolist()
    [0.0, 0.0, 0.0, 0.0, 14.2, 0.0]
    """
    known = values_N[np.isfinite(values_N)]
    if len(known) and np.mean(known > 0) >= _MOSTLY:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(values_N > 0, np.log(values_N), np.nan)
        z = np.where(values_N <= 0, -np.inf, robust_z(logs))
    else:
        z = robust_z(values_N)
    return np.where(np.abs(np.nan_to_num(z, nan=0.0, posinf=np.inf, neginf=-np.inf)) > limit, z, 0.0)


def far_lengths(lengths_N: NDArray[np.int64], *, limit: float) -> NDArray[np.float64]:
    """Return the robust z of lengths beyond `limit`, by their logarithms; 0 for others and for empty texts.

    Examples
    --------
    >>> far_lengths(np.array([40, 55, 60, 48, 0, 90_000]), limit=6).round(0).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 37.0]
    """
    return far_numbers(np.where(lengths_N > 0, lengths_N, np.nan).astype(np.float64), limit=limit)
