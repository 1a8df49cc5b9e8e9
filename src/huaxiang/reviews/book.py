"""What was read of every item, kept as reviews come and go.

Each review is read once. An item's sums, its category's and the shop's are added to when a review comes and
subtracted from when one is erased, so that an answer costs what the item's own reviews cost, however many
the shop has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import Protocol

from huaxiang.reviews.base import Reader, Reading, ReadReview, Review
from huaxiang.reviews.costs import usual_drops
from huaxiang.reviews.flags import text_key
from huaxiang.reviews.insight import Insight, Surroundings, insight_of
from huaxiang.reviews.rules import RuleReader
from huaxiang.reviews.tally import Tally

MOST_KEPT = 512
"""Answers that are kept until the shop's reviews change."""


class Shelves(Protocol):
    """Where items belong and what they are called; nothing else of the catalogue is read."""

    def category(self, item_id: str) -> str | None:
        """Return the category that the item is compared in."""
        ...

    def title(self, item_id: str, *, language: str) -> str:
        """Return the item's title."""
        ...


class ReviewBook:
    """The reviews of a shop, read.

    Parameters
    ----------
    shelves
        Knows categories and titles.
    reader
        None is the reader that needs nothing.

    Examples
    --------
    >>> class OneShelf:
    ...     def category(self, item_id): return "dresses"
    ...     def title(self, item_id, *, language): return "Dress"
    >>> book = ReviewBook(OneShelf())
    >>> said = dict(shopper_id="ann", item_id="d-1", rating=2.0, text="It runs small.")
    >>> book.add([Review(event_id="e1", position=0, **said)])
    >>> book.insight("d-1").tally.aspects["fit"].n_negative
    1
    >>> book.keep_only(set())
    >>> book.insight("d-1").tally.n_reviews
    0
    """

    def __init__(self, shelves: Shelves, reader: Reader | None = None) -> None:
        self.shelves = shelves
        self.reader = reader or RuleReader()
        self._lock = RLock()
        self._reviews: dict[int, ReadReview] = {}
        self._of_item: dict[str, dict[int, ReadReview]] = defaultdict(dict)
        self._of_shopper: dict[str, dict[int, ReadReview]] = defaultdict(dict)
        self._alike: dict[int, dict[int, ReadReview]] = defaultdict(dict)
        self._item_sums: dict[str, Tally] = defaultdict(Tally)
        self._category_sums: dict[str | None, Tally] = defaultdict(Tally)
        self._category_of: dict[str, str | None] = {}
        self._shop = Tally()
        self._kept: dict[tuple[str, str | None], Insight] = {}

    def __len__(self) -> int:
        return len(self._reviews)

    @property
    def positions(self) -> frozenset[int]:
        """Positions of the reviews that are in it."""
        return frozenset(self._reviews)

    def add(self, reviews: Sequence[Review], readings: Sequence[Reading] | None = None) -> None:
        """Read reviews and count them; one that is there already is left alone.

        Parameters
        ----------
        readings
            What was read of them before; None reads them now.
        """
        new = [row for row, review in enumerate(reviews) if review.position not in self._reviews]
        if not new:
            return
        if readings is None:
            read = self.reader.read([reviews[row].text or "" for row in new])
        else:
            read = [readings[row] for row in new]
        with self._lock:
            for row, reading in zip(new, read, strict=True):
                if reviews[row].position not in self._reviews:
                    self._count(ReadReview(reviews[row], reading, reading.judged()))
            self._kept.clear()

    def _count(self, read: ReadReview, *, times: int = 1) -> None:
        review = read.review
        category = self._category_of.setdefault(review.item_id, self.shelves.category(review.item_id))
        key = text_key(review.text)
        places: list[dict[int, ReadReview]] = [
            self._reviews,
            self._of_item[review.item_id],
            self._of_shopper[review.shopper_id],
            *([self._alike[key]] if key else []),
        ]
        for place in places:
            if times > 0:
                place[review.position] = read
            else:
                place.pop(review.position, None)
        for tally in (self._item_sums[review.item_id], self._category_sums[category], self._shop):
            tally.add(read, times=times)

    def keep_only(self, positions: Iterable[int]) -> None:
        """Forget every review that is no longer in the log."""
        kept = set(positions)
        with self._lock:
            for position in [one for one in self._reviews if one not in kept]:
                self._count(self._reviews[position], times=-1)
            self._of_shopper = defaultdict(dict, {k: v for k, v in self._of_shopper.items() if v})
            self._alike = defaultdict(dict, {k: v for k, v in self._alike.items() if v})
            self._kept.clear()

    def reviews_of(self, item_id: str) -> list[ReadReview]:
        """Return an item's reviews in the order of the log."""
        with self._lock:
            return [read for _, read in sorted(self._of_item.get(item_id, {}).items())]

    def items(self) -> list[str]:
        """Return the items with reviews, the most reviewed first."""
        with self._lock:
            counted = [(-tally.n_reviews, item_id) for item_id, tally in self._item_sums.items()]
        return [item_id for n, item_id in sorted(counted) if n]

    def tally_of(self, item_id: str) -> Tally:
        """Return an item's sums; those of nothing for one without reviews."""
        return self._item_sums.get(item_id) or Tally()

    def insight(self, item_id: str, *, language: str | None = None) -> Insight:
        """Return what an item's reviews say; of an item without reviews that there are none."""
        with self._lock:
            if (item_id, language) not in self._kept:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[item_id, language] = self._insight(item_id, language)
            return self._kept[item_id, language]

    def _insight(self, item_id: str, language: str | None) -> Insight:
        reviews = self.reviews_of(item_id)
        return insight_of(
            reviews,
            self._around(item_id, reviews),
            item_id=item_id,
            title=self.shelves.title(item_id, language=language or "en"),
            reader=self.reader.name,
            language=language,
        )

    def _around(self, item_id: str, reviews: Sequence[ReadReview]) -> Surroundings:
        category = self._category_of.get(item_id) or self.shelves.category(item_id)
        others = Tally()
        if category is not None and category in self._category_sums:
            others.plus(self._category_sums[category])
            others.plus(self.tally_of(item_id), times=-1)
        keys = {key for one in reviews if (key := text_key(one.review.text))}
        shoppers = {one.review.shopper_id for one in reviews}
        return Surroundings(
            category=category,
            of_category=others,
            usual=usual_drops(self._shop),
            alike={key: _in_order(self._alike.get(key, {})) for key in keys},
            of_shoppers={one: _in_order(self._of_shopper.get(one, {})) for one in shoppers},
        )


def _in_order(reviews: Mapping[int, ReadReview]) -> list[ReadReview]:
    return [read for _, read in sorted(reviews.items())]
