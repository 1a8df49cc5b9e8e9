"""Whether the events that a reason names matter: they are removed, and the item must fall."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.ranking.base import ScoreKept
from huaxiang.records import Matrix


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That some events of a shopper, by their place in the history, are why an item is listed."""

    score_kept: ScoreKept
    n_events: int
    item_row: int
    events: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class RemovalAudit:
    """How many claims held.

    Parameters
    ----------
    n_claims
        All that were audited.
    n_lowered
        Claims whose item fell in log-softmax score when the named events were removed.
    n_comparable
        Claims of shoppers with more events than are named: only there can others be removed instead.
    n_above_random
        Comparable claims whose item also fell by more than by the removal of as many events drawn at random.
    """

    n_claims: int
    n_lowered: int
    n_comparable: int
    n_above_random: int

    @property
    def share_lowered(self) -> float:
        """`n_lowered` over all claims, 0 to 1."""
        return self.n_lowered / max(self.n_claims, 1)

    @property
    def share_held(self) -> float:
        """Claims that lowered and, where comparable, did so by more than chance; over all claims."""
        only_lowered = self.n_claims - self.n_comparable
        return min((self.n_above_random + only_lowered) / max(self.n_claims, 1), self.share_lowered)

    @property
    def share_above_random(self) -> float:
        """`n_above_random` over the comparable claims, 0 to 1."""
        return self.n_above_random / max(self.n_comparable, 1)


def log_softmax(scores_XI: Matrix) -> NDArray[np.float64]:
    """Return log-softmax scores of each row, (X, I)."""
    shifted_XI = scores_XI.astype(np.float64) - scores_XI.max(axis=1, keepdims=True)
    return np.asarray(shifted_XI - np.log(np.exp(shifted_XI).sum(axis=1, keepdims=True)))


def drops(
    score_kept: ScoreKept, removed_XE: NDArray[np.bool_], item_rows: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return how far item `item_rows[x]` falls in log-softmax without the events `removed_XE[x]`, (X,)."""
    nothing_1E = np.zeros((1, removed_XE.shape[1]), dtype=bool)
    scores_XI = log_softmax(score_kept(~np.concatenate([nothing_1E, removed_XE])))
    return np.asarray(scores_XI[0, item_rows] - scores_XI[1 + np.arange(len(removed_XE)), item_rows])


def audit_reasons(claims: Iterable[Claim], *, rng: np.random.Generator) -> RemovalAudit:
    """Return how many claims hold when the events they name are removed, each against one random draw.

    The draw is of as many events, any of the shopper's but not the very same set.
    """
    lowered: list[bool] = []
    comparable: list[bool] = []
    above: list[bool] = []
    for claim in claims:
        is_named_E = _mask(claim.n_events, claim.events)
        is_comparable = 0 < len(set(claim.events)) < claim.n_events
        drawn_E = _another(is_named_E, rng) if is_comparable else is_named_E
        named, drawn = drops(claim.score_kept, np.stack([is_named_E, drawn_E]), np.full(2, claim.item_row))
        lowered.append(bool(named > 0))
        comparable.append(is_comparable)
        above.append(is_comparable and bool(named > drawn))
    return RemovalAudit(
        n_claims=len(lowered), n_lowered=sum(lowered), n_comparable=sum(comparable), n_above_random=sum(above)
    )


def _mask(n_events: int, events: Sequence[int]) -> NDArray[np.bool_]:
    mask_E = np.zeros(n_events, dtype=bool)
    mask_E[list(events)] = True
    return mask_E


def _another(is_named_E: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    drawn_E = rng.permutation(is_named_E)
    while np.array_equal(drawn_E, is_named_E):
        drawn_E = rng.permutation(is_named_E)
    return drawn_E
