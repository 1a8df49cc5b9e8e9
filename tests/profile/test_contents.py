from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

import huaxiang.profile.contents as contents_module
from huaxiang.profile.contents import Contents, event_keys
from huaxiang.profile.update import content_hash, correction_text, event_key
from huaxiang.records import Event, EventType
from huaxiang.shop.base import EVENT_COLUMNS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CORRECTION = '{"side": "disliked", "dimension": "colour", "value": "红色"}'


def table() -> pl.DataFrame:
    search, review, state, correct, view = (
        EventType[name].code for name in ("SEARCH", "REVIEW", "STATE", "CORRECT", "VIEW_ITEM")
    )
    rows = {
        "event_id": ["1", "2", "3", "4", "5"],
        "shopper_id": ["ann", "ann", "bo", "bo", "bo"],
        "type": [search, review, state, correct, view],
        "text": ["red shoes", "", None, None, None],
        "image": [None, None, "a.jpg", None, None],
        "context": [None, None, None, CORRECTION, None],
    }
    rest = {name: [None] * 5 for name in EVENT_COLUMNS if name not in rows}
    return pl.DataFrame({**rows, **rest}, schema_overrides=dict(EVENT_COLUMNS))


def test_words_photos_and_corrections_of_a_log_are_found_by_their_numbers() -> None:
    contents = Contents.of_events(table())
    correction = '{"dimension":"colour","value":"红色","side":"disliked"}'
    assert list(contents.texts.values()) == ["red shoes", correction]
    assert contents.text(content_hash("red shoes")) == "red shoes"
    assert contents.image(content_hash("a.jpg")) == "a.jpg"
    assert contents.text(content_hash("a.jpg")) is None and contents.image(1) is None


@pytest.mark.parametrize(
    ("said", "is_photo"),
    [({"query": "mug"}, False), ({"image": "m.jpg"}, True), ({"text": "nice", "image": "m.jpg"}, False)],
)
def test_an_event_brings_what_it_says_and_its_id(said: dict[str, str], is_photo: bool) -> None:
    contents = Contents()
    number = contents.add_event(Event(event_id="e", shopper_id="s", type=EventType.STATE, **said))
    assert (contents.image(number) is not None) == is_photo != (contents.text(number) is not None)
    assert contents.event_id(event_key("e")) == "e"


def test_a_correction_without_a_value_says_nothing() -> None:
    assert correction_text({"dimension": "colour"}) is None
    assert Contents().add_event(Event(event_id="e", shopper_id="s", type=EventType.CORRECT)) == 0


def test_rows_of_zeros_are_no_vectors() -> None:
    contents = Contents()
    contents.add_vectors([1, 2], np.array([[0, 0], [0, 1]], np.float32))
    assert contents.vector(1) is None
    assert contents.vector(2).tolist() == [0, 1]  # type: ignore[union-attr]


def test_event_ids_are_found_by_key_and_unknown_keys_say_so() -> None:
    contents = Contents(table())
    assert [contents.event_id(event_key(name)) for name in "12345"] == list("12345")
    assert contents.event_id(10) == "key:000000000a" == Contents().event_id(10)


def test_of_a_shared_key_the_shoppers_own_event_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents_module, "event_keys", lambda ids: np.zeros(len(ids), np.int64))
    contents = Contents(table())
    assert contents.event_id(0, shopper_id="ann") == "1"
    assert contents.event_id(0, shopper_id="bo") == "3"


def test_keys_in_bulk_are_keys_one_by_one() -> None:
    ids = [f"e-{number}" for number in range(20_000)] + ["订单-7", ""]
    assert event_keys(pl.Series(ids)).tolist() == [event_key(one) for one in ids]
