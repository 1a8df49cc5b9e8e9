"""A run enters the log of a service, once: its items, then every event with the shoppers' ids hashed.

Done again after it was interrupted, it adds only what is missing: the log takes each event once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from huaxiang.model import Model
from huaxiang.profile.update import content_hash, content_of, event_key
from huaxiang.records import Event, Item, Text
from huaxiang.serve.pseudonyms import Pseudonyms
from huaxiang.shop.event_records import event_records
from huaxiang.store import Content, LoggedEvent, Store, add_contents, append, put_items

AT_ONCE = 20_000
Progress = Callable[[str, int, int], None]


def import_items(store: Store, shop_id: str, model: Model) -> None:
    """Let the log number the items of a run: those that it lacks, in the order of the run."""
    with store.begin() as tx:
        put_items(tx, shop_id, item_records(model))


def import_events(
    store: Store, shop_id: str, model: Model, pseudonyms: Pseudonyms, *, progress: Progress
) -> int:
    """Let the log take the events of a run; return how many it did not have yet."""
    n_new, total = 0, len(model.shop.events)
    hashed = lru_cache(maxsize=None)(lambda shopper_id: pseudonyms.of(shop_id, shopper_id))
    for start in range(0, total, AT_ONCE):
        events = event_records(model.shop, start, start + AT_ONCE, shopper=hashed, shop_id=shop_id)
        logged = [_logged(event, model) for event in events]
        with store.begin() as tx:
            n_new += sum(append(tx, shop_id, logged).is_new)
        progress("import events", min(start + AT_ONCE, total), total)
    _import_contents(store, shop_id, model)
    return n_new


def item_records(model: Model) -> list[Item]:
    """Return the items of a run, in the order of its rows."""
    shop = model.shop
    items = shop.items.to_dicts()
    return [
        Item(
            item_id=item["item_id"],
            group_id=item["group_id"],
            texts={
                code: Text(
                    title=item[f"title_{code}"] or "", description=item.get(f"description_{code}") or ""
                )
                for code in shop.languages
                if item[f"title_{code}"] or item.get(f"description_{code}")
            },
            price_minor=item["price_minor"],
            currency=item["currency"],
            images=(item["image"],) if item.get("image") else (),
            in_stock=item["in_stock"],
            valid_from=item["valid_from"],
        )
        for item in items
    ]


def imported_states(model: Model, shop_id: str, pseudonyms: Pseudonyms) -> Iterator[tuple[str, int, bytes]]:
    """Yield every shopper's hash and state as the run built it: the same bytes as from the log, and sooner.

    The position is 0, before any event that comes later; a reader compares counts with the log anyway.
    """
    for shopper_id in model.states.shopper_ids:
        yield pseudonyms.of(shop_id, shopper_id), 0, model.states.state(shopper_id).to_bytes()


def _logged(event: Event, model: Model) -> LoggedEvent:
    row = None if event.item_id is None else model.catalogue.row_of[event.item_id]
    return LoggedEvent(
        event=event,
        event_key=event_key(event.event_id),
        item_no=row,
        content=content_hash(content_of(event)),
    )


def _import_contents(store: Store, shop_id: str, model: Model) -> None:
    contents = model.contents
    rows = [
        Content(content=number, space=model.space, kind=kind, said=said, vector=contents.vector(number))
        for kind, known in (("text", contents.texts), ("photo", contents.images))
        for number, said in known.items()
    ]
    for start in range(0, len(rows), AT_ONCE):
        with store.begin() as tx:
            add_contents(tx, shop_id, rows[start : start + AT_ONCE])
