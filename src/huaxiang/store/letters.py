"""Dead letters: events that could not be taken yet, with the reason, so that they can be retried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from huaxiang.errors import StoreError
from huaxiang.records import Event
from huaxiang.store.sql import fill, is_postgresql, rows_of

_EVENT = msgspec.json.Decoder(Event)
_COLUMNS = "letter_id, shopper_id, item_id, reason, body, received_ms"
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_OLDEST_FIRST = "ORDER BY received_ms, letter_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An event that was refused for a reason that may pass.

    Parameters
    ----------
    event
        With the shopper's id of the log: hashed.
    reason
        Code of the refusal.
    """

    event: Event
    reason: str

    @property
    def letter_id(self) -> str:
        """The same for the same event, however often it comes.

        Examples
        --------
        >>> from huaxiang.records import EventType
        >>> event = Event(event_id="e", shopper_id="s", type=EventType.VIEW_ITEM, item_id="i")
        >>> Letter(event=event, reason="unknown_item").letter_id
        '438b53479b079d208e42628d7f996bc4'
        """
        named = f"{self.event.shopper_id}\0{self.event.event_id}"
        return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def as_json(self) -> dict[str, object]:
        """Return what an operator needs to see: nothing of who it was, and nothing of what they said."""
        event = self.event
        return {
            "letter_id": self.letter_id,
            "reason": self.reason,
            "type": str(event.type),
            "item_id": event.item_id,
            "received_at": None if event.received_at is None else _shown(event.received_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which letters are meant: those that fit everything that is said; nothing said is all.

    Parameters
    ----------
    letter_ids, item_ids
        Of the letters themselves, and of the items that their events name; None is any.
    reason
        Code of the refusal; None is any.
    """

    letter_ids: Sequence[str] | None = None
    item_ids: Sequence[str] | None = None
    reason: str | None = None


def put_letters(tx: Connection, shop_id: str, letters: Sequence[Letter], *, most: int) -> int:
    """Keep letters, the same event once; return how many of the oldest were dropped beyond `most`."""
    query = (
        f"INSERT INTO dead_letters (shop_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (shop_id, letter_id) DO UPDATE SET item_id = excluded.item_id, "
        "reason = excluded.reason, body = excluded.body"
    )
    rows = [
        (shop_id, one.letter_id, one.event.shopper_id, one.event.item_id, one.reason, _body(one), _ms(one))
        for one in letters
    ]
    if rows:
        tx.exec_driver_sql(fill(tx, query), rows)
    beyond = count_letters(tx, shop_id) - most
    if beyond <= 0:
        return 0
    oldest = rows_of(
        tx, f"SELECT letter_id FROM dead_letters WHERE shop_id = ? {_OLDEST_FIRST} LIMIT ?", shop_id, beyond
    )
    return drop_letters(tx, shop_id, Chosen(letter_ids=[row[0] for row in oldest]))


def letters_of(tx: Connection, shop_id: str, chosen: Chosen | None = None, *, limit: int) -> list[Letter]:
    """Return letters, the oldest first."""
    condition, values = _condition(tx, chosen or Chosen())
    query = f"SELECT body, reason FROM dead_letters WHERE shop_id = ?{condition} {_OLDEST_FIRST} LIMIT ?"
    return [_read(*row) for row in rows_of(tx, query, shop_id, *values, limit)]


def mended_letters(tx: Connection, shop_id: str, *, limit: int) -> list[Letter]:
    """Return letters whose item the shop has by now, the oldest first."""
    query = (
        "SELECT d.body, d.reason FROM dead_letters d JOIN items i "
        "ON i.shop_id = d.shop_id AND i.item_id = d.item_id "
        "WHERE d.shop_id = ? ORDER BY d.received_ms, d.letter_id LIMIT ?"
    )
    return [_read(*row) for row in rows_of(tx, query, shop_id, limit)]


def letters_of_shoppers(tx: Connection, shop_id: str, shopper_ids: Sequence[str]) -> list[Letter]:
    """Return the letters of some shoppers."""
    query = f"SELECT body, reason FROM dead_letters WHERE shop_id = ? AND shopper_id = ? {_OLDEST_FIRST}"
    return [_read(*row) for one in shopper_ids for row in rows_of(tx, query, shop_id, one)]


def drop_letters(tx: Connection, shop_id: str, chosen: Chosen) -> int:
    """Forget letters; return how many there were."""
    condition, values = _condition(tx, chosen)
    query = fill(tx, f"DELETE FROM dead_letters WHERE shop_id = ?{condition}")
    return int(tx.exec_driver_sql(query, (shop_id, *values)).rowcount)


def count_letters(tx: Connection, shop_id: str) -> int:
    """Return how many letters a shop has."""
    return int(rows_of(tx, "SELECT count(*) FROM dead_letters WHERE shop_id = ?", shop_id)[0][0])


def letters_by_reason(tx: Connection, shop_id: str) -> Mapping[str, int]:
    """Return reason → how many letters."""
    query = "SELECT reason, count(*) FROM dead_letters WHERE shop_id = ? GROUP BY reason ORDER BY reason"
    return {reason: int(n) for reason, n in rows_of(tx, query, shop_id)}


def _condition(tx: Connection, chosen: Chosen) -> tuple[str, list[Any]]:
    """Return what follows in a WHERE, and its values."""
    listed = "SELECT value FROM json_each(?)"
    if is_postgresql(tx):
        listed = "SELECT value FROM jsonb_array_elements_text(?::jsonb) AS given(value)"
    condition, values = "", []
    for column, wanted in (("letter_id", chosen.letter_ids), ("item_id", chosen.item_ids)):
        if wanted is not None:
            condition += f" AND {column} IN ({listed})"
            values.append(orjson.dumps(list(wanted)).decode())
    if chosen.reason is not None:
        condition += " AND reason = ?"
        values.append(chosen.reason)
    return condition, values


def _body(letter: Letter) -> str:
    return msgspec.json.encode(letter.event).decode()


def _read(body: str, reason: str) -> Letter:
    try:
        return Letter(event=_EVENT.decode(body), reason=reason)
    except msgspec.MsgspecError as error:
        raise StoreError("a dead letter can't be read", remedy="drop it") from error


def _ms(letter: Letter) -> int:
    moment = letter.event.received_at
    return 0 if moment is None else (moment - _1970) // timedelta(milliseconds=1)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
