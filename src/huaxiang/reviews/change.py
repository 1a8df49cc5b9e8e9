"""How an item's reviews change over time: the mean of each stretch, and whether the newest differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt

from huaxiang.reviews.base import ReadReview

MOST_STRETCHES = 12
STEPS_DAYS = (7, 14, 30, 91, 182, 365)
"""Lengths that a stretch may have; the shortest is taken with which they are not too many."""
NEWEST_SHARE = 1 / 3
"""Of the time in which reviews came: what counts as new."""
FEWEST = 5
"""Reviews before and since that a change can be told from."""
SURE = 2.0
"""Standard errors from which a difference is a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time: `from` inclusive, `until` exclusive; `blamed` says how many blame each side."""

    starts_at: datetime
    ends_at: datetime
    n: int
    mean_stars: float | None
    blamed: dict[str, int]
    praised: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure before and since a moment; `aspect` is None for the stars, else the share that blame it."""

    aspect: str | None
    since: datetime
    before: float
    after: float
    n_before: int
    n_after: int


def stretches(reviews: Sequence[ReadReview]) -> tuple[Stretch, ...]:
    """Return the reviews in stretches of equal length, oldest first; none where nothing has a time."""
    timed = _timed(reviews)
    if not timed:
        return ()
    first, last = timed[0][0], timed[-1][0]
    days = next((d for d in STEPS_DAYS if (last - first).days < d * MOST_STRETCHES), STEPS_DAYS[-1])
    step = timedelta(days=max(days, (last - first).days // MOST_STRETCHES + 1 if days == 365 else 0))
    begin = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[list[ReadReview]] = [[] for _ in range((last - begin) // step + 1)]
    for moment, one in timed:
        found[(moment - begin) // step].append(one)
    return tuple(_stretch(begin + n * step, step, inside) for n, inside in enumerate(found))


def _stretch(start: datetime, step: timedelta, inside: Sequence[ReadReview]) -> Stretch:
    stars = [value for one in inside if (value := one.stars) is not None]
    blamed: dict[str, int] = {}
    praised: dict[str, int] = {}
    for one in inside:
        for aspect, polarity in one.judged.items():
            if polarity:
                counted = blamed if polarity < 0 else praised
                counted[aspect] = counted.get(aspect, 0) + 1
    mean = sum(stars) / len(stars) if stars else None
    return Stretch(
        starts_at=start, ends_at=start + step, n=len(inside), mean_stars=mean, blamed=blamed, praised=praised
    )


def changes(reviews: Sequence[ReadReview]) -> tuple[Change, ...]:
    """Return what is surely different in the newest third of the time: the stars first, then complaints."""
    timed = _timed(reviews)
    if len(timed) < 2 * FEWEST:
        return ()
    first, last = timed[0][0], timed[-1][0]
    since = last - (last - first) * NEWEST_SHARE
    before = [one for moment, one in timed if moment < since]
    after = [one for moment, one in timed if moment >= since]
    if min(len(before), len(after)) < FEWEST:
        return ()
    found = [_change(None, since, [_stars(before), _stars(after)])]
    blamed = {a for one in [*before, *after] for a, polarity in one.judged.items() if polarity < 0}
    for aspect in sorted(blamed):
        shares = [[float(one.judged.get(aspect, 0) < 0) for one in part] for part in (before, after)]
        found.append(_change(aspect, since, shares))
    sure = [one for one in found if one is not None]
    return tuple(sorted(sure, key=lambda one: (one.aspect is not None, -abs(one.after - one.before))))


def _change(aspect: str | None, since: datetime, parts: Sequence[Sequence[float]]) -> Change | None:
    """Return the change, or None where it may be chance (two means, each with its own spread: Welch)."""
    if min(map(len, parts)) < FEWEST:
        return None
    means = [sum(part) / len(part) for part in parts]
    least = 0.02 if aspect is not None else 0.05
    spreads = [
        max(sum((x - mean) ** 2 for x in part) / (len(part) - 1), least) / len(part)
        for part, mean in zip(parts, means, strict=True)
    ]
    if abs(means[1] - means[0]) < SURE * sqrt(sum(spreads)):
        return None
    return Change(
        aspect=aspect,
        since=since,
        before=means[0],
        after=means[1],
        n_before=len(parts[0]),
        n_after=len(parts[1]),
    )


def _stars(reviews: Sequence[ReadReview]) -> list[float]:
    return [stars for one in reviews if (stars := one.stars) is not None]


def _timed(reviews: Sequence[ReadReview]) -> list[tuple[datetime, ReadReview]]:
    timed = [(one.review.occurred_at, one) for one in reviews if one.review.occurred_at is not None]
    return sorted(timed, key=lambda pair: (pair[0], pair[1].review.position))
