"""What sets an item apart from its category: sides that are blamed surely more, or surely less."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from huaxiang.reviews.tally import Tally

FEWEST = 5
"""Reviews with words on either side that a difference can be told from."""
SURE = 2.0
"""Standard errors from which a difference is no chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Shares of the reviews with words that blame a side: the item's, and that of its category's others."""

    aspect: str
    own: float
    usual: float
    n: int
    z: float


def contrasts(own: Tally, others: Tally) -> tuple[Contrast, ...]:
    """Return the sides that differ, the surest first (two shares, with a pooled spread).

    Examples
    --------
    >>> contrasts(Tally(), Tally())
    ()
    """
    n_own, n_others = own.n_texts, others.n_texts
    if min(n_own, n_others) < FEWEST:
        return ()
    found = []
    for aspect in own.aspects.keys() | others.aspects.keys():
        blamed = [
            tally.aspects[aspect].n_negative if aspect in tally.aspects else 0 for tally in (own, others)
        ]
        pooled = (sum(blamed) + 1) / (n_own + n_others + 2)
        shares = (blamed[0] / n_own, blamed[1] / n_others)
        z = (shares[0] - shares[1]) / sqrt(pooled * (1 - pooled) * (1 / n_own + 1 / n_others))
        if abs(z) >= SURE:
            found.append(Contrast(aspect=aspect, own=shares[0], usual=shares[1], n=blamed[0], z=z))
    return tuple(sorted(found, key=lambda one: (-abs(one.z), one.aspect)))
