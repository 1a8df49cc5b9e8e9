"""Every number of the facet arithmetic: what events weigh, how long they count, how sure is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import SettingsError
from huaxiang.profile.sensitive import Config as SensitiveConfig
from huaxiang.records import EVENT_TYPES

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "select_item": 0.1,
        "view_item": 0.15,
        "search": 0.3,
        "add_to_cart": 0.4,
        "add_to_wishlist": 0.6,
        "purchase": 1.0,
        "review": 0.5,
        "rate": 0.7,
        "dislike": 1.0,
        "refund": 1.0,
        "state": 3.0,
    }
)
"""w(type), in purchases. A refund weighs only when the item was not as described, as a dislike."""

HALF_LIFE_DAYS: Mapping[str, float] = MappingProxyType(
    {
        "category": 120.0,
        "brand": 240.0,
        "price_band": 365.0,
        "colour": 180.0,
        "material": 240.0,
        "style": 240.0,
        "image_tag": 120.0,
        "price_limit": 90.0,
    }
)
"""What is needed changes faster than what is liked, and what can be afforded slowest."""

OTHER_HALF_LIFE_DAYS = 180.0

ALPHA: Mapping[str, float] = MappingProxyType({"price_band": 4.0})
"""Used for a dimension whose own alpha the population is too small to show."""

OTHER_ALPHA = 5.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the facets and of the sentences made from them.

    Parameters
    ----------
    weights
        w by event type, in purchases; a type not named keeps the weight of `WEIGHTS`.
    half_life_days
        By dimension, or one number for all; > 0. Longer is steadier, slower to adapt.
    alpha
        Strength of the prior by dimension, in purchases: how many it takes to outweigh what everybody
        likes. None learns it from how much shoppers differ (`Population`), which is the default.
    kappa
        Distinct (item, day)s at which confidence is one half. > 0.
    lift_quantile
        Lift is this quantile of the posterior over the population's share. 0 to 1.
    low_rating, high_rating
        Ratings (1 to 5) at or below the first are dislikes, at or above the second likes.
    neutral_weight
        What a rating between the two keeps of its event's weight.
    statement_events
        How many (item, day)s of confidence one statement in the shopper's own words is worth.
    photo_events
        The same for a photo in which a value is certain.
    facets_per_side
        Values shown per dimension and side.
    evidence_per_facet
        Events named per facet.
    min_confidence
        No sentence is said below it.
    absent_after_days
        Days without an event after which the portrait says so.
    upwards
        Whether facets generalise to the families of categories: sandals and boots to shoes.
    interests
        Largest number of interests. 1 to 5.
    interest_items
        Heaviest items that interests are made from.
    sensitive
        What no profile may be made from.

    Examples
    --------
    >>> Config().half_life("brand"), Config(half_life_days=7.0).half_life("brand")
    (240.0, 7.0)
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    half_life_days: Mapping[str, float] | float = field(default_factory=lambda: dict(HALF_LIFE_DAYS))
    alpha: Mapping[str, float] | float | None = None
    kappa: float = 3.0
    lift_quantile: float = 0.1
    low_rating: float = 2.5
    high_rating: float = 3.5
    neutral_weight: float = 0.3
    statement_events: float = 12.0
    photo_events: float = 3.0
    facets_per_side: int = 5
    evidence_per_facet: int = 3
    min_confidence: float = 0.3
    absent_after_days: float = 60.0
    upwards: bool = False
    interests: int = 5
    interest_items: int = 64
    sensitive: SensitiveConfig = field(default_factory=SensitiveConfig)

    def __post_init__(self) -> None:
        for name in (
            "kappa",
            "statement_events",
            "photo_events",
            "facets_per_side",
            "evidence_per_facet",
            "absent_after_days",
        ):
            _in_range(name, getattr(self, name), 1e-6, 1e6)
        for name in ("lift_quantile", "min_confidence", "neutral_weight"):
            _in_range(name, getattr(self, name), 0, 1)
        _in_range("interests", self.interests, 1, 5)
        _in_range("interest_items", self.interest_items, 1, 256)
        for low in (self.half_life_days, self.alpha):
            for value in low.values() if isinstance(low, Mapping) else () if low is None else (low,):
                _in_range("half_life_days or profile.alpha", value, 1e-6, 1e6)
        _known_types(self.weights)

    def half_life(self, dimension: str) -> float:
        """Return the days until an event counts half in `dimension`."""
        if isinstance(self.half_life_days, Mapping):
            usual = HALF_LIFE_DAYS.get(dimension, OTHER_HALF_LIFE_DAYS)
            return self.half_life_days.get(dimension, usual)
        return float(self.half_life_days)

    def stated_alpha(self, dimension: str) -> float | None:
        """Return the prior's strength where the settings give one."""
        if isinstance(self.alpha, Mapping):
            return self.alpha.get(dimension)
        return self.alpha

    @cached_property
    def type_weights(self) -> NDArray[np.float64]:
        """The weights by event type code, (T,)."""
        weights = {**WEIGHTS, **self.weights}
        return np.array([weights.get(kind.value, 0.0) for kind in EVENT_TYPES])


def default_alpha(dimension: str) -> float:
    """Return the prior's strength where neither settings nor population know better."""
    return ALPHA.get(dimension, OTHER_ALPHA)


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(
            "setting is out of range",
            column=f"profile.{name}",
            value=str(value),
            remedy=f"choose {low:g} to {high:g}",
        )


def _known_types(weights: Mapping[str, float]) -> None:
    known = {kind.value for kind in EVENT_TYPES}
    for name, weight in weights.items():
        if name not in known or weight < 0:
            raise SettingsError(
                "weights are one non-negative number per event type",
                column="profile.weights",
                value=f"{name} = {weight}",
                remedy=f"use {', '.join(sorted(known))}",
            )


DEFAULTS = Config()
"""The settings where none are given; made once, since every profile asks for them."""
