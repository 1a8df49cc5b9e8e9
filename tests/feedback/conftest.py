from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from huaxiang.store import Store, open_store
from store.servers import postgresql_server


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Yield a running PostgreSQL."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield a store of either kind without events, items and lists."""
    is_file = request.param == "sqlite"
    opened = open_store(
        f"sqlite:///{tmp_path}/store.sqlite" if is_file else request.getfixturevalue("database")
    )
    with opened.begin() as tx:
        for table in (
            "events",
            "shoppers",
            "links",
            "log_heads",
            "items",
            "contents",
            "slates",
            "tombstones",
        ):
            tx.exec_driver_sql(f"DELETE FROM {table}")
    yield opened
    opened.close()
