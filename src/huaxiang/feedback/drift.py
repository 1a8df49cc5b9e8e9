"""Whether shoppers still do what they did when the model was made: the population stability index.

What is watched (which events, which values of the items, prices, scores) is counted once into a reference
that is kept with the run, and again over the newest days; the index says how far the two are apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from huaxiang.errors import ArtefactError

STEADY_BELOW = 0.1
LARGE_FROM = 0.25
"""The thresholds in use wherever the index is: below the first nothing, from the second on much has moved."""

FILE = "drift.json"
"""Where a run keeps its reference."""
VERSION = 1
N_BINS = 10
MOST_VALUES = 20
OTHER = "other"
SMOOTHING = 0.5
"""Added to each bin, so that a value that came or went does not make the index infinite."""

CERTAINTY = 0.99
N_NAMED = 3

Floats = NDArray[np.float64]
Verdict = Literal["steady", "moved", "large", "too few"]


def stability_index(reference_B: ArrayLike, window_B: ArrayLike) -> float:
    """Return Σ (q − p) ln(q / p) over bins, from counts; 0 where both are alike, unbounded, symmetric.

    Source
    ------
    Yurdakul and Naranjo, Statistical properties of the population stability index, Journal of Risk Model
    Validation 2020; there without smoothing.

    Examples
    --------
    >>> round(stability_index([500, 500], [500, 500]), 6), round(stability_index([500, 500], [800, 200]), 3)
    (0.0, 0.415)
    """
    p, q = _shares(reference_B), _shares(window_B)
    return float(((q - p) * np.log(q / p)).sum())


def noise_level(n_bins: int, n_reference: float, n_window: float) -> float:
    """Return the index that chance alone stays below in 99 of 100 windows, infinite where nothing was seen.

    Without drift the index is about (1/n + 1/m) times a chi-squared of bins − 1 degrees of freedom. That
    takes events as independent; those of one shopper are alike, so chance does a little more than this.

    Source
    ------
    Yurdakul and Naranjo 2020, theorem 3.1.
    """
    if min(n_reference, n_window) <= 0:
        return float("inf")
    spread = float(chdtri(max(n_bins - 1, 1), 1 - CERTAINTY))
    return spread * (1 / n_reference + 1 / n_window)


def quantile_edges(numbers_N: ArrayLike, *, n_bins: int = N_BINS) -> Floats:
    """Return the inner edges of bins that hold about equally many; fewer where many numbers are the same.

    Examples
    --------
    >>> quantile_edges(np.arange(100), n_bins=4).tolist()
    [24.75, 49.5, 74.25]
    >>> quantile_edges([5, 5, 5, 5], n_bins=4).tolist()
    [5.0]
    """
    numbers = np.asarray(numbers_N, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return np.zeros(0)
    return np.unique(np.quantile(numbers, np.arange(1, n_bins) / n_bins))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was counted over some days.

    Parameters
    ----------
    values
        Name → value → how often, as "category" → {"Dresses": 12.0}; parts of an event count as parts.
    numbers
        Name → all numbers, as "score".
    """

    values: Mapping[str, Mapping[str, float]]
    numbers: Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far one thing that is watched has moved.

    Parameters
    ----------
    noise
        What chance alone stays below; a larger index is drift, whatever the thresholds call it.
    moved
        The values that moved most: name, share in the reference, share now.
    """

    name: str
    index: float
    noise: float
    n_reference: float
    n_window: float
    moved: tuple[tuple[str, float, float], ...]

    @property
    def verdict(self) -> Verdict:
        """Steady, moved or large by the thresholds; "too few" where chance alone could reach them."""
        if min(self.n_reference, self.n_window) <= 0:
            return "too few"
        if self.index < STEADY_BELOW:
            return "steady"
        if self.index <= self.noise:
            return "too few"
        return "large" if self.index >= LARGE_FROM else "moved"

    def as_json(self) -> dict[str, Any]:
        """Return the object that the service and the report show."""
        return {
            "name": self.name,
            "index": round(self.index, 6),
            "noise": round(self.noise, 6) if np.isfinite(self.noise) else None,
            "verdict": self.verdict,
            "is_large": self.verdict == "large",
            "n_reference": self.n_reference,
            "n_window": self.n_window,
            "moved": [{"value": value, "before": before, "now": now} for value, before, now in self.moved],
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far everything that is watched had moved, the largest index first.

    Parameters
    ----------
    compared_at, since
        When it was looked for, and from when on events and lists were counted.
    model
        Whose time it was compared with.
    """

    compared_at: datetime
    since: datetime
    model: str
    found: Sequence[Drift]

    def as_json(self) -> dict[str, Any]:
        """Return the object that the service shows."""
        return {
            "compared_at": self.compared_at.isoformat().replace("+00:00", "Z"),
            "since": self.since.isoformat().replace("+00:00", "Z"),
            "model": self.model,
            "drift": [one.as_json() for one in self.found],
        }


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What was counted when a model was made.

    Parameters
    ----------
    values
        Name → the most frequent values and `OTHER` → how often.
    edges, counts
        Name → inner edges of the bins, and how many numbers each bin has.
    """

    values: Mapping[str, Mapping[str, float]]
    edges: Mapping[str, Sequence[float]]
    counts: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, seen: Seen) -> Self:
        """Return what is kept of what was counted."""
        edges = {name: quantile_edges(numbers) for name, numbers in seen.numbers.items()}
        return cls(
            values={name: _most_frequent(counts) for name, counts in seen.values.items()},
            edges={name: found.tolist() for name, found in edges.items()},
            counts={name: _binned(seen.numbers[name], found).tolist() for name, found in edges.items()},
        )

    def drift(self, seen: Seen) -> list[Drift]:
        """Return how far everything that is watched has moved, the largest index first."""
        of_values = [
            _drift_of_values(name, known, seen.values.get(name, {})) for name, known in self.values.items()
        ]
        of_numbers = [
            _drift_of_numbers(
                name, np.array(edges), np.array(self.counts[name]), seen.numbers.get(name, np.zeros(0))
            )
            for name, edges in self.edges.items()
        ]
        return sorted([*of_values, *of_numbers], key=lambda one: -one.index)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads back."""
        parts = {"values": self.values, "edges": self.edges, "counts": self.counts}
        return {"version": VERSION, **{name: {k: v for k, v in part.items()} for name, part in parts.items()}}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Return what `as_json` wrote.

        Raises
        ------
        ArtefactError
            It was written by a newer version, or is no reference.
        """
        try:
            version = int(said["version"])
            parts = {name: dict(said[name]) for name in ("values", "edges", "counts")}
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError("no reference for drift", remedy="build or retrain the run") from error
        if version > VERSION:
            raise ArtefactError(
                "reference of a newer version", value=str(version), remedy=f"this reads up to {VERSION}"
            )
        return cls(**parts)


def _drift_of_values(name: str, known: Mapping[str, float], now: Mapping[str, float]) -> Drift:
    names = [value for value in known if value != OTHER]
    rest = sum(count for value, count in now.items() if value not in names)
    window_B = np.array([now.get(value, 0.0) for value in names] + [rest])
    reference_B = np.array([known[value] for value in names] + [known.get(OTHER, 0.0)])
    return _drift(name, [*names, OTHER], reference_B, window_B)


def _drift_of_numbers(name: str, edges: Floats, reference_B: Floats, numbers: NDArray[np.floating]) -> Drift:
    bounds = ["", *(f"{edge:.0f}" if abs(edge) >= 1000 else f"{edge:.4g}" for edge in edges), ""]
    names = [f"{low} to {high}".strip() for low, high in zip(bounds[:-1], bounds[1:], strict=True)]
    return _drift(name, names, reference_B, _binned(numbers, edges))


def _drift(name: str, names: Sequence[str], reference_B: Floats, window_B: Floats) -> Drift:
    is_seen_B = (reference_B > 0) | (window_B > 0)
    n_reference, n_window = float(reference_B.sum()), float(window_B.sum())
    before_B, now_B = reference_B / max(n_reference, 1e-12), window_B / max(n_window, 1e-12)
    furthest = np.argsort(-np.abs(now_B - before_B), kind="stable")[:N_NAMED]
    index = (
        stability_index(reference_B[is_seen_B], window_B[is_seen_B]) if min(n_reference, n_window) else 0.0
    )
    return Drift(
        name=name,
        index=index,
        noise=noise_level(int(is_seen_B.sum()), n_reference, n_window),
        n_reference=n_reference,
        n_window=n_window,
        moved=tuple((names[row], float(before_B[row]), float(now_B[row])) for row in furthest.tolist()),
    )


def _shares(counts: ArrayLike) -> Floats:
    smoothed = np.asarray(counts, dtype=np.float64) + SMOOTHING
    return np.asarray(smoothed / smoothed.sum())


def _most_frequent(counts: Mapping[str, float]) -> dict[str, float]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    kept = {value: float(count) for value, count in ordered[:MOST_VALUES]}
    kept[OTHER] = kept.get(OTHER, 0.0) + float(sum(count for _, count in ordered[MOST_VALUES:]))
    return kept


def _binned(numbers: NDArray[np.floating], edges: Floats) -> Floats:
    numbers = np.asarray(numbers, dtype=np.float64)
    rows = np.searchsorted(edges, numbers[np.isfinite(numbers)], side="left")
    return np.bincount(rows, minlength=len(edges) + 1).astype(np.float64)
