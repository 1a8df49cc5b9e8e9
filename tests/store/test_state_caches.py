"""What every cache of states promises, and the snapshot of those in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from huaxiang.errors import ArtefactError, StoreError
from huaxiang.store.states import Cached, MemoryStates, StateCache
from huaxiang.store.states.redis import RedisStates
from huaxiang.store.states.snapshot import load_snapshot, save_snapshot
from store.servers import redis_server


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> StateCache:
    if request.param == "memory":
        return MemoryStates()
    states = RedisStates(request.getfixturevalue("redis_url"))
    states.remove("shop", ["ann", "bo"])
    return states


def test_nothing_is_known_of_a_stranger(cache: StateCache) -> None:
    assert cache.get("shop", ["ann", "bo"]) == [None, None]


def test_steps_are_kept_in_the_order_in_which_they_came(cache: StateCache) -> None:
    cache.append("shop", [("ann", 3, b"one"), ("bo", 4, b"x"), ("ann", 5, b"two")])
    cache.append("shop", [("ann", 7, b"\x00S\xff")])
    assert cache.get("shop", ["ann"]) == [Cached(-1, b"", ((3, b"one"), (5, b"two"), (7, b"\x00S\xff")))]


def test_a_state_replaces_its_steps_only_if_nobody_was_quicker(cache: StateCache) -> None:
    cache.append("shop", [("ann", 3, b"one")])
    (seen,) = cache.get("shop", ["ann"])
    cache.append("shop", [("ann", 4, b"two")])
    cache.replace("shop", "ann", seen, Cached(3, b"state"))
    assert cache.get("shop", ["ann"]) == [Cached(-1, b"", ((3, b"one"), (4, b"two")))]
    (seen,) = cache.get("shop", ["ann"])
    cache.replace("shop", "ann", seen, Cached(4, b"state"))
    cache.append("shop", [("ann", 9, b"three")])
    assert cache.get("shop", ["ann"]) == [Cached(4, b"state", ((9, b"three"),))]


def test_a_state_is_put_where_there_is_none(cache: StateCache) -> None:
    cache.replace("shop", "bo", None, Cached(4, b"state"))
    cache.replace("shop", "bo", None, Cached(5, b"too late"))
    assert cache.get("shop", ["bo"]) == [Cached(4, b"state")]


def test_shops_do_not_see_each_other(cache: StateCache) -> None:
    cache.append("shop", [("ann", 3, b"one")])
    assert cache.get("other", ["ann"]) == [None]


def test_a_redis_that_is_gone_is_named() -> None:
    with pytest.raises(StoreError, match="Redis can't be reached"):
        RedisStates("unix:///nowhere/redis.sock").get("shop", ["ann"])


def filled() -> MemoryStates:
    states = MemoryStates()
    states.fill("shop", iter([("ann", 4, b"state of ann"), ("bo", 9, b"x" * 300)]))
    return states


def test_a_snapshot_is_read_back(tmp_path: Path) -> None:
    file, again = tmp_path / "shop.states", MemoryStates()
    assert save_snapshot(filled().all("shop"), file, positions={0: 9}, model="m") == 2
    assert load_snapshot(again, "shop", file) == ({0: 9}, "m")
    assert again.all("shop") == filled().all("shop")


@pytest.mark.parametrize("damage", ["cut", "changed", "other", "newer"])
def test_a_damaged_snapshot_is_refused_and_nothing_of_it_taken_in(tmp_path: Path, damage: str) -> None:
    file, again = tmp_path / "shop.states", MemoryStates()
    save_snapshot(filled().all("shop"), file, positions={0: 9}, model="m")
    whole = file.read_bytes()
    file.write_bytes(
        {
            "cut": whole[:-20],
            "changed": whole[:-5] + b"?" + whole[-4:],
            "other": b"something else",
            "newer": whole[:4] + b"\xff\x00" + whole[6:],
        }[damage]
    )
    with pytest.raises(ArtefactError):
        load_snapshot(again, "shop", file)
    assert len(again) == 0
