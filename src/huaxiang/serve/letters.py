"""Dead letters: events that could not be taken yet wait here, and enter the log once the reason has passed.

An event enters with its own id, in one transaction with the end of its letter: so it is in the log once,
whoever retries it how often.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs
from sqlalchemy import Connection

from huaxiang.errors import BusyError
from huaxiang.records import Event
from huaxiang.serve.live import LiveShop, as_logged
from huaxiang.serve.named_photos import Taken
from huaxiang.serve.wire import UNKNOWN_ITEM, Parsed
from huaxiang.serve.writer import Subject, erased_among
from huaxiang.store import Appended, LoggedEvent, append, items_of
from huaxiang.store.letters import Chosen, Letter, drop_letters, letters_of, mended_letters, put_letters

if TYPE_CHECKING:
    from huaxiang.serve.service import Service

LOG = logging.getLogger(__name__)
AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Retried:
    """What became of letters.

    Parameters
    ----------
    n_accepted
        Now in the log.
    n_duplicates
        Were there already: the sender had sent them again.
    n_dropped
        Of shoppers who were erased since.
    left
        Whose reason hasn't passed; they stay.
    """

    n_accepted: int = 0
    n_duplicates: int = 0
    n_dropped: int = 0
    left: tuple[Letter, ...] = ()
    entered: tuple[Sequence[LoggedEvent], Appended] = field(
        default=((), Appended([], [], [], [])), repr=False
    )

    def then(self, later: Retried) -> Retried:
        """Return the sum of this and what was retried after it."""
        return Retried(
            n_accepted=self.n_accepted + later.n_accepted,
            n_duplicates=self.n_duplicates + later.n_duplicates,
            n_dropped=self.n_dropped + later.n_dropped,
            left=self.left + later.left,
        )

    def as_json(self) -> dict[str, object]:
        """Return it as the answer and the command show it."""
        return {
            "accepted": self.n_accepted,
            "duplicates": self.n_duplicates,
            "dropped": self.n_dropped,
            "left": len(self.left),
        }


def retry(
    tx: Connection,
    shop_id: str,
    letters: Sequence[Letter],
    *,
    subject: Subject,
    photos: Mapping[str, Taken] | None = None,
) -> Retried:
    """Let the events of letters enter the log where their reason has passed; the letters of those end.

    Parameters
    ----------
    subject
        What stands for erased shoppers: events from before their erasure are dropped.
    photos
        What became of the photos that the events name.
    """
    stored = items_of(tx, shop_id, [one.event.item_id for one in letters if one.event.item_id is not None])
    ready: list[tuple[Letter, LoggedEvent]] = []
    left = []
    for letter in letters:
        event = _with_photo(letter, photos or {})
        if event is None or (event.item_id is not None and event.item_id not in stored):
            left.append(letter)
            continue
        number = None if event.item_id is None else stored[event.item_id].item_no
        ready.append((letter, as_logged(event, number)))
    logged = [one for _, one in ready]
    appended = append(tx, shop_id, logged, erased=erased_among(tx, shop_id, logged, subject))
    drop_letters(tx, shop_id, Chosen(letter_ids=[letter.letter_id for letter, _ in ready]))
    n_new, n_dropped = sum(appended.is_new), sum(appended.dropped)
    return Retried(
        n_accepted=n_new,
        n_duplicates=len(ready) - n_new - n_dropped,
        n_dropped=n_dropped,
        left=tuple(left),
        entered=(logged, appended),
    )


def names_photo(letter: Letter) -> bool:
    """Return whether a letter waits for its photo."""
    return letter.reason != UNKNOWN_ITEM and letter.event.image is not None


def _with_photo(letter: Letter, photos: Mapping[str, Taken]) -> Event | None:
    """Return the event with the photo that is kept by now; None while there is none."""
    if not names_photo(letter):
        return letter.event
    taken = photos.get(letter.event.image or "")
    return None if taken is None or taken.name is None else structs.replace(letter.event, image=taken.name)


async def keep_letters(service: Service, shop: LiveShop, parsed: Parsed) -> None:
    """Keep the refused events of a request whose reason may pass, and say so where that can't be."""
    if not parsed.letters:
        return
    most = shop.settings.limits.dead_letters
    try:
        keep = partial(put_letters, shop_id=shop.shop_id, letters=parsed.letters, most=most)
        n_dropped = await asyncio.wrap_future(service.writer.run(keep))
    except BusyError:
        parsed.rejected[:] = [replace(one, is_kept=False) for one in parsed.rejected]
        return
    count = service.metrics.letters.labels
    count(shop.shop_id, "kept").inc(len(parsed.letters))
    if n_dropped:
        count(shop.shop_id, "dropped").inc(n_dropped)
        LOG.warning("the oldest dead letters made room", extra={"shop": shop.shop_id, "letters": n_dropped})


async def retry_chosen(service: Service, shop: LiveShop, chosen: Chosen) -> Retried:
    """Retry letters, the oldest first."""
    with shop.store.read() as tx:
        letters = letters_of(tx, shop.shop_id, chosen, limit=shop.settings.limits.dead_letters)
    done = Retried()
    for start in range(0, len(letters), AT_ONCE):
        done = done.then(await _retry(service, shop, letters[start : start + AT_ONCE]))
    return done


async def retry_mended(service: Service, shop: LiveShop) -> None:
    """Retry the letters whose item the shop has by now."""
    while True:
        with shop.store.read() as tx:
            letters = mended_letters(tx, shop.shop_id, limit=AT_ONCE)
        if letters:
            done = await _retry(service, shop, letters)
            LOG.info("events were taken, their items are there", extra=done.as_json())
        if len(letters) < AT_ONCE:
            return


async def _retry(service: Service, shop: LiveShop, letters: Sequence[Letter]) -> Retried:
    named = [letter.event.image or "" for letter in letters if names_photo(letter)]
    photos = await service.photos.take(named, shop.photos)
    shop.renumber()
    done = await asyncio.wrap_future(
        service.writer.run(
            partial(
                retry, shop_id=shop.shop_id, letters=letters, subject=service.privacy.subject, photos=photos
            ),
            after=lambda done: shop.entered(*done.entered),
        )
    )
    for outcome, n in (("mended", done.n_accepted + done.n_duplicates), ("erased", done.n_dropped)):
        if n:
            service.metrics.letters.labels(shop.shop_id, outcome).inc(n)
    return done
