"""How often each side of an item is praised and blamed, with which ratings: sums that add and subtract."""

from __future__ import annotations

from dataclasses import dataclass, field

from huaxiang.reviews.base import ReadReview

POSITIVE_FROM = 0.2
"""Score from which a text without a rating counts as praise; below its negative as blame."""


@dataclass
class AspectSums:
    """Reviews that praise, blame or only name one side, and the stars of each of the three."""

    n_positive: int = 0
    n_negative: int = 0
    n_neutral: int = 0
    stars_positive: float = 0.0
    stars_negative: float = 0.0

    @property
    def n(self) -> int:
        """Reviews that speak of it."""
        return self.n_positive + self.n_negative + self.n_neutral

    def add(self, polarity: int, stars: float, *, times: int = 1) -> None:
        """Count one review, or with `times=-1` take it away."""
        if polarity > 0:
            self.n_positive += times
            self.stars_positive += times * stars
        elif polarity < 0:
            self.n_negative += times
            self.stars_negative += times * stars
        else:
            self.n_neutral += times

    def plus(self, other: AspectSums, *, times: int = 1) -> None:
        """Add another's sums, or with `times=-1` take them away."""
        self.n_positive += times * other.n_positive
        self.n_negative += times * other.n_negative
        self.n_neutral += times * other.n_neutral
        self.stars_positive += times * other.stars_positive
        self.stars_negative += times * other.stars_negative


@dataclass
class Tally:
    """Sums over reviews of an item, of a category or of a shop.

    Examples
    --------
    >>> tally = Tally()
    >>> tally.n_reviews, tally.mean_stars
    (0, None)
    """

    n_reviews: int = 0
    n_texts: int = 0
    n_rated: int = 0
    rating_sum: float = 0.0
    n_starred: int = 0
    stars_sum: float = 0.0
    moods: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Reviews that are negative, neutral and positive."""
    stars: list[int] = field(default_factory=lambda: [0] * 5)
    """Ratings of 1 to 5, rounded."""
    aspects: dict[str, AspectSums] = field(default_factory=dict)

    @property
    def mean_stars(self) -> float | None:
        """Mean of the ratings; of texts without one, what their words would give."""
        return self.stars_sum / self.n_starred if self.n_starred else None

    @property
    def mean_rating(self) -> float | None:
        """Mean of the ratings that were given."""
        return self.rating_sum / self.n_rated if self.n_rated else None

    def add(self, read: ReadReview, *, times: int = 1) -> None:
        """Count a review, or with `times=-1` take it away."""
        rating, stars = read.review.rating, read.stars
        self.n_reviews += times
        self.n_texts += times * bool(read.review.text)
        if rating is not None:
            self.n_rated += times
            self.rating_sum += times * rating
            self.stars[min(max(round(rating), 1), 5) - 1] += times
        if stars is not None:
            self.n_starred += times
            self.stars_sum += times * stars
        self.moods[mood_of(read) + 1] += times
        for aspect, polarity in read.judged.items():
            self.aspects.setdefault(aspect, AspectSums()).add(polarity, stars or 0.0, times=times)

    def plus(self, other: Tally, *, times: int = 1) -> None:
        """Add another's sums, or with `times=-1` take them away."""
        for name in ("n_reviews", "n_texts", "n_rated", "rating_sum", "n_starred", "stars_sum"):
            setattr(self, name, getattr(self, name) + times * getattr(other, name))
        self.moods = [own + times * more for own, more in zip(self.moods, other.moods, strict=True)]
        self.stars = [own + times * more for own, more in zip(self.stars, other.stars, strict=True)]
        for aspect, sums in other.aspects.items():
            self.aspects.setdefault(aspect, AspectSums()).plus(sums, times=times)


def mood_of(read: ReadReview) -> int:
    """Return 1 for a good review, -1 for a bad one, 0 in between: by its rating, else by its words."""
    rating = read.review.rating
    if rating is not None:
        return (rating > 3.5) - (rating < 2.5)
    return (read.reading.score >= POSITIVE_FROM) - (read.reading.score <= -POSITIVE_FROM)
