"""The log: events in, each once, at positions that no reader can skip.

Position numbers are given under the lock of the shopper's partition, which is held until the commit. So a
reader that has seen a position has seen everything before it in that partition.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from huaxiang.records import EVENT_TYPES, LIGHT_TYPES, STRONG_TYPES, Event, EventType, Value
from huaxiang.store.base import Appended, LoggedEvent
from huaxiang.store.schema import events as EVENTS  # noqa: N812 - a table, and `events` is what is written
from huaxiang.store.shoppers import Seen, note_shoppers
from huaxiang.store.sql import fill, insert_rows, is_postgresql, rows_of

N_PARTITIONS = {"sqlite": 1, "postgresql": 8}
IN_A_STATE = STRONG_TYPES | LIGHT_TYPES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_COLUMNS = (
    "shop_id shopper_id event_key event_id partition position type item_no item_id text image content "
    "occurred_ms received_ms quantity price_minor currency rating session_id order_id new_order "
    "utc_offset_minutes slate_id context excluded"
).split()
_SELECT = f"SELECT {', '.join(f'e.{name}' for name in _COLUMNS)} FROM events e"
SEARCH, PURCHASE = EventType.SEARCH, EventType.PURCHASE


def partition_of(shopper_id: str, n_partitions: int) -> int:
    """Return the partition of a shopper, the same for ever.

    Examples
    --------
    >>> partition_of("ann", 1), 0 <= partition_of("ann", 8) < 8
    (0, True)
    """
    return zlib.crc32(shopper_id.encode("utf-8", "surrogatepass")) % n_partitions


def named_in(event: Event) -> tuple[str, ...]:
    """Return the ids that an event is about: its shopper's, and the one that an alias joins.

    Examples
    --------
    >>> joined = Event(event_id="1", shopper_id="ann", type=EventType.ALIAS, context={"other": "visitor"})
    >>> named_in(joined)
    ('ann', 'visitor')
    """
    other = event.context.get("other") if event.type is EventType.ALIAS else None
    return (event.shopper_id, other) if isinstance(other, str) else (event.shopper_id,)


def append(
    tx: Connection, shop_id: str, events: Sequence[LoggedEvent], *, erased: Mapping[str, int] | None = None
) -> Appended:
    """Write events that are not there yet.

    Parameters
    ----------
    erased
        Shopper → when they were erased, milliseconds: what they did before is dropped.
    """
    n_partitions = N_PARTITIONS[tx.dialect.name]
    counts = _locked_heads(tx, shop_id, sorted(_parts(events, n_partitions)))
    orders = _orders_there(tx, shop_id, events)
    outcome = _placed(events, counts, n_partitions, orders=orders, erased=erased or {})
    received_ms = _Arrival()
    rows = [
        _row(shop_id, one, position, n_partitions, new_order, received_ms(one.event.received_at))
        for one, position, is_new, new_order in zip(
            events, outcome.positions, outcome.is_new, outcome.new_orders, strict=True
        )
        if is_new
    ]
    rows.sort()  # in the order of the key: neighbours share a page
    n_new = insert_rows(tx, EVENTS, _COLUMNS, rows, then="ON CONFLICT DO NOTHING")
    if n_new < len(rows):
        outcome = _as_it_was(tx, shop_id, events, outcome)
    if n_new:
        _keep_heads(tx, shop_id, _counts_after(outcome, counts, n_partitions))
        note_shoppers(tx, shop_id, _seen(events, outcome))
    return outcome


def _placed(
    events: Sequence[LoggedEvent],
    counts: Mapping[int, int],
    n_partitions: int,
    *,
    orders: set[tuple[str, str | None]],
    erased: Mapping[str, int],
) -> Appended:
    """Return what becomes of events if none of them is in the log yet.

    Parameters
    ----------
    counts
        Partition → how many positions are taken.
    orders
        Those that have a first line already.
    """
    ahead, first = dict(counts), dict[tuple[str, str], int]()
    outcome = Appended([], [], [], [])
    add = outcome.add
    for one in events:
        event = one.event
        shopper_id = event.shopper_id
        if erased and _happened_ms(event) <= max(erased.get(who, -1) for who in named_in(event)):
            add(-1, dropped=True)
            continue
        identity = (shopper_id, event.event_id)
        if identity in first:
            add(first[identity])
            continue
        is_new_order = False
        if event.type is PURCHASE:
            order = (shopper_id, event.order_id)
            is_new_order = event.order_id is None or order not in orders
            orders.add(order)
        part = partition_of(shopper_id, n_partitions) if n_partitions > 1 else 0
        first[identity] = position = ahead[part] * n_partitions + part
        ahead[part] += 1
        add(position, is_new=True, new_order=is_new_order)
    return outcome


def _parts(events: Sequence[LoggedEvent], n_partitions: int) -> set[int]:
    if n_partitions == 1:
        return {0}
    return {partition_of(one.event.shopper_id, n_partitions) for one in events}


def _as_it_was(tx: Connection, shop_id: str, events: Sequence[LoggedEvent], assumed: Appended) -> Appended:
    """Return what became of events of which some were in the log before.

    Duplicates are rare, so all events are inserted as if there were none. The positions that those got which
    were there already stay empty.
    """
    there = _positions_there(tx, shop_id, events)
    outcome = Appended([], [], [], [])
    for one, position, is_new, is_new_order, is_dropped in zip(
        events, assumed.positions, assumed.is_new, assumed.new_orders, assumed.dropped, strict=True
    ):
        if is_dropped:
            outcome.add(-1, dropped=True)
            continue
        actual = there[one.event.shopper_id, one.event.event_id]
        is_new = is_new and actual == position
        outcome.add(actual, is_new=is_new, new_order=is_new and is_new_order)
    return outcome


def _counts_after(outcome: Appended, counts: Mapping[int, int], n_partitions: int) -> dict[int, int]:
    """Return how many positions of each partition are taken up to its last event."""
    after = dict(counts)
    for position, is_new in zip(outcome.positions, outcome.is_new, strict=True):
        if is_new:  # they ascend
            after[position % n_partitions] = position // n_partitions + 1
    return after


def _seen(events: Sequence[LoggedEvent], outcome: Appended) -> Seen:
    """Return what the new ones among the events change about their shoppers."""
    seen = Seen()
    for one, position, is_new in zip(events, outcome.positions, outcome.is_new, strict=True):
        if is_new:
            seen.add(one.event, one.event_key, position)
    return seen


def read_after(tx: Connection, shop_id: str, after: Mapping[int, int], *, limit: int) -> list[LoggedEvent]:
    """Return the next events of each partition, in the order of positions.

    Parameters
    ----------
    after
        Partition → newest position that is known already; -1 or absent for none.
    """
    found = []
    for part in range(N_PARTITIONS[tx.dialect.name]):
        query = (
            f"{_SELECT} WHERE e.shop_id = ? AND e.partition = ? AND e.position > ? "
            "ORDER BY e.position LIMIT ?"
        )
        found += rows_of(tx, query, shop_id, part, after.get(part, -1), limit)
    return [_logged(row) for row in found]


def logged_rows(tx: Connection, where: str, *values: Any) -> list[LoggedEvent]:
    """Return the events of the log, `e`, that a condition finds, in its order."""
    return [_logged(row) for row in rows_of(tx, f"{_SELECT} {where}", *values)]


def newest_acts(tx: Connection, shop_id: str, *, since_ms: int, limit: int) -> list[tuple[int, int | None]]:
    """Return type and item number of what was done since a moment, of the newest events at most.

    Parameters
    ----------
    limit
        Events of each partition that are looked at, from its end.
    """
    found: list[tuple[int, int | None]] = []
    for part, last in positions(tx, shop_id).items():
        query = (
            "SELECT type, item_no FROM events WHERE shop_id = ? AND partition = ? AND position > ? "
            "AND NOT excluded AND occurred_ms >= ?"
        )
        after = last - limit * N_PARTITIONS[tx.dialect.name]
        found += [(kind, item_no) for kind, item_no in rows_of(tx, query, shop_id, part, after, since_ms)]
    return found


def positions(tx: Connection, shop_id: str) -> dict[int, int]:
    """Return partition → newest position."""
    n_partitions = N_PARTITIONS[tx.dialect.name]
    rows = rows_of(tx, "SELECT partition, count FROM log_heads WHERE shop_id = ?", shop_id)
    return {part: (count - 1) * n_partitions + part for part, count in rows}


def of_shopper(
    tx: Connection,
    shop_id: str,
    shopper_ids: Sequence[str],
    *,
    limit: int | None = None,
    newest_first: bool = False,
) -> list[LoggedEvent]:
    """Return the events of some ids in the order of the log, or the newest first by when they occurred."""
    found = []
    for shopper_id in shopper_ids:
        order = "e.occurred_ms DESC, e.event_key DESC" if newest_first else "e.position"
        query = f"{_SELECT} WHERE e.shop_id = ? AND e.shopper_id = ? AND NOT e.excluded ORDER BY {order}"
        query += "" if limit is None else f" LIMIT {int(limit)}"
        found += rows_of(tx, query, shop_id, shopper_id)
    logged = [_logged(row) for row in found]
    if newest_first and len(shopper_ids) > 1:
        logged.sort(key=lambda one: (_happened_ms(one.event), one.event_key), reverse=True)
    return logged[:limit]


def of_shopper_between(
    tx: Connection, shop_id: str, shopper_id: str, after: int, upto: int
) -> list[LoggedEvent]:
    """Return one id's events after a position and up to another, in the order of the log.

    It is looked for among everybody's events in between, so they should be near.
    """
    n_partitions = N_PARTITIONS[tx.dialect.name]
    near = "" if is_postgresql(tx) else " INDEXED BY events_by_position"  # not all of a long history
    query = (
        f"{_SELECT}{near} WHERE e.shop_id = ? AND e.partition = ? AND e.position > ? AND e.position <= ? "
        "AND e.shopper_id = ? AND NOT e.excluded ORDER BY e.position"
    )
    part = partition_of(shopper_id, n_partitions)
    return [_logged(row) for row in rows_of(tx, query, shop_id, part, after, upto, shopper_id)]


def event_ids(
    tx: Connection, shop_id: str, shopper_ids: Sequence[str], keys: Sequence[int]
) -> dict[int, str]:
    """Return key → id of those events of some shoppers that have one of the keys."""
    if not keys:
        return {}
    wanted = orjson.dumps([[shopper_id, key] for shopper_id in shopper_ids for key in keys]).decode()
    return dict(rows_of(tx, _given(tx, "e.event_key, e.event_id"), wanted, shop_id))


def _given(tx: Connection, columns: str) -> str:
    """Return a query for events by (shopper, key), given as one JSON array of pairs."""
    if is_postgresql(tx):
        given = (
            "SELECT value->>0 AS shopper_id, (value->>1)::bigint AS event_key "
            "FROM jsonb_array_elements(?::jsonb)"
        )
    else:
        given = "SELECT value->>0 AS shopper_id, value->>1 AS event_key FROM json_each(?)"
    return (
        f"WITH given AS ({given}) SELECT {columns} FROM given CROSS JOIN events e "
        "WHERE e.shop_id = ? AND e.shopper_id = given.shopper_id AND e.event_key = given.event_key"
    )


def _positions_there(
    tx: Connection, shop_id: str, events: Sequence[LoggedEvent]
) -> dict[tuple[str, str], int]:
    wanted = orjson.dumps([[one.event.shopper_id, one.event_key] for one in events]).decode()
    rows = rows_of(tx, _given(tx, "e.shopper_id, e.event_id, e.position"), wanted, shop_id)
    return {(shopper_id, event_id): position for shopper_id, event_id, position in rows}


def _orders_there(tx: Connection, shop_id: str, events: Sequence[LoggedEvent]) -> set[tuple[str, str | None]]:
    """Return which of the orders in the events have a first line already."""
    orders = {
        (one.event.shopper_id, one.event.order_id)
        for one in events
        if one.event.order_id is not None and one.event.type is PURCHASE
    }
    query = "SELECT 1 FROM events WHERE shop_id = ? AND shopper_id = ? AND order_id = ? AND type = ? LIMIT 1"
    kind = PURCHASE.code
    return {order for order in orders if rows_of(tx, query, shop_id, *order, kind)}


def lock_partition(tx: Connection, shop_id: str, part: int) -> None:
    """Let nobody else write events of a partition until the commit."""
    _locked_heads(tx, shop_id, [part])


def _locked_heads(tx: Connection, shop_id: str, parts: Iterable[int]) -> dict[int, int]:
    """Return how many events each partition has, with the partitions locked until the commit."""
    counts = {}
    for part in parts:  # in ascending order, so that two writers can't wait for each other
        make = "INSERT INTO log_heads (shop_id, partition, count) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"
        tx.exec_driver_sql(fill(tx, make), (shop_id, part))
        lock = " FOR UPDATE" if is_postgresql(tx) else ""
        query = f"SELECT count FROM log_heads WHERE shop_id = ? AND partition = ?{lock}"
        counts[part] = rows_of(tx, query, shop_id, part)[0][0]
    return counts


def _keep_heads(tx: Connection, shop_id: str, counts: Mapping[int, int]) -> None:
    query = "UPDATE log_heads SET count = ? WHERE shop_id = ? AND partition = ?"
    tx.exec_driver_sql(fill(tx, query), [(count, shop_id, part) for part, count in counts.items()])


def _happened_ms(event: Event) -> int:
    moment = event.occurred_at or event.received_at
    return 0 if moment is None else _ms(moment)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


class _Arrival:
    """Milliseconds of moments of arrival: all the events of a request have one and the same."""

    def __init__(self) -> None:
        self._newest: tuple[datetime | None, int | None] = (None, None)

    def __call__(self, moment: datetime | None) -> int | None:
        if moment is not self._newest[0]:
            self._newest = (moment, None if moment is None else _ms(moment))
        return self._newest[1]


def _row(
    shop_id: str,
    one: LoggedEvent,
    position: int,
    n_partitions: int,
    is_new_order: bool,
    received_ms: int | None,
) -> tuple[Any, ...]:
    event, value = one.event, one.event.value
    context = event.context
    return (
        shop_id,
        event.shopper_id,
        one.event_key,
        event.event_id,
        position % n_partitions,
        position,
        event.type.code,
        one.item_no,
        event.item_id,
        event.query if event.query is not None else event.text,
        event.image,
        one.content,
        None if event.occurred_at is None else _ms(event.occurred_at),
        received_ms,
        value.quantity,
        value.price_minor,
        value.currency,
        value.rating,
        event.session_id,
        event.order_id,
        is_new_order,
        event.utc_offset_minutes,
        context.get("slate_id"),
        orjson.dumps(context, default=str).decode() if context else None,
        one.excluded,
    )


def _logged(row: Sequence[Any]) -> LoggedEvent:
    """Return a row of `_COLUMNS` as it was given, with its position."""
    kind = EVENT_TYPES[row[6]]
    event = Event(
        event_id=row[3],
        shopper_id=row[1],
        type=kind,
        occurred_at=_moment(row[12]),
        received_at=_moment(row[13]),
        item_id=row[8],
        query=row[9] if kind is SEARCH else None,
        text=None if kind is SEARCH else row[9],
        image=row[10],
        value=Value(quantity=row[14], price_minor=row[15], currency=row[16], rating=row[17]),
        session_id=row[18],
        order_id=row[19],
        utc_offset_minutes=row[21],
        context=orjson.loads(row[23]) if row[23] else {},
        shop_id=row[0],
        position=row[5],
    )
    return LoggedEvent(event, row[2], row[7], row[11], bool(row[20]), bool(row[24]))


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + ms * _MILLISECOND
