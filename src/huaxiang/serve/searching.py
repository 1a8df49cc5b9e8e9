"""A search in a live shop: for whom, as of when, and what becomes of the query.

A query is an event like any other: it enters the log with its vector, so the next list knows it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

from huaxiang.model import Model
from huaxiang.model.searching import searched
from huaxiang.notes import note
from huaxiang.records import Event, EventType, Slate
from huaxiang.search.base import Query, SearchResult
from huaxiang.serve.kept_photos import QUALITY
from huaxiang.serve.live import LiveShop
from huaxiang.serve.people import Person

PLACEMENT = "search"
PURPOSE = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was found, and who asked."""

    result: SearchResult
    person: Person
    is_refused: bool


def search(shop: LiveShop, shopper_id: str | None, query: Query, *, is_shown: bool = True) -> Answered:
    """Return what answers a query, in the order that suits the shopper where they allow it.

    Somebody of whom nothing is known, and somebody who has not allowed their profile to be read for searches,
    get what everybody gets; `degraded` says so of the latter.

    Parameters
    ----------
    is_shown
        Whether it is going to be shown, so that what comes of it counts.
    """
    with shop.store.read() as tx:
        person = shop.people.nobody() if shopper_id is None else shop.people.find(tx, shopper_id)
        is_refused = person.is_known and not person.consent.get(PURPOSE, False)
        known, notes = (None, ()) if is_refused or not person.is_known else shop.known(tx, person)
    model, now = shop.serving.model, shop.as_of(person)
    profile = None
    if known is not None:
        profile = shop.asked_profile(known, person, now)
    result = searched(model, query, profile, now=now, clock=shop.clock())
    if is_refused:
        notes = (*notes, note("search_unpersonal"))
    result = replace(
        result,
        shopper_id=person.asked,
        slate_id=secrets.token_urlsafe(12),
        degraded=(*result.degraded, *notes),
    )
    if is_shown:
        shop.keep_slate(_slate(result), person, PLACEMENT)
    return Answered(result=result, person=person, is_refused=is_refused)


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as encoders read it."""
    written = BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def warm(model: Model) -> None:
    """Make ready what the first search of a model would wait for: its words, its indexes, two languages."""
    for words in ("warm", "保暖"):
        model.search(words, k=1)


def is_an_event(answered: Answered) -> bool:
    """Return whether a search enters the log: somebody asked, who has not refused it."""
    return bool(answered.person.ids) and not answered.is_refused


def event_of(shop: LiveShop, answered: Answered, query: Query, *, photo: str | None = None) -> Event:
    """Return a search as an event of the shopper: of the words, or of the kept photo where there are none."""
    is_timed = not shop.serving.model.catalogue.order_only
    return Event(
        event_id=f"search-{answered.result.slate_id}",
        shopper_id=answered.person.ids[0],
        type=EventType.SEARCH,
        query=query.text,
        image=photo if query.text is None else None,
        occurred_at=shop.clock() if is_timed else None,
        received_at=shop.clock(),
        context={"placement": PLACEMENT, "slate_id": answered.result.slate_id},
        shop_id=shop.shop_id,
    )


def _slate(result: SearchResult) -> Slate:
    return Slate(
        shopper_id=result.shopper_id,
        model=result.model,
        slate_id=result.slate_id,
        items=result.items,
        degraded=result.degraded,
    )
