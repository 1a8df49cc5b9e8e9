"""Outcomes: what is joined to which list, the same whatever came first, and what places are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang import metrics
from huaxiang.errors import SettingsError
from huaxiang.feedback.counts import Key, counts_of
from huaxiang.feedback.following import Deed, Followed, Kind, Shown, deed_of
from huaxiang.feedback.outcomes import HOUR_MS, Config, Outcomes
from huaxiang.feedback.policies import chances, draw, rng_of
from huaxiang.feedback.rates import wilson_interval
from huaxiang.records import Event, EventType
from huaxiang.shop.simulate.slates import examination

WINDOW = Config(window_hours=1.0, open_hours=1.0)
MINUTE_MS = 60_000


def shown(
    slate_id: str, *items: int, at: int = 0, by: str | None = "s", model: str = "m", placement: str = "home"
) -> Shown:
    return Shown(
        slate_id=slate_id, shopper_id=by, model=model, placement=placement, shown_ms=at, item_nos=items
    )


def did(kind: Kind, item_no: int, *, at: int = 1, by: str = "s", slate_id: str | None = None) -> Deed:
    return Deed(shopper_id=by, kind=kind, item_no=item_no, occurred_ms=at, slate_id=slate_id)


def row(outcomes: Outcomes, model: str = "m", placement: str = "home") -> dict[str, dict[str, float]]:
    found = [
        one for one in outcomes.as_json()["lists"] if (one["model"], one["placement"]) == (model, placement)
    ]
    return found[0]  # type: ignore[no-any-return]


def test_a_named_click_is_a_click_of_its_list_even_days_later() -> None:
    week = 7 * 24 * HOUR_MS
    outcomes = Outcomes.of(
        [shown("a", 1, 2), shown("b", 1, 2, at=week - 1)], [did("clicked", 2, at=week, slate_id="a")]
    )
    assert row(outcomes)["clicked_items"]["n"] == 1
    assert outcomes.counts["m", "home", 2, "clicked"] == 1
    assert row(outcomes)["attributed"] == {"clicked": 0, "carted": 0, "bought": 0}


def test_an_unnamed_purchase_belongs_to_the_newest_list_with_the_item_and_is_marked() -> None:
    slates = [shown("a", 1, 2), shown("b", 3, 1, at=10), shown("c", 4, 5, at=20)]
    outcomes = Outcomes.of(slates, [did("bought", 1, at=30)])
    assert outcomes.counts["m", "home", 2, "bought"] == 1
    assert row(outcomes)["attributed"]["bought"] == 1


@pytest.mark.parametrize(
    "deed",
    [
        did("bought", 9),
        did("bought", 1, by="somebody else"),
        did("bought", 1, at=-1),
        did("bought", 1, at=HOUR_MS + 1),
        did("bought", 9, slate_id="a"),
        did("bought", 1, slate_id="no such list"),
    ],
    ids=[
        "not listed",
        "other shopper",
        "before the list",
        "too late",
        "names it, not listed",
        "unknown list",
    ],
)
def test_what_did_not_follow_is_not_counted(deed: Deed) -> None:
    assert row(Outcomes.of([shown("a", 1, 2)], [deed], config=WINDOW))["bought"]["n"] == 0


def test_a_list_for_nobody_gains_from_events_that_name_it_alone() -> None:
    deeds = [did("clicked", 1), did("clicked", 2, slate_id="a", by="whoever")]
    outcomes = Outcomes.of([shown("a", 1, 2, by=None)], deeds)
    assert row(outcomes)["clicked_items"]["n"] == 1


def test_the_same_place_counts_once_and_as_named_if_any_event_names_it() -> None:
    deeds = [did("clicked", 1), did("clicked", 1, at=2, slate_id="a"), did("clicked", 1, at=3, slate_id="a")]
    outcomes = Outcomes.of([shown("a", 1, 2)], deeds)
    assert row(outcomes)["clicked_items"]["n"] == 1
    assert row(outcomes)["attributed"]["clicked"] == 0


def test_models_and_placements_are_counted_apart() -> None:
    slates = [shown("a", 1, 2), shown("b", 1, 2, model="n"), shown("c", 3, 4, placement="cart")]
    outcomes = Outcomes.of(slates, [did("clicked", 1, slate_id="b"), did("carted", 3)])
    assert row(outcomes)["clicked_items"]["share"] == 0
    assert row(outcomes, model="n")["clicked_items"]["share"] == 0.5
    assert row(outcomes, placement="cart")["carted"]["share"] == 1


def test_click_rate_is_that_of_the_metrics() -> None:
    clicked_UK = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], dtype=bool)
    slates = [shown(str(u), 10 * u, 10 * u + 1, 10 * u + 2, by=str(u)) for u in range(3)]
    deeds = [
        did("clicked", 10 * u + place, by=str(u), slate_id=str(u))
        for u, place in zip(*np.nonzero(clicked_UK), strict=True)
    ]
    share = row(Outcomes.of(slates, deeds))["clicked_items"]["share"]
    assert share == pytest.approx(metrics.slate_ctr(clicked_UK).mean())


def test_interval_is_that_of_wilsons_formula_and_covers_as_often_as_it_says() -> None:
    assert wilson_interval(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)  # worked out by hand
    assert wilson_interval(0, 10)[0] == 0 and wilson_interval(10, 10)[1] == pytest.approx(1)
    drawn = np.random.default_rng(3).binomial(60, 0.1, 4000)
    covered = [low <= 0.1 <= high for low, high in (wilson_interval(int(n), 60) for n in drawn)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("kind", "context", "expected"),
    [
        (EventType.SELECT_ITEM, {}, "clicked"),
        (EventType.VIEW_ITEM, {}, None),
        (EventType.VIEW_ITEM, {"slate_id": "a"}, "clicked"),
        (EventType.ADD_TO_CART, {}, "carted"),
        (EventType.PURCHASE, {}, "bought"),
        (EventType.VIEW_ITEM_LIST, {"slate_id": "a"}, None),
        (EventType.RATE, {"slate_id": "a"}, None),
        (EventType.SELECT_ITEM, {"slate_id": 7}, "clicked"),
    ],
)
def test_which_events_may_follow(kind: EventType, context: dict[str, object], expected: str | None) -> None:
    event = Event(event_id="1", shopper_id="s", type=kind, item_id="i", context=context)
    found = deed_of(event, item_no=1, occurred_ms=5)
    assert (found.kind if found else None) == expected
    assert deed_of(event, item_no=None, occurred_ms=5) is None


# -- the same whatever came first -------------------------------------------------------------------------

SHOPPERS = st.sampled_from(["s", "t"])
ITEMS = st.integers(1, 4)


@st.composite
def happenings(draw: st.DrawFn) -> tuple[list[Shown], list[Deed]]:
    moments = st.integers(0, 40).map(lambda minutes: minutes * 2 * MINUTE_MS)
    slates = [
        Shown(
            slate_id=f"l{number}",
            shopper_id=draw(st.sampled_from(["s", "t", None])),
            model=draw(st.sampled_from(["m", "n"])),
            placement="home",
            shown_ms=draw(moments),
            item_nos=(items := tuple(draw(st.lists(ITEMS, min_size=1, max_size=3, unique=True)))),
            propensities=tuple(draw(st.sampled_from([0.5, 0.25])) for _ in items)
            if draw(st.booleans())
            else (),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    deeds = draw(
        st.lists(
            st.builds(
                Deed,
                shopper_id=SHOPPERS,
                kind=st.sampled_from(["clicked", "carted", "bought"]),
                item_no=ITEMS,
                occurred_ms=moments,
                slate_id=st.sampled_from([None, None, *[f"l{number}" for number in range(6)]]),
            ),
            max_size=10,
        )
    )
    return slates, deeds


def by_going_through_all(slates: Sequence[Shown], deeds: Sequence[Deed]) -> Counter[Key]:
    """Return the counts as the rules say them, deed by deed."""
    found: dict[tuple[str, int, Kind], bool] = {}
    for deed in deeds:
        if deed.slate_id is not None:
            mine = [
                slate
                for slate in slates
                if slate.slate_id == deed.slate_id and deed.item_no in slate.item_nos
            ]
        else:
            mine = [
                slate
                for slate in slates
                if slate.shopper_id == deed.shopper_id
                and deed.item_no in slate.item_nos
                and slate.shown_ms <= deed.occurred_ms <= slate.shown_ms + WINDOW.window_ms
            ]
        if mine:
            best = max(mine, key=lambda slate: (slate.shown_ms, slate.slate_id))
            at = (best.slate_id, best.item_nos.index(deed.item_no) + 1, deed.kind)
            found[at] = found.get(at, True) and deed.slate_id is None
    return counts_of(slates, [Followed(*at, attributed=is_by_time) for at, is_by_time in found.items()])


@given(happened=happenings(), data=st.data())
def test_learning_one_by_one_in_any_order_is_counting_all_at_once(
    happened: tuple[list[Shown], list[Deed]], data: st.DataObject
) -> None:
    slates, deeds = happened
    config = Config(window_hours=1.0, open_hours=100.0)
    expected = by_going_through_all(slates, deeds)
    assert +Outcomes.of(slates, deeds, config=config).counts == +expected
    one_by_one = Outcomes(config)
    for one in data.draw(st.permutations([*slates, *deeds, *deeds[:2], *slates[:1]])):
        one_by_one.learn_slate(one) if isinstance(one, Shown) else one_by_one.learn_deed(one)
    assert +one_by_one.counts == +expected


@given(happened=happenings())
def test_closing_what_is_old_changes_nothing_where_all_comes_in_time(
    happened: tuple[list[Shown], list[Deed]],
) -> None:
    slates = happened[0]
    shown_at = {slate.slate_id: slate.shown_ms for slate in slates}
    deeds = [
        deed for deed in happened[1] if deed.occurred_ms - shown_at.get(deed.slate_id or "", 0) <= HOUR_MS
    ]
    deeds = [deed for deed in deeds if deed.slate_id is None or deed.slate_id in shown_at]
    deeds = [deed for deed in deeds if deed.occurred_ms >= shown_at.get(deed.slate_id or "", 0)]
    outcomes = Outcomes(WINDOW)
    in_time = sorted(
        [*slates, *deeds], key=lambda one: one.shown_ms if isinstance(one, Shown) else one.occurred_ms
    )
    for one in in_time:
        outcomes.learn_slate(one) if isinstance(one, Shown) else outcomes.learn_deed(one)
    assert +outcomes.counts == +by_going_through_all(slates, deeds)


def test_what_is_held_stays_bounded_and_the_counts_stay() -> None:
    outcomes = Outcomes(Config(most_open=10))
    for number in range(100):
        outcomes.learn_slate(shown(f"l{number}", 1, 2, at=number))
        outcomes.learn_deed(did("clicked", 1, at=number, slate_id=f"l{number}"))
    assert outcomes.n_open <= 10
    assert row(outcomes)["clicked_items"] | {"low": 0, "high": 0} == {
        "share": 0.5, "low": 0, "high": 0, "n": 100, "of": 200,
    }  # fmt: skip
    outcomes.close_before(10**9)
    assert outcomes.n_open == 0 and row(outcomes)["clicked_items"]["n"] == 100


@pytest.mark.parametrize("wrong", [{"window_hours": 0}, {"open_hours": 1}, {"most_open": 1}])
def test_settings_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        Config(**wrong)


# -- places ------------------------------------------------------------------------------------------------


def test_places_drawn_by_chance_tell_how_much_is_the_place() -> None:
    """Better items stand first and first places are looked at more; only the second is to be told."""
    n_lists, n_items, k, bias = 40_000, 6, 4, 0.8
    rng = np.random.default_rng(9)
    looks_K, likes_N = examination(k, bias), np.linspace(0.5, 0.05, n_items)
    table_KN = chances(n_items, k, share=0.5)
    slates, deeds = [], []
    for number in range(n_lists):
        drawn = draw(n_items, k, share=0.5, rng=rng_of(1, str(number)))
        slates.append(
            Shown(
                slate_id=str(number), shopper_id=None, model="m", placement="home", shown_ms=number,
                item_nos=tuple(drawn.tolist()), propensities=tuple(table_KN[np.arange(k), drawn].tolist()),
            )
        )  # fmt: skip
        clicked = np.flatnonzero(rng.random(k) < looks_K * likes_N[drawn])
        deeds += [did("clicked", int(drawn[at]), at=number, slate_id=str(number)) for at in clicked]
    places = Outcomes.of(slates, deeds).as_json()["places"]
    told = np.array([place["same_items"] for place in places])
    np.testing.assert_allclose(told / told[0], looks_K, rtol=0.06)
    plain = np.array([place["clicked"]["share"] for place in places])
    assert plain[-1] / plain[0] < 0.85 * looks_K[-1]  # what is clicked alone makes the last place look worse
    assert all(0 < place["n_effective"] < n_lists for place in places)


def test_without_chance_nothing_is_said_about_the_place_alone() -> None:
    places = Outcomes.of([shown("a", 1, 2)], []).as_json()["places"]
    assert [place["same_items"] for place in places] == [None, None]
    assert [place["clicked"]["share"] for place in places] == [0, 0]
