"""States of a process on disk: one file, replaced as a whole, with the log position that it goes up to.

magic, version, header length, CRC-32 of the rest │ header (JSON) │ offsets │ positions │ ids │ states
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson

from huaxiang.errors import ArtefactError
from huaxiang.store.states.base import Cached
from huaxiang.store.states.memory import MemoryStates

_MAGIC, _VERSION = b"HXSN", 1
_HEAD = struct.Struct("<4sHIQ")
_REMEDY = "remove it; the states are built again from the log"


def save_snapshot(
    states: Iterable[tuple[str, Cached]], file: Path, *, positions: Mapping[int, int], model: str
) -> int:
    """Write those states of a shop that have no steps; return how many there are.

    Parameters
    ----------
    states
        Shopper and state, such as `MemoryStates.all` returns.
    positions
        Partition → position: nothing after it is in the states, and everything before it is in them or is
        read again from the log.
    model
        Names the numbering of items.
    """
    kept = [(shopper_id, one) for shopper_id, one in states if one.packed and not one.pending]
    ids = [shopper_id.encode() for shopper_id, _ in kept]
    parts = [
        np.cumsum([0, *(len(name) for name in ids)], dtype="<i8").tobytes(),
        np.cumsum([0, *(len(one.packed) for _, one in kept)], dtype="<i8").tobytes(),
        np.array([one.position for _, one in kept], dtype="<i8").tobytes(),
        b"".join(ids),
        b"".join(one.packed for _, one in kept),
    ]
    header = orjson.dumps(
        {"n": len(kept), "positions": {str(k): v for k, v in positions.items()}, "model": model}
    )
    checksum = zlib.crc32(header)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".new")
    with beside.open("wb") as opened:
        opened.write(_HEAD.pack(_MAGIC, _VERSION, len(header), checksum))
        for part in (header, *parts):
            opened.write(part)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
    return len(kept)


def load_snapshot(states: MemoryStates, shop_id: str, file: Path) -> tuple[dict[int, int], str]:
    """Take in the states of a snapshot; return partition → position, and the model of its items.

    Raises
    ------
    ArtefactError
        It is cut short, damaged, or of a newer version.
    """
    whole = file.read_bytes()
    if len(whole) < _HEAD.size or whole[:4] != _MAGIC:
        raise ArtefactError("not a snapshot of states", file=str(file), remedy=_REMEDY)
    _, version, length, checksum = _HEAD.unpack_from(whole)
    if version > _VERSION:
        raise ArtefactError("the snapshot is of a newer version", file=str(file), remedy=_REMEDY)
    body = memoryview(whole)[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise ArtefactError("the snapshot is damaged", file=str(file), remedy=_REMEDY)
    header = orjson.loads(bytes(body[:length]))
    states.fill(shop_id, _states(bytes(body[length:]), header["n"]))
    return {int(part): position for part, position in header["positions"].items()}, header["model"]


def _states(body: bytes, n: int) -> Iterator[tuple[str, int, bytes]]:
    bounds = 8 * (n + 1)
    id_ends = np.frombuffer(body, "<i8", n + 1).tolist()
    state_ends = np.frombuffer(body, "<i8", n + 1, bounds).tolist()
    positions = np.frombuffer(body, "<i8", n, 2 * bounds).tolist()
    start = 2 * bounds + 8 * n
    ids = body[start : start + id_ends[-1]].decode()  # hashes are ASCII: characters are bytes
    first = start + id_ends[-1]
    for (a, b), (c, d), position in zip(pairwise(id_ends), pairwise(state_ends), positions, strict=True):
        yield ids[a:b], position, body[first + c : first + d]
