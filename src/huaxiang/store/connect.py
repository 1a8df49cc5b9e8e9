"""Opening a store: one schema, in a file of SQLite or a database of PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from huaxiang.errors import StorageError, StoreError, is_disk_full
from huaxiang.store.migrate import migrate
from huaxiang.store.sql import driver_of

N_PARTITIONS = 8
"""Of the log in PostgreSQL; SQLite has one, as it has one writer."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=32768",  # pages; `Store.checkpoint` does it before, off the writing thread
)
_UNREACHABLE = (OperationalError, sqlite3.OperationalError)


@dataclass(frozen=True)
class Store:
    """An open store.

    Parameters
    ----------
    is_shared
        Whether several processes may write: PostgreSQL.
    """

    url: str
    is_shared: bool
    n_partitions: int
    _writer: Engine
    _reader: Engine
    _raw: Engine
    _free: deque[Connection] = field(default_factory=deque, compare=False, repr=False)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Yield a transaction that writes; it is durable when the block has ended.

        Raises
        ------
        StoreError
            The store can't be reached.
        StorageError
            The disk is full.
        """
        with _explained(self.url), self._writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees everything committed by now, and nothing that comes later."""
        with _explained(self.url), self._reader.connect() if self.is_shared else self._opened() as tx:
            yield tx

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """Yield a connection to SQLite, a free one where there is one: opening takes longer than reading."""
        try:
            tx = self._free.pop()
        except IndexError:
            tx = self._reader.connect()
        try:
            yield tx
            tx.rollback()
        except BaseException:
            tx.close()
            raise
        self._free.append(tx)

    @contextmanager
    def raw(self) -> Iterator[Connection]:
        """Yield a connection outside any transaction, for what the databases allow nowhere else."""
        with _explained(self.url), self._raw.connect() as connection:
            yield connection

    def check(self) -> None:
        """Raise `StoreError` unless the store answers."""
        with self.read() as tx:
            tx.execute(text("SELECT 1"))

    def checkpoint(self) -> None:
        """Move what SQLite has in its write-ahead log into the database, as far as nobody has to wait for it.

        PostgreSQL does so by itself.
        """
        if not self.is_shared:
            with self.raw() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def settings(self) -> dict[str, str]:
        """Return what decides whether a commit survives a power cut, as the database itself says it."""
        names = ("fsync", "synchronous_commit", "full_page_writes") if self.is_shared else ()
        with self.read() as tx:
            if names:
                return {name: str(tx.exec_driver_sql(f"SHOW {name}").scalar()) for name in names}
            pragmas = ("journal_mode", "synchronous", "secure_delete")
            return {name: str(tx.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in pragmas}

    def close(self) -> None:
        """Close every connection."""
        while self._free:
            self._free.pop().close()
        self._writer.dispose()
        self._reader.dispose()
        self._raw.dispose()


def open_store(url: str) -> Store:
    """Return the store at an address, with the newest schema.

    Raises
    ------
    StoreError
        The address is none, nothing answers there, or the store is of a newer version.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     store = open_store(f"sqlite:///{home}/live/store.sqlite")
    ...     store.settings()["synchronous"], store.is_shared
    ('2', False)
    """
    is_shared = url.startswith(("postgresql:", "postgres:"))
    if not is_shared and not url.startswith("sqlite:///"):
        raise StoreError(
            "not the address of a store",
            column="HUAXIANG_STORE",
            value=url.partition("@")[2] or url,
            remedy="give sqlite:///path or postgresql://user:password@host/database",
        )
    with _explained(url):
        writer, reader = _postgresql(url) if is_shared else _sqlite(url)
        migrate(writer)
        raw = writer.execution_options(isolation_level="AUTOCOMMIT") if is_shared else _sqlite_raw(url)
        return Store(url, is_shared, N_PARTITIONS if is_shared else 1, writer, reader, raw)


def _sqlite(url: str) -> tuple[Engine, Engine]:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engines = []
    for begin in ("BEGIN IMMEDIATE", "BEGIN"):
        engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=4, max_overflow=20)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin(begin))
        engines.append(engine)
    return engines[0], engines[1]


def _sqlite_raw(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, poolclass=NullPool)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(statement: str) -> Any:
    def begin(connection: Connection) -> None:
        driver_of(connection).execute(statement)

    return begin


def _postgresql(url: str) -> tuple[Engine, Engine]:
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise StoreError("not the address of a store", column="HUAXIANG_STORE", remedy="check it") from error
    writer = create_engine(address, pool_pre_ping=True, pool_size=4, max_overflow=8)
    reader = writer.execution_options(isolation_level="REPEATABLE READ")
    return writer, reader


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what the drivers raise into our own errors; what a statement carried is never repeated."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:  # SQLite's driver is asked directly where that pays
        if is_disk_full(error) or "database or disk is full" in str(error):
            raise StorageError.full(_place(url)) from error
        said = str(getattr(error, "orig", error)).splitlines()[0] if str(error) else type(error).__name__
        what = "the store can't be reached" if isinstance(error, _UNREACHABLE) else "the store failed"
        raise StoreError(
            f"{what} ({type(error).__name__})",
            file=_place(url),
            remedy=f"see whether it runs; it says: {said[:120]}",
        ) from error


def _place(url: str) -> str:
    return url.rpartition("@")[2] or url
