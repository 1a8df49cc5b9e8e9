"""Some places of a list drawn by chance, so that the shop learns about what it would not have shown.

Each place takes the best candidate that is left; with probability `share` it takes any of those left, all
alike. The chance that a candidate stands at a place depends on its rank alone, not on any score. So it is
exact, it is the same for every shopper, and it is computed once for each length of list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.ranking.ruled import in_places
from huaxiang.records import Slate

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """How much a shop explores.

    Parameters
    ----------
    share
        Chance that a place is drawn among all candidates that are left, 0 to 1; 0 lists the best, always.
    n_candidates
        How many of the best may be drawn; ≥ 1. A shorter list than the one asked for is never made of it.
    """

    share: float = 0.0
    n_candidates: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.n_candidates < 1:
            remedy = "share is 0 to 1, n_candidates at least 1"
            value = f"{self.share}, {self.n_candidates}"
            raise SettingsError("out of range", column="exploration", value=value, remedy=remedy)

    def n_wanted(self, k: int) -> int:
        """Return how many candidates a list of `k` is drawn from.

        Examples
        --------
        >>> Config().n_wanted(10), Config(share=0.1).n_wanted(10)
        (10, 50)
        """
        return max(k, self.n_candidates) if self.share > 0 else k


def explore(slate: Slate, *, k: int, config: Config, seed: int) -> Slate:
    """Return the list that is shown: `k` of the slate's items, each with the chance that it stands there.

    The propensity is None where nothing is left to chance. The same seed and slate id give the same list.
    What a rule of the shop pinned keeps its place, with chance 1, and is drawn nowhere else.

    Parameters
    ----------
    slate
        Best first; `config.n_wanted(k)` items where there are as many.
    seed
        The shop's own.
    """
    if config.share == 0:
        return replace(slate, items=tuple(replace(one, propensity=None) for one in slate.items[:k]))
    k = min(k, len(slate.items))
    pinned = {
        one.rank - 1: replace(one, propensity=1.0) for one in slate.items if one.is_pinned and one.rank <= k
    }
    others = [one for one in slate.items if one.rank - 1 not in pinned]
    n_candidates, n_drawn = len(others), k - len(pinned)
    drawn_K = draw(n_candidates, n_drawn, share=config.share, rng=rng_of(seed, slate.slate_id))
    chances_KN = chances(n_candidates, n_drawn, share=config.share)
    drawn = [
        replace(others[row], propensity=float(chances_KN[place, row]))
        for place, row in enumerate(drawn_K.tolist())
    ]
    items = in_places(pinned, drawn, k=k)
    return replace(slate, items=tuple(replace(one, rank=place) for place, one in enumerate(items, 1)))


def rng_of(seed: int, slate_id: str) -> np.random.Generator:
    """Return the generator of one list, so that what was drawn can be drawn again.

    Examples
    --------
    >>> bool(rng_of(7, "a").random() == rng_of(7, "a").random() != rng_of(7, "b").random())
    True
    """
    digest = blake2b(f"{seed}\0{slate_id}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def draw(n_candidates: int, k: int, *, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return which candidate has each place, int64 (K,); candidates are numbered from the best, 0.

    Examples
    --------
    >>> draw(5, 3, share=0.0, rng=np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """
    left = list(range(n_candidates))
    is_drawn_K = rng.random(k) < share
    any_K = rng.integers(np.arange(n_candidates, n_candidates - k, -1)) if k else np.zeros(0, dtype=np.int64)
    places = [left.pop(int(any_K[place]) if is_drawn_K[place] else 0) for place in range(k)]
    return np.array(places, dtype=np.int64)


@lru_cache(maxsize=256)
def chances(n_candidates: int, k: int, *, share: float) -> Floats:
    """Return the chance that each candidate stands at each place, float64 (K, N); rows sum to 1.

    It is the chance over all lists that could have been drawn, not given the places above. So
    Σ clicks / chance over many lists is unbiased for each pair of item and place.

    Everything above the best candidate left, `g`, is taken; of the N − 1 − g below it, m = place − g are,
    and any m of them as likely as any other. Therefore `g` alone is the state of a small Markov chain.

    Source
    ------
    ε-greedy drawing place by place; weighting by the inverse of such chances as in Horvitz and Thompson,
    A generalization of sampling without replacement, JASA 1952.

    Examples
    --------
    >>> chances(3, 2, share=0.3).round(4).tolist()
    [[0.8, 0.1, 0.1], [0.17, 0.695, 0.135]]
    """
    chances_KN = np.zeros((k, n_candidates))
    best_N = np.zeros(n_candidates)
    best_N[:1] = 1.0
    for place in range(k):
        n_left = n_candidates - place
        of_best, of_other = 1 - share + share / n_left, share / n_left
        following_N = np.zeros(n_candidates)
        for best in np.flatnonzero(best_N).tolist():
            n_below, n_taken = n_candidates - 1 - best, place - best
            chances_KN[place, best] += best_N[best] * of_best
            if n_below:
                chances_KN[place, best + 1 :] += best_N[best] * of_other * (1 - n_taken / n_below)
            following_N[best] += best_N[best] * of_other * (n_left - 1)
            _move(following_N, best, n_taken, best_N[best] * of_best)
        best_N = following_N
    chances_KN.flags.writeable = False
    return chances_KN


def _move(following_N: Floats, best: int, n_taken: int, mass: float) -> None:
    """Add where the best candidate left is once `best` is taken: behind those taken next to it."""
    n_below = len(following_N) - 1 - best
    if n_below <= n_taken:
        return
    ends_here = mass * (n_below - n_taken) / n_below
    for n_next in range(n_taken + 1):
        following_N[best + 1 + n_next] += ends_here
        if n_next < n_taken:
            ends_here *= (n_taken - n_next) / (n_below - n_next - 1)
