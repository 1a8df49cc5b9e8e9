from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.errors import SettingsError
from huaxiang.profile.contents import Contents
from huaxiang.profile.intent import MINUTE_MS, STAGES, Config, intent_of
from huaxiang.profile.state import ProfileState, StateEvent
from huaxiang.profile.update import event_key
from huaxiang.records import Event, EventType, Evidence, Intent
from huaxiang.shop.catalogue import Catalogue, Dimension
from shopping import grown

START = datetime(2026, 5, 1, 9, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
VIEW, CART, OUT, SEARCH, PAY, BUY, WISH, REFUND = (
    EventType[name].code
    for name in (
        "VIEW_ITEM",
        "ADD_TO_CART",
        "REMOVE_FROM_CART",
        "SEARCH",
        "BEGIN_CHECKOUT",
        "PURCHASE",
        "ADD_TO_WISHLIST",
        "REFUND",
    )
)
N_ITEMS = 6


def dimension(name: str, values: list[str], rows: list[int]) -> Dimension:
    ones = np.ones(N_ITEMS, np.float32)
    return Dimension(
        name=name,
        values=values,
        offsets=np.arange(N_ITEMS + 1),
        value_rows=np.array(rows, np.int32),
        weights=ones,
        confidence=ones,
        is_inferred=np.zeros(N_ITEMS, bool),
    )


# items 0 to 2 are shoes, 3 to 5 mugs; even ones are red
CATALOGUE = Catalogue(
    item_ids=[f"i-{n}" for n in range(N_ITEMS)],
    titles={"en": [""] * N_ITEMS},
    group_rows=np.arange(N_ITEMS, dtype=np.int32),
    price_minor=np.full(N_ITEMS, -1),
    in_stock=np.ones(N_ITEMS, bool),
    valid_from_ms=np.zeros(N_ITEMS, np.int64),
    dimensions={
        "category": dimension("category", ["shoes", "mug"], [0, 0, 0, 1, 1, 1]),
        "colour": dimension("colour", ["red", "blue"], [0, 1, 0, 1, 0, 1]),
    },
)


def visit(*acts: tuple[int, int], from_minute: int = 0) -> list[StateEvent]:
    """Return one event a minute: (type, item)."""
    return [
        StateEvent(
            START_MS + (from_minute + n) * MINUTE_MS, event_key(f"e-{from_minute + n}"), kind, item_no=item
        )
        for n, (kind, item) in enumerate(acts)
    ]


def intent(
    events: list[StateEvent], *, after_minutes: float = 10, contents: Contents | None = None
) -> Intent | None:
    now = START + timedelta(minutes=after_minutes)
    return intent_of(grown(events), catalogue=CATALOGUE, contents=contents or Contents(), now=now)


def stage(*acts: tuple[int, int]) -> str:
    found = intent(visit(*acts))
    assert found is not None
    return found.stage


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([(VIEW, 0)], "browsing"),
        ([(VIEW, 0), (VIEW, 3)], "browsing"),
        ([(VIEW, 0), (VIEW, 1)], "comparing"),
        ([(VIEW, 0), (VIEW, 1), (VIEW, 0)], "deciding"),
        ([(VIEW, 0), (VIEW, 0)], "browsing"),
        ([(VIEW, 0), (CART, 0)], "deciding"),
        ([(VIEW, 0), (CART, 0), (OUT, 0)], "browsing"),
        ([(VIEW, 4), (WISH, 4)], "deciding"),
        ([(VIEW, 0), (CART, 0), (PAY, -1)], "buying"),
        ([(VIEW, 0), (CART, 0), (BUY, 0)], "buying"),
        ([(CART, 0), (BUY, 0), (VIEW, 3)], "browsing"),
    ],
)
def test_stage_is_the_furthest_the_visit_shows(acts: list[tuple[int, int]], expected: str) -> None:
    assert stage(*acts) == expected


def test_a_visit_ends_after_half_an_hour_without_an_event() -> None:
    earlier, later = visit((CART, 3)), visit((VIEW, 0), (VIEW, 1), from_minute=31)
    found = intent([*earlier, *later], after_minutes=40)
    assert found is not None and (found.n_events, found.stage) == (2, "comparing")
    assert found.started_at == START + timedelta(minutes=31)
    assert intent([*earlier, *later], after_minutes=63) is None


def test_events_after_now_are_not_yet_known() -> None:
    found = intent(visit((VIEW, 0), (BUY, 0)), after_minutes=0)
    assert found is not None and found.stage == "browsing"


def test_a_refund_is_no_visit() -> None:
    assert intent(visit((REFUND, 0))) is None


def test_focus_is_what_most_of_the_visit_agrees_on() -> None:
    found = intent(visit((VIEW, 0), (VIEW, 1), (VIEW, 2)))
    assert found is not None
    assert found.focus == (("category", "shoes", 1.0), ("colour", "red", pytest.approx(2 / 3)))


def test_queries_are_shown_and_count_for_the_focus() -> None:
    contents = Contents()
    asked = Event(event_id="q", shopper_id="s", type=EventType.SEARCH, query="红色 mug")
    search = StateEvent(START_MS, event_key("q"), SEARCH, content=contents.add_event(asked))
    found = intent([search, *visit((VIEW, 4), from_minute=1)], contents=contents)
    assert found is not None and found.queries == ("红色 mug",)
    assert ("colour", "red", 1.0) in found.focus
    assert Evidence(event_id="q") in found.evidence


def test_a_shop_that_knows_only_an_order_has_no_visits() -> None:
    state = grown([StateEvent(0, 0, VIEW, item_no=1)], state=ProfileState(order_only=True))
    assert intent_of(state, catalogue=CATALOGUE, contents=Contents(), now=None) is None


def test_items_the_catalogue_lacks_have_no_subject() -> None:
    found = intent(visit((VIEW, 99), (VIEW, 98)))
    assert found is not None and (found.stage, found.focus) == ("browsing", ())


@given(
    st.lists(
        st.tuples(st.sampled_from([VIEW, CART, OUT, PAY, BUY, WISH]), st.integers(0, 5)),
        min_size=1,
        max_size=12,
    )
)
def test_without_its_evidence_an_intent_vanishes_or_weakens(acts: list[tuple[int, int]]) -> None:
    events = visit(*acts)
    found = intent(events, after_minutes=12)
    assert found is not None and found.stage in STAGES and 1 <= len(found.evidence) <= 5
    cited = {event_key(str(one.event_id)) for one in found.evidence}
    named = {int(str(one.event_id).removeprefix("key:"), 16) for one in found.evidence}
    left = intent([event for event in events if event.key not in cited | named], after_minutes=12)
    assert left is None or left.n_events < found.n_events


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(SettingsError, match="focus_share"):
        Config(focus_share=1.5)
