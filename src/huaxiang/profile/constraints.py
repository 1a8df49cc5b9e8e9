"""What a profile says outright and a list must keep to: price limits, what is wanted, what is refused."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.profile.prices import PRICE_LIMIT, price_limit_of
from huaxiang.records import Profile

LEAST_CONFIDENCE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What the shopper stated or set right.

    Parameters
    ----------
    price_min_minor, price_max_minor
        In minor units of the shop's currency; None is without limit.
    wanted, excluded
        (dimension, value) pairs.

    Examples
    --------
    >>> Constraints().is_empty
    True
    """

    price_min_minor: int | None = None
    price_max_minor: int | None = None
    wanted: frozenset[tuple[str, str]] = frozenset()
    excluded: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was stated."""
        return self == Constraints()


def stated_constraints(profile: Profile) -> Constraints:
    """Return what the profile's stated and corrected facets ask for; faded statements no longer count."""
    said = [
        facet
        for facet in profile.facets
        if facet.source != "inferred" and facet.confidence >= LEAST_CONFIDENCE
    ]
    limits = [
        price_limit_of(facet.value)
        for facet in said
        if facet.dimension == PRICE_LIMIT and facet.side == "liked"
    ]
    limit = next((limit for limit in limits if limit is not None), None)
    pairs = {
        side: frozenset(
            (facet.dimension, facet.value)
            for facet in said
            if facet.side == side and facet.dimension != PRICE_LIMIT
        )
        for side in ("liked", "disliked")
    }
    return Constraints(
        price_min_minor=limit.min_minor if limit else None,
        price_max_minor=limit.max_minor if limit else None,
        wanted=pairs["liked"],
        excluded=pairs["disliked"],
    )
