"""Who read and changed what: a log that is only ever added to.

Nobody can be recognised in it: a person is a keyed hash, so that it may outlive their erasure. The database
itself refuses to change a line, and to delete one that has not expired (migration 0002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from secrets import token_hex

from sqlalchemy import Connection

from huaxiang.store.schema import audit as AUDIT  # noqa: N812 - a table
from huaxiang.store.sql import fill, insert_rows, rows_of

EXPIRE = "expire"
"""Action of the line that lets older ones go; its outcome is the moment, in milliseconds."""
_NAMES = ("line", "at_ms", "key_id", "action", "subject", "purpose", "outcome")
_values = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One thing that a key did.

    Parameters
    ----------
    line
        Its name; names sort by time.
    subject
        Keyed hash of the person; None where it was several, or nobody.
    """

    line: str
    at_ms: int
    key_id: str
    action: str
    subject: str | None
    purpose: str | None
    outcome: str


def line_at(at_ms: int) -> str:
    """Return a new name for a line; those of later moments sort after it.

    Examples
    --------
    >>> line_at(1_000) < line_at(1_001), len(line_at(0))
    (True, 24)
    """
    return f"{at_ms:011x}{token_hex(7)[:13]}"


def add_lines(tx: Connection, shop_id: str, lines: Sequence[AuditLine]) -> None:
    """Add lines."""
    insert_rows(tx, AUDIT, ("shop_id", *_NAMES), [(shop_id, *_values(line)) for line in lines])


def read_lines(
    tx: Connection,
    shop_id: str,
    *,
    after: str = "",
    since_ms: int = 0,
    subject: str | None = None,
    key_id: str | None = None,
    limit: int = 1000,
) -> list[AuditLine]:
    """Return lines in the order of time.

    Parameters
    ----------
    after
        Name of a line: those that come after it, to go on from where the last page ended.
    since_ms
        From this moment on.
    subject, key_id
        Only of this person, and by this key.
    """
    wanted = {"subject": subject, "key_id": key_id}
    given = {name: value for name, value in wanted.items() if value is not None}
    only = "".join(f"AND {name} = ? " for name in given)
    query = (
        f"SELECT {', '.join(_NAMES)} FROM audit WHERE shop_id = ? AND line > ? {only}ORDER BY line LIMIT ?"
    )
    first = max(after, f"{max(since_ms, 0):011x}")
    return [
        AuditLine(**dict(zip(_NAMES, row, strict=True)))
        for row in rows_of(tx, query, shop_id, first, *given.values(), limit)
    ]


def expire_lines(tx: Connection, shop_id: str, *, before_ms: int, now_ms: int, limit: int) -> int:
    """Delete lines from before a moment, the oldest first; return how many are gone.

    A line says first that they expired; without it the database would refuse.
    """
    count = "SELECT count(*) FROM (SELECT 1 FROM audit WHERE shop_id = ? AND line < ? LIMIT ?) AS found"
    upto = f"{before_ms:011x}"
    n_lines: int = rows_of(tx, count, shop_id, upto, limit)[0][0]
    if not n_lines:
        return 0
    if not _is_said(tx, shop_id, before_ms):
        said = AuditLine(
            line=line_at(now_ms),
            at_ms=now_ms,
            key_id="retention",
            action=EXPIRE,
            subject=None,
            purpose=None,
            outcome=str(before_ms),
        )
        add_lines(tx, shop_id, [said])
    delete = (
        "DELETE FROM audit WHERE shop_id = ? AND line IN "
        "(SELECT line FROM audit WHERE shop_id = ? AND line < ? ORDER BY line LIMIT ?)"
    )
    return tx.exec_driver_sql(fill(tx, delete), (shop_id, shop_id, upto, limit)).rowcount


def _is_said(tx: Connection, shop_id: str, before_ms: int) -> bool:
    query = (
        "SELECT 1 FROM audit WHERE shop_id = ? AND action = 'expire' AND line >= ? AND outcome = ? LIMIT 1"
    )
    return bool(rows_of(tx, query, shop_id, f"{before_ms:011x}", str(before_ms)))
