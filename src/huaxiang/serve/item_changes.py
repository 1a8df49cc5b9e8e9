"""Changes of items enter the store: in their order, each on what the one before left, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from huaxiang.records import Item
from huaxiang.serve.wire_fields import RefusedError
from huaxiang.serve.wire_items import ItemChange, RefusedItem, refusal
from huaxiang.shop.item_records import is_silent
from huaxiang.store import items_of, lock_items, newest_change, put_items


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An item as it was before or is after a change; deleted ones stay, since events name them."""

    item: Item
    is_deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of changes.

    Parameters
    ----------
    n_accepted
        Changes that hold now, also those that changed nothing.
    change
        Number of the newest change to the shop's items.
    numbers
        Id → number of the items that were written.
    """

    n_accepted: int
    rejected: tuple[RefusedItem, ...]
    change: int
    numbers: dict[str, int]


def write_changes(tx: Connection, shop_id: str, changes: Sequence[ItemChange]) -> Written:
    """Write changes, but for those of items that the shop lacks; what stays as it was is not written."""
    lock_items(tx, shop_id)
    found = items_of(tx, shop_id, [change.item_id for change in changes])
    before = {
        item_id: Kept(item=stored.item, is_deleted=stored.is_deleted) for item_id, stored in found.items()
    }
    after, rejected = dict(before), []
    for change in changes:
        try:
            after[change.item_id] = changed(after.get(change.item_id), change)
        except RefusedError as refused:
            rejected.append(refusal(change.index, change.item_id, refused))
    differing = [kept for item_id, kept in after.items() if kept != before.get(item_id)]
    gone = [kept.item.item_id for kept in differing if kept.is_deleted]
    numbers = put_items(tx, shop_id, [kept.item for kept in differing], deleted=gone) if differing else {}
    return Written(
        n_accepted=len(changes) - len(rejected),
        rejected=tuple(rejected),
        change=newest_change(tx, shop_id),
        numbers=numbers,
    )


def changed(before: Kept | None, change: ItemChange) -> Kept:
    """Return an item after a change.

    An upsert replaces the record. Of what tells an item's kind (category, brand, attributes) a record that
    names none of the three keeps what it had; the same holds for photos.

    Raises
    ------
    RefusedError
        There is no such item whose part could be changed, or that could be deleted.

    Examples
    --------
    >>> sold_out = ItemChange(index=0, item_id="mug", parts={"in_stock": False})
    >>> changed(Kept(item=Item(item_id="mug", brand="Acme")), sold_out).item.in_stock
    False
    """
    if change.item is not None:
        return Kept(item=change.item if before is None else _keeping(before.item, change))
    if before is None:
        raise RefusedError("item_id", "unknown_item", "the catalogue has no such item; upsert it first")
    if change.is_deleted:
        return replace(before, is_deleted=True)
    if before.is_deleted:
        raise RefusedError("item_id", "deleted_item", "the item was deleted; an upsert brings it back")
    return Kept(item=replace(before.item, **change.parts))  # type: ignore[arg-type]


def _keeping(before: Item, change: ItemChange) -> Item:
    assert change.item is not None
    item = change.item
    if is_silent(item):
        item = replace(item, category=before.category, brand=before.brand, attributes=before.attributes)
    return replace(item, images=before.images) if change.keeps_images else item
