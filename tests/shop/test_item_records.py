"""Items as records: they become the rows of a catalogue, and keep what the shop states about them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from huaxiang.records import Item, Text
from huaxiang.shop.base import ITEM_COLUMNS, Shop
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.item_records import with_items
from huaxiang.shop.read import read_shop

ITEMS_CSV = """item_id,title,category,brand,colour,price
dress,red dress,Women > Dresses,Acme,red,40
shoe,running shoe,Women > Shoes,Nike,blue,90
"""


EVENTS_CSV = """event_id,shopper_id,type,item_id,occurred_at
1,s,purchase,dress,2026-01-01
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / "items.csv").write_text(ITEMS_CSV, encoding="utf-8")
    (tmp_path / "events.csv").write_text(
        "event_id,shopper_id,type,item_id,occurred_at\n1,s,purchase,dress,2026-01-01\n"
    )
    (tmp_path / "shop.toml").write_text(
        '[shop]\nname = "S"\nlanguages = ["en"]\ncurrency = "EUR"\n'
        '[items]\nfile = "items.csv"\n[events]\nfile = "events.csv"\n'
    )
    return read_shop(tmp_path)


def silent(item_id: str, **more: object) -> Item:
    return Item(item_id=item_id, texts={"en": Text(title=f"the {item_id}")}, **more)  # type: ignore[arg-type]


def stated(shop: Shop, row: int) -> dict[str, str]:
    rows = shop.attributes.filter(pl.col("item_row") == row)
    return dict(rows.select("dimension", "value").iter_rows())


def test_an_item_whose_record_says_nothing_keeps_what_the_shop_states(shop: Shop) -> None:
    again = with_items(shop, [silent("dress", price_minor=3000), silent("shoe")])
    assert stated(again, 0) == stated(shop, 0) == {
        "category": "Dresses", "brand": "Acme", "colour": "red",
    }  # fmt: skip
    assert again.items["price_minor"].to_list() == [3000, None]
    assert again.items["title_en"].to_list() == ["the dress", "the shoe"]
    assert again.items["brand"].to_list() == ["Acme", "Nike"]


def test_what_a_record_says_replaces_what_the_shop_stated(shop: Shop) -> None:
    told = silent("dress", category=("Women", "Skirts"), attributes={"material": ("cotton", "silk")})
    again = with_items(shop, [told, silent("shoe")])
    rows = again.attributes.filter(pl.col("item_row") == 0)
    assert rows.select("dimension", "value").rows() == [
        ("category", "Skirts"), ("material", "cotton"), ("material", "silk"),
    ]  # fmt: skip
    assert stated(again, 1) == stated(shop, 1)


def test_new_items_are_behind_the_known_ones_and_deleted_ones_keep_their_row(shop: Shop) -> None:
    new = Item(
        item_id="boot",
        group_id="boots",
        texts={"en": Text(title="boot"), "zh": Text(title="靴子")},
        category=("Women", "Shoes"),
        brand="Newcomer",
        price_minor=9900,
        currency="EUR",
        images=("boot.jpg", "side.jpg"),
        valid_from=datetime(2026, 2, 1, tzinfo=UTC),
    )
    again = with_items(shop, [silent("dress"), silent("shoe"), new], deleted=["dress"])
    assert again.items.columns[: len(ITEM_COLUMNS)] == list(ITEM_COLUMNS)
    assert again.items["in_stock"].to_list() == [False, True, True]
    assert again.items.row(2, named=True) | {"valid_from": None} == {
        "item_id": "boot", "group_id": "boots", "category": "Women > Shoes", "brand": "Newcomer",
        "price_minor": 9900, "currency": "EUR", "in_stock": True, "valid_from": None, "image": "boot.jpg",
        "title_en": "boot", "description_en": None, "title_zh": "靴子", "description_zh": None,
    }  # fmt: skip
    catalogue = build_catalogue(again)
    assert catalogue.dimensions["category"].values == ("Dresses", "Shoes")
    assert catalogue.row_of["boot"] == 2


def test_an_item_at_another_row_keeps_nothing_of_what_stood_there(shop: Shop) -> None:
    again = with_items(shop, [silent("other"), silent("shoe")])
    assert stated(again, 0) == {}
    assert again.items["brand"].to_list() == [None, "Nike"]
