"""Chooses the places of a list: the best first, not all alike, drawn by chance where the shop explores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.records import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class Places:
    """Which candidate has each place, (K,), and the chance with which the policy put it there, (K,)."""

    candidates: NDArray[np.int64]
    propensities: NDArray[np.float64]


def choose_places(
    scores_C: Vector,
    vectors_CD: Matrix,
    *,
    k: int,
    variety: float = 0.0,
    temperature: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Places:
    """Return at most `k` candidates, each the best beside those already placed.

    Parameters
    ----------
    scores_C
        Brought to 0 to 1 over the candidates, so that scores of any scale are weighed against likeness.
    vectors_CD
        Unit rows; a zero row is like nothing.
    variety
        0 ranks by score alone, 1 by difference from what is placed above.
    temperature
        0 takes the best, with propensity 1. Above, each place is drawn by softmax(worth / temperature) among
        what is left, and the propensity is exactly the chance of the draw, given the places above.
    rng
        Needed where `temperature` > 0.

    Source
    ------
    Carbonell and Goldstein, The Use of MMR, SIGIR 1998; Plackett-Luce draws as in Oosterhuis, SIGIR 2021.

    Examples
    --------
    >>> twins_and_other = np.array([[1, 0], [1, 0], [0, 1]], "f")
    >>> choose_places(np.array([1, 0.9, 0.5], "f"), twins_and_other, k=2, variety=0.5).candidates
    array([0, 2])
    """
    worth_C = (1 - variety) * _zero_to_one(scores_C)  # -inf once it is placed
    likeness_C = np.zeros(len(worth_C), dtype=np.float32)
    placed: list[int] = []
    propensities: list[float] = []
    for _ in range(min(k, len(worth_C))):
        candidate, propensity = _take(worth_C - variety * likeness_C, temperature, rng)
        placed.append(candidate)
        propensities.append(propensity)
        worth_C[candidate] = -np.inf
        np.maximum(likeness_C, vectors_CD @ vectors_CD[candidate], out=likeness_C)
    return Places(candidates=np.array(placed, dtype=np.int64), propensities=np.array(propensities))


def softmax(scores_I: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the scores as shares of 1; -inf has none.

    Examples
    --------
    >>> softmax(np.array([0.0, 0.0, -np.inf], "f"))
    array([0.5, 0.5, 0. ])
    """
    raised_I = np.exp(scores_I.astype(np.float64) - scores_I.max())
    return np.asarray(raised_I / raised_I.sum())


def _take(
    worth_C: NDArray[np.float64], temperature: float, rng: np.random.Generator | None
) -> tuple[int, float]:
    if temperature == 0 or rng is None:
        return int(np.argmax(worth_C)), 1.0
    chances_C = softmax(worth_C / temperature)
    candidate = int(rng.choice(len(chances_C), p=chances_C))
    return candidate, float(chances_C[candidate])


def _zero_to_one(scores_C: Vector) -> NDArray[np.float64]:
    low, high = (float(scores_C.min()), float(scores_C.max())) if len(scores_C) else (0.0, 1.0)
    return (scores_C.astype(np.float64) - low) / max(high - low, 1e-12)
