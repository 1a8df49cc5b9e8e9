"""Which settings of a way are worth searching for, and between which bounds; declared beside its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values of one setting that a search draws from.

    Parameters
    ----------
    low, high
        Bounds, both included.
    log
        Equal factors are equally likely, not equal steps; the bounds are then above 0.
    needs_times
        Not searched for where a shop knows only an order: the setting is not read there.
    is_read_late
        Another value needs no other fit: what is fitted is asked again. To be said where fits are slow.
    unset
        What None stands for, where only an order is known and where times are; None where it is no number.
    """

    low: float
    high: float
    log: bool = False
    needs_times: bool = False
    is_read_late: bool = False
    unset: tuple[float, float] | None = None

    def placed(self, value: float | None, *, order_only: bool) -> float | None:
        """Return where in the range a search begins that starts from `value`; None where it has no place.

        Examples
        --------
        >>> Range(low=0, high=1, unset=(0.1, 0.5)).placed(None, order_only=True)
        0.1
        >>> Range(low=1, high=9, log=True).placed(0.0, order_only=True) is None
        True
        """
        if value is None and self.unset is not None:
            value = self.unset[0 if order_only else 1]
        return None if value is None or (self.log and value <= 0) else float(value)

    def at(self, share: float) -> float:
        """Return the value at a share of the way from `low` to `high`.

        Examples
        --------
        >>> Range(low=1, high=100, log=True).at(0.5), Range(low=0, high=1).at(0.25)
        (10.0, 0.25)
        """
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)

    def share_of(self, value: float) -> float:
        """Return what share of the way from `low` to `high` a value is: the other way round than `at`."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def holding(self, value: float) -> Range:
        """Return the range, widened where it lacks `value`: a search never leaves out where it starts."""
        return replace(self, low=min(self.low, value), high=max(self.high, value))


Space = Mapping[str, Range]
"""Setting → the values to search."""

DAYS = Range(low=7.0, high=3650.0, log=True, needs_times=True)
"""Half-lives of a shopper's own events."""


def started(space: Space, config: Any, *, order_only: bool) -> tuple[dict[str, Range], dict[str, float]]:
    """Return what is to be searched from these settings on, and where each search starts.

    Settings that a shop without times does not read are left out, and those whose start has no place in their
    range: who set text_weight to 0 wants no texts to be read.

    Examples
    --------
    >>> from huaxiang.recommend.popular import SPACE, Config
    >>> started(SPACE, Config(), order_only=False)[1], started(SPACE, Config(), order_only=True)[1]
    ({'half_life_days': 7.0}, {})
    """
    wanted = {name: own for name, own in space.items() if not (own.needs_times and order_only)}
    places = {name: own.placed(getattr(config, name), order_only=order_only) for name, own in wanted.items()}
    starts = {name: place for name, place in places.items() if place is not None}
    return {name: wanted[name].holding(start) for name, start in starts.items()}, starts
