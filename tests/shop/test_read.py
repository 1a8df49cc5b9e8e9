"""What becomes of a shop folder that is in order, or nearly."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from huaxiang.errors import ShopError
from huaxiang.records import EventType
from huaxiang.shop.base import EVENT_COLUMNS, ITEM_COLUMNS
from huaxiang.shop.read import read_shop, require_events
from shop.shops import EVENTS, ITEMS, NOW, folder_of, shop_of


def reasons(shop) -> list[tuple]:  # type: ignore[no-untyped-def]
    return shop.quarantine.select("file", "line", "column", "value", "reason").rows()


def test_a_plain_folder_is_read_whole(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS)
    assert shop.accounting.agrees
    assert (shop.accounting.lines_read, len(shop.events), len(shop.items)) == (4, 4, 3)
    assert list(shop.events.columns) == list(EVENT_COLUMNS)
    assert shop.items.columns[: len(ITEM_COLUMNS)] == list(ITEM_COLUMNS)
    assert shop.events["new_order"].to_list() == [False, True, False, False]
    assert shop.events["price_minor"].to_list() == [None, 2000, 850, None]


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl", "parquet", "parquet.gz"])
def test_every_kind_of_file_gives_the_same_events(tmp_path: Path, ending: str) -> None:
    expected = shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS).events
    (tmp_path / "events.csv").unlink()
    table = pl.read_csv(EVENTS.encode())
    plain = tmp_path / f"events.{ending.removesuffix('.gz')}"
    if "csv" in ending:
        plain.write_text(EVENTS)
    elif "jsonl" in ending:
        plain.write_text("\n".join(json.dumps(row) for row in table.to_dicts()))
    else:
        table.write_parquet(plain)
    if ending.endswith(".gz"):
        (tmp_path / f"events.{ending}").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    found = read_shop(tmp_path, now=NOW).events
    assert found.drop("event_id", "line").equals(expected.drop("event_id", "line"))


def test_ids_are_text_and_lose_what_a_spreadsheet_added(tmp_path: Path) -> None:
    events = "CustomerID,item_id,occurred_at\n17850.0,22.0,2025-01-01\n"
    shop = shop_of(tmp_path, events_csv=events)
    assert shop.events["shopper_id"].to_list() == ["17850"]
    assert shop.items["item_id"].to_list() == ["22"]
    assert any("CustomerID is read as shopper_id" in guess for guess in shop.guesses)


def test_shop_toml_names_files_columns_and_types(tmp_path: Path) -> None:
    toml = """
