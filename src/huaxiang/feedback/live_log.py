"""What a service's log says now: what came of the lists, and what is watched for drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection

from huaxiang.feedback.drift import Seen
from huaxiang.feedback.following import Deed, Shown, deed_of
from huaxiang.feedback.outcomes import Config, Outcomes
from huaxiang.feedback.watched import seen_in
from huaxiang.profile.update import milliseconds
from huaxiang.shop.catalogue import Catalogue
from huaxiang.store import LoggedEvent, SlateRow, Store, read_after
from huaxiang.store.log import newest_acts
from huaxiang.store.slates import newest_scores, slates_since

AT_ONCE = 20_000
NEWEST = 50_000
"""Events of the newest part of the log that are looked at for drift, at most."""
NEWEST_LISTS = 2_000


def shown_of(slate: SlateRow, item_no_of: Mapping[str, int]) -> Shown | None:
    """Return a stored list as outcomes know it; None for one of brands or categories.

    Parameters
    ----------
    item_no_of
        Item id → its number in the log.
    """
    if slate.of != "item":
        return None
    chances = tuple(chance for _, _, chance in slate.items if chance is not None)
    return Shown(
        slate_id=slate.slate_id,
        shopper_id=slate.shopper_id,
        model=slate.model,
        placement=slate.placement,
        shown_ms=slate.shown_ms,
        item_nos=tuple(item_no_of.get(item_id, -1) for item_id, _, _ in slate.items),
        propensities=chances if len(chances) == len(slate.items) else (),
    )


def deed_in(logged: LoggedEvent) -> Deed | None:
    """Return what an event of the log may say about lists; None where that is nothing."""
    if logged.excluded:
        return None
    event = logged.event
    return deed_of(
        event,
        item_no=logged.item_no,
        occurred_ms=milliseconds(event.occurred_at) if event.occurred_at else None,
    )


def outcomes_since(
    store: Store,
    shop_id: str,
    *,
    since_ms: int,
    after: Mapping[int, int] | None = None,
    item_no_of: Mapping[str, int],
    config: Config | None = None,
) -> Outcomes:
    """Return what came of the lists that were shown from a moment on.

    Parameters
    ----------
    after
        Partition → position from which on the log is read; None reads all of it.
    """
    with store.read() as tx:
        slates = [shown_of(slate, item_no_of) for slate in slates_since(tx, shop_id, since_ms)]
        events = _events_after(tx, shop_id, dict(after or {}), n_partitions=store.n_partitions)
        deeds = [deed_in(one) for one in events]
    return Outcomes.of(
        [slate for slate in slates if slate is not None],
        [deed for deed in deeds if deed is not None and deed.occurred_ms >= since_ms],
        config=config,
    )


def seen_lately(
    store: Store, shop_id: str, catalogue: Catalogue, *, since_ms: int, row_of_no: Sequence[int] | None = None
) -> Seen:
    """Return what is watched of the events and lists since a moment, over the newest part of the log.

    Parameters
    ----------
    row_of_no
        Row in the catalogue of each item number; None where they are the same.
    """
    n_each = max(1, NEWEST // store.n_partitions)
    with store.read() as tx:
        acts = newest_acts(tx, shop_id, since_ms=since_ms, limit=n_each)
        scores = newest_scores(tx, shop_id, since_ms=since_ms, limit=NEWEST_LISTS)
    numbers = np.array([-1 if number is None else number for _, number in acts], dtype=np.int64)
    return seen_in(
        np.array([kind for kind, _ in acts], dtype=np.int64),
        _rows(numbers, catalogue.n_items, row_of_no),
        catalogue,
        scores=scores,
    )


def _events_after(
    tx: Connection, shop_id: str, after: dict[int, int], *, n_partitions: int
) -> Iterator[LoggedEvent]:
    while found := read_after(tx, shop_id, after, limit=AT_ONCE):
        after |= {one.position % n_partitions: one.position for one in found}
        yield from found


def _rows(numbers: np.ndarray, n_items: int, row_of_no: Sequence[int] | None) -> np.ndarray:
    known = np.arange(n_items) if row_of_no is None else np.asarray(row_of_no)
    rows = np.full(len(numbers), -1, dtype=np.int64)
    is_known = (numbers >= 0) & (numbers < len(known))
    rows[is_known] = known[numbers[is_known]]
    return rows
