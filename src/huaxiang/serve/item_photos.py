"""Photos of items and of events: taken before what names them is written, so that no name leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from huaxiang.profile.update import content_hash
from huaxiang.records import Event
from huaxiang.serve.kept_photos import KeptPhotos
from huaxiang.serve.live import LiveShop
from huaxiang.serve.named_photos import MAY_PASS, NamedPhotos, Taken
from huaxiang.serve.wire import Parsed, reject
from huaxiang.serve.wire_fields import RefusedError
from huaxiang.serve.wire_items import ItemChange, RefusedItem
from huaxiang.store import Store
from huaxiang.store.letters import Letter
from huaxiang.store.photos import is_named


async def take_item_photos(
    changes: Sequence[ItemChange],
    photos: NamedPhotos,
    kept: KeptPhotos,
    *,
    known: Mapping[str, Sequence[str]],
) -> tuple[list[ItemChange], list[RefusedItem]]:
    """Return the changes with the names of their photos, and the photos that are left out, with the reason.

    Where none of an item's photos could be taken, those that it has stay.

    Parameters
    ----------
    known
        Item id → names of the photos that it has already, as of a run's own folder: they are no addresses.
    """
    named = [one for change in changes for one in _named(change, known)]
    taken = await photos.take(named, kept)
    ready, refused = [], []
    for change in changes:
        named_here = set(_named(change, known))
        images = change.item.images if change.item is not None else ()
        names = [taken[one].name if one in named_here else one for one in images]
        refused += [
            RefusedItem(change.index, change.item_id, f"images.{place}", taken[one].code, taken[one].message)
            for place, one in enumerate(images)
            if names[place] is None
        ]
        ready.append(_with_images(change, [name for name in names if name is not None]))
    return ready, refused


def _named(change: ItemChange, known: Mapping[str, Sequence[str]]) -> list[str]:
    if change.item is None:
        return []
    return [one for one in change.item.images if one not in known.get(change.item_id, ())]


def _with_images(change: ItemChange, names: Sequence[str]) -> ItemChange:
    if change.item is None or not change.item.images:
        return change
    item = replace(change.item, images=tuple(dict.fromkeys(names)))
    return replace(change, item=item, keeps_images=not names)


async def take_event_photos(parsed: Parsed, photos: NamedPhotos, kept: KeptPhotos) -> dict[str, int]:
    """Give the photos that events name their place here; refuse the events whose photo can't be had.

    Returns
    -------
    outcomes
        Code, or "kept" → how many photos.
    """
    places = [place for place, event in enumerate(parsed.events) if event.image is not None]
    if not places:
        return {}
    taken = await photos.take([parsed.events[place].image or "" for place in places], kept)
    outcomes: dict[str, int] = {}
    for place in reversed(places):
        event = parsed.events[place]
        found = taken[event.image or ""]
        outcomes[found.code or "kept"] = outcomes.get(found.code or "kept", 0) + 1
        if found.name is not None:
            parsed.events[place] = structs.replace(event, image=found.name)
            continue
        _refuse(parsed, parsed.indices.pop(place), parsed.events.pop(place), found)
    return outcomes


def forget_photos(shop: LiveShop, names: Iterable[str]) -> int:
    """Remove those photos that no event and no item names any longer; return how many."""
    return remove_unnamed(shop.store, shop.shop_id, shop.photos, names)


def remove_unnamed(store: Store, shop_id: str, photos: KeptPhotos, names: Iterable[str]) -> int:
    """Remove those photos of a shop that nothing names any longer; return how many."""
    with store.read() as tx:
        unnamed = [one for one in names if not is_named(tx, shop_id, one, content_hash(one))]
    gone = [one for one in unnamed if one in photos]
    for one in gone:
        photos.remove(one)
    return len(gone)


def _refuse(parsed: Parsed, index: int, event: Event, found: Taken) -> None:
    letter = Letter(event=event, reason=found.code) if found.code in MAY_PASS else None
    reject(parsed, index, event.event_id, RefusedError("image", found.code, found.message), letter=letter)
