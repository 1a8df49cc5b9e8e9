"""What a service has left in its files, read without it."""

from __future__ import annotations

from pathlib import Path

from huaxiang.profile.state import ProfileState
from huaxiang.serve.states import state_of
from huaxiang.store import of_shopper, open_store
from huaxiang.store.sql import rows_of
from huaxiang.store.states import MemoryStates
from huaxiang.store.states.snapshot import load_snapshot


def states_in(live: Path) -> dict[str, bytes]:
    """Return the states that the service left behind."""
    states = MemoryStates()
    load_snapshot(states, "default", live / "default.states")
    return {shopper_id: kept.packed for shopper_id, kept in states.all("default")}


def states_of_the_log(live: Path) -> dict[str, bytes]:
    """Return the states built anew, each from its shopper's events in the log."""
    store = open_store(f"sqlite:///{live / 'store.sqlite'}")
    with store.read() as tx:
        names = [row[0] for row in rows_of(tx, "SELECT DISTINCT shopper_id FROM events")]
        built = {name: state_of(of_shopper(tx, "default", [name]), empty=ProfileState()) for name in names}
    store.close()
    return {name: state.to_bytes() for name, state in built.items() if state.totals.n_events}
