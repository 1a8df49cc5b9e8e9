"""An erasure reaches the files of PostgreSQL and of Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from serve.talking import event, opened
from store.servers import postgresql_server, redis_server

WORDS = "Wilhelmina wants a lamp like a heron"


def holding(folder: Path, needles: Sequence[bytes]) -> set[str]:
    """Return the files that hold one of the needles."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.name for file in files for needle in needles if needle in file.read_bytes()}


@pytest.mark.slow
def test_nothing_is_left_in_postgresql_nor_in_redis(live_run: Path) -> None:
    kept = ("--appendonly", "yes", "--save", "1 1")
    with postgresql_server("wal_recycle=off") as database, redis_server(*kept) as cache:
        data, dump = Path(database.partition("host=")[2]), Path(cache.removeprefix("unix://")).parent
        where = {"HUAXIANG_STORE": database, "HUAXIANG_STATE": cache, "HUAXIANG_PSEUDONYM_KEY": "k" * 32}
        with opened(live_run, where) as talk:
            item_id = talk.shop.serving.model.catalogue.item_ids[0]
            talk.send(event("w", "search", query=WORDS), event("w", "purchase", item_id=item_id))
            talk.get("/v1/shoppers/w/recommendations")
            hashed = talk.shop.people.hashed("w").encode()
            with talk.shop.store.raw() as connection:
                connection.exec_driver_sql("ANALYZE")
                connection.exec_driver_sql("CHECKPOINT")
            time.sleep(1.5)  # Redis saves after a second
            assert holding(data / "data" / "base", [hashed]) and holding(data / "data" / "pg_wal", [hashed])
            assert {"dump.rdb"} < holding(dump, [hashed])
            receipt = talk.client.delete("/v1/shoppers/w").json()
            assert receipt["left"]["store"].startswith("nothing but what was copied")
            talk.until(lambda: not holding(dump, [hashed]))
            assert holding(data, [hashed, WORDS.encode()]) == set()


@pytest.mark.slow
def test_a_receipt_says_what_postgresql_keeps_and_for_how_long(live_run: Path) -> None:
    where = {"HUAXIANG_PSEUDONYM_KEY": "k" * 32}
    with postgresql_server() as database, opened(live_run, {**where, "HUAXIANG_STORE": database}) as talk:
        talk.send(event("w", "search", query=WORDS))
        receipt = talk.client.delete("/v1/shoppers/w").json()
        assert "until the server writes over them" in receipt["left"]["store"]
        data = Path(database.partition("host=")[2]) / "data"
        assert holding(data / "base", [WORDS.encode()]) == set()
