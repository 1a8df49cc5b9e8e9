from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from huaxiang.errors import SettingsError
from huaxiang.profile.activity import DAY_MS, HOUR_MS, LIFECYCLE, Config, active_hours, activity_of
from huaxiang.profile.state import CHANNELS, EMPTY_STATE, PURCHASE, ProfileState, StateEvent
from huaxiang.records import EventType
from shopping import event_lists, grown

VIEW = EventType.VIEW_ITEM.code
DAY_100 = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=100)


def visits(*days: float, type: int = VIEW) -> ProfileState:
    return grown([StateEvent(round(day * DAY_MS), n, type, item_no=n) for n, day in enumerate(days)])


@pytest.mark.parametrize(
    ("state", "lifecycle"),
    [
        (visits(99), "new"),
        (visits(60, 80, 99), "active"),
        (visits(40, 99), "active"),
        (visits(60, 70, 80, 99, type=PURCHASE), "loyal"),
        (visits(50), "at_risk"),
        (visits(20, 22, 25, 28, 30, 82, type=PURCHASE), "loyal"),
        (visits(60, 61, 62, 63, 64, 82), "active"),
        (visits(60, 61, 62, 63, 64, 65), "at_risk"),
        (visits(40, 41, 42, 43, 44, 45), "lapsed"),
        (visits(1), "at_risk"),
    ],
)
def test_lifecycle_follows_the_shoppers_own_rhythm(state: ProfileState, lifecycle: str) -> None:
    found = activity_of(state, now=DAY_100)
    assert found is not None and found.lifecycle == lifecycle


def test_recency_frequency_and_money_are_read_from_the_totals() -> None:
    found = activity_of(visits(90, 97.5, type=PURCHASE), now=DAY_100, currency="GBP")
    assert found is not None
    assert (found.recency_days, found.n_orders, found.n_units, found.spend_minor) == (2.5, 2, 2, 500)
    assert found.first_seen == DAY_100 - timedelta(days=10)
    assert found.currency == "GBP"


def test_nobody_has_no_activity() -> None:
    assert activity_of(EMPTY_STATE, now=DAY_100) is None


def test_a_shop_that_knows_only_an_order_claims_no_times() -> None:
    state = grown(
        [StateEvent(n, n, PURCHASE, item_no=n) for n in range(5)], state=ProfileState(order_only=True)
    )
    found = activity_of(state, now=None)
    assert found is not None and found.n_orders == 5
    assert (found.first_seen, found.last_seen, found.recency_days) == (None, None, None)
    assert (found.lifecycle, found.active_hours) == ("unknown", ())


def test_hours_are_those_of_the_shoppers_own_clock() -> None:
    abroad = [StateEvent(day * DAY_MS + 20 * HOUR_MS, day, VIEW, offset_quarters=32) for day in range(4)]
    once = StateEvent(9 * HOUR_MS, 9, VIEW)
    assert active_hours([once, *abroad]) == (4,)


def test_dates_without_hours_claim_no_hours() -> None:
    assert active_hours([StateEvent(day * DAY_MS, day, VIEW, offset_quarters=4) for day in range(9)]) == ()


def test_channels_are_shares_of_what_is_known() -> None:
    app, web = CHANNELS.index("app"), CHANNELS.index("web")
    used = [StateEvent(n, n, VIEW, channel=channel) for n, channel in enumerate([app, app, web, app, 0])]
    found = activity_of(grown(used), now=None)
    assert found is not None and dict(found.channels) == {"app": 0.75, "web": 0.25}


@given(event_lists())
def test_an_event_now_ends_every_claim_of_absence(events: list[StateEvent]) -> None:
    now = datetime(1980, 1, 1, tzinfo=UTC)
    here = StateEvent(10 * 365 * DAY_MS, 1, VIEW, item_no=1)
    found = activity_of(grown([*events, here]), now=now)
    assert found is not None and found.lifecycle in LIFECYCLE
    assert found.lifecycle not in ("at_risk", "lapsed") and found.recency_days is not None
    assert found.recency_days < 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"rhythm_quantile": 2.0},
        {"shortest_rhythm_days": 999.0},
        {"lapsed_after_rhythms": 1.0},
        {"hour_lift": 0},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Config(**wrong)  # type: ignore[arg-type]
