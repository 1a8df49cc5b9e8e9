"""A shop over time: events arrive late and early, states are put, saved, loaded and removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from huaxiang.profile.bulk import build_states
from huaxiang.profile.state import ProfileState
from huaxiang.profile.states import States
from huaxiang.profile.update import state_event, update
from huaxiang.records import Event, EventType, Value
from shopping import same_bytes, table

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOPPERS = st.sampled_from(["ann", "bo"])
KINDS = st.sampled_from([EventType.PURCHASE, EventType.VIEW_ITEM, EventType.REFUND, EventType.SEARCH])


class ShopOverTime(RuleBasedStateMachine):
    """Whatever happens, the states are those that the log alone would give."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Event] = []
        self.n_seen = 0
        self.states = build_states(table([]), order_only=False)

    @rule(shopper_id=SHOPPERS, kind=KINDS, first=st.integers(0, 300), n=st.sampled_from([1, 1, 90]))
    def learn(self, shopper_id: str, kind: EventType, first: int, n: int) -> None:
        """Events arrive one by one, not in the order in which they happened."""
        for number in range(n):
            event = Event(
                event_id=f"e-{self.n_seen}",
                shopper_id=shopper_id,
                type=kind,
                occurred_at=START + timedelta(minutes=(first + number * 7) % 300),
                item_id=None if kind is EventType.SEARCH else str(self.n_seen % 50),
                text="mug" if kind is EventType.SEARCH else None,
                value=Value(price_minor=100),
            )
            self.n_seen += 1
            self.log.append(event)
            known = shopper_id in self.states
            state = self.states.state(shopper_id) if known else self.states.empty()
            kept, totals = state_event(event, item_no=int(event.item_id or -1))
            self.states.put(shopper_id, update(state, kept, totals=totals))

    @rule(shopper_id=SHOPPERS)
    def forget(self, shopper_id: str) -> None:
        """A shopper is erased, from the states and from the log."""
        self.states.remove(shopper_id)
        self.log = [event for event in self.log if event.shopper_id != shopper_id]

    @rule()
    def save_and_load(self) -> None:
        """The shop restarts."""
        with TemporaryDirectory() as folder:
            self.states.save(Path(folder) / "states.parquet")
            self.states = States.load(Path(folder) / "states.parquet")

    @rule()
    def through_a_cache(self) -> None:
        """Every state is stored as bytes elsewhere and comes back."""
        for shopper_id in self.states.shopper_ids:
            stored = self.states.state(shopper_id).to_bytes()
            self.states.put(shopper_id, ProfileState.from_bytes(stored))

    @invariant()
    def the_states_are_what_the_log_says(self) -> None:
        from_log = build_states(table(self.log), order_only=False)
        assert same_bytes(self.states, {name: from_log.state(name) for name in from_log.shopper_ids})


ShopOverTime.TestCase.settings = settings(max_examples=15, stateful_step_count=12)
TestShopOverTime = ShopOverTime.TestCase
