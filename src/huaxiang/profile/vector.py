"""The universal behavioural profile: at most 512 numbers for any model that wants to know a shopper.

Layout, W = 512 = 3 · 128 + 96 + 32:

==========  ======================================================================================
0 – 127     long-term direction: all liking events, as they weigh now (mean item vector, unit length)
128 – 255   short-term direction: the same with a half-life of 3 days (of 5 events without times)
256 – 383   main interest: the vector of the heaviest interest
384 – 479   facets: confidence · log(1 + lift), signed by side, hashed to 96 places by (dimension, value)
480 – 511   activity: see `ACTIVITY`
==========  ======================================================================================

Item vectors of another width than 128 are brought there: narrower ones are padded with zeros, wider ones pass
through a fixed random projection, which keeps cosines. The same state always gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from math import log1p

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.acts import Acts
from huaxiang.profile.interests import Direction, Things
from huaxiang.profile.state import ProfileState
from huaxiang.records import EVENT_TYPES, Facet, Matrix, Vector

WIDTH = 512
BLOCK = 128
N_FACETS = 96
N_ACTIVITY = 32
SHORT_DAYS = 3.0
SHORT_EVENTS = 5.0

ACTIVITY = (
    "events", "orders", "units", "spend", "recency_days", "known_days", "order_gap_days", "distinct_items",
    "likings", "dislikings", "interests", "main_interest", "order_only", "offset_hours", "night", "weekend",
    *(f"share_{kind.value}" for kind in EVENT_TYPES[:16]),
)  # fmt: skip
"""What stands at 480 and after. Counts, sums and days are log(1 + x)."""


def profile_vector(
    state: ProfileState, acts: Acts, things: Things, found: Sequence[Direction], facets: Sequence[Facet]
) -> Vector:
    """Return the vector of one shopper, float32, (512,)."""
    vector = np.zeros(WIDTH, np.float32)
    if len(things.importance_T):
        vector[:BLOCK] = _block(_mean(things.importance_T, things.vectors_TD))
        vector[BLOCK : 2 * BLOCK] = _block(_mean(_freshness(acts, things), things.vectors_TD))
        vector[2 * BLOCK : 3 * BLOCK] = _block(found[0].vector)
    for facet in facets:
        place, sign = _place(facet.dimension, facet.value, facet.side)
        vector[3 * BLOCK + place] += sign * facet.confidence * log1p(facet.lift)
    vector[-N_ACTIVITY:] = _activity(state, acts, found)
    return vector


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


def _block(vector: Vector) -> Vector:
    if len(vector) > BLOCK:
        vector = np.asarray(vector @ _projection(len(vector)), np.float32)
    return np.asarray(np.pad(vector, (0, BLOCK - len(vector))))


@lru_cache(maxsize=4)
def _projection(width: int) -> Matrix:
    rng = np.random.default_rng(width)
    return np.asarray(rng.standard_normal((width, BLOCK)) / np.sqrt(BLOCK), np.float32)


@lru_cache(maxsize=1 << 16)
def _place(dimension: str, value: str, side: str) -> tuple[int, float]:
    digest = blake2b(f"{dimension}\0{value}".encode(), digest_size=8).digest()
    sign = 1.0 if digest[0] & 1 else -1.0
    return int.from_bytes(digest[1:], "big") % N_FACETS, sign if side == "liked" else -sign


def _activity(state: ProfileState, acts: Acts, found: Sequence[Direction]) -> Vector:
    numbers = np.zeros(N_ACTIVITY, np.float32)
    totals = state.totals
    days = 0.0 if state.order_only else (totals.last_seen_ms - totals.first_seen_ms) / 86_400_000
    counts = (
        totals.n_events,
        max(0, totals.n_orders),
        max(0, totals.n_units),
        max(0, totals.spend_minor) / 100,
        float(acts.age_E.min(initial=1e4)) if not state.order_only else 0.0,
        days,
        days / max(1, totals.n_orders),
        len(np.unique(acts.item_E[acts.item_E >= 0])),
        (acts.like_E > 0).sum(),
        (acts.dislike_E > 0).sum(),
        len(found),
    )
    numbers[: len(counts)] = np.log1p(np.asarray(counts, np.float64))
    numbers[11] = found[0].weight if found else 0.0
    numbers[12] = state.order_only
    if len(acts) and not state.order_only:
        numbers[13:16] = _clock(acts)
    if len(acts):
        numbers[16:] = np.bincount(acts.type_E, minlength=17)[:16] / len(acts)
    return numbers


def _clock(acts: Acts) -> tuple[float, float, float]:
    local_ms_E = acts.ms_E + acts.offset_quarters_E * 900_000
    hour_E = local_ms_E // 3_600_000 % 24
    weekday_E = (local_ms_E // 86_400_000 + 3) % 7
    night = float(((hour_E >= 22) | (hour_E < 6)).mean())
    return float(acts.offset_quarters_E[-1]) / 4, night, float((weekday_E >= 5).mean())
