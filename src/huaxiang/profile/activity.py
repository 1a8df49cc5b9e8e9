"""How recently, how often and for how much: what a state says about a shopper's habits, not their taste."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.profile.state import CHANNELS, ProfileState, StateEvent
from huaxiang.profile.update import milliseconds
from huaxiang.records import Activity

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
QUARTER_MS = 900_000

UNKNOWN = "unknown"
LIFECYCLE = ("new", "active", "loyal", "at_risk", "lapsed", UNKNOWN)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the lifecycle and of the active hours.

    A shopper's *rhythm* is how long they usually stay away: a high quantile of the days between their visits.

    Parameters
    ----------
    rhythm_quantile
        Which quantile of the shopper's own gaps, 0 to 1.
    shortest_rhythm_days, longest_rhythm_days
        Between these the rhythm is kept, so that one busy week makes nobody look lost a week later.
    usual_rhythm_days
        Rhythm of those with fewer than `fewest_gaps` gaps.
    lapsed_after_rhythms
        Absent longer than one rhythm is at risk, longer than this many is lapsed. > 1.
    loyal_orders
        Orders that make a shopper loyal while they keep coming. >= 1.
    hour_lift
        An hour is active when it has this many times its even share of the events, and at least two. > 0.
    """

    rhythm_quantile: float = 0.9
    shortest_rhythm_days: float = 14.0
    longest_rhythm_days: float = 180.0
    usual_rhythm_days: float = 45.0
    fewest_gaps: int = 3
    lapsed_after_rhythms: float = 3.0
    loyal_orders: int = 4
    hour_lift: float = 2.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        allowed = {
            "rhythm_quantile": (0 <= self.rhythm_quantile <= 1, "between 0 and 1"),
            "shortest_rhythm_days": (
                0 < self.shortest_rhythm_days <= self.longest_rhythm_days,
                "above 0 and at most longest_rhythm_days",
            ),
            "usual_rhythm_days": (self.usual_rhythm_days > 0, "above 0"),
            "fewest_gaps": (self.fewest_gaps >= 1, "at least 1"),
            "lapsed_after_rhythms": (self.lapsed_after_rhythms > 1, "above 1"),
            "loyal_orders": (self.loyal_orders >= 1, "at least 1"),
            "hour_lift": (self.hour_lift > 0, "above 0"),
        }
        for name, (is_fine, wanted) in allowed.items():
            if not is_fine:
                value = str(getattr(self, name))
                raise SettingsError(
                    "setting out of range", column=name, value=value, remedy=f"make it {wanted}"
                )


_DEFAULTS = Config()


def activity_of(
    state: ProfileState, *, now: datetime | None, currency: str | None = None, config: Config | None = None
) -> Activity | None:
    """Return a shopper's habits as of `now`, None for one who has done nothing.

    Where the shop knows only an order, all that needs times is absent and the lifecycle is "unknown".

    Parameters
    ----------
    now
        None counts from the newest event.
    """
    events, totals = state.events(), state.totals
    if not events:
        return None
    is_timed = not state.order_only
    now_ms = milliseconds(now) if is_timed and now is not None else totals.last_seen_ms
    absent_days = max(0, now_ms - totals.last_seen_ms) / DAY_MS
    config = config or _DEFAULTS
    ms_E = np.array([event.occurred_ms for event in events], np.int64)
    return Activity(
        first_seen=_moment(totals.first_seen_ms) if is_timed else None,
        last_seen=_moment(totals.last_seen_ms) if is_timed else None,
        recency_days=absent_days if is_timed else None,
        n_orders=totals.n_orders,
        n_units=totals.n_units,
        spend_minor=totals.spend_minor,
        currency=currency,
        lifecycle=_lifecycle(state, ms_E, absent_days, config) if is_timed else UNKNOWN,
        active_hours=active_hours(events, config=config) if is_timed else (),
        channels=_channels(events),
    )


def _lifecycle(state: ProfileState, ms_E: NDArray[np.int64], absent_days: float, config: Config) -> str:
    """Return where the shopper stands: first by how long they are absent, then by how much they bought.

    lapsed    absent longer than `lapsed_after_rhythms` rhythms
    at_risk   absent longer than one rhythm
    loyal     neither, and at least `loyal_orders` orders
    new       neither, with a first visit no longer ago than a rhythm, and on at most two days
    active    everyone else
    """
    days = np.unique(ms_E // DAY_MS).tolist()
    rhythm_days = _rhythm_days(days, config)
    known_days = absent_days + (state.totals.last_seen_ms - state.totals.first_seen_ms) / DAY_MS
    if absent_days > config.lapsed_after_rhythms * rhythm_days:
        return "lapsed"
    if absent_days > rhythm_days:
        return "at_risk"
    if state.totals.n_orders >= config.loyal_orders:
        return "loyal"
    return "new" if len(days) <= 2 and known_days <= rhythm_days else "active"


def _rhythm_days(days: Sequence[int], config: Config) -> float:
    """Return how many days the shopper usually stays away at most."""
    gaps = sorted(later - earlier for earlier, later in zip(days, days[1:], strict=False))
    if len(gaps) < config.fewest_gaps:
        return config.usual_rhythm_days
    usual = gaps[round(config.rhythm_quantile * (len(gaps) - 1))]
    return min(max(usual, config.shortest_rhythm_days), config.longest_rhythm_days)


def active_hours(events: Sequence[StateEvent], *, config: Config | None = None) -> tuple[int, ...]:
    """Return the hours of the shopper's own clock, 0 to 23, in which they are here most.

    Empty where all events stand at midnight: then the shop knows days, not hours.

    Examples
    --------
    >>> evening = [StateEvent(day * DAY_MS + 12 * HOUR_MS, 1, 2, offset_quarters=32) for day in range(3)]
    >>> active_hours(evening)
    (20,)
    """
    ms_E = np.array([event.occurred_ms for event in events], np.int64)
    if not (ms_E % DAY_MS).any():
        return ()
    offset_E = np.array([event.offset_quarters for event in events], np.int64) * QUARTER_MS
    counts = np.bincount((ms_E + offset_E) // HOUR_MS % 24, minlength=24)
    least = max(2.0, (config or _DEFAULTS).hour_lift * len(events) / 24)
    return tuple(np.flatnonzero(counts >= least).tolist())


def _channels(events: Sequence[StateEvent]) -> Mapping[str, float]:
    """Return each channel's share of the events whose channel is known, most used first."""
    counts = Counter([event.channel for event in events if event.channel])
    return {CHANNELS[channel]: n / counts.total() for channel, n in counts.most_common()}


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
