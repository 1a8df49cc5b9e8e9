"""What Segment's libraries send becomes events of ours, each once, with the same checks."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from segment.analytics.client import Client

from huaxiang.errors import InputError, LimitError
from huaxiang.records import Event, EventType
from huaxiang.serve.segment import parse_segment, read_envelope
from huaxiang.serve.segment_tracks import USUAL_NAMES
from huaxiang.serve.settings import Limits
from huaxiang.serve.wire import Parsed, Reading, RefusedError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READING = Reading(now=NOW, currency="USD")
TRACK = {"type": "track", "messageId": "m-1", "userId": "s-1", "timestamp": "2026-03-01T11:00:00Z"}


def batch(*messages: object, reading: Reading = READING, **more: Any) -> Parsed:
    return parse_segment(json.dumps({"batch": messages}).encode(), reading, **more)


def track(name: str, properties: object, **more: object) -> Parsed:
    return batch({**TRACK, "event": name, "properties": properties, **more})


def only(answer: Parsed) -> Event:
    assert answer.rejected == []
    (event,) = answer.events
    return event


PRODUCT = {"product_id": "i-1", "price": 10, "quantity": 2, "currency": "USD"}
EXPECTED = {
    "Product List Viewed": ("view_item_list", {"products": [PRODUCT]}),
    "Product Clicked": ("select_item", PRODUCT),
    "Product Viewed": ("view_item", PRODUCT),
    "product_viewed": ("view_item", PRODUCT),
    "Viewed Product": ("view_item", PRODUCT),
    "Product Added": ("add_to_cart", PRODUCT),
    "Product Removed": ("remove_from_cart", PRODUCT),
    "Product Added to Wishlist": ("add_to_wishlist", PRODUCT),
    "Wishlist Product Added to Cart": ("add_to_cart", PRODUCT),
    "Checkout Started": ("begin_checkout", {"order_id": "o-1", "products": [PRODUCT, PRODUCT]}),
    "Order Completed": ("purchase", {"order_id": "o-1", "products": [PRODUCT]}),
    "Order Refunded": ("refund", {"order_id": "o-1", "products": [PRODUCT]}),
    "Products Searched": ("search", {"query": "红色连衣裙"}),
    "Product Reviewed": ("review", {"product_id": "i-1", "review_body": "good", "rating": 5}),
}


@pytest.mark.parametrize(("name", "kind", "properties"), [(n, *rest) for n, rest in EXPECTED.items()])
def test_each_name_of_the_ecommerce_spec_is_an_event_of_ours(
    name: str, kind: str, properties: object
) -> None:
    event = only(track(name, properties))
    assert (event.type.value, event.event_id, event.shopper_id) == (kind, "m-1", "s-1")
    assert event.query == ("红色连衣裙" if kind == "search" else None)


def test_an_order_is_one_purchase_for_each_product() -> None:
    products = [{"product_id": f"i-{n}", "price": "9.50", "quantity": n + 1} for n in range(3)]
    answer = track("Order Completed", {"order_id": 17850.0, "currency": "usd", "products": products})
    assert [(e.event_id, e.item_id, e.value.quantity) for e in answer.events] == [
        ("m-1:0", "i-0", 1.0),
        ("m-1:1", "i-1", 2.0),
        ("m-1:2", "i-2", 3.0),
    ]
    assert {(e.order_id, e.value.price_minor, e.value.currency) for e in answer.events} == {
        ("17850", 950, "USD")
    }
    assert {e.type for e in answer.events} == {EventType.PURCHASE}


def test_a_refund_of_a_whole_order_is_refused_since_its_products_are_not_known() -> None:
    (one,) = track("Order Refunded", {"order_id": "o-1"}).rejected
    assert (one.field, one.code, one.event_id) == ("properties.products", "missing", "m-1")


def test_the_id_that_the_catalogue_has_is_taken() -> None:
    reading = replace(READING, has_item={"sku-1"}.__contains__)
    message = {**TRACK, "event": "Product Viewed", "properties": {"product_id": "p-1", "sku": "sku-1"}}
    assert only(batch(message, reading=reading)).item_id == "sku-1"
    (one,) = batch({**message, "properties": {"sku": "sku-2"}}, reading=reading).rejected
    assert one.code == "unknown_item"


def test_a_review_without_words_is_a_rating() -> None:
    event = only(track("Product Reviewed", {"product_id": "i-1", "rating": "4"}))
    assert (event.type, event.value.rating) == (EventType.RATE, 4.0)


def test_a_clicked_product_keeps_its_list_and_place() -> None:
    event = only(track("Product Clicked", {**PRODUCT, "position": 3, "slate_id": "l-1", "placement": "home"}))
    assert event.context == {"placement": "home", "slate_id": "l-1", "position": 3}


# -- when, where, who ------------------------------------------------------------------------------------


def test_a_client_whose_clock_is_wrong_is_put_right() -> None:
    message = {**TRACK, "event": "Product Viewed", "properties": PRODUCT}
    message["timestamp"] = (NOW + timedelta(days=3, minutes=-2)).isoformat()
    sent = (NOW + timedelta(days=3)).isoformat()
    answer = parse_segment(json.dumps({"batch": [message], "sentAt": sent}).encode(), READING)
    assert only(answer).occurred_at == NOW - timedelta(minutes=2)
    assert answer.n_clamped == 0


def test_the_shoppers_own_time_comes_with_the_zone() -> None:
    event = only(track("Product Viewed", PRODUCT, context={"timezone": "Asia/Shanghai"}))
    assert (event.occurred_at, event.utc_offset_minutes) == (NOW - timedelta(hours=1), 480)


def test_a_time_without_an_offset_is_utc_and_no_time_is_the_arrival() -> None:
    assert only(
        track("Product Viewed", PRODUCT, timestamp="2026-03-01T10:00:00")
    ).occurred_at == NOW - timedelta(hours=2)
    assert only(track("Product Viewed", PRODUCT, timestamp=None)).occurred_at == NOW


def test_no_address_no_page_and_no_identifying_trait_is_kept() -> None:
    context = {
        "ip": "203.0.113.9",
        "page": {"url": "https://shop.example/me?email=a@example.org"},
        "location": {"city": "Bath"},
        "userAgent": "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X)",
        "traits": {"email": "a@example.org"},
    }
    traits = {
        "email": "a@example.org",
        "firstName": "Ann",
        "phone": "1",
        "plan": "gold",
        "address": {"city": "Bath"},
    }
    answer = batch(
        {**TRACK, "event": "Product Viewed", "properties": PRODUCT, "context": context},
        {**TRACK, "messageId": "m-2", "type": "identify", "traits": traits, "context": context},
    )
    assert answer.rejected == []
    assert [event.context for event in answer.events] == [
        {"channel": "web", "device": "tablet"},
        {"traits": {"plan": "gold"}},
    ]


def test_a_visitor_has_an_id_that_says_so() -> None:
    message = {**TRACK, "event": "Product Viewed", "properties": PRODUCT, "userId": None, "anonymousId": 7.0}
    assert only(batch(message)).shopper_id == "anonymous:7"


def test_identify_joins_the_visitor_with_the_shopper() -> None:
    event = only(batch({**TRACK, "type": "identify", "anonymousId": "v-1", "traits": {"age": 30}}))
    assert (event.type, event.shopper_id) == (EventType.ALIAS, "s-1")
    assert event.context == {"other": "anonymous:v-1", "linked": True, "traits": {"age": 30}}


def test_identify_that_says_nothing_new_is_no_event() -> None:
    answer = batch({**TRACK, "type": "identify", "traits": {"email": "a@example.org"}})
    assert (answer.events, answer.rejected) == ([], [])


@pytest.mark.parametrize(
    ("previous", "others"),
    [
        ("5b1c0e4e-8c4d-4f6e-9a63-0d9a0a3c8a11", ["anonymous:5b1c0e4e-8c4d-4f6e-9a63-0d9a0a3c8a11"]),
        ("v-1", ["anonymous:v-1", "v-1"]),
        ("anonymous:v-1", ["anonymous:v-1"]),
    ],
)
def test_alias_joins_the_previous_id(previous: str, others: list[str]) -> None:
    answer = batch({**TRACK, "type": "alias", "previousId": previous})
    assert [event.context["other"] for event in answer.events] == others
    assert {event.shopper_id for event in answer.events} == {"s-1"}
    assert len({event.event_id for event in answer.events}) == len(others)


# -- what is no event, what is wrong -----------------------------------------------------------------------


def test_pages_and_unknown_names_are_accepted_and_counted() -> None:
    kinds = [{**TRACK, "type": kind} for kind in ("page", "screen", "group", "page")]
    answer = batch(*kinds, {**TRACK, "event": "Song Played"}, {**TRACK, "event": "Coupon Applied"})
    assert (answer.events, answer.rejected) == ([], [])
    assert answer.ignored == {"page": 2, "screen": 1, "group": 1, "track": 2}


def test_a_shops_own_name_is_understood_where_its_settings_say_so() -> None:
    message = {**TRACK, "event": "Artikel gekauft", "properties": PRODUCT}
    assert batch(message).ignored == {"track": 1}
    assert only(batch(message, names={"artikel_gekauft": "purchase"})).type is EventType.PURCHASE


@pytest.mark.parametrize(
    ("message", "field", "code"),
    [
        ("track", None, "not_an_object"),
        ({**TRACK, "type": "trak"}, "type", "unknown_type"),
        ({**TRACK, "type": ["track"]}, "type", "unknown_type"),
        (TRACK, "event", "missing"),
        ({"type": "track", "event": "Product Viewed", "properties": PRODUCT}, "userId", "missing"),
        ({**TRACK, "type": "alias"}, "previousId", "missing"),
        ({**TRACK, "event": "Product Viewed"}, "item_id", "missing"),
        ({**TRACK, "event": "Product Viewed", "properties": [1]}, "properties", "not_an_object"),
        (
            {**TRACK, "event": "Order Completed", "properties": {"products": [1]}},
            "properties.products",
            "not_an_object",
        ),
        (
            {**TRACK, "event": "Product Viewed", "properties": {**PRODUCT, "price": "ten"}},
            "value.price",
            "not_a_number",
        ),
        (
            {**TRACK, "event": "Product Viewed", "properties": PRODUCT, "timestamp": "soon"},
            "occurred_at",
            "not_a_time",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(message: object, field: str | None, code: str) -> None:
    (one,) = batch(message).rejected
    assert (one.field, one.code) == (field, code)


def test_a_number_that_is_none_costs_one_message() -> None:
    wrong = {**TRACK, "event": "Product Viewed", "properties": {**PRODUCT, "price": float("nan")}}
    answer = batch({**wrong, "properties": PRODUCT}, wrong)
    assert answer.indices == [0]
    assert [one.index for one in answer.rejected] == [1]


def test_a_message_without_an_id_has_the_same_one_when_it_is_sent_again() -> None:
    message = {**TRACK, "event": "Product Viewed", "properties": PRODUCT, "messageId": None}
    first, again = (only(batch({**message, "sentAt": f"2026-03-01T12:00:0{n}Z"})) for n in range(2))
    other = only(batch({**message, "userId": "s-2"}))
    assert first.event_id == again.event_id != other.event_id


def test_too_many_messages_or_products_are_refused() -> None:
    with pytest.raises(LimitError, match="up to 500"):
        batch(*[TRACK] * 501)
    reading = replace(READING, limits=Limits(batch_events=1))
    with pytest.raises(LimitError, match="too many events"):
        batch(
            {**TRACK, "event": "Order Completed", "properties": {"products": [PRODUCT] * 21}}, reading=reading
        )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"batch": {}}', b'{"batch": []}'])
def test_a_body_that_is_none_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InputError):
        parse_segment(body, READING)


def test_the_key_may_stand_in_the_body() -> None:
    assert read_envelope(b'{"writeKey": "hx_1", "event": "x"}', kind="track").write_key == "hx_1"


def test_whom_the_caller_may_not_write_of_is_refused() -> None:
    def visitors_only(shopper_id: str) -> str:
        if not shopper_id.startswith("anonymous:"):
            raise RefusedError("shopper_id", "not_allowed", "visitors only")
        return shopper_id

    reading = replace(READING, shopper=visitors_only)
    answer = batch({**TRACK, "event": "Product Viewed", "properties": PRODUCT}, reading=reading)
    assert [one.code for one in answer.rejected] == ["not_allowed"]


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = "messageId userId anonymousId previousId timestamp sentAt context traits properties event type".split()
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "alias", "page"]) | any_json},
    optional={key: any_json for key in KEYS[:-1]} | {"event": st.sampled_from(list(USUAL_NAMES)) | any_json},
)


@given(st.lists(messages | any_json, min_size=1, max_size=4), any_json)
def test_any_messages_give_events_or_rejections(sent: list[object], sent_at: object) -> None:
    body = json.dumps({"batch": sent, "sentAt": sent_at}).encode()
    answer = parse_segment(body, READING)
    assert {*answer.indices, *(one.index for one in answer.rejected)} <= set(range(len(sent)))
    json.dumps([one.as_json() for one in answer.rejected], allow_nan=False)


# -- the real library --------------------------------------------------------------------------------------


@pytest.fixture
def received() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Yield the address of a server that keeps what is sent to it, and what it got."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({**self.headers, "path": self.path}, body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


def test_what_the_python_library_sends_is_understood(received: Any) -> None:
    host, got = received
    client = Client("hx_key", host=host, gzip=True, upload_interval=0.05)
    products = [
        {"product_id": "i-1", "price": 5.0, "quantity": 1},
        {"sku": "i-2", "price": 7.5, "quantity": 2},
    ]
    client.track(anonymous_id="v-1", event="Product Viewed", properties={"product_id": "i-1", "price": 5.0})
    client.identify("s-1", {"plan": "gold", "email": "a@example.org"}, anonymous_id="v-1")
    client.alias("v-1", "s-1")
    client.page("s-1", "Docs", "Start")
    client.track(17850.0, "Order Completed", {"order_id": "o-1", "currency": "USD", "products": products})
    client.track(
        "s-1", "Products Searched", {"query": "red dress"}, timestamp=datetime(2011, 1, 2, tzinfo=UTC)
    )
    client.shutdown()
    headers, parsed = got[0][0], [_understood(body) for _, body in got]
    assert (headers["path"], headers["Content-Encoding"]) == ("/v1/batch", "gzip")
    assert [(event.type.value, event.shopper_id) for one in parsed for event in one.events] == [
        ("view_item", "anonymous:v-1"),
        ("alias", "s-1"),
        ("alias", "s-1"),
        ("alias", "s-1"),
        ("purchase", "17850"),
        ("purchase", "17850"),
        ("search", "s-1"),
    ]
    assert [one.rejected for one in parsed] == [[]] * len(parsed)
    searched = parsed[-1].events[-1]
    assert searched.occurred_at is not None
    assert abs(searched.occurred_at - datetime(2011, 1, 2, tzinfo=UTC)) < timedelta(minutes=1)
    assert re.fullmatch(r"[0-9a-f-]{36}", searched.event_id)


def _understood(body: bytes) -> Parsed:
    return parse_segment(gzip.decompress(body), replace(READING, now=datetime.now(UTC)))
