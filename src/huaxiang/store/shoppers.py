"""What the log knows of each id: counts, consent, traits, and with which ids it was joined.

Everything here follows from the events and is written in the transaction that appends them: the newest
answer, by when it occurred, wins, so the order in which events arrive decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from huaxiang.records import LIGHT_TYPES, STRONG_TYPES, Event, EventType
from huaxiang.store.base import Head
from huaxiang.store.schema import shoppers as SHOPPERS  # noqa: N812 - a table
from huaxiang.store.sql import fill, insert_rows, rows_of

_IN_A_STATE = STRONG_TYPES | LIGHT_TYPES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD = "shopper_id, n_events, n_state_events, last_position, group_id, consent, traits"


@dataclass
class Seen:
    """What new events change about their shoppers; those of one shopper come in the order of the log.

    Parameters
    ----------
    counts
        Shopper → their events, those that a state counts, and the position of the newest.
    said
        Consent and aliases, with the keys of their events.
    """

    counts: dict[str, list[int]] = field(default_factory=dict)
    said: list[tuple[Event, int]] = field(default_factory=list)

    def add(self, event: Event, event_key: int, position: int) -> None:
        """Take in one new event."""
        is_in_a_state = event.type in _IN_A_STATE
        own = self.counts.get(event.shopper_id)
        if own is None:
            self.counts[event.shopper_id] = [1, int(is_in_a_state), position]
        else:
            own[0] += 1
            own[1] += is_in_a_state
            own[2] = position
        if not is_in_a_state and (event.type is EventType.CONSENT or event.type is EventType.ALIAS):
            self.said.append((event, event_key))


def note_shoppers(tx: Connection, shop_id: str, seen: Seen) -> None:
    """Write what new events change about their shoppers."""
    columns = ("shop_id", "shopper_id", "n_events", "n_state_events", "last_position")
    or_add = (
        "ON CONFLICT (shop_id, shopper_id) DO UPDATE SET "
        "n_events = shoppers.n_events + excluded.n_events, "
        "n_state_events = shoppers.n_state_events + excluded.n_state_events, last_position = "
        "CASE WHEN excluded.last_position > shoppers.last_position THEN excluded.last_position "
        "ELSE shoppers.last_position END"
    )
    rows = [(shop_id, shopper_id, *own) for shopper_id, own in sorted(seen.counts.items())]
    insert_rows(tx, SHOPPERS, columns, rows, then=or_add)
    for event, key in seen.said:
        if event.type is EventType.CONSENT:
            _note_consent(tx, shop_id, event, key)
        else:
            _note_alias(tx, shop_id, event, key)


def head(tx: Connection, shop_id: str, shopper_id: str) -> Head | None:
    """Return what is known of one id, None where the log has nothing of it."""
    query = f"SELECT {_HEAD} FROM shoppers WHERE shop_id = ? AND shopper_id = ?"
    found = rows_of(tx, query, shop_id, shopper_id)
    return _head(found[0]) if found else None


def heads_where(tx: Connection, shop_id: str, condition: str) -> list[Head]:
    """Return what is known of every id for which a condition of ours in SQL holds."""
    query = f"SELECT {_HEAD} FROM shoppers WHERE shop_id = ? AND {condition} ORDER BY shopper_id"
    return [_head(row) for row in rows_of(tx, query, shop_id)]


def newest_heads(tx: Connection, shop_id: str, *, limit: int) -> list[Head]:
    """Return what is known of the ids with the newest events, the newest first."""
    query = f"SELECT {_HEAD} FROM shoppers WHERE shop_id = ? ORDER BY last_position DESC LIMIT ?"
    return [_head(row) for row in rows_of(tx, query, shop_id, limit)]


def group(tx: Connection, shop_id: str, shopper_id: str) -> list[Head]:
    """Return an id and all that were joined with it, the id itself first; nothing where it is unknown."""
    own = head(tx, shop_id, shopper_id)
    if own is None or own.group_id is None:
        return [] if own is None else [own]
    query = (
        f"SELECT {_HEAD} FROM shoppers WHERE shop_id = ? AND group_id = ? AND shopper_id <> ? "
        "ORDER BY shopper_id"
    )
    return [own, *(_head(row) for row in rows_of(tx, query, shop_id, own.group_id, shopper_id))]


def _head(row: Sequence[Any]) -> Head:
    shopper_id, n_events, n_state_events, last_position, group_id, consent, traits = row
    return Head(
        shopper_id,
        n_events,
        n_state_events,
        last_position,
        group_id,
        orjson.loads(consent) if consent else {},
        orjson.loads(traits) if traits else {},
    )


def _note_consent(tx: Connection, shop_id: str, event: Event, key: int) -> None:
    answers = event.context.get("consent")
    if not isinstance(answers, Mapping):
        return
    known = head(tx, shop_id, event.shopper_id)
    kept: dict[str, Any] = dict(known.consent) if known else {}
    at_ms = _at_ms(event)
    for purpose, is_allowed in answers.items():
        if isinstance(is_allowed, bool) and _holds(is_allowed, kept.get(purpose), at_ms, key):
            source = event.context.get("source")
            kept[purpose] = {"allowed": is_allowed, "at_ms": at_ms, "key": key, "source": source}
    _keep(tx, shop_id, event.shopper_id, "consent", kept)


def _holds(is_allowed: bool, known: Mapping[str, Any] | None, at_ms: int, key: int) -> bool:
    """Return whether an answer holds beside a known one; of two at one moment, the refusal does."""
    if known is not None and known["at_ms"] == at_ms and known["allowed"] != is_allowed:
        return not is_allowed
    return _is_newer(known, at_ms, key)


def _note_alias(tx: Connection, shop_id: str, event: Event, key: int) -> None:
    traits = event.context.get("traits")
    if isinstance(traits, Mapping) and traits:
        _note_traits(tx, shop_id, event, key, traits)
    other = event.context.get("other")
    if not isinstance(other, str) or not other or other == event.shopper_id:
        return
    make = (
        "INSERT INTO shoppers (shop_id, shopper_id, n_events, n_state_events, last_position) "
        "VALUES (?, ?, 0, 0, 0) ON CONFLICT DO NOTHING"
    )
    tx.exec_driver_sql(fill(tx, make), (shop_id, other))
    low, high = sorted((event.shopper_id, other))
    link = (
        "INSERT INTO links (shop_id, low_id, high_id, is_linked, decided_ms, decided_key) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (shop_id, low_id, high_id) DO UPDATE SET "
        "is_linked = excluded.is_linked, "
        "decided_ms = excluded.decided_ms, decided_key = excluded.decided_key "
        "WHERE (excluded.decided_ms, excluded.decided_key) > (links.decided_ms, links.decided_key)"
    )
    is_linked = event.context.get("linked", True) is not False
    tx.exec_driver_sql(fill(tx, link), (shop_id, low, high, is_linked, _at_ms(event), key))
    regroup(tx, shop_id, (low, high))


def _note_traits(tx: Connection, shop_id: str, event: Event, key: int, traits: Mapping[str, Any]) -> None:
    known = head(tx, shop_id, event.shopper_id)
    kept: dict[str, Any] = dict(known.traits) if known else {}
    at_ms = _at_ms(event)
    for name, value in traits.items():
        if _is_newer(kept.get(name), at_ms, key):
            kept[str(name)] = {"value": value, "at_ms": at_ms, "key": key}
    _keep(tx, shop_id, event.shopper_id, "traits", kept)


def regroup(tx: Connection, shop_id: str, shopper_ids: Iterable[str]) -> None:
    """Write anew which ids belong together, for these and all that are or were joined with them."""
    left = set(shopper_ids)
    for shopper_id in tuple(left):
        left.update(one.shopper_id for one in group(tx, shop_id, shopper_id))
    while left:
        members = _component(tx, shop_id, left.pop())
        left -= members
        group_id = min(members) if len(members) > 1 else None
        rows = [(group_id, shop_id, member) for member in sorted(members)]
        tx.exec_driver_sql(
            fill(tx, "UPDATE shoppers SET group_id = ? WHERE shop_id = ? AND shopper_id = ?"), rows
        )


def _component(tx: Connection, shop_id: str, start: str) -> set[str]:
    """Return every id that links lead to."""
    found, edge = {start}, [start]
    query = (
        "SELECT high_id FROM links WHERE shop_id = ? AND low_id = ? AND is_linked "
        "UNION SELECT low_id FROM links WHERE shop_id = ? AND high_id = ? AND is_linked"
    )
    while edge:
        here = edge.pop()
        near = {other for (other,) in rows_of(tx, query, shop_id, here, shop_id, here)} - found
        found |= near
        edge += near
    return found


def _keep(tx: Connection, shop_id: str, shopper_id: str, column: str, kept: Mapping[str, Any]) -> None:
    query = f"UPDATE shoppers SET {column} = ? WHERE shop_id = ? AND shopper_id = ?"
    tx.exec_driver_sql(fill(tx, query), (orjson.dumps(kept, default=str).decode(), shop_id, shopper_id))


def _is_newer(known: Mapping[str, Any] | None, at_ms: int, key: int) -> bool:
    return known is None or (at_ms, key) > (known["at_ms"], known["key"])


def _at_ms(event: Event) -> int:
    moment = event.occurred_at or event.received_at
    return 0 if moment is None else int((moment - _EPOCH).total_seconds() * 1000)
