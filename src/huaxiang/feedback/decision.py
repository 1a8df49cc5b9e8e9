"""Whether a new model takes the old one's place: not unless it is, surely enough, at most a little worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from huaxiang.errors import InputError, SettingsError
from huaxiang.metrics import paired_bootstrap_interval

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a candidate is promoted.

    Parameters
    ----------
    margin
        The lower bound of the paired difference must lie above this share of the incumbent's figure;
        −0.01 lets it be 1 % worse at most, 0 asks it to be better. −1 to 1.
    least_shoppers
        Fewer than these decide nothing; ≥ 2.
    """

    margin: float = -0.01
    least_shoppers: int = 30

    def __post_init__(self) -> None:
        if not -1 <= self.margin <= 1 or self.least_shoppers < 2:
            remedy = "margin is −1 to 1, least_shoppers at least 2"
            value = f"{self.margin}, {self.least_shoppers}"
            raise SettingsError("out of range", column="retrain", value=value, remedy=remedy)

    def __str__(self) -> str:
        return (
            f"promote when the lower end of the paired {LEVEL:.0%} interval of candidate − incumbent "
            f"lies above {self.margin:+.1%} of the incumbent's figure, over at least "
            f"{self.least_shoppers} shoppers"
        )


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided, and everything it was decided on.

    Parameters
    ----------
    difference, low, high
        Candidate − incumbent: mean, and the paired interval over shoppers.
    bound
        What `low` had to lie above.
    """

    metric: str
    candidate: float
    incumbent: float
    difference: float
    low: float
    high: float
    bound: float
    n_shoppers: int
    rule: str
    promote: bool
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the record that is kept with the run; what has no figure is null."""
        return {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in asdict(self).items()
        }


def decide(
    candidate_U: ArrayLike,
    incumbent_U: ArrayLike,
    *,
    metric: str,
    seed: int,
    rule: Rule | None = None,
    n_resamples: int = 2000,
) -> Decision:
    """Return whether the candidate is promoted, from one figure per shopper of each; row by row the same one.

    Shoppers for whom either figure is NaN are left out.

    Parameters
    ----------
    metric
        What the figures are, for the record; higher is better.
    seed
        Of the resampling: the same figures and seed give the same decision.

    Raises
    ------
    InputError
        The two are not figures of the same shoppers.

    Examples
    --------
    >>> old = np.linspace(0, 1, 100)
    >>> decide(old, old, metric="ndcg@10", seed=7).promote
    True
    >>> decide(old - 0.1, old, metric="ndcg@10", seed=7).reason
    'may be worse: the interval reaches down to -20.0 % of the incumbent'
    """
    rule = rule or Rule()
    ours, theirs = np.asarray(candidate_U, dtype=float), np.asarray(incumbent_U, dtype=float)
    if ours.shape != theirs.shape or ours.ndim != 1:
        value = f"{ours.shape} and {theirs.shape}"
        raise InputError("not the same shoppers", value=value, remedy="measure both on the same targets")
    both = ~(np.isnan(ours) | np.isnan(theirs))
    ours, theirs = ours[both], theirs[both]
    low, high = paired_bootstrap_interval(
        ours, theirs, rng=np.random.default_rng(seed), level=LEVEL, n_resamples=n_resamples
    )
    figures = {
        "candidate": _mean(ours),
        "incumbent": _mean(theirs),
        "difference": _mean(ours - theirs),
        "low": low,
        "high": high,
        "bound": rule.margin * _mean(theirs),
    }
    promote, reason = _verdict(figures, len(ours), rule)
    return Decision(
        metric=metric, n_shoppers=len(ours), rule=str(rule), promote=promote, reason=reason, **figures
    )


def _verdict(figures: Mapping[str, float], n_shoppers: int, rule: Rule) -> tuple[bool, str]:
    if n_shoppers < rule.least_shoppers:
        return False, f"too few shoppers to tell: {n_shoppers} of {rule.least_shoppers}"
    if figures["incumbent"] <= 0:
        is_better = figures["low"] > 0
        return is_better, "the incumbent found nothing" + (
            "" if is_better else ", nor surely does the candidate"
        )
    lowest = 100 * figures["low"] / figures["incumbent"]
    if figures["low"] > figures["bound"]:
        return True, f"not worse: the interval begins at {lowest:+.1f} % of the incumbent"
    return False, f"may be worse: the interval reaches down to {lowest:+.1f} % of the incumbent"


def _mean(figures: np.ndarray) -> float:
    return float(figures.mean()) if len(figures) else float("nan")
