"""Letting go of what is old: events by their type, words, lists, dead letters, lines of the audit.

It is done in steps, each a small transaction, so that nobody who writes waits long. What is known of a
shopper changes in the same transaction, so that a state which still counts what is gone is seen to be wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from huaxiang.records import EVENT_TYPES, EventType
from huaxiang.store.audit import expire_lines
from huaxiang.store.connect import Store
from huaxiang.store.contents import events_saying
from huaxiang.store.log import IN_A_STATE, lock_partition, positions
from huaxiang.store.sql import fill, rows_of

KEPT = (EventType.CONSENT, EventType.ALIAS)
"""What was allowed and who is who holds until it is answered otherwise, however long ago that was said."""
WITHOUT_WORDS = (*KEPT, EventType.CORRECT)
WINDOW = 2_000
"""Events that are looked at in one step."""
_HAPPENED = "coalesce(occurred_ms, received_ms)"


@dataclass(frozen=True, kw_only=True)
class Cutoffs:
    """Moments before which things go, in milliseconds since 1970; what isn't named stays.

    Parameters
    ----------
    events
        By `EventType.code`.
    words
        What shoppers wrote and showed: the events stay without it.
    """

    events: Mapping[int, int] = field(default_factory=dict)
    words: int | None = None
    lists: int | None = None
    dead_letters: int | None = None
    audit: int | None = None


@dataclass
class Gone:
    """How much of what is gone, or would go.

    Parameters
    ----------
    shoppers
        Whose events or words were among it.
    photos
        Names of the photos that were shown in them.
    """

    events: Counter[str] = field(default_factory=Counter)
    words: int = 0
    lists: int = 0
    dead_letters: int = 0
    audit: int = 0
    shoppers: set[str] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)

    def add(self, other: Gone) -> None:
        """Count in what one more step let go."""
        self.events.update(other.events)
        self.shoppers |= other.shoppers
        self.photos |= other.photos
        for name in ("words", "lists", "dead_letters", "audit"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def sweep(
    store: Store, shop_id: str, cutoffs: Cutoffs, *, now_ms: int, dry_run: bool = False
) -> Iterator[Gone]:
    """Let go of everything from before the cutoffs; yield after each step, which is then committed.

    Parameters
    ----------
    dry_run
        Only say what would go.
    """
    with store.read() as tx:
        newest = positions(tx, shop_id)
    if cutoffs.events or cutoffs.words is not None:
        for part, last in newest.items():
            for first in range(-1, last, WINDOW * store.n_partitions):
                place = _Place(shop_id, part, first, first + WINDOW * store.n_partitions)
                yield _events_step(store, place, cutoffs, dry_run=dry_run)
    for name in ("lists", "dead_letters", "audit"):
        before_ms = getattr(cutoffs, name)
        if before_ms is not None:
            yield from _others(store, shop_id, name, before_ms, now_ms=now_ms, dry_run=dry_run)


def take_turn(tx: Connection, shop_id: str, *, now_ms: int, every_ms: int) -> bool:
    """Return whether it is time again, and this process the one to do it: no other is told so."""
    query = (
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
        "SET value = excluded.value WHERE CAST(meta.value AS BIGINT) <= ?"
    )
    name, until = f"retention_due:{shop_id}", str(now_ms + every_ms)
    return tx.exec_driver_sql(fill(tx, query), (name, until, now_ms)).rowcount == 1


@dataclass(frozen=True)
class _Place:
    """A part of one partition: after a position, up to another."""

    shop_id: str
    part: int
    after: int
    upto: int

    def rows(self, tx: Connection, columns: str, condition: str, values: Sequence[int]) -> list[Any]:
        query = (
            f"SELECT {columns} FROM events WHERE shop_id = ? AND partition = ? AND position > ? "
            f"AND position <= ? AND {condition}"
        )
        return rows_of(tx, query, self.shop_id, self.part, self.after, self.upto, *values)


def _events_step(store: Store, place: _Place, cutoffs: Cutoffs, *, dry_run: bool) -> Gone:
    gone, said = Gone(), set[int]()
    with store.read() if dry_run else store.begin() as tx:
        if not dry_run:
            lock_partition(tx, place.shop_id, place.part)
        if cutoffs.events:
            said |= _delete_events(tx, place, cutoffs, gone, dry_run=dry_run)
        if cutoffs.words is not None:
            said |= _delete_words(tx, place, cutoffs, gone, dry_run=dry_run)
        if not dry_run:
            _drop_unsaid(tx, place.shop_id, said)
    return gone


def _delete_events(tx: Connection, place: _Place, cutoffs: Cutoffs, gone: Gone, *, dry_run: bool) -> set[int]:
    """Delete events of a part; return the numbers of what was said in them."""
    condition, values = _is_old(cutoffs.events)
    rows = place.rows(tx, "shopper_id, event_key, event_id, type, content, image", condition, values)
    gone.events.update(EVENT_TYPES[row[3]].value for row in rows)
    gone.shoppers.update(row[0] for row in rows)
    gone.photos.update(row[5] for row in rows if row[5])
    if rows and not dry_run:
        delete = "DELETE FROM events WHERE shop_id = ? AND shopper_id = ? AND event_key = ? AND event_id = ?"
        tx.exec_driver_sql(fill(tx, delete), [(place.shop_id, *row[:3]) for row in rows])
        _count_down(tx, place.shop_id, [(row[0], row[3]) for row in rows])
    return {row[4] for row in rows if row[4]}


def _is_old(before_of: Mapping[int, int]) -> tuple[str, list[int]]:
    """Return the condition, and its values, under which an event is older than its type may be."""
    kept = {kind.code for kind in KEPT}
    by_moment: dict[int, list[int]] = {}
    for code, before_ms in sorted(before_of.items()):
        if code not in kept:
            by_moment.setdefault(before_ms, []).append(code)
    parts = [f"(type IN ({', '.join(map(str, codes))}) AND {_HAPPENED} < ?)" for codes in by_moment.values()]
    return f"({' OR '.join(parts)})" if parts else "(1 = 0)", list(by_moment)


def _count_down(tx: Connection, shop_id: str, rows: Sequence[tuple[str, int]]) -> None:
    """Let what is known of shoppers count their events no longer; forget who has none left."""
    n_events = Counter(shopper_id for shopper_id, _ in rows)
    n_in_state = Counter(shopper_id for shopper_id, code in rows if EVENT_TYPES[code] in IN_A_STATE)
    less = (
        "UPDATE shoppers SET n_events = n_events - ?, n_state_events = n_state_events - ? "
        "WHERE shop_id = ? AND shopper_id = ?"
    )
    whose = sorted(n_events)
    tx.exec_driver_sql(fill(tx, less), [(n_events[one], n_in_state[one], shop_id, one) for one in whose])
    nobody = "DELETE FROM shoppers WHERE shop_id = ? AND shopper_id = ? AND n_events = 0 AND group_id IS NULL"
    tx.exec_driver_sql(fill(tx, nobody), [(shop_id, one) for one in whose])


def _delete_words(tx: Connection, place: _Place, cutoffs: Cutoffs, gone: Gone, *, dry_run: bool) -> set[int]:
    """Take the words and photos out of the events of a part; return their numbers."""
    silent = ", ".join(str(kind.code) for kind in WITHOUT_WORDS)
    assert cutoffs.words is not None
    goes_whole, values = _is_old(cutoffs.events)  # which a dry run has left there
    condition = f"content <> 0 AND type NOT IN ({silent}) AND {_HAPPENED} < ? AND NOT {goes_whole}"
    columns = "shopper_id, event_key, event_id, content, image"
    rows = place.rows(tx, columns, condition, [cutoffs.words, *values])
    gone.words += len(rows)
    gone.shoppers.update(row[0] for row in rows)
    gone.photos.update(row[4] for row in rows if row[4])
    if rows and not dry_run:
        take_out = (
            "UPDATE events SET text = NULL, image = NULL, content = 0 "
            "WHERE shop_id = ? AND shopper_id = ? AND event_key = ? AND event_id = ?"
        )
        tx.exec_driver_sql(fill(tx, take_out), [(place.shop_id, *row[:3]) for row in rows])
    return {row[3] for row in rows}


def _drop_unsaid(tx: Connection, shop_id: str, said: set[int]) -> None:
    """Delete the vectors and words of what no event says any more."""
    used = f"SELECT 1 FROM {events_saying(tx)} LIMIT 1"
    unsaid = [(shop_id, number) for number in sorted(said) if not rows_of(tx, used, shop_id, number)]
    if unsaid:
        delete = "DELETE FROM contents WHERE shop_id = ? AND content = ?"
        tx.exec_driver_sql(fill(tx, delete), unsaid)


_TABLES = {
    "lists": ("slates", "slate_id", "shown_ms"),
    "dead_letters": ("dead_letters", "letter_id", "received_ms"),
}


def _others(
    store: Store, shop_id: str, name: str, before_ms: int, *, now_ms: int, dry_run: bool
) -> Iterator[Gone]:
    """Let go of what is no event."""
    if dry_run:
        yield Gone(**{name: _n_old(store, shop_id, name, before_ms)})  # type: ignore[arg-type]
        return
    while True:
        with store.begin() as tx:
            if name == "audit":
                n_gone = expire_lines(tx, shop_id, before_ms=before_ms, now_ms=now_ms, limit=WINDOW)
            else:
                table, key, moment = _TABLES[name]
                delete = (
                    f"DELETE FROM {table} WHERE shop_id = ? AND {key} IN "
                    f"(SELECT {key} FROM {table} WHERE shop_id = ? AND {moment} < ? LIMIT ?)"
                )
                n_gone = tx.exec_driver_sql(fill(tx, delete), (shop_id, shop_id, before_ms, WINDOW)).rowcount
        if not n_gone:
            return
        yield Gone(**{name: n_gone})  # type: ignore[arg-type]


def _n_old(store: Store, shop_id: str, name: str, before_ms: int) -> int:
    table, _, moment = _TABLES.get(name, ("audit", "line", "at_ms"))
    query = f"SELECT count(*) FROM {table} WHERE shop_id = ? AND {moment} < ?"
    with store.read() as tx:
        return int(rows_of(tx, query, shop_id, before_ms)[0][0])
