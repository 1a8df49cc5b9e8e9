"""Reading: all of one transaction is of one moment, and what the driver says is told as an error of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.errors import StoreError
from huaxiang.store import Store, open_store
from huaxiang.store.meta import read_meta, write_meta
from huaxiang.store.sql import rows_of


def wrote(store: Store, value: str) -> None:
    with store.begin() as tx:
        write_meta(tx, "name", value)


def test_a_transaction_reads_one_moment_however_many_statements_it_has(store: Store) -> None:
    wrote(store, "before")
    with store.read() as tx:
        first = read_meta(tx, "name")
        wrote(store, "after")
        assert (first, read_meta(tx, "name")) == ("before", "before")
    with store.read() as tx:
        assert read_meta(tx, "name") == "after"


def test_what_is_written_in_a_transaction_is_read_in_it_and_gone_where_it_fails(store: Store) -> None:
    wrote(store, "before")
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        write_meta(tx, "name", "after")
        assert read_meta(tx, "name") == "after"
        _ = 1 / 0
    with store.read() as tx:
        assert read_meta(tx, "name") == "before"


@pytest.mark.parametrize("statement", ["SELECT nothing FROM meta", "SELECT 1 FROM nowhere"])
def test_a_statement_that_fails_is_an_error_of_the_store(store: Store, statement: str) -> None:
    with pytest.raises(StoreError, match="the store"), store.read() as tx:
        rows_of(tx, statement)
    store.check()


def test_readings_that_overlap_have_their_own_moments(store: Store) -> None:
    wrote(store, "first")
    with store.read() as one:
        assert read_meta(one, "name") == "first"
        wrote(store, "second")
        with store.read() as other:
            assert read_meta(other, "name") == "second"
        assert read_meta(one, "name") == "first"


def test_no_reading_that_is_over_keeps_what_was_written_from_the_database(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    wrote(store, "before")
    with store.read() as tx:
        read_meta(tx, "name")
    wrote(store, "after")
    with store.raw() as connection:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert busy == 0
    store.close()
