"""What of a service's log may be learnt from, as the tables that fitting takes.

Left out are events that were marked as no shopper's, and everybody who refuses to be learnt from, under any
of their ids. Ids that were joined become one shopper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import orjson
import polars as pl
from sqlalchemy import Connection

from huaxiang.errors import InputError
from huaxiang.profile.update import milliseconds
from huaxiang.records import Vector
from huaxiang.shop.base import EVENT_COLUMNS, Accounting, Shop
from huaxiang.shop.event_records import event_row
from huaxiang.shop.item_records import with_items
from huaxiang.store import Head, LoggedEvent, Store, newest_change, positions, read_after
from huaxiang.store.contents import vectors_in
from huaxiang.store.erasure import erased_at
from huaxiang.store.items import StoredItem, items_after
from huaxiang.store.withdrawn import joined_or_asked

PURPOSE = "train"
AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Up to where a log is read: partition → newest position, so that what is stopped can be read again."""

    positions: Mapping[int, int]

    @classmethod
    def of(cls, tx: Connection, shop_id: str) -> Cut:
        """Return the log as it is now."""
        return cls(positions=positions(tx, shop_id))

    def as_json(self) -> dict[str, int]:
        """Return what `from_json` reads back."""
        return {str(part): position for part, position in sorted(self.positions.items())}

    @classmethod
    def from_json(cls, said: Mapping[str, int]) -> Cut:
        """Return what `as_json` wrote."""
        return cls(positions={int(part): int(position) for part, position in said.items()})


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """A shop as its log and its numbered items tell it.

    Parameters
    ----------
    n_read, n_excluded, n_refused, n_old
        Events of the log; those marked as no shopper's; those of shoppers who refuse; those that are too old.
    n_shoppers_refused, n_erased
        Shoppers who refuse to be learnt from, and who were erased.
    withdrawn
        Differs whenever somebody else has refused or was erased: weights learnt before are then not to be
        carried over. Empty where there is nobody.
    erased
        As `erased_now` named them when the log was read.
    said
        Vectors of what shoppers wrote and showed, where the service has read it, by the content's number.
    """

    shop: Shop
    n_read: int
    n_excluded: int
    n_refused: int
    n_old: int
    n_shoppers_refused: int
    n_erased: int
    withdrawn: str
    erased: str
    said: Mapping[int, Vector] = field(repr=False)


def read_training_log(
    store: Store,
    shop_id: str,
    like: Shop,
    *,
    allowed: bool,
    until: Cut,
    since_ms: int = 0,
    space: str = "",
) -> TrainingLog:
    """Return what may be learnt from.

    Parameters
    ----------
    like
        The shop of the model in place: its languages, currency, photos, and what it states about its items.
    allowed
        Whether those may be learnt from who were never asked.
    until
        Positions after these are left for another time.
    since_ms
        Events that occurred before this moment may not be learnt from.
    space
        Of the vectors of words and photos that the model in place reads.

    Raises
    ------
    InputError
        The items of `like` are numbered otherwise in the log.
    """
    with store.read() as tx:
        items, change = items_after(tx, shop_id, 0), newest_change(tx, shop_id)
        _check_numbers(like, items)
        people = Allowing.of(joined_or_asked(tx, shop_id), purpose=PURPOSE, allowed=allowed)
        erased = _erased(tx, shop_id)
        part = _Part(until, since_ms, people, store.n_partitions)
        counts, events, numbers = _read_events(tx, shop_id, part)
        vectors = vectors_in(tx, shop_id, space)
    withdrawn = _digest([*people.refusing, *erased])
    state = orjson.dumps([until.as_json(), change, withdrawn, *([since_ms] if since_ms else [])]).decode()
    deleted = [one.item.item_id for one in items if one.is_deleted]
    shop = replace(
        with_items(like, [one.item for one in items], deleted=deleted),
        events=events,
        quarantine=like.quarantine.clear(),
        accounting=Accounting(lines_read=len(events), n_events=len(events), set_aside={}, quarantined={}),
        fingerprint=_digest([shop_id, state]),
    )
    return TrainingLog(
        shop=shop,
        n_read=counts["read"],
        n_excluded=counts["excluded"],
        n_refused=counts["refused"],
        n_old=counts["old"],
        n_shoppers_refused=len(people.refusing),
        n_erased=len(erased),
        withdrawn=withdrawn,
        erased=_digest(erased),
        said={number: vector for number, vector in vectors.items() if number in numbers},
    )


