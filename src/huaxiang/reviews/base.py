"""What a reader makes of a review, and what every reader promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

MOST_CHARACTERS = 10_000
"""Of a review that are read; what comes after says nothing new of a thing."""


class Mention(NamedTuple):
    """A side of the thing that a text speaks of: `text[start:end]` names it, inside one sentence.

    `polarity` is 1 where it is praised, -1 where it is blamed and 0 where it is only named.
    """

    aspect: str
    polarity: int
    start: int
    end: int
    sentence_start: int
    sentence_end: int


class Reading(NamedTuple):
    """What a text says; `score` is -1 (all blame) to 1 (all praise), 0 where it judges nothing."""

    language: str
    score: float
    mentions: tuple[Mention, ...]

    def judged(self) -> dict[str, int]:
        """Return aspect → 1, 0 or -1: which way most of its mentions point.

        Examples
        --------
        >>> fit = Mention("fit", -1, 0, 4, 0, 20)
        >>> Reading("en", -0.5, (fit, fit, fit._replace(polarity=1))).judged()
        {'fit': -1}
        """
        sums: dict[str, int] = {}
        for mention in self.mentions:
            sums[mention.aspect] = sums.get(mention.aspect, 0) + mention.polarity
        return {aspect: (total > 0) - (total < 0) for aspect, total in sums.items()}


NOTHING_READ = Reading("other", 0.0, ())


class Reader(Protocol):
    """Texts in, readings out."""

    @property
    def name(self) -> str:
        """What it is; readings of two names are never mixed."""
        ...

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text; of one without words `NOTHING_READ`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one shopper wrote or rated of one item.

    Parameters
    ----------
    position
        In the log.
    rating
        1 to 5, None where there is none.
    text
        None for stars alone.
    is_buyer
        Whether the shopper bought it before; None where the shop can't tell.
    """

    event_id: str
    shopper_id: str
    item_id: str
    position: int
    rating: float | None = None
    text: str | None = None
    occurred_at: datetime | None = None
    is_buyer: bool | None = None


class ReadReview(NamedTuple):
    """A review and what was read in it."""

    review: Review
    reading: Reading
    judged: Mapping[str, int]

    @property
    def stars(self) -> float | None:
        """The rating; where there is none, what the words would give: 3 and twice their score."""
        if self.review.rating is not None:
            return self.review.rating
        return 3 + 2 * self.reading.score if self.reading.mentions or self.reading.score else None
