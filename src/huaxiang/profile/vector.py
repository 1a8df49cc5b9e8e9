"""The universal behavioural profile: at most 512 numbers for any model that wants to know a shopper.

Layout 2, W = 512 = 62 + 2 + 64 + 96 + 128 + 64 + 96:

==========  ======================================================================================
0 – 61      habits: recency, frequency, spend and rhythm (`habits.HABITS`), in standard deviations
            from the shop's other shoppers
62 – 63     outlook: how much likelier, and for how much more, such shoppers bought within 14 days
64 – 127    item factors: what was liked and bought, by what goes together in this shop
128 – 223   categories: log(1 + liking) of the shop's 96 most liked (`Reference.categories`)
224 – 351   long-term direction: all liking events, as they weigh now (mean item vector, unit length)
352 – 415   short-term direction: the same with a half-life of 3 days (of 5 events without times)
416 – 511   facets: confidence · log(1 + lift), signed by side, hashed to 96 places by (dimension, value)
==========  ======================================================================================

Each block is scaled by `WEIGHTS`: a network that sees the vector for the first time follows long numbers
first, and learns noise from many that are as long. Divide by them where each block is to have its own scale.
Item vectors of another width than a block are brought there: narrower ones are padded with zeros, wider ones
pass through a fixed random projection, which keeps cosines. The same state, moment and model always give the
same numbers; a refitted model measures against the shoppers of its own day, so vectors of two models are
compared only through what was learnt from each. `benchmarks/representation.py` measures what can be foretold
from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log1p
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.acts import Acts
from huaxiang.profile.habits import N_HABITS, habits_of, quantities_of
from huaxiang.profile.interests import Things
from huaxiang.profile.own_reviews import REVIEW_ASPECT
from huaxiang.profile.reference import N_CATEGORIES, N_FACTORS, Reference
from huaxiang.profile.state import ProfileState
from huaxiang.profile.values import Values
from huaxiang.records import Facet, Matrix, Vector

LAYOUT = 2
"""Changes whenever a number changes its place or its meaning."""
WIDTH = 512
SHORT_DAYS = 3.0
SHORT_EVENTS = 5.0
SIZES: Mapping[str, int] = MappingProxyType(
    {
        "habits": N_HABITS,
        "outlook": 2,
        "item_factors": N_FACTORS,
        "categories": N_CATEGORIES,
        "long_term": 128,
        "short_term": 64,
        "facets": 96,
    }
)
"""Numbers of each block, in their order."""
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "habits": 0.2,
        "outlook": 4.0,
        "item_factors": 1.0,
        "categories": 4.0,
        "long_term": 4.0,
        "short_term": 0.2,
        "facets": 0.05,
    }
)
"""What each block is multiplied with; chosen on cut dates before those that are reported."""


def places() -> dict[str, slice]:
    """Return where each block stands in the vector.

    Examples
    --------
    >>> places()["outlook"]
    slice(62, 64, None)
    """
    ends = np.cumsum(list(SIZES.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(SIZES.items(), ends, strict=True)}


PLACES = places()


def profile_vector(
    state: ProfileState,
    acts: Acts,
    things: Things,
    facets: Sequence[Facet],
    *,
    reference: Reference,
    values: Values,
    hidden: Collection[int] = (),
) -> Vector:
    """Return the vector of one shopper, float32, (512,).

    Parameters
    ----------
    hidden
        Items of which a state may still have the number and no profile may say anything.
    """
    raw_H = habits_of(state, acts, quantity_E=quantities_of(state), price_I=reference.price_I)
    habits_H = reference.standardised(raw_H)
    blocks = {
        "habits": habits_H,
        "outlook": reference.outlook(habits_H),
        "item_factors": reference.factor_sum(state, acts, hidden=hidden),
        "categories": reference.category_sum(acts, values),
        "facets": _facets(facets),
    }
    if len(things.importance_T):
        long_term = _mean(things.importance_T, things.vectors_TD)
        short_term = _mean(_freshness(acts, things), things.vectors_TD)
        blocks["long_term"] = _narrowed(long_term, SIZES["long_term"])
        blocks["short_term"] = _narrowed(short_term, SIZES["short_term"])
    vector = np.zeros(WIDTH, np.float32)
    for name, numbers in blocks.items():
        vector[PLACES[name]] = WEIGHTS[name] * numbers
    return vector


def _facets(facets: Sequence[Facet]) -> Vector:
    numbers = np.zeros(SIZES["facets"], np.float32)
    for facet in facets:
        if facet.dimension == REVIEW_ASPECT:  # what these numbers foretell was measured without it
            continue
        place, sign = _place(facet.dimension, facet.value, facet.side)
        numbers[place] += sign * facet.confidence * log1p(facet.lift)
    return numbers


def _mean(weight_T: NDArray[np.float64], vectors_TD: Matrix) -> Vector:
    mean = weight_T.astype(np.float32) @ vectors_TD
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def _freshness(acts: Acts, things: Things) -> NDArray[np.float64]:
    """Return the liking weight of each thing with the short half-life."""
    if acts.order_only:
        age_E, half_life = np.arange(len(acts))[::-1], SHORT_EVENTS
    else:
        age_E, half_life = acts.age_E - acts.age_E.min(), SHORT_DAYS
    fresh_E = acts.like_E * np.exp2(-age_E / half_life)
    return np.array([fresh_E[rows].sum() for rows in things.rows_T])


def _narrowed(vector: Vector, width: int) -> Vector:
    if len(vector) > width:
        vector = np.asarray(vector @ _projection(len(vector), width), np.float32)
    return np.asarray(np.pad(vector, (0, width - len(vector))))


@lru_cache(maxsize=8)
def _projection(wide: int, narrow: int) -> Matrix:
    rng = np.random.default_rng(wide)
    return np.asarray(rng.standard_normal((wide, narrow)) / np.sqrt(narrow), np.float32)


@lru_cache(maxsize=1 << 16)
def _place(dimension: str, value: str, side: str) -> tuple[int, float]:
    digest = blake2b(f"{dimension}\0{value}".encode(), digest_size=8).digest()
    sign = 1.0 if digest[0] & 1 else -1.0
    return int.from_bytes(digest[1:], "big") % SIZES["facets"], sign if side == "liked" else -sign
