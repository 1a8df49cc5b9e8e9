"""What shoppers wrote and showed, and the vectors made from it: once for each content and space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from sqlalchemy import Connection

from huaxiang.records import EVENT_TYPES, EventType, Vector
from huaxiang.store.base import Content
from huaxiang.store.sql import fill, is_postgresql, rows_of

NO_SPACE = ""
"""Of contents that nobody has read yet."""


def add_contents(tx: Connection, shop_id: str, contents: Iterable[Content]) -> None:
    """Write contents with their vectors; those that have theirs already stay as they are."""
    query = (
        "INSERT INTO contents (shop_id, content, space, kind, said, vector) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING"
    )
    rows = [
        (shop_id, one.content, one.space, one.kind, one.said, one.vector_bytes())
        for one in contents
        if one.vector is not None
    ]
    if rows:
        tx.exec_driver_sql(fill(tx, query), rows)


def contents_of(tx: Connection, shop_id: str, space: str, numbers: Sequence[int]) -> list[Content]:
    """Return the contents with these numbers; the vector is None where nobody has read them in this space."""
    if not numbers:
        return []
    wanted = orjson.dumps(list(numbers)).decode()
    if is_postgresql(tx):
        given = "SELECT value::bigint AS content FROM jsonb_array_elements_text(?::jsonb)"
    else:
        given = "SELECT value AS content FROM json_each(?)"
    read = rows_of(
        tx,
        f"WITH given AS ({given}) SELECT c.content, c.kind, c.said, c.vector FROM given "
        "CROSS JOIN contents c WHERE c.shop_id = ? AND c.content = given.content AND c.space = ?",
        wanted,
        shop_id,
        space,
    )
    found = {
        number: Content(number, space, kind, said, np.frombuffer(vector, dtype="<f4").astype(np.float32))
        for number, kind, said, vector in read
    }
    missing = [number for number in numbers if number not in found]
    return [*found.values(), *(one for number in missing for one in _unread(tx, shop_id, space, number))]


def events_saying(tx: Connection) -> str:
    """Return what follows FROM in a query for the events of a shop that have one content."""
    chosen = "" if is_postgresql(tx) else "INDEXED BY events_by_content "  # it would rather read all events
    return f"events {chosen}WHERE shop_id = ? AND content = ? AND content <> 0"


def vectors_in(tx: Connection, shop_id: str, space: str) -> dict[int, Vector]:
    """Return every vector of one space, by the number of its content."""
    query = "SELECT content, vector FROM contents WHERE shop_id = ? AND space = ?"
    return {
        number: np.frombuffer(vector, dtype="<f4").astype(np.float32)
        for number, vector in rows_of(tx, query, shop_id, space)
    }


def _unread(tx: Connection, shop_id: str, space: str, number: int) -> list[Content]:
    """Return a content as the first event that names it has it."""
    query = f"SELECT text, image, context, type FROM {events_saying(tx)} LIMIT 1"
    for text, image, context, kind in rows_of(tx, query, shop_id, number):
        said = text or image or _correction(context, kind)
        if said:
            return [Content(number, space, "photo" if image and not text else "text", said)]
    return []


def _correction(context: str | None, kind: int) -> str | None:
    if EVENT_TYPES[kind] is not EventType.CORRECT or not context:
        return None
    said = orjson.loads(context)
    kept = {"dimension": said.get("dimension"), "value": said.get("value"), "side": said.get("side", "liked")}
    return orjson.dumps(kept).decode()
