from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.errors import ArtefactError
from huaxiang.profile.merge import merge_states
from huaxiang.profile.state import LIGHT, PURCHASE, STRONG, ProfileState, StateEvent, Totals
from huaxiang.profile.step import STEP_BYTES, packed_step, take_steps, unpacked_step
from huaxiang.profile.update import update

Step = tuple[StateEvent, Totals]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Return a log of one person, long enough at times that events must leave the state."""
    n = draw(st.sampled_from([0, 1, 5, 40, 400]))
    rng = draw(st.randoms(use_true_random=False))
    kinds = sorted(STRONG | LIGHT)
    return [
        (
            StateEvent(
                rng.randrange(n * 2),
                key,
                PURCHASE if rng.random() < 0.7 else rng.choice(kinds),
                rng.randrange(-1, 60),
            ),
            Totals(0, 0, rng.randrange(2), rng.randrange(5), rng.randrange(900), 1),
        )
        for key in range(n)
    ]


def grown(log: list[Step]) -> ProfileState:
    stamped = [
        (event, totals._replace(first_seen_ms=event.occurred_ms, last_seen_ms=event.occurred_ms))
        for event, totals in log
    ]
    return reduce(lambda state, step: update(state, step[0], totals=step[1]), stamped, ProfileState())


@settings(max_examples=60)
@given(log=steps(), rng=st.randoms(use_true_random=False), n_ids=st.integers(1, 4))
def test_merged_states_are_the_state_of_all_events_in_any_order(log, rng, n_ids) -> None:  # type: ignore[no-untyped-def]
    parts: list[list[Step]] = [[] for _ in range(n_ids)]
    for step in log:
        rng.choice(parts).append(step)
    states = [grown(part) for part in parts]
    rng.shuffle(states)
    assert merge_states(states).to_bytes() == grown(log).to_bytes()


@given(log=steps())
@settings(max_examples=20)
def test_steps_as_bytes_change_a_state_as_the_events_do(log: list[Step]) -> None:
    stored = [packed_step(event, totals[2:5]) for event, totals in log]
    assert take_steps(ProfileState(), stored) == grown(log)
    assert {len(step) for step in stored} <= {STEP_BYTES}


def test_steps_of_a_shop_without_times_get_their_place_in_the_order() -> None:
    stored = [packed_step(StateEvent(99, key, PURCHASE, 3), (1, 1, 5)) for key in (1, 2)]
    state = take_steps(ProfileState(order_only=True), stored)
    assert [event.occurred_ms for event in state.events()] == [0, 1]


@pytest.mark.parametrize("stored", [b"", b"x" * STEP_BYTES, b"\x01"], ids=["empty", "other", "short"])
def test_other_bytes_are_no_step(stored: bytes) -> None:
    with pytest.raises(ArtefactError, match="not a step"):
        unpacked_step(stored)
