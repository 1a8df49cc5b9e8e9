"""The catalogue that is served follows the store: whoever changed an item, all lists are right soon.

Changes of stock and price are taken in first, and all at once. Words and photos have to be read: that is
done ahead, a few at a time, and what was read is taken in together. So a long feed holds up no "sold out".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError
from huaxiang.model import Model
from huaxiang.serve.item_readers import ItemReaders
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.letters import retry_mended
from huaxiang.serve.live import LiveShop
from huaxiang.serve.reading_ahead import key_of
from huaxiang.serve.serving import Serving
from huaxiang.store import StoredItem, items_after, newest_change
from huaxiang.store.letters import count_letters

if TYPE_CHECKING:
    from huaxiang.serve.service import Service

LOG = logging.getLogger(__name__)
MOST_READ_BEFORE = 2048
"""Items whose words or photos are read at once before a model is served, when nobody waits for a change."""
LETTERS_S = 10.0
"""Seconds between looks for letters that an item of another process has mended meanwhile."""


def caught_up(shop: LiveShop, serving: Serving) -> Serving:
    """Return what is served with every change to the items that the store has."""
    while waiting := _waiting(shop, serving):
        in_order = sorted(waiting, key=lambda one: (one.change, one.item_no))
        serving = _with(shop, serving, in_order[:MOST_READ_BEFORE], in_order[MOST_READ_BEFORE:])
    return serving


def catch_up(shop: LiveShop) -> bool:
    """Take the next step towards serving all changes; return whether there are more.

    A single change is taken in, and so are all changes of stock and price. Only where there are none, a few
    words and photos are read, and with the last of them, or when they are enough, what was read is taken in.
    """
    serving = shop.serving
    waiting = _waiting(shop, serving)
    plain, described = shop.ahead.parted(serving.model, waiting)
    now = plain or shop.ahead.read(shop, serving.model, described)
    if not now:
        return bool(waiting)
    started, taken = time.perf_counter(), {key_of(one) for one in now}
    later = [one for one in waiting if key_of(one) not in taken]
    with shop.swapping:
        if shop.serving is not serving:  # another version took its place meanwhile
            return True
        shop.serving = _with(shop, serving, now, later)
    if not plain:
        shop.ahead.took_in(time.perf_counter() - started)
    return bool(later)


def _waiting(shop: LiveShop, serving: Serving) -> list[StoredItem]:
    """Return the changes in the store that are not served."""
    with shop.store.read() as tx:
        found = items_after(tx, shop.shop_id, serving.change)
    return [one for one in found if key_of(one) not in serving.ahead]


def _with(
    shop: LiveShop, serving: Serving, now: Sequence[StoredItem], later: Sequence[StoredItem]
) -> Serving:
    """Return what is served with some of the changes that wait; others come later."""
    shop.renumber()
    model = _changed(shop, serving.model, now)
    ahead = serving.ahead | {key_of(one) for one in now}
    change = min(one.change for one in later) - 1 if later else max(at for _, at in ahead)
    return Serving.of(
        model,
        dict(shop.item_no_of),
        change=change,
        ahead=frozenset((number, at) for number, at in ahead if at > change),
    )


def changed(model: Model, changes: Sequence[StoredItem], photos: KeptPhotos, readers: ItemReaders) -> Model:
    """Return the model with some changes, ready for its first request."""
    deleted = [one.item.item_id for one in changes if one.is_deleted]
    items = [one.item for one in changes]
    changed = model.with_items(items, removed=deleted, photos=photos, readers=readers.of(model))
    assert changed.shelf.catalogue.row_of is not None  # made here, and not while somebody waits
    if changed.rules is not None:
        changed.rules.on(changed.goods)
    return changed


def _changed(shop: LiveShop, model: Model, changes: Sequence[StoredItem]) -> Model:
    """Return the model with some changes; an item that can't be taken in doesn't keep out the others."""
    try:
        return changed(model, changes, shop.photos, shop.item_readers)
    except Exception as error:  # whatever it is, the catalogue must not stand still for one item
        if len(changes) > 1:
            for one in changes:
                model = _changed(shop, model, [one])
            return model
        LOG.error("an item can't be listed", extra={"item": changes[0].item.item_id}, exc_info=error)
        return model


async def keep_caught_up(service: Service, shop: LiveShop) -> None:
    """Serve for ever the items as the store has them, and retry the letters that waited for one."""
    letters_s = 0.0
    while True:
        try:
            is_new = await asyncio.to_thread(_look, shop)
            if is_new or service.now_s() > letters_s:
                await retry_mended(service, shop)
                await asyncio.to_thread(_count_letters, service, shop)
                letters_s = service.now_s() + LETTERS_S
            while is_new:
                started = time.perf_counter()
                is_new = await asyncio.to_thread(catch_up, shop)
                service.metrics.catalogue_s.observe(time.perf_counter() - started)
        except HuaxiangError as error:
            LOG.warning("the catalogue is behind the store", extra={"error": str(error)})
        with suppress(TimeoutError):
            await asyncio.wait_for(shop.items_changed.wait(), shop.settings.poll_s)
        shop.items_changed.clear()


def _count_letters(service: Service, shop: LiveShop) -> None:
    with shop.store.read() as tx:
        service.metrics.letters_waiting.labels(shop.shop_id).set(count_letters(tx, shop.shop_id))


def _look(shop: LiveShop) -> bool:
    """Return whether the store has changes that are not served."""
    with shop.store.read() as tx:
        newest = newest_change(tx, shop.shop_id)
    if newest > shop.numbers_change:
        shop.renumber()
    return newest > shop.serving.change
