"""The catalogue that is served follows the store: whoever changed an item, all lists are right soon.

Changes of stock and price are taken in first, and all at once. Words and photos have to be read, so what
changed in more than that comes in parts, and a long feed of new items holds up no "sold out".
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
from huaxiang.serve.serving import Serving
from huaxiang.shop.changed import changed_items
from huaxiang.store import StoredItem, items_after, newest_change
from huaxiang.store.letters import count_letters

if TYPE_CHECKING:
    from huaxiang.serve.service import Service

LOG = logging.getLogger(__name__)
LEAST_READ, MOST_READ = 4, 64
"""Items whose words or photos are read before changes of stock and price have their turn again."""
STEP_S = (0.2, 0.4)
"""So long should that take: between these, the number stays as it is."""
MOST_READ_BEFORE = 2048
"""The same before a model is served, when nobody waits for a change."""
LETTERS_S = 10.0
"""Seconds between looks for letters that an item of another process has mended meanwhile."""


def caught_up(shop: LiveShop, serving: Serving) -> Serving:
    """Return what is served with every change to the items that the store has."""
    is_behind = True
    while is_behind:
        serving, is_behind = one_step(shop, serving, most=MOST_READ_BEFORE)
    return serving


def catch_up(shop: LiveShop) -> bool:
    """Serve the next part of the changes; return whether there are more."""
    started = time.perf_counter()
    with shop.swapping:
        shop.serving, is_behind = one_step(shop, shop.serving, most=shop.n_read_at_once)
    if is_behind:
        shop.n_read_at_once = next_number(shop.n_read_at_once, took_s=time.perf_counter() - started)
    return is_behind


def next_number(n_read: int, *, took_s: float) -> int:
    """Return how many items to read next, after some took so long.

    Examples
    --------
    >>> next_number(16, took_s=0.9), next_number(16, took_s=0.3), next_number(64, took_s=0.1)
    (8, 16, 64)
    """
    if took_s > STEP_S[1]:
        return max(LEAST_READ, n_read // 2)
    return min(MOST_READ, n_read * 2) if took_s < STEP_S[0] else n_read


def one_step(shop: LiveShop, serving: Serving, *, most: int) -> tuple[Serving, bool]:
    """Return what is served with a part of the changes that wait, and whether there are more."""
    with shop.store.read() as tx:
        found = items_after(tx, shop.shop_id, serving.change)
    waiting = [one for one in found if (one.item_no, one.change) not in serving.ahead]
    if not waiting:
        return serving, False
    shop.renumber()
    now, later = next_part(serving.model, waiting, most=most)
    model = _changed(shop, serving.model, now)
    change = later[0].change - 1 if later else max(one.change for one in found)
    ahead = serving.ahead | {(one.item_no, one.change) for one in now}
    return Serving.of(
        model,
        dict(shop.item_no_of),
        change=change,
        ahead=frozenset((number, at) for number, at in ahead if at > change),
    ), bool(later)


def next_part(
    model: Model, waiting: Sequence[StoredItem], *, most: int
) -> tuple[Sequence[StoredItem], Sequence[StoredItem]]:
    """Return the changes to take in now, and those for later in the order in which they were made.

    Now are all that need no reading; only where there are none, a few for which words or photos are read.
    """
    if len(waiting) == 1:
        return waiting, []
    change = changed_items(model.shop, [one.item for one in waiting])
    ids = change.shop.items["item_id"]
    described = {ids[row] for row in change.described.tolist()}
    in_order = sorted(waiting, key=lambda one: (one.change, one.item_no))
    to_read = [one for one in in_order if one.item.item_id in described]
    if len(to_read) < len(waiting):
        return [one for one in waiting if one.item.item_id not in described], to_read
    return to_read[:most], to_read[most:]


def with_changes(
    model: Model, changes: Sequence[StoredItem], photos: KeptPhotos, readers: ItemReaders
) -> Model:
    """Return the model with some changes, ready for its first request."""
    deleted = [one.item.item_id for one in changes if one.is_deleted]
    items = [one.item for one in changes]
    changed = model.with_items(items, removed=deleted, photos=photos, readers=readers.of(model))
    assert changed.shelf.catalogue.row_of is not None  # made here, and not while somebody waits
    return changed


def _changed(shop: LiveShop, model: Model, changes: Sequence[StoredItem]) -> Model:
    """Return the model with some changes; an item that can't be taken in doesn't keep out the others."""
    try:
        return with_changes(model, changes, shop.photos, shop.item_readers)
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
