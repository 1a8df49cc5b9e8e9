"""A handful of reviews, small enough to count by eye."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from huaxiang.reviews.base import ReadReview, Review
from huaxiang.reviews.book import ReviewBook
from huaxiang.reviews.rules import RuleReader

START = datetime(2025, 1, 1, tzinfo=UTC)
POSITIONS = count()


class Shelves:
    """Dresses and mugs: an item's category is its first letter."""

    def category(self, item_id: str) -> str | None:
        return {"d": "dresses", "m": "mugs"}.get(item_id[0])

    def title(self, item_id: str, *, language: str) -> str:
        return f"Item {item_id}"


def review(
    text: str | None = None,
    rating: float | None = None,
    *,
    item: str = "d1",
    day: float = 0,
    shopper: str | None = None,
    is_buyer: bool | None = None,
) -> Review:
    """Return a review of its own event and, where nobody is named, of its own shopper."""
    number = next(POSITIONS)
    return Review(
        event_id=f"e{number}",
        shopper_id=shopper or f"s{number}",
        item_id=item,
        position=number,
        rating=rating,
        text=text,
        occurred_at=START + timedelta(days=day),
        is_buyer=is_buyer,
    )


def read(*reviews: Review) -> list[ReadReview]:
    """Return reviews as the shipped reader reads them."""
    readings = RuleReader().read([one.text or "" for one in reviews])
    return [ReadReview(one, said, said.judged()) for one, said in zip(reviews, readings, strict=True)]


def book_of(*reviews: Review) -> ReviewBook:
    """Return a book with these reviews."""
    book = ReviewBook(Shelves())
    book.add(reviews)
    return book
