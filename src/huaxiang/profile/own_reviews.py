"""What a shopper's own reviews show that they care about: the sides that they praise and blame."""

from __future__ import annotations

from huaxiang.profile.acts import DISLIKED, LIKED
from huaxiang.reviews.lexicon import aspects
from huaxiang.reviews.rules import RuleReader

REVIEW_ASPECT = "review_aspect"
"""The dimension whose values are the aspects that the shipped reader knows."""

Sides = tuple[tuple[str, int], ...]
"""Aspects and on which side each is."""


def aspect_values() -> tuple[str, ...]:
    """Return the values of the dimension."""
    return aspects()


def sides_of(text: str) -> Sides:
    """Return the aspects that a review praises or blames, and on which side each is.

    It is always the shipped reader that reads: a profile is the same whichever models a shop has.

    Examples
    --------
    >>> sides_of("Lovely colour, but it runs small.")
    (('colour', 0), ('fit', 1))
    """
    [reading] = RuleReader().read([text])
    return tuple(
        (aspect, DISLIKED if polarity < 0 else LIKED)
        for aspect, polarity in reading.judged().items()
        if polarity
    )
