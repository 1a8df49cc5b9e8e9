"""What comes over the wire: every event that may be taken is, every other is refused and says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from huaxiang.errors import InputError, LimitError
from huaxiang.records import Event, EventType, Value
from huaxiang.serve.settings import PURPOSES, Limits
from huaxiang.serve.wire import KEYS, Parsed, Reading, RefusedError, parse_events
from huaxiang.serve.wire_plain import plain_events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READING = Reading(now=NOW, currency="USD")
VIEW = {"event_id": "e-1", "shopper_id": "s-1", "type": "view_item", "item_id": "i-1"}


def parsed(*stated: object, reading: Reading = READING) -> Parsed:
    return parse_events(json.dumps({"events": stated}).encode(), reading)


def refusal(stated: object, reading: Reading = READING) -> tuple[str | None, str]:
    (one,) = parsed(stated, reading=reading).rejected
    return one.field, one.code


def test_everything_that_may_be_said_of_a_purchase_is_kept() -> None:
    said = {
        "event_id": "e-1",
        "shopper_id": "s-1",
        "type": "purchase",
        "item_id": "i-1",
        "occurred_at": "2026-03-01T19:30:00.5+08:00",
        "value": {"quantity": 2, "price": 19.99, "currency": "USD"},
        "session_id": "v-1",
        "order_id": "o-1",
        "context": {"channel": "web", "slate_id": "l-1", "position": 3},
    }
    (event,) = parsed(said).events
    assert event == Event(
        event_id="e-1",
        shopper_id="s-1",
        type=EventType.PURCHASE,
        item_id="i-1",
        occurred_at=datetime(2026, 3, 1, 11, 30, 0, 500_000, tzinfo=UTC),
        received_at=NOW,
        utc_offset_minutes=480,
        value=Value(quantity=2.0, price_minor=1999, currency="USD"),
        session_id="v-1",
        order_id="o-1",
        context={"channel": "web", "slate_id": "l-1", "position": 3},
    )


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (17850.0, "17850"),
        (17850, "17850"),
        ("17850.0", "17850"),
        (" A1 ", "A1"),
        ("1.5", "1.5"),
        ("-0.", "-0"),
    ],
)
def test_ids_read_as_in_shop_folders(given: object, read: str) -> None:
    (event,) = parsed({**VIEW, "shopper_id": given}).events
    assert event.shopper_id == read


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"event_id": None}, "event_id", "missing"),
        ({"shopper_id": ""}, "shopper_id", "missing"),
        ({"shopper_id": "None"}, "shopper_id", "not_an_id"),
        ({"shopper_id": "nan"}, "shopper_id", "not_an_id"),
        ({"shopper_id": True}, "shopper_id", "not_an_id"),
        ({"shopper_id": 1.5}, "shopper_id", "not_an_id"),
        ({"shopper_id": ["s"]}, "shopper_id", "not_an_id"),
        ({"shopper_id": "s\0"}, "shopper_id", "not_an_id"),
        ({"shopper_id": "\ud800"}, None, "not_a_text"),
        ({"shopper_id": "s" * 201}, "shopper_id", "too_long"),
        ({"item_id": None}, "item_id", "missing"),
        ({"item_id": "i-9"}, "item_id", "unknown_item"),
        ({"query": "red"}, "query", "not_expected"),
        ({"type": "purchased"}, "type", "unknown_type"),
        ({"type": ["view_item"]}, "type", "missing"),
        ({"occured_at": "2026"}, "occured_at", "unknown_field"),
        ({"occurred_at": "2026-03-01T12:00:00"}, "occurred_at", "no_zone"),
        ({"occurred_at": "2026-03-01"}, "occurred_at", "not_a_time"),
        ({"occurred_at": 1_772_000_000_000}, "occurred_at", "not_a_time"),
        ({"occurred_at": "2026-02-30T12:00:00Z"}, "occurred_at", "not_a_time"),
        ({"occurred_at": "2026-03-01T12:00:00+15:00"}, "occurred_at", "not_a_time"),
        ({"occurred_at": "0001-01-01T00:00:00+10:00"}, "occurred_at", "not_a_time"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at", "too_old"),
        ({"value": []}, "value", "not_an_object"),
        ({"value": {"prize": 1}}, "value.prize", "unknown_field"),
        ({"value": {"price": "19.99"}}, "value.price", "not_a_number"),
        ({"value": {"price": float("nan")}}, None, "not_a_number"),
        ({"value": {"price": float("inf")}}, None, "not_a_number"),
        ({"value": {"price": -1}}, "value.price", "out_of_range"),
        ({"value": {"price": 1, "price_minor": 100}}, "value.price_minor", "not_expected"),
        ({"value": {"price": 1, "currency": "dollars"}}, "value.currency", "not_a_currency"),
        ({"value": {"quantity": 0}}, "value.quantity", "out_of_range"),
        ({"value": {"rating": 6}}, "value.rating", "out_of_range"),
        ({"value": {"rating": True}}, "value.rating", "not_a_number"),
        ({"type": "rate"}, "value.rating", "missing"),
        ({"context": "web"}, "context", "not_an_object"),
        ({"context": {"channel": 1}}, "context.channel", "not_a_text"),
        ({"context": {"position": -1}}, "context.position", "not_a_number"),
        ({"context": {"propensity": 0}}, "context.propensity", "out_of_range"),
        ({"context": {"note": "a\0b"}}, "context", "not_a_text"),
        ({"context": {"note": "x" * 5000}}, "context", "too_long"),
        ({"context": {"number": 1 << 70, "note": "\ud800"}}, None, "not_a_number"),
        ({"context": {"a": [[[[[[1]]]]]]}}, "context", "too_deep"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(change: dict[str, object], field: str | None, code: str) -> None:
    reading = replace(READING, has_item=lambda item_id: item_id == "i-1")
    assert refusal({**VIEW, **change}, reading) == (field, code)


@pytest.mark.parametrize("given", [1, None, "event", [], True])
def test_what_is_no_object_is_refused(given: object) -> None:
    assert refusal(given) == (None, "not_an_object")


ABOUT = {"item_id": "i-1", "query": "red dress", "text": "I like red", "image": "red.jpg"}


@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        ("search", ["query", "image"]),
        ("state", ["text", "image"]),
        ("review", ["item_id", "text", "image", "item_id text"]),
        ("begin_checkout", ["", "item_id"]),
        ("add_to_cart", ["item_id"]),
        ("dislike", ["item_id"]),
    ],
)
def test_an_event_is_about_one_thing_of_its_kind(kind: str, ways: list[str]) -> None:
    every = [[name for bit, name in enumerate(ABOUT) if mask >> bit & 1] for mask in range(16)]
    for names in every:
        stated = {"event_id": "1", "shopper_id": "s", "type": kind, **{name: ABOUT[name] for name in names}}
        assert bool(parsed(stated).events) == (" ".join(names) in ways), names


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    (one,) = parsed({**VIEW, "shopperid": "s"}).rejected
    assert "shopper_id" in one.message


def test_a_bad_event_leaves_the_others() -> None:
    answer = parsed(VIEW, {**VIEW, "item_id": float("nan")}, {**VIEW, "event_id": "e-3"})
    assert answer.indices == [0, 2]
    assert [(one.index, one.event_id) for one in answer.rejected] == [(1, "e-1")]


def test_a_clock_that_is_ahead_is_set_back_and_counted() -> None:
    near, far = (
        {**VIEW, "occurred_at": (NOW + timedelta(seconds=s)).isoformat(), "event_id": str(s)}
        for s in (299, 301)
    )
    answer = parsed(near, far)
    assert [event.occurred_at for event in answer.events] == [NOW + timedelta(seconds=299), NOW]
    assert answer.n_clamped == 1


def test_events_may_be_only_as_old_as_the_limit_says() -> None:
    reading = replace(READING, limits=Limits(event_days=30))
    old, young = ({**VIEW, "occurred_at": (NOW - timedelta(days=d)).isoformat()} for d in (31, 29))
    assert refusal(old, reading) == ("occurred_at", "too_old")
    assert parsed(young, reading=reading).events


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [(19.99, "USD", 1999), (0.29, "USD", 29), (1500, "JPY", 1500), (1.005, "EUR", 100)],
)
def test_a_price_is_kept_in_the_minor_units_of_its_currency(price: float, currency: str, minor: int) -> None:
    (event,) = parsed({**VIEW, "value": {"price": price}}, reading=replace(READING, currency=currency)).events
    assert (event.value.price_minor, event.value.currency) == (minor, currency)


def test_a_price_in_another_currency_is_left_out_and_counted() -> None:
    answer = parsed({**VIEW, "value": {"price": 10, "currency": "EUR"}})
    assert (answer.events[0].value, answer.n_unpriced) == (Value(), 1)


def test_an_alias_hashes_both_ids() -> None:
    said = {"other": "anonymous:7", "linked": True, "traits": {"plan": "gold"}}
    stated = {"event_id": "1", "shopper_id": "s-1", "type": "alias", "context": said}
    reading = replace(READING, shopper=lambda id: f"<{id}>")
    (event,) = parsed(stated, reading=reading).events
    assert (event.shopper_id, event.context["other"]) == ("<s-1>", "<anonymous:7>")


def not_allowed(shopper_id: str) -> str:
    raise RefusedError("shopper_id", "not_allowed", "another shopper")


def test_whoever_may_not_be_written_of_is_refused() -> None:
    assert refusal(VIEW, replace(READING, shopper=not_allowed)) == ("shopper_id", "not_allowed")


SAID = {"event_id": "1", "shopper_id": "s-1"}


@pytest.mark.parametrize(
    ("kind", "context", "field"),
    [
        ("alias", {}, "context.other"),
        ("alias", {"other": "a", "linked": "yes"}, "context.linked"),
        ("alias", {"othr": "a"}, "context.othr"),
        ("alias", {"other": "a", "traits": {"address": {"city": "Bath"}}}, "context.traits"),
        ("consent", {}, "context.consent"),
        ("consent", {"consent": {"advertising": True}}, "context.consent"),
        ("consent", {"consent": {"ads": "no"}}, "context.consent.ads"),
        ("correct", {"dimension": "colour", "value": "red"}, "context.side"),
        ("correct", {"dimension": "colour", "side": "liked"}, "context.value"),
    ],
)
def test_what_is_said_in_the_context_is_checked(kind: str, context: dict[str, object], field: str) -> None:
    assert refusal({**SAID, "type": kind, "context": context})[0] == field


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"events": []}', b'{"events": {}}', b"\xff", b"[" * 2000, b'{"a": NaN'],
)
def test_a_body_that_is_none_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InputError):
        parse_events(body, READING)


def test_more_events_than_may_be_sent_at_once_are_refused() -> None:
    with pytest.raises(LimitError, match="up to 500"):
        parsed(*[VIEW] * 501)


# -- laws ------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_events = st.fixed_dictionaries(
    {}, optional={key: any_json | st.sampled_from(["view_item", "search", "i-1", "alias"]) for key in KEYS}
)


@given(st.lists(any_json | near_events, min_size=1, max_size=5))
def test_any_json_gives_events_or_rejections(stated: list[object]) -> None:
    answer = parsed(*stated)
    assert sorted([*answer.indices, *(one.index for one in answer.rejected)]) == list(range(len(stated)))
    orjson.dumps([[event.as_json() for event in answer.events], [one.as_json() for one in answer.rejected]])


@given(st.binary(max_size=60) | any_json.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_answered(body: bytes) -> None:
    try:
        parse_events(body, READING)
    except InputError as error:
        orjson.dumps(error.as_json())


ids = texts.map(lambda text: "i" + text.replace("\0", "").strip())
words = texts.map(lambda text: "w" + text.replace("\0", ""))
moments = st.datetimes(
    datetime(1990, 1, 1),
    datetime(2026, 2, 1),
    timezones=st.just(UTC),
)
worths = st.builds(
    Value,
    quantity=st.floats(0.5, 1000),
    price_minor=st.none() | st.integers(0, 10**9),
    rating=st.none() | st.integers(1, 5).map(float),
).map(lambda value: structs.replace(value, currency=None if value.price_minor is None else "USD"))
ABOUT_OF = {
    EventType.SEARCH: ["query", "image"],
    EventType.STATE: ["text", "image"],
    EventType.BEGIN_CHECKOUT: [None],
    EventType.CORRECT: [None],
    EventType.CONSENT: [None],
    EventType.ALIAS: [None],
}
CONTEXT_OF = {
    EventType.CORRECT: {"dimension": "colour", "value": "红", "side": "liked"},
    EventType.CONSENT: {"consent": dict.fromkeys(PURPOSES, False)},
    EventType.ALIAS: {"other": "anonymous:1", "linked": False},
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(EventType))
    name = draw(st.sampled_from(ABOUT_OF.get(kind, ["item_id"])))
    about: dict[str, Any] = {} if name is None else {name: draw(ids if name == "item_id" else words)}
    worth = draw(worths)
    return Event(
        event_id=draw(ids),
        shopper_id=draw(ids),
        type=kind,
        occurred_at=draw(moments),
        received_at=NOW,
        value=structs.replace(worth, rating=3.0) if kind is EventType.RATE else worth,
        session_id=draw(st.none() | ids),
        order_id=draw(st.none() | ids),
        utc_offset_minutes=draw(st.integers(-720, 840)),
        context=CONTEXT_OF.get(kind, {"channel": "web"}),
        **about,
    )


@given(events())
def test_an_event_comes_back_from_the_wire_as_it_was(event: Event) -> None:
    answer = parsed(event.as_json())
    assert answer.events == [event]


numbers = st.sampled_from(
    [0, 1, 2, 1.0, 2.5, 19.99, -1, 0.0, 5, 10**7, 10**13, 2**53, 2**63, 2**70, 1e300, True]
)
odd = st.sampled_from(
    [None, "", " ", "nan", "a b", 7, 17850.0, [], {}, "A1 ", "1.0", "4.0128e+10", "x" * 300]
)
ways_to_write = {
    "event_id": st.sampled_from(["e-1", "e1", "e", "事件1", "a.b", "١"]) | odd,
    "shopper_id": st.sampled_from(["s-1", "s1", "ann", "anonymous:1"]) | odd,
    "type": st.sampled_from([*EventType, "bought"]) | odd,
    "item_id": st.sampled_from(["i-1", "i-2", "i1\n", "1\0", "unknown-1"]) | odd,
    "query": st.none() | odd,
    "occurred_at": st.sampled_from(
        ["2026-01-05T12:00:00Z", "2026-01-05t12:00:00.1234567+08:00", "2026-01-05", "2126-01-01T00:00:00Z"]
    )
    | odd,
    "value": st.dictionaries(
        st.sampled_from(["quantity", "price", "price_minor", "rating"]), st.none() | numbers | odd, max_size=3
    )
    | st.fixed_dictionaries({"price": numbers}, optional={"currency": st.sampled_from(["USD", "JPY", "x"])})
    | odd,
    "session_id": st.sampled_from(["v-1", "v"]) | odd,
    "order_id": st.sampled_from(["o-1", 17]) | odd,
    "context": st.sampled_from([{"channel": "web"}, {"channel": 1}, {"a": {"b": {"c": {"d": {}}}}}]) | odd,
    "more": odd,
}
needed = {name: ways_to_write[name] for name in ("event_id", "shopper_id", "type", "item_id")}
rest = {name: way for name, way in ways_to_write.items() if name not in needed}
READINGS = [
    replace(READING, has_item=lambda item_id: "unknown" not in item_id),
    replace(READING, currency="JPY", limits=Limits(id_characters=9)),
    replace(READING, currency=None),
]


@given(
    stated=st.lists(st.fixed_dictionaries(needed, optional=rest) | odd, max_size=4),
    reading=st.sampled_from(READINGS),
)
@example(stated=[VIEW, VIEW | {"value": {"price": float("nan")}}], reading=READING)
@example(stated=[VIEW | {"value": {"quantity": 1, "price": 9.9, "currency": "USD"}}], reading=READING)
@example(stated=[VIEW, VIEW | {"type": "search", "item_id": None, "query": "mug"}], reading=READING)
def test_the_short_way_and_the_long_way_give_the_same(stated: list[object], reading: Reading) -> None:
    body = json.dumps({"events": stated}).encode()
    ways: list[object] = []
    for short in (plain_events, lambda body, reading: []):
        with patch("huaxiang.serve.wire.plain_events", short):
            try:
                ways.append(parse_events(body, reading))
            except InputError as error:
                ways.append(error.as_json())
    assert ways[0] == ways[1]


@pytest.mark.parametrize("name", ["event_id", "shopper_id", "item_id", "session_id", "order_id"])
def test_an_id_made_to_be_slow_to_read_is_refused_at_once(name: str) -> None:
    hostile = "1" * 1_000_000 + "!"  # a pattern that goes back over it would take hours
    assert refusal(VIEW | {name: hostile}) == (name, "too_long")
    longest = replace(READING, limits=Limits(id_characters=len(hostile)))
    assert plain_events(json.dumps({"events": [VIEW | {name: hostile}]}).encode(), longest) == [None]


def test_most_events_go_the_short_way() -> None:
    worth = {"quantity": 2, "price": 9.9, "currency": "USD"}
    said = VIEW | {"occurred_at": "2026-01-05T12:00:00Z", "value": worth, "context": {"channel": "web"}}
    (event,) = plain_events(json.dumps({"events": [said]}).encode(), READING)
    assert event is not None
    assert event.value == Value(quantity=2.0, price_minor=990, currency="USD")
