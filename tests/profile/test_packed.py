from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import ArtefactError
from huaxiang.profile.columns import Reader, packed_column, packed_number
from huaxiang.profile.packed import FORMAT_VERSION
from huaxiang.profile.state import EMPTY_STATE, ProfileState, StateEvent, Totals
from huaxiang.records import EventType
from shopping import YEAR_MS, event_lists, grown

SMALL = ProfileState(
    strong=(StateEvent(86_400_123, 2**40 - 1, EventType.PURCHASE.code, 3, quantity=80_995),),
    light=(StateEvent(5, 0, EventType.SEARCH.code, content=2**63 - 1, offset_quarters=-40, channel=2),),
    bought={7: 3, 9: 3},
    totals=Totals(3, 86_400_123, 4, -2, -100, 4),
)


@given(st.lists(st.integers(-(2**61), 2**61)))
def test_a_column_reads_back_identical(values: list[int]) -> None:
    reader = Reader(packed_column(values))
    assert reader.column(len(values)) == values
    reader.finish()


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_number_reads_back_identical(value: int) -> None:
    assert Reader(packed_number(value)).number() == value


@given(event_lists())
def test_a_state_reads_back_identical(events: list[StateEvent]) -> None:
    state = grown(events)
    assert ProfileState.from_bytes(state.to_bytes()) == state


@pytest.mark.parametrize("state", [EMPTY_STATE, SMALL, ProfileState(order_only=True)])
def test_an_odd_state_reads_back_identical(state: ProfileState) -> None:
    assert ProfileState.from_bytes(state.to_bytes()) == state


def test_thirty_item_events_at_random_milliseconds_of_a_year_fit_in_400_bytes() -> None:
    kinds = [EventType.VIEW_ITEM.code, EventType.ADD_TO_CART.code, EventType.PURCHASE.code]
    events = [
        StateEvent(
            1_700_000_000_000 + 982_451_653 * n**2 % YEAR_MS,
            key=n * 36_028_797_018 % 2**40,
            type=kinds[n % 3],
            item_no=n * 7_919 % 100_000,
            quantity=1 + (n % 5 == 0),
            offset_quarters=32,
            channel=1,
        )
        for n in range(30)
    ]
    assert len(grown(events).to_bytes()) <= 400


@pytest.mark.parametrize("length", range(len(SMALL.to_bytes())))
def test_truncated_bytes_are_refused(length: int) -> None:
    with pytest.raises(ArtefactError, match="truncated"):
        ProfileState.from_bytes(SMALL.to_bytes()[:length])


def test_bytes_left_over_are_refused() -> None:
    with pytest.raises(ArtefactError, match="left over"):
        ProfileState.from_bytes(SMALL.to_bytes() + b"\0")


def test_bytes_of_a_newer_version_say_so() -> None:
    newer = SMALL.to_bytes()[:2] + bytes([FORMAT_VERSION + 1]) + SMALL.to_bytes()[3:]
    with pytest.raises(ArtefactError, match="newer version: '2'; upgrade"):
        ProfileState.from_bytes(newer)


@given(st.binary(max_size=60))
def test_damaged_bytes_never_crash_in_another_way(damage: bytes) -> None:
    try:
        ProfileState.from_bytes(SMALL.to_bytes()[:5] + damage)
    except ArtefactError:
        pass
