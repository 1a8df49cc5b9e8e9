"""The first start of a service: the run's events enter the log, and its states are there at once."""

from __future__ import annotations

from pathlib import Path

from huaxiang.model import load
from huaxiang.serve.states import state_of
from huaxiang.store import of_shopper
from serve.talking import Talk


def test_the_states_of_a_run_are_those_of_its_log_and_none_is_built_again(talk: Talk, live_run: Path) -> None:
    shop = talk.shop
    for shopper_id in load(live_run).states.shopper_ids[:20]:
        with shop.store.read() as tx:
            person = shop.people.known(tx, shopper_id)
            events = of_shopper(tx, shop.shop_id, person.ids)
        assert person.state.to_bytes() == state_of(events, empty=shop.states.empty).to_bytes()
    assert shop.states.counts.rebuilt == 0
