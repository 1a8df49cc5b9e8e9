"""Dead letters from the command line: beside a running service, or without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.letters import AT_ONCE, Retried, names_photo, retry
from huaxiang.serve.named_photos import pictures_of, take_photo
from huaxiang.serve.privacy import Privacy
from huaxiang.serve.process import Process
from huaxiang.serve.start import pseudonyms_of
from huaxiang.store import Store, open_store
from huaxiang.store.letters import Chosen, drop_letters, letters_by_reason, letters_of


def known_letters(process: Process, *, shop_id: str, chosen: Chosen, limit: int) -> dict[str, Any]:
    """Return a shop's dead letters, the oldest first, and how many there are for each reason."""
    with _opened(process) as store, store.read() as tx:
        letters = letters_of(tx, shop_id, chosen, limit=limit)
        return {
            "letters": [one.as_json() for one in letters],
            "by_reason": dict(letters_by_reason(tx, shop_id)),
        }


def retry_by_hand(process: Process, *, shop_id: str, chosen: Chosen) -> dict[str, object]:
    """Let events enter the log where the reason has passed; a running service knows them at once."""
    with _opened(process) as store:
        subject = Privacy(pseudonyms_of(process, store), lambda shop: None).subject
        pictures = pictures_of(process.settings)
        kept = KeptPhotos(process.live_folder(shop_id) / "photos")
        with store.read() as tx:
            letters = letters_of(tx, shop_id, chosen, limit=process.settings.limits.dead_letters)
        done = Retried()
        for start in range(0, len(letters), AT_ONCE):
            part = letters[start : start + AT_ONCE]
            named = {one.event.image for one in part if names_photo(one) and one.event.image}
            photos = {one: take_photo(pictures, one, kept) for one in sorted(named)}
            with store.begin() as tx:
                done = done.then(retry(tx, shop_id, part, subject=subject, photos=photos))
        return done.as_json()


def drop_by_hand(process: Process, *, shop_id: str, chosen: Chosen) -> int:
    """Forget dead letters for good; return how many."""
    with _opened(process) as store, store.begin() as tx:
        return drop_letters(tx, shop_id, chosen)


@contextmanager
def _opened(process: Process) -> Iterator[Store]:
    store = open_store(process.where.store)
    try:
        yield store
    finally:
        store.close()
