"""States in Redis, where several processes see them.

One key per shopper. Its value is the state as it was last put and the steps since, so that a
step is added by a single APPEND and two processes never overwrite each other:

    S position length state │ R position length step │ R position length step │ …
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from huaxiang.errors import ArtefactError, MissingExtraError, StoreError
from huaxiang.store.states.base import Cached, Step

_BASE, _STEP = struct.Struct("<cqI"), struct.Struct("<cqB")
_IS_BASE, _IS_STEP = b"S", b"R"
_SWAP = """
local kept = redis.call('GET', KEYS[1])
if (ARGV[1] == '' and not kept) or kept == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
"""
TIMEOUT_S = 2.0
FILES_S = 10.0
"""How long an erasure waits for files that Redis is writing already."""


class RedisStates:
    """States by shop and shopper in a Redis database.

    Parameters
    ----------
    url
        redis://host:port/database, or unix://path.

    Raises
    ------
    MissingExtraError
        The package `redis` is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtraError.of("redis", extra="redis") from error
        self._errors = redis.RedisError
        try:
            self._redis = redis.Redis.from_url(
                url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
            )
        except ValueError as error:
            raise StoreError(
                "not the address of a Redis", column="HUAXIANG_STATE", remedy="give redis://host:port/0"
            ) from error
        self._swap = self._redis.register_script(_SWAP)

    def get(self, shop_id: str, shopper_ids: Sequence[str]) -> list[Cached | None]:
        """Return what is kept of each shopper, None where there is nothing.

        Raises
        ------
        StoreError
            Redis can't be reached.
        ArtefactError
            What is kept is no state.
        """
        with self._explained():
            kept = self._redis.mget([_key(shop_id, shopper_id) for shopper_id in shopper_ids])
        return [None if one is None else _read(cast(bytes, one)) for one in kept]

    def append(self, shop_id: str, steps: Sequence[Step]) -> None:
        """Add steps to what is kept, also where nothing is kept yet."""
        with self._explained():
            pipe = self._redis.pipeline(transaction=False)
            for shopper_id, position, step in steps:
                pipe.append(_key(shop_id, shopper_id), _STEP.pack(_IS_STEP, position, len(step)) + step)
            pipe.execute()

    def replace(self, shop_id: str, shopper_id: str, seen: Cached | None, new: Cached) -> None:
        """Put `new` where `seen` is still what is kept; whoever was quicker wins, and that is no error."""
        before = b"" if seen is None else _written(seen)
        with self._explained():
            self._swap(keys=[_key(shop_id, shopper_id)], args=[before, _written(new)])

    def remove(self, shop_id: str, shopper_ids: Sequence[str]) -> None:
        """Forget shoppers; where Redis keeps files, they are written anew without them."""
        with self._explained():
            self._redis.delete(*(_key(shop_id, shopper_id) for shopper_id in shopper_ids))
            self._write_files_anew()

    def _write_files_anew(self) -> None:
        """Start what writes the append-only file, and the dump, without what was deleted."""
        keeps = self._redis.config_get("appendonly", "save")
        said = self._redis.info("persistence")
        self._wait(said)
        if keeps.get("appendonly") == "yes":
            self._redis.bgrewriteaof()
        if keeps.get("save"):
            self._wait(self._redis.info("persistence"))
            self._redis.bgsave()

    def _wait(self, said: dict[str, object]) -> None:
        """Wait until a writing that began before has ended: it would still have what was deleted."""
        end = time.monotonic() + FILES_S
        while time.monotonic() < end and (
            said["aof_rewrite_in_progress"] or said["aof_rewrite_scheduled"] or said["rdb_bgsave_in_progress"]
        ):
            time.sleep(0.05)
            said = self._redis.info("persistence")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise StoreError(
                f"Redis can't be reached ({type(error).__name__})",
                column="HUAXIANG_STATE",
                remedy="see whether it runs; meanwhile states are read from the log",
            ) from error


def _key(shop_id: str, shopper_id: str) -> str:
    return f"hx:{shop_id}:{shopper_id}"


def _written(cached: Cached) -> bytes:
    base = b""
    if cached.packed or cached.position >= 0:
        base = _BASE.pack(_IS_BASE, cached.position, len(cached.packed)) + cached.packed
    return base + b"".join(
        _STEP.pack(_IS_STEP, position, len(step)) + step for position, step in cached.pending
    )


def _read(kept: bytes) -> Cached:
    """Return a value as what it was written from.

    Examples
    --------
    >>> cached = Cached(7, b"state", ((9, b"step"),))
    >>> _read(_written(cached)) == cached
    True
    """
    position, packed, at = -1, b"", 0
    if kept[:1] == _IS_BASE:
        _, position, length = _BASE.unpack_from(kept)
        at = _BASE.size + length
        packed = kept[_BASE.size : at]
    pending = []
    while at < len(kept):
        if kept[at : at + 1] != _IS_STEP or at + _STEP.size > len(kept):
            raise ArtefactError("a stored state is damaged", remedy="it is built again from the log")
        _, step_position, length = _STEP.unpack_from(kept, at)
        at += _STEP.size
        pending.append((step_position, kept[at : at + length]))
        at += length
    return Cached(position, packed, tuple(pending))
