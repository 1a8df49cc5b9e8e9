"""The reviews of a live shop: read once each, counted at the next answer, forgotten with their shopper.

The log is asked at each answer what is new, which an index makes a matter of microseconds; how many reviews
it has in all is counted at most once a second, and where it is fewer than are known, somebody was erased or
events expired: what is gone there is forgotten here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from huaxiang.errors import ArtefactError, HuaxiangError
from huaxiang.model.reviews import CatalogueShelves, reader_in
from huaxiang.reviews.base import Reader, Review
from huaxiang.reviews.book import ReviewBook
from huaxiang.reviews.tally import Tally
from huaxiang.store import LoggedEvent, Store
from huaxiang.store.reviews import bought, count_reviews, review_positions, reviews_after

if TYPE_CHECKING:
    from huaxiang.serve.live import LiveShop

LOG = logging.getLogger(__name__)
AT_ONCE = 500
MOST_WAITED_FOR = 2_000
"""Reviews that an answer reads at most before it is given; the rest are read beside requests."""
COUNT_EVERY_S = 1.0


class LiveReviews:
    """What one process has read of a shop's reviews.

    Parameters
    ----------
    reader
        None is the reader that needs nothing.
    """

    def __init__(self, reader: Reader | None = None, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._now_s = now_s
        self._lock = Lock()
        self._book: ReviewBook | None = None
        self._read: dict[int, int] = {}
        self._counted_s = float("-inf")

    def book(self, shop: LiveShop, *, most: int = MOST_WAITED_FOR) -> tuple[ReviewBook, bool]:
        """Return the reviews, and whether all that the log has are in.

        Raises
        ------
        StoreError
            The log can't be reached.
        """
        with self._lock:
            if self._book is None:
                self._book = ReviewBook(CatalogueShelves(shop.serving.model.catalogue), self._made(shop))
            self._book.shelves = CatalogueShelves(shop.serving.model.catalogue)
            is_whole = self._catch_up(self._book, shop.store, shop.shop_id, most)
            self._forget_gone(self._book, shop.store, shop.shop_id)
            return self._book, is_whole

    def tallies(self, item_ids: list[str]) -> dict[str, Tally]:
        """Return the sums of items' reviews as far as they were read; the log is not asked."""
        book = self._book
        return {} if book is None else {item_id: book.tally_of(item_id) for item_id in item_ids}

    def forget(self) -> None:
        """Look at the next answer whether reviews are gone from the log, however lately that was done."""
        self._counted_s = float("-inf")

    def _made(self, shop: LiveShop) -> Reader | None:
        """Return the reader that the model's settings name; the shipped one where that can't be had."""
        try:
            return self._reader or reader_in(shop.serving.model)
        except ArtefactError as error:
            LOG.warning("reviews are read by words alone", extra={"shop": shop.shop_id, "error": str(error)})
            return None

    def _catch_up(self, book: ReviewBook, store: Store, shop_id: str, most: int) -> bool:
        for _ in range(max(1, most // AT_ONCE)):
            with store.read() as tx:
                events = reviews_after(tx, shop_id, self._read, limit=AT_ONCE)
                reviews = _as_reviews(tx, shop_id, events)
            book.add(reviews)
            for one in events:
                part = one.position % store.n_partitions
                self._read[part] = max(self._read.get(part, -1), one.position)
            if len(events) < AT_ONCE:
                return True
        return False

    def _forget_gone(self, book: ReviewBook, store: Store, shop_id: str) -> None:
        if self._now_s() - self._counted_s < COUNT_EVERY_S:
            return
        self._counted_s = self._now_s()
        with store.read() as tx:
            if count_reviews(tx, shop_id) < len(book):
                book.keep_only(review_positions(tx, shop_id))


def _as_reviews(tx: Connection, shop_id: str, events: list[LoggedEvent]) -> list[Review]:
    pairs = [(one.event.shopper_id, -1 if one.item_no is None else one.item_no) for one in events]
    return [
        Review(
            event_id=one.event.event_id,
            shopper_id=one.event.shopper_id,
            item_id=one.event.item_id or "",
            position=one.position,
            rating=one.event.value.rating,
            text=one.event.text,
            occurred_at=one.event.occurred_at,
            is_buyer=is_buyer,
        )
        for one, is_buyer in zip(events, bought(tx, shop_id, pairs), strict=True)
    ]


async def keep_reading(shop: LiveShop, *, every_s: float = 5.0) -> None:
    """Read the reviews that the log has, a few at a time beside requests, so that answers needn't wait."""
    while True:
        try:
            _, is_whole = await asyncio.to_thread(shop.reviews.book, shop, most=AT_ONCE)
        except HuaxiangError as error:
            LOG.warning("reviews wait", extra={"shop": shop.shop_id, "error": type(error).__name__})
            is_whole = True
        await asyncio.sleep(every_s if is_whole else 0.05)
