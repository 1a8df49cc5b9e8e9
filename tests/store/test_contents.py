"""Contents: words are found by their number without reading the whole log."""

from __future__ import annotations

import numpy as np

from huaxiang.profile.update import content_hash
from huaxiang.records import Event, EventType
from huaxiang.store import Content, LoggedEvent, Store, add_contents, append, contents_of
from huaxiang.store.contents import events_saying, vectors_in
from huaxiang.store.sql import fill, is_postgresql

SHOP, MUG = "shop", content_hash("a mug")


def search(store: Store) -> None:
    event = Event(event_id="1", shopper_id="s", type=EventType.SEARCH, query="a mug")
    with store.begin() as tx:
        append(tx, SHOP, [LoggedEvent(event, 1, None, MUG)])


def test_words_are_found_by_the_index_of_contents(store: Store) -> None:
    search(store)
    with store.begin() as tx:
        if is_postgresql(tx):
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN " if is_postgresql(tx) else "EXPLAIN QUERY PLAN "
        plan = tx.exec_driver_sql(fill(tx, f"{explain}SELECT 1 FROM {events_saying(tx)}"), (SHOP, MUG))
        told = str(plan.fetchall())
    assert "shop_id" in told and "content" in told and "PRIMARY KEY" not in told
    with store.read() as tx:
        assert [one.said for one in contents_of(tx, SHOP, "space", [MUG])] == ["a mug"]


def test_vectors_of_one_space_are_read_at_once(store: Store) -> None:
    vector = np.array([0.6, 0.8], dtype=np.float32)
    with store.begin() as tx:
        add_contents(tx, SHOP, [Content(MUG, "space", "text", "a mug", vector)])
        add_contents(tx, SHOP, [Content(MUG, "other", "text", "a mug", -vector)])
    with store.read() as tx:
        found = vectors_in(tx, SHOP, "space")
        assert list(found) == [MUG] and np.array_equal(found[MUG], vector)
        assert vectors_in(tx, "another shop", "space") == {}
