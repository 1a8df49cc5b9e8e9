"""Keys from the command line: made, listed, revoked, and renewed with an overlap."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from huaxiang.errors import InputError
from huaxiang.serve.auth import SCOPES
from huaxiang.serve.process import Process
from huaxiang.serve.settings import PURPOSES
from huaxiang.store import ApiKey, add_key, list_keys, new_key, open_store, revoke_key

_DAY_MS = 86_400_000


def make_key(  # noqa: PLR0913 - one argument per property of a key
    process: Process,
    *,
    scopes: Sequence[str],
    shop_id: str = "default",
    purpose: str = "recommend",
    is_public: bool = False,
    origins: Sequence[str] = (),
    valid_days: float | None = None,
    name: str = "",
) -> dict[str, object]:
    """Make a key; return what is shown of it, this once.

    Raises
    ------
    InputError
        For a scope or purpose that is not known, none at all, or a public key that may read.
    """
    _check(scopes, SCOPES, "--scope")
    _check([purpose], PURPOSES, "--purpose")
    now_ms = int(time.time() * 1000)
    expires_ms = None if valid_days is None else now_ms + round(valid_days * _DAY_MS)
    key, written = new_key(
        shop_id,
        scopes=scopes,
        now_ms=now_ms,
        purpose=purpose,
        is_public=is_public,
        origins=tuple(origins),
        expires_ms=expires_ms,
        name=name,
    )
    store = open_store(process.where.store)
    try:
        with store.begin() as tx:
            add_key(tx, key)
    finally:
        store.close()
    return {**shown(key), "key": written}


def known_keys(process: Process, *, shop_id: str) -> list[dict[str, object]]:
    """Return a shop's keys, without their secrets, which nobody has."""
    store = open_store(process.where.store)
    try:
        with store.read() as tx:
            return [shown(key) for key in list_keys(tx, shop_id)]
    finally:
        store.close()


def end_key(process: Process, *, shop_id: str, key_id: str, after_s: float = 0.0) -> None:
    """Let a key stop working, at once or after a while in which its successor is put in place.

    Raises
    ------
    InputError
        The shop has no such key.
    """
    store = open_store(process.where.store)
    try:
        with store.begin() as tx:
            at_ms = int((time.time() + after_s) * 1000)
            if not revoke_key(tx, shop_id, key_id, at_ms=at_ms, at_once=after_s <= 0):
                raise InputError(
                    "no such key", column="key_id", value=key_id, remedy="see huaxiang keys list"
                )
    finally:
        store.close()


def shown(key: ApiKey) -> dict[str, object]:
    """Return a key as it is listed."""
    return {
        "key_id": key.key_id,
        "shop_id": key.shop_id,
        "scopes": list(key.scopes),
        "purpose": key.purpose,
        "public": key.is_public,
        "origins": list(key.origins),
        "name": key.name,
        "created_at": _moment(key.created_ms),
        "expires_at": _moment(key.expires_ms),
        "revoked_at": _moment(key.revoked_ms),
    }


def _check(given: Sequence[str], known: Sequence[str], column: str) -> None:
    for one in given or ("",):
        if one not in known:
            raise InputError("not known", column=column, value=one, remedy=f"choose of {', '.join(known)}")


def _moment(ms: int | None) -> str | None:
    return (
        None if ms is None else datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat().replace("+00:00", "Z")
    )