def withdrawn_now(store: Store, shop_id: str, *, allowed: bool) -> str:
    """Return what `TrainingLog.withdrawn` would be now: nobody may have withdrawn while a model learnt."""
    with store.read() as tx:
        people = Allowing.of(joined_or_asked(tx, shop_id), purpose=PURPOSE, allowed=allowed)
        return _digest([*people.refusing, *_erased(tx, shop_id)])


def erased_now(store: Store, shop_id: str) -> str:
    """Return a name of everybody who was erased; it differs whenever somebody else was. Empty for nobody."""
    with store.read() as tx:
        return _digest(_erased(tx, shop_id))


@dataclass(frozen=True)
class _Part:
    """What of the log is read."""

    until: Cut
    since_ms: int
    people: Allowing
    n_partitions: int

    def has(self, one: LoggedEvent) -> bool:
        return one.position <= self.until.positions.get(one.position % self.n_partitions, -1)

    def is_old(self, one: LoggedEvent) -> bool:
        moment = one.event.occurred_at or one.event.received_at
        return moment is not None and milliseconds(moment) < self.since_ms


def _read_events(tx: Connection, shop_id: str, part: _Part) -> tuple[Counter[str], pl.DataFrame, set[int]]:
    counts: Counter[str] = Counter()
    numbers: set[int] = set()
    parts = [pl.DataFrame(schema=EVENT_COLUMNS)]
    after: dict[int, int] = {}
    while found := read_after(tx, shop_id, after, limit=AT_ONCE):
        batch = [one for one in found if part.has(one)]
        if not batch:
            break
        after |= {one.position % part.n_partitions: one.position for one in batch}
        shown = [one for one in batch if not one.excluded]
        asked = [one for one in shown if part.people.may_learn_from(one.event.shopper_id)]
        kept = [one for one in asked if not part.is_old(one)]
        counts.update(read=len(batch), excluded=len(batch) - len(shown))
        counts.update(refused=len(shown) - len(asked), old=len(asked) - len(kept))
        parts.append(_table(kept, part.people))
        numbers.update(one.content for one in kept if one.content)
    return counts, pl.concat(parts), numbers


def _erased(tx: Connection, shop_id: str) -> list[str]:
    return sorted(f"{subject} {at_ms}" for subject, at_ms in erased_at(tx, shop_id).items())


@dataclass(frozen=True)
class Allowing:
    """Which id stands for whom, and who has allowed one purpose, under any of their ids.

    Parameters
    ----------
    refusing
        Who has refused.
    allowed
        What holds for those who were never asked.
    """

    group_of: Mapping[str, str]
    refusing: Sequence[str]
    answered: Mapping[str, bool]
    allowed: bool

    @classmethod
    def of(cls, heads: Sequence[Head], *, purpose: str, allowed: bool) -> Allowing:
        """Return it from what is known of the ids that were joined or asked."""
        group_of = {head.shopper_id: head.group_id for head in heads if head.group_id is not None}
        answered: dict[str, bool] = {}
        for head in heads:
            answer = head.consent.get(purpose)
            if answer is not None:
                who = group_of.get(head.shopper_id, head.shopper_id)
                answered[who] = bool(answer["allowed"]) and answered.get(who, True)
        refusing = sorted(who for who, is_allowed in answered.items() if not is_allowed)
        return cls(group_of, refusing, answered, allowed)

    def one_id(self, shopper_id: str) -> str:
        """Return the same for all ids of one shopper."""
        return self.group_of.get(shopper_id, shopper_id)

    def may_learn_from(self, shopper_id: str) -> bool:
        """Return whether a shopper has allowed it."""
        return self.answered.get(self.one_id(shopper_id), self.allowed)


def _check_numbers(like: Shop, items: Sequence[StoredItem]) -> None:
    """Raise where rows of the model are no item numbers: what it learnt would be of other items."""
    ids = [one.item.item_id for one in items]
    is_dense = [one.item_no for one in items] == list(range(len(items)))
    if not is_dense or like.items["item_id"].to_list() != ids[: len(like.items)]:
        raise InputError(
            "the run's items are numbered otherwise in the log",
            remedy="build the run again from the shop's own files, and serve that",
        )


def _table(events: Sequence[LoggedEvent], people: Allowing) -> pl.DataFrame:
    rows = [
        event_row(one.event, item_row=one.item_no, new_order=one.new_order)
        | {"shopper_id": people.one_id(one.event.shopper_id)}
        for one in events
    ]
    return pl.DataFrame(rows, schema=EVENT_COLUMNS, infer_schema_length=None)


def _digest(parts: Sequence[str]) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest() if parts else ""
