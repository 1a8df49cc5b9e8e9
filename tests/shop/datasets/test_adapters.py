"""What each public set's lines mean, shown on lines of our own."""

import gzip
from pathlib import Path

import pytest

from huaxiang.errors import ShopError
from huaxiang.records import EventType
from huaxiang.shop.datasets import ADAPTERS, adapter_named, find_adapter
from huaxiang.shop.datasets.online_retail import CHARGE, FREE, ORPHAN, STOCK
from huaxiang.shop.read import read_shop
from shop.shops import NOW, folder_of

INVOICES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,10A,RED BOX,6.0,2011-07-01 08:00:00,2.5,900.0,France
1,10a,RED BOX,1.0,2011-07-01 08:00:00,2.5,900.0,France
2,11,BLUE MUG,1.0,2011-07-02 08:00:00,4.0,,France
2,POST,POSTAGE,1.0,2011-07-02 08:00:00,9.0,,France
3,11,check,-5.0,2011-07-03 08:00:00,0.0,,France
4,11,,3.0,2011-07-03 09:00:00,0.0,,France
C5,10A,RED BOX,-2.0,2011-07-04 08:00:00,2.5,900.0,France
C6,11,BLUE MUG,-2.0,2011-07-04 08:00:00,4.0,900.0,France
"""


def test_online_retail_accounts_for_every_line(tmp_path: Path) -> None:
    shop = read_shop(folder_of(tmp_path, online_retail_csv=INVOICES), now=NOW)
    assert dict(shop.accounting.set_aside) == {CHARGE: 1, STOCK: 1, FREE: 1, ORPHAN: 1}
    assert (shop.accounting.lines_read, len(shop.events), shop.accounting.agrees) == (8, 4, True)
    assert shop.items.select("item_id", "title_en", "price_minor").rows() == [
        ("10A", "RED BOX", 250),
        ("11", "BLUE MUG", 400),
    ]


def test_a_cancellation_is_the_refund_of_its_purchase(tmp_path: Path) -> None:
    shop = read_shop(folder_of(tmp_path, online_retail_csv=INVOICES), now=NOW)
    refund = shop.events.row(-1, named=True)
    assert refund["type"] == EventType.REFUND.code
    assert (refund["order_id"], refund["quantity"], refund["item_row"]) == ("1", 2.0, 0)


def test_lines_without_a_customer_are_the_session_of_their_invoice(tmp_path: Path) -> None:
    shop = read_shop(folder_of(tmp_path, online_retail_csv=INVOICES), now=NOW)
    assert shop.events["shopper_id"].to_list() == ["900", "900", "anonymous:2", "900"]
    assert shop.events["occurred_at"].dt.hour().to_list() == [7, 7, 7, 7]


def test_amazon_keeps_the_order_and_invents_no_time(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_text("u1 5 7 5\nu2 7\n")
    items = (
        b'{"id": 5, "title": "Lamp", "keywords": "lamp glow", "image_labels": ["Light", "Lamp"]}\n{"id": 7}\n'
    )
    (tmp_path / "items.jsonl.gz").write_bytes(gzip.compress(items))
    shop = read_shop(tmp_path, now=NOW)
    assert shop.order_only
    assert shop.events["occurred_at"].null_count() == 4
    assert shop.events.select("shopper_id", "item_row").rows() == [("u1", 0), ("u1", 1), ("u1", 0), ("u2", 1)]
    assert shop.items["description_en"].to_list() == ["lamp glow", None]
    assert shop.attributes.select("dimension", "value").rows() == [
        ("image_tag", "Light"),
        ("image_tag", "Lamp"),
    ]


def test_amazon_needs_no_items_file(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_text("u1 b a\n\nu2\nu3 a\n")
    shop = read_shop(tmp_path, now=NOW)
    assert shop.items["item_id"].to_list() == ["b", "a"]
    assert shop.accounting.agrees
    assert shop.quarantine["line"].to_list() == [2, 3]


def test_amazon_without_a_sequence_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_text("u1\n")
    with pytest.raises(ShopError, match="no sequences"):
        read_shop(tmp_path, now=NOW)


def test_complete_journey_divides_what_was_paid_by_what_was_bought(tmp_path: Path) -> None:
    sold = (
        "household_id,basket_id,product_id,quantity,sales_value,transaction_timestamp\n"
        "7,4.0128e+10,11,2.0,3.0,2017-01-28 19:06:53\n"
        "7,1,11,0.0,0.0,2017-01-28 19:06:53\n7,1,,1,1,2017-01-28\n"
    )
    made = "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
    made += "11,2,GROCERY,National,FRZN ICE,ICE CUBES,22 LB\n"
    shop = read_shop(folder_of(tmp_path, transactions_sample_csv=sold, products_csv=made), now=NOW)
    assert shop.events.select("order_id", "price_minor").rows() == [("40128000000", 150)]
    assert shop.items.select("title_en", "category").rows() == [
        ("Ice Cubes, 22 lb", "Grocery > Frzn Ice > Ice Cubes")
    ]
    assert sum(shop.accounting.set_aside.values()) == 2


def test_fashion_and_retail_demo_are_catalogues_alone(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "r").mkdir()
    products = "id,title,masterCategory,subCategory,articleType,baseColour,usage\n"
    products += "1,Tee,Apparel,Top,Tshirts,Blue,Sports\n"
    fashion = read_shop(folder_of(tmp_path / "f", products_csv=products), now=NOW)
    listed = "- id: x\n  name: Pack\n  category: accessories\n"
    listed += "  style: hand_bag\n  price: 9.99\n  current_stock: 0\n"
    demo = read_shop(folder_of(tmp_path / "r", products_yaml=listed), now=NOW)
    assert fashion.items["category"].to_list() == ["Apparel > Top > Tshirts"]
    assert demo.items.select("category", "price_minor", "in_stock").rows() == [
        ("Accessories > Hand Bag", 999, False)
    ]
    assert fashion.events.is_empty()
    assert demo.events.is_empty()


def test_a_broken_yaml_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"not a YAML file: products\.yaml:3"):
        read_shop(folder_of(tmp_path, products_yaml="- id: 1\n  name: [\n"), now=NOW)


def test_detection_is_said_and_can_be_stated(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, online_retail_csv=INVOICES)
    assert find_adapter(folder) is adapter_named("online-retail")
    assert "Online Retail" in read_shop(folder, now=NOW).guesses[0]
    assert read_shop(folder, adapter="online_retail", now=NOW).guesses == ()


def test_adapters_have_names_of_their_own() -> None:
    assert len({adapter.name for adapter in ADAPTERS}) == len(ADAPTERS)
    assert adapter_named("amazon_sports").name == "amazon"
