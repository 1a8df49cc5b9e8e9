"""What each form of a model costs, and which forms no other one beats in everything."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.encoders.finetuning.predictor import MODEL, TOKENIZER, Predictor

THREADS = (1, 2)
_SAME_SPEED = 1.05
"""Speeds this near to each other are noise."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One form of a model, as it is served.

    Parameters
    ----------
    bytes
        Of the ONNX model and of its tokenizer.
    texts_per_s
        Threads → texts read in a second.
    quality
        The task's figure on the test rows.
    figures
        All figures on the test rows.
    """

    name: str
    n_parameters: int
    model_bytes: int
    tokenizer_bytes: int
    texts_per_s: Mapping[int, float]
    quality: float
    figures: Mapping[str, float]

    @property
    def served_bytes(self) -> int:
        """Of everything that prediction reads."""
        return self.model_bytes + self.tokenizer_bytes


def file_sizes(folder: Path) -> tuple[int, int]:
    """Return the bytes of a served model and of its tokenizer."""
    return (folder / MODEL).stat().st_size, (folder / TOKENIZER).stat().st_size


def speeds(
    folders: Mapping[str, Path], texts: Sequence[str], *, threads: Sequence[int] = THREADS, repeats: int = 5
) -> dict[str, dict[int, float]]:
    """Return for each served model how many texts it reads in a second, by threads.

    All are warmed and then take turns, so that what else the machine does falls on all alike; the median
    counts.
    """
    found: dict[str, dict[int, float]] = {name: {} for name in folders}
    for n_threads in threads:
        predictors = {name: Predictor(folder, threads=n_threads) for name, folder in folders.items()}
        for predictor in predictors.values():
            predictor.outputs(texts)
        seconds: dict[str, list[float]] = {name: [] for name in folders}
        for _ in range(repeats):
            for name, predictor in predictors.items():
                started = time.perf_counter()
                predictor.outputs(texts)
                seconds[name].append(time.perf_counter() - started)
        for name, taken in seconds.items():
            found[name][n_threads] = len(texts) / max(statistics.median(taken), 1e-9)
    return found


def front(variants: Sequence[Variant], *, is_lower_better: bool) -> list[bool]:
    """Return which variants no other one beats: none is at once no worse in all three and better in one.

    The three are the bytes, the texts a second on one thread, and the quality.

    Examples
    --------
    >>> def v(size, speed, quality):
    ...     return Variant(name="", n_parameters=0, model_bytes=size, tokenizer_bytes=0,
    ...                    texts_per_s={1: speed}, quality=quality, figures={})
    >>> front([v(80, 10, 0.95), v(20, 10, 0.95), v(20, 40, 0.94), v(25, 30, 0.93)], is_lower_better=False)
    [False, True, True, False]
    """
    sign = -1 if is_lower_better else 1
    points = [
        (one.served_bytes, one.texts_per_s[min(one.texts_per_s)], sign * one.quality) for one in variants
    ]
    return [not any(_beats(other, point) for other in points) for point in points]


def _beats(other: tuple[int, float, float], point: tuple[int, float, float]) -> bool:
    if other[0] > point[0] or other[1] * _SAME_SPEED < point[1] or other[2] < point[2]:
        return False
    return other[0] < point[0] or other[1] > point[1] * _SAME_SPEED or other[2] > point[2]


def table(variants: Sequence[Variant], *, best: str, is_lower_better: bool) -> list[dict[str, Any]]:
    """Return a row per variant, the first being what the others are compared with.

    Parameters
    ----------
    best
        Name of the task's figure.
    """
    first = variants[0]
    on_front = front(variants, is_lower_better=is_lower_better)
    return [
        {
            "variant": one.name,
            "parameters": one.n_parameters,
            "model_mb": round(one.model_bytes / 1e6, 3),
            "tokenizer_mb": round(one.tokenizer_bytes / 1e6, 3),
            **{f"texts_per_s_{n}": round(speed, 1) for n, speed in one.texts_per_s.items()},
            "times_smaller": round(first.model_bytes / one.model_bytes, 2),
            "times_faster": round(one.texts_per_s[1] / first.texts_per_s[1], 2),
            best: round(one.quality, 5),
            f"{best}_change": round(one.quality - first.quality, 5),
            "pareto": is_on,
        }
        for one, is_on in zip(variants, on_front, strict=True)
    ]
