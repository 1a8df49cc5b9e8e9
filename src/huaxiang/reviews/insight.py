"""Everything that an item's reviews say, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huaxiang.reviews.base import ReadReview
from huaxiang.reviews.change import Change, Stretch, changes, stretches
from huaxiang.reviews.contrast import Contrast, contrasts
from huaxiang.reviews.costs import Cost, costs_of
from huaxiang.reviews.flags import Flag, flags_of
from huaxiang.reviews.quotes import Quote, quotes_of
from huaxiang.reviews.summary import Said, summary_of
from huaxiang.reviews.tally import AspectSums, Tally

FEW = 5
"""Reviews below which figures are marked as uncertain."""
MOST_ASPECTS = 12
MOST_SUGGESTIONS = 5
LEAST_COMPLAINTS = 2
"""A suggestion takes more than one person's word, where there is more than one person."""
MOST_PHRASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of the item: how many reviews praise and blame it, with sentences of either kind."""

    aspect: str
    sums: AspectSums
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What to better, what it costs now, and who says so; `phrases` are their words, most frequent first."""

    cost: Cost
    phrases: tuple[tuple[str, int], ...]
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One item's reviews.

    Parameters
    ----------
    reader
        What read them.
    category
        Where the item is compared; None for an item without one.
    remarks
        Keys of `wording` that say what is not as it should be.
    """

    item_id: str
    title: str
    reader: str
    tally: Tally
    category: str | None
    sides: tuple[Side, ...]
    stretches: tuple[Stretch, ...]
    changes: tuple[Change, ...]
    contrast: tuple[Contrast, ...]
    category_stars: float | None
    suggestions: tuple[Suggestion, ...]
    flags: tuple[Flag, ...]
    summary: Mapping[str, tuple[Said, ...]]
    remarks: tuple[str, ...] = ()

    @property
    def praised(self) -> tuple[Side, ...]:
        """Sides that more praise than blame, the most praised first."""
        good = [side for side in self.sides if side.sums.n_positive > side.sums.n_negative]
        return tuple(sorted(good, key=lambda side: (-side.sums.n_positive, side.aspect)))

    @property
    def blamed(self) -> tuple[Side, ...]:
        """Sides that somebody blames and no more praise, the most blamed first."""
        bad = [side for side in self.sides if side.sums.n_negative >= max(1, side.sums.n_positive)]
        return tuple(sorted(bad, key=lambda side: (-side.sums.n_negative, side.aspect)))

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON object of `huaxiang reviews --json`."""
        from huaxiang.reviews.shown import insight_json

        return insight_json(self)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What one item's reviews are seen against.

    Parameters
    ----------
    category
        Its name, None for an item without one; `of_category` are the sums of the category's other items.
    usual
        What each complaint takes off a rating in the whole shop.
    alike, of_shoppers
        See `flags_of`.
    """

    category: str | None
    of_category: Tally
    usual: Mapping[str, float]
    alike: Mapping[int, Sequence[ReadReview]]
    of_shoppers: Mapping[str, Sequence[ReadReview]]


def insight_of(
    reviews: Sequence[ReadReview],
    around: Surroundings,
    *,
    item_id: str,
    title: str,
    reader: str,
    language: str | None = None,
) -> Insight:
    """Return what an item's reviews say; none say that there are none.

    Parameters
    ----------
    language
        Of sentences that are quoted, where there are enough in it.
    """
    tally = Tally()
    for one in reviews:
        tally.add(one)
    sides = _sides(reviews, tally, language)
    found_changes = changes(reviews)
    contrast = contrasts(tally, around.of_category)
    suggestions = _suggestions(reviews, around.usual, language)
    category_stars = around.of_category.mean_stars
    return Insight(
        item_id=item_id,
        title=title,
        reader=reader,
        tally=tally,
        category=around.category,
        sides=sides,
        stretches=stretches(reviews),
        changes=found_changes,
        contrast=contrast,
        category_stars=category_stars,
        suggestions=suggestions,
        flags=flags_of(reviews, alike=around.alike, of_shoppers=around.of_shoppers),
        summary=summary_of(reviews, tally, found_changes, contrast, category_stars),
        remarks=_remarks(reviews, tally),
    )


def _sides(reviews: Sequence[ReadReview], tally: Tally, language: str | None) -> tuple[Side, ...]:
    ordered = sorted(tally.aspects.items(), key=lambda pair: (-pair[1].n, pair[0]))
    found = []
    for aspect, sums in ordered[:MOST_ASPECTS]:
        quotes = [
            quote
            for polarity in (1, -1)
            for quote in quotes_of(reviews, aspect, polarity=polarity, most=2, language=language)
        ]
        found.append(Side(aspect=aspect, sums=sums, quotes=tuple(quotes)))
    return tuple(found)


def _suggestions(
    reviews: Sequence[ReadReview], usual: Mapping[str, float], language: str | None
) -> tuple[Suggestion, ...]:
    least = min(LEAST_COMPLAINTS, sum(one.stars is not None for one in reviews) // 3 + 1)
    dear = [cost for cost in costs_of(reviews, usual) if cost.n >= least and cost.cost > 0]
    return tuple(
        Suggestion(
            cost=cost,
            phrases=_phrases(reviews, cost.aspect),
            quotes=quotes_of(reviews, cost.aspect, polarity=-1, language=language),
        )
        for cost in dear[:MOST_SUGGESTIONS]
    )


def _phrases(reviews: Sequence[ReadReview], aspect: str) -> tuple[tuple[str, int], ...]:
    """Return the words in which the complaint is made, each counted once per review."""
    said: Counter[str] = Counter()
    for one in reviews:
        text = one.review.text or ""
        said.update(
            {
                text[m.start : m.end].casefold()
                for m in one.reading.mentions
                if (m.aspect, m.polarity) == (aspect, -1)
            }
        )
    return tuple(sorted(said.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_PHRASES])


def _remarks(reviews: Sequence[ReadReview], tally: Tally) -> tuple[str, ...]:
    if not reviews:
        return ("none",)
    remarks = ["few"] if tally.n_reviews < FEW else []
    remarks += ["no_rating"] if not tally.n_rated else []
    remarks += ["no_words"] if not tally.n_texts else []
    remarks += ["no_times"] if all(one.review.occurred_at is None for one in reviews) else []
    return tuple(remarks)