[shop]
name = "Kram"
currency = "EUR"
timezone = "Europe/Berlin"
[items]
file = "ware.csv"
[items.columns]
item_id = "nr"
title = "name"
[items.attributes]
shape = "form"
[events]
file = "taten.csv"
[events.columns]
shopper_id = "wer"
item_id = "nr"
occurred_at = "wann"
type = "was"
[events.types]
kauf = "purchase"
"""
    ware, taten = "nr,name,form\n1,Becher,rund\n", "wer,nr,was,wann\nu,1,kauf,2025-01-01 12:00\n"
    shop = shop_of(tmp_path, shop_toml=toml, ware_csv=ware, taten_csv=taten)
    assert (shop.name, shop.currency) == ("Kram", "EUR")
    assert shop.events["type"].to_list() == [EventType.PURCHASE.code]
    assert shop.events["occurred_at"].dt.hour().to_list() == [11]
    assert shop.events["utc_offset_minutes"].to_list() == [60]
    assert shop.attributes.select("dimension", "value").rows() == [("shape", "rund")]


def test_segments_names_are_understood(tmp_path: Path) -> None:
    events = (
        "user_id,event,product_id,timestamp\nu,Product Viewed,a,2025-01-01\nu,Order Completed,a,2025-01-02\n"
    )
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert shop.events["type"].to_list() == [EventType.VIEW_ITEM.code, EventType.PURCHASE.code]


def test_reviews_are_events_with_a_rating_and_words(tmp_path: Path) -> None:
    reviews = (
        "shopper_id,item_id,rating,review_text,occurred_at\ns1,a,5,Soft!,2025-03-09\ns1,b,6,Bad,2025-03-09\n"
    )
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS, reviews_csv=reviews)
    last = shop.events.row(-1, named=True)
    assert (last["type"], last["text"], last["rating"]) == (EventType.REVIEW.code, "Soft!", 5.0)
    assert reasons(shop) == [("reviews.csv", 3, "rating", "6", "not from 1 to 5")]


def test_each_bad_line_is_quarantined_with_its_cell_and_reason(tmp_path: Path) -> None:
    lines = [
        "s1,a,purchase,2025-03-01,20,1,o1",
        ",a,purchase,2025-03-01,20,1,",
        "s1,,purchase,2025-03-01,20,1,o1",
        "s1,zzz,purchase,2025-03-01,20,1,o1",
        "s1,a,leap,2025-03-01,20,1,o1",
        "s1,a,purchase,yesterday,20,1,o1",
        "s1,a,purchase,1969-01-01,20,1,o1",
        "s1,a,purchase,2025-03-01,NaN,1,o1",
        "s1,a,purchase,2025-03-01,-3,1,o1",
        "s1,a,purchase,2025-03-01,20,many,o1",
        "s1,a,purchase,2025-03-01,20,0,o1",
        "s1,a,purchase,2025-03-01,20,1,o1,what,is,this",
        "",
    ]
    events = "\n".join(["shopper_id,item_id,type,occurred_at,price,quantity,order_id", *lines]) + "\n"
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert [(line, column, value, reason) for _, line, column, value, reason in reasons(shop)] == [
        (3, "shopper_id", None, "no shopper, session or order"),
        (4, "item_id", None, "no item"),
        (5, "item_id", "zzz", "not in the catalogue"),
        (6, "type", "leap", "unknown event type"),
        (7, "occurred_at", "yesterday", "not a time"),
        (8, "occurred_at", "1969-01-01", "before 1970"),
        (9, "price", "NaN", "not a number"),
        (10, "price", "-3", "below zero"),
        (11, "quantity", "many", "not a number"),
        (12, "quantity", "0", "not above zero"),
        (13, None, None, "10 cells under a header of 7"),
        (14, "shopper_id", None, "no shopper, session or order"),
    ]
    assert shop.accounting.agrees
    assert shop.accounting.lines_read == 13


def test_exact_duplicate_lines_are_kept(tmp_path: Path) -> None:
    line = "s1,a,purchase,2025-03-01T10:05:00Z,20,1,o1\n"
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS.splitlines()[0] + "\n" + line * 3)
    assert shop.events["event_id"].n_unique() == 3
    assert shop.events["new_order"].to_list() == [True, False, False]


def test_a_repeated_event_id_is_set_aside(tmp_path: Path) -> None:
    events = "event_id,shopper_id,item_id,occurred_at\ne1,s,a,2025-01-01\ne1,s,b,2025-01-02\n"
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert dict(shop.accounting.set_aside) == {"event_id seen before": 1}
    assert shop.accounting.agrees
    assert shop.events["item_row"].to_list() == [0]


def test_times_in_the_future_are_clamped_and_counted(tmp_path: Path) -> None:
    events = (
        "shopper_id,item_id,occurred_at,received_at\n"
        "s,a,2999-01-01,\n"
        "s,a,2025-02-02,2025-02-01\n"
        "s,a,2025-02-01,2025-02-02\n"
    )
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert shop.events["occurred_at"].to_list()[0] == NOW
    assert shop.events["occurred_at"].dt.day().to_list()[1:] == [1, 1]
    assert sum(shop.accounting.changed.values()) == 2


def test_ids_of_lines_stay_when_the_folder_moves_or_the_file_grows(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    before = shop_of(tmp_path / "one", items_csv=ITEMS, events_csv=EVENTS)
    after = shop_of(
        tmp_path / "two", items_csv=ITEMS, events_csv=EVENTS + "s2,a,purchase,2025-04-01,20,1,o2\n"
    )
    assert after.events["event_id"].to_list()[:4] == before.events["event_id"].to_list()
    assert before.fingerprint != after.fingerprint


def test_lines_without_a_shopper_are_anonymous_sessions(tmp_path: Path) -> None:
    events = "shopper_id,session_id,item_id,type,occurred_at\n,v1,a,view_item,2025-01-01\n"
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert shop.events.select("shopper_id", "anonymous").rows() == [("anonymous:v1", True)]


def test_a_file_without_times_is_an_order_and_says_so(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, events_csv="user,item\nu,a\nu,b\n")
    assert shop.order_only
    assert shop.events["occurred_at"].null_count() == 2
    assert any("order of lines" in guess for guess in shop.guesses)


def test_cells_that_span_lines_keep_line_numbers_right(tmp_path: Path) -> None:
    reviews = 'shopper_id,item_id,rating,text,occurred_at\ns,a,5,"so\ngood",2025-01-01\ns,b,9,no,2025-01-01\n'
    shop = shop_of(tmp_path, items_csv=ITEMS, reviews_csv=reviews)
    assert shop.events["text"].to_list() == ["so\ngood"]
    assert shop.quarantine["line"].to_list() == [4]


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes("item_id,title\na,红色围巾\n".encode("gbk"))
    folder_of(
        tmp_path, events_csv="user,item,time\nu,a,2025-01-01\n", shop_toml='[items]\nencoding = "gbk"\n'
    )
    shop = read_shop(tmp_path, now=NOW)
    assert shop.items["title_zh"].to_list() == ["红色围巾"]


def test_everything_else_becomes_context(tmp_path: Path) -> None:
    events = (
        "shopper_id,item_id,type,occurred_at,device,position,context\n"
        's,a,select_item,2025-01-01,phone,3,"{""campaign"": ""x""}"\n'
        "s,a,select_item,2025-01-01,,,[1]\n"
    )
    shop = shop_of(tmp_path, items_csv=ITEMS, events_csv=events)
    assert json.loads(shop.events["context"][0]) == {"campaign": "x", "device": "phone", "position": 3.0}
    assert shop.quarantine["reason"].to_list() == ["not a JSON object"]


def test_items_in_two_languages_are_one_item(tmp_path: Path) -> None:
    items = "item_id,language,title,price\na,en,Scarf,5\na,zh,围巾,\na,zh,围巾,\n"
    shop = shop_of(tmp_path, items_csv=items, events_csv="user,item,time\nu,a,2025-01-01\n")
    assert shop.languages == ("en", "zh")
    assert shop.items.select("title_en", "title_zh", "price_minor").rows() == [("Scarf", "围巾", 500)]
    assert dict(shop.accounting.items_quarantined) == {"item_id seen before": 1}


def test_a_bad_price_costs_an_item_its_price_only(tmp_path: Path) -> None:
    items = "item_id,title,price\na,Scarf,cheap\nb,Mug,-1\n,No one,5\n"
    shop = shop_of(tmp_path, items_csv=items, events_csv="user,item,time\nu,a,2025-01-01\n")
    assert shop.items["price_minor"].to_list() == [None, None]
    assert sorted(shop.quarantine["line"].to_list()) == [2, 3, 4]


def test_photos_are_found_by_item_id_and_nothing_outside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"x")
    items = "item_id,title,image\na,Scarf,\nb,Mug,../secret.jpg\n"
    shop = shop_of(tmp_path, items_csv=items, events_csv="user,item,time\nu,a,2025-01-01\n")
    assert shop.items["image"].to_list() == ["a.jpg", None]


def test_a_catalogue_alone_is_a_shop_without_events(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, items_csv=ITEMS)
    assert shop.events.is_empty()
    with pytest.raises(ShopError, match="no events"):
        require_events(shop)
