"""The audit: lines sort by time, are never changed, and go only once a later line says that they expired."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from huaxiang.store import Store, open_store
from huaxiang.store.audit import AuditLine, add_lines, expire_lines, line_at, read_lines
from huaxiang.store.sql import driver_of, rows_of


def line(at_ms: int, action: str = "profile", subject: str = "ann", key_id: str = "k") -> AuditLine:
    return AuditLine(
        line=line_at(at_ms),
        at_ms=at_ms,
        key_id=key_id,
        action=action,
        subject=subject,
        purpose="recommend",
        outcome="done",
    )


@pytest.fixture
def written(store: Store) -> Store:
    """Return a store with a line at 10, 20, … 50 ms, every other one about bo."""
    with store.begin() as tx:
        add_lines(tx, "shop", [line(ms, subject="ann" if ms % 20 else "bo") for ms in (50, 40, 10, 20, 30)])
        add_lines(tx, "other shop", [line(20)])
    return store


def moments(store: Store, **wanted: object) -> list[int]:
    with store.read() as tx:
        return [one.at_ms for one in read_lines(tx, "shop", **wanted)]  # type: ignore[arg-type]


def test_lines_are_read_in_the_order_of_time_page_by_page(written: Store) -> None:
    with written.read() as tx:
        first = read_lines(tx, "shop", limit=2)
        then = read_lines(tx, "shop", after=first[-1].line, limit=2)
    assert [one.at_ms for one in [*first, *then]] == [10, 20, 30, 40]
    assert moments(written, since_ms=30) == [30, 40, 50]
    assert moments(written, subject="bo") == [20, 40]
    assert moments(written, key_id="another") == []


@pytest.mark.parametrize("is_old", [False, True], ids=["a new store", "a store of before"])
def test_the_lines_of_one_person_are_found_by_an_index(tmp_path: Path, is_old: bool) -> None:
    url = f"sqlite:///{tmp_path / 'live' / 'store.sqlite'}"
    store = open_store(url)
    if is_old:
        with store.begin() as tx:
            tx.exec_driver_sql("DROP INDEX audit_by_subject")
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
        store.close()
        store = open_store(url)
    asked: list[str] = []
    with store.read() as tx:
        driver_of(tx).set_trace_callback(asked.append)
        read_lines(tx, "shop", subject="bo")
        plan = str(rows_of(tx, f"EXPLAIN QUERY PLAN {next(said for said in asked if 'audit' in said)}"))
    store.close()
    assert "audit_by_subject (shop_id=? AND subject=? AND line>?)" in plan
    assert "TEMP B-TREE" not in plan  # neither are they sorted


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'never' WHERE at_ms = 20",
        "DELETE FROM audit WHERE at_ms = 20",
        "DELETE FROM audit",
    ],
)
def test_the_database_refuses_to_change_a_line_or_to_lose_one(written: Store, statement: str) -> None:
    with pytest.raises(Exception, match="audit"), written.begin() as tx:
        _raw(tx.exec_driver_sql, statement)
    assert moments(written) == [10, 20, 30, 40, 50]


def _raw(call: object, statement: str) -> None:
    try:
        call(statement)  # type: ignore[operator]
    except DBAPIError as error:
        raise RuntimeError(str(error.orig)) from error


def test_a_line_is_not_replaced_by_one_with_its_name(written: Store) -> None:
    with written.read() as tx:
        known = read_lines(tx, "shop", limit=1)[0]
    replace = "INSERT OR REPLACE" if not written.is_shared else "INSERT"
    query = f"{replace} INTO audit VALUES ('shop', '{known.line}', 10, 'k', 'nothing', 'ann', 'x', 'done')"
    with pytest.raises(RuntimeError), written.begin() as tx:
        _raw(tx.exec_driver_sql, query)
    with written.read() as tx:
        assert read_lines(tx, "shop", limit=1) == [known]


def test_expired_lines_go_and_leave_a_line_that_says_so(written: Store) -> None:
    for _ in range(3):
        with written.begin() as tx:
            expire_lines(tx, "shop", before_ms=40, now_ms=60, limit=2)
    with written.read() as tx:
        left = read_lines(tx, "shop")
    assert [(one.at_ms, one.action, one.outcome) for one in left] == [
        (40, "profile", "done"),
        (50, "profile", "done"),
        (60, "expire", "40"),
    ]
    with pytest.raises(RuntimeError), written.begin() as tx:
        _raw(tx.exec_driver_sql, "DELETE FROM audit WHERE shop_id = 'shop'")


def test_the_line_that_lets_others_go_stays_itself(written: Store) -> None:
    with written.begin() as tx:
        add_lines(tx, "shop", [_expiry(60, 99)])
    with pytest.raises(RuntimeError), written.begin() as tx:
        _raw(tx.exec_driver_sql, "DELETE FROM audit WHERE shop_id = 'shop'")


def _expiry(at_ms: int, before_ms: int) -> AuditLine:
    return AuditLine(
        line=line_at(at_ms),
        at_ms=at_ms,
        key_id="k",
        action="expire",
        subject=None,
        purpose=None,
        outcome=str(before_ms),
    )
