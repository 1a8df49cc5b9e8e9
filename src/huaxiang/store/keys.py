"""Keys: shown once when they are made, kept as a hash.

A key is `hx_<key id>_<secret>`. The secret has 256 random bits, so one round of SHA-256 is enough to hide it:
there is no list of likely secrets to try.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson
from sqlalchemy import Connection

from huaxiang.errors import InputError, KeyRefusedError
from huaxiang.store.sql import fill, rows_of

_COLUMNS = (
    "shop_id, key_id, hash, scopes, purpose, is_public, origins, name, created_ms, expires_ms, revoked_ms"
)
_PREFIX = "hx_"
PUBLIC_SCOPES = ("events:write",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept; times are milliseconds since 1970."""

    shop_id: str
    key_id: str
    hash: str
    scopes: tuple[str, ...]
    purpose: str = "recommend"
    is_public: bool = False
    origins: tuple[str, ...] = ()
    name: str = ""
    created_ms: int = 0
    expires_ms: int | None = None
    revoked_ms: int | None = None

    def is_valid(self, now_ms: int) -> bool:
        """Return whether it works now."""
        return (self.revoked_ms is None or now_ms < self.revoked_ms) and (
            self.expires_ms is None or now_ms < self.expires_ms
        )


def new_key(
    shop_id: str, *, scopes: Sequence[str], now_ms: int, written: str | None = None, **more: object
) -> tuple[ApiKey, str]:
    """Return a key to be kept, and how it is written; that is shown once and kept nowhere.

    Parameters
    ----------
    written
        A key that somebody chose; None draws one.

    Raises
    ------
    InputError
        A public key with more than writing, or a chosen one that is no key.

    Examples
    --------
    >>> key, written = new_key("default", scopes=["recommend:read"], now_ms=0)
    >>> is_secret_of(key, split_key(written)[1]), is_secret_of(key, "guess")
    (True, False)
    """
    if more.get("is_public") and set(scopes) - set(PUBLIC_SCOPES):
        raise InputError(
            "a public key may only write",
            column="--scope",
            value=",".join(scopes),
            remedy="give it events:write alone; shoppers read with a token",
        )
    key_id, secret = split_key(written) if written else (secrets.token_hex(6), secrets.token_urlsafe(32))
    key = ApiKey(
        shop_id=shop_id,
        key_id=key_id,
        hash=sha256(secret.encode()).hexdigest(),
        scopes=tuple(scopes),
        created_ms=now_ms,
        **more,  # type: ignore[arg-type]
    )
    return key, f"{_PREFIX}{key_id}_{secret}"


def split_key(written: str) -> tuple[str, str]:
    """Return the id and the secret of a key as it is written.

    Raises
    ------
    KeyRefusedError
        It is no key.
    """
    key_id, _, secret = written.removeprefix(_PREFIX).partition("_")
    if not written.startswith(_PREFIX) or not key_id or len(secret) < 20 or not written.isascii():
        raise KeyRefusedError("this is no key", remedy="a key begins with hx_ and has a long secret")
    return key_id, secret


def is_secret_of(key: ApiKey, secret: str) -> bool:
    """Return whether a secret is the key's, in a time that tells nothing about how much of it is right."""
    return hmac.compare_digest(key.hash, sha256(secret.encode()).hexdigest())


def add_key(tx: Connection, key: ApiKey) -> None:
    """Keep a key; one that is kept already stays as it is."""
    values = (
        key.shop_id,
        key.key_id,
        key.hash,
        orjson.dumps(key.scopes).decode(),
        key.purpose,
        key.is_public,
        orjson.dumps(key.origins).decode(),
        key.name,
        key.created_ms,
        key.expires_ms,
        key.revoked_ms,
    )
    marks = ", ".join("?" * len(values))
    tx.exec_driver_sql(
        fill(tx, f"INSERT INTO keys ({_COLUMNS}) VALUES ({marks}) ON CONFLICT DO NOTHING"), values
    )


def find_key(tx: Connection, key_id: str) -> ApiKey | None:
    """Return a key by its id."""
    found = rows_of(tx, f"SELECT {_COLUMNS} FROM keys WHERE key_id = ?", key_id)
    return _key(found[0]) if found else None


def list_keys(tx: Connection, shop_id: str) -> list[ApiKey]:
    """Return a shop's keys, the oldest first."""
    query = f"SELECT {_COLUMNS} FROM keys WHERE shop_id = ? ORDER BY created_ms, key_id"
    return [_key(row) for row in rows_of(tx, query, shop_id)]


def listed_origins(tx: Connection, *, now_ms: int) -> set[str]:
    """Return every page that a public key lists which works now."""
    query = f"SELECT {_COLUMNS} FROM keys WHERE is_public = ?"
    keys = [_key(row) for row in rows_of(tx, query, True)]
    return {origin for key in keys if key.is_valid(now_ms) for origin in key.origins}


def revoke_key(tx: Connection, shop_id: str, key_id: str, *, at_ms: int, at_once: bool = False) -> bool:
    """Let a key stop working at a moment; return whether there is such a key.

    Parameters
    ----------
    at_once
        It stops now, whatever the clocks of those who serve say: it expired in 1970, too.
    """
    query = "UPDATE keys SET revoked_ms = ?, expires_ms = CASE WHEN ? THEN 0 ELSE expires_ms END "
    query += "WHERE shop_id = ? AND key_id = ?"
    return tx.exec_driver_sql(fill(tx, query), (at_ms, at_once, shop_id, key_id)).rowcount == 1


def _key(row: Sequence[object]) -> ApiKey:
    shop_id, key_id, digest, scopes, purpose, is_public, origins, name, created, expires, revoked = row
    return ApiKey(
        shop_id=str(shop_id),
        key_id=str(key_id),
        hash=str(digest),
        scopes=tuple(orjson.loads(str(scopes))),
        purpose=str(purpose),
        is_public=bool(is_public),
        origins=tuple(orjson.loads(str(origins))),
        name=str(name),
        created_ms=created,  # type: ignore[arg-type]
        expires_ms=expires,  # type: ignore[arg-type]
        revoked_ms=revoked,  # type: ignore[arg-type]
    )
