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
    """Yield an empty store of either kind."""
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{tmp_path / 'live' / 'store.sqlite'}")
    else:
        opened = open_store(request.getfixturevalue("database"))
        with opened.begin() as tx:
            tx.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the audit lets nothing go
            for table in ("events", "shoppers", "links", "log_heads", "items", "contents", "keys", "slates"):
                tx.exec_driver_sql(f"DELETE FROM {table}")
            for table in ("audit", "dead_letters", "models", "tombstones", "budget", "meta"):
                tx.exec_driver_sql(f"DELETE FROM {table}")
    yield opened
    opened.close()
