"""The public sets, read whole: the sums agree and the known facts hold."""

from pathlib import Path

import pytest

from huaxiang.records import EventType
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.images import Photos
from huaxiang.shop.read import read_shop

pytestmark = pytest.mark.real


def test_online_retail_is_read_and_its_sums_agree(shared_data: Path) -> None:
    shop = read_shop(shared_data / "online_retail")
    assert shop.accounting.lines_read == 541_909
    assert shop.accounting.agrees
    assert sum(shop.accounting.quarantined.values()) == len(shop.quarantine) == 0


def test_online_retail_refunds_name_their_purchase(shared_data: Path) -> None:
    events = read_shop(shared_data / "online_retail").events
    is_refund = events["type"] == EventType.REFUND.code
    refunds, bought = events.filter(is_refund), events.filter(~is_refund)
    pairs = refunds.join(bought, on=["shopper_id", "item_row", "order_id"], how="semi")
    assert len(pairs) == len(refunds) > 7_000
    assert bought["anonymous"].sum() > 100_000


def test_complete_journey_sets_empty_lines_aside(shared_data: Path) -> None:
    shop = read_shop(shared_data / "complete_journey")
    assert (shop.accounting.lines_read, shop.accounting.agrees) == (75_000, True)
    assert sum(shop.accounting.set_aside.values()) == 416
    assert not shop.events["order_id"].str.contains("e").any()


@pytest.mark.parametrize(
    ("name", "n_shoppers", "n_items", "n_events"),
    [("amazon_beauty", 22_363, 12_101, 198_502), ("amazon_sports", 35_598, 18_357, 296_337)],
)
def test_amazon_sets_have_their_published_size(
    shared_data: Path, name: str, n_shoppers: int, n_items: int, n_events: int
) -> None:
    shop = read_shop(shared_data / name)
    assert shop.events["shopper_id"].n_unique() == n_shoppers
    assert (len(shop.items), len(shop.events)) == (n_items, n_events)
    assert shop.order_only


def test_every_fashion_product_has_its_photo(shared_data: Path) -> None:
    shop = read_shop(shared_data / "fashion")
    assert shop.items["image"].null_count() == 0
    assert shop.images is not None
    photo = Photos(shop.images).get(shop.items["image"][0])
    assert isinstance(photo, bytes) and photo.startswith(b"\xff\xd8")
    assert set(build_catalogue(shop).dimensions) == {"category", "colour", "department", "usage"}


def test_retail_demo_is_a_catalogue_with_prices(shared_data: Path) -> None:
    shop = read_shop(shared_data / "retail_demo")
    assert len(shop.items) == 2_465
    assert shop.items["price_minor"].null_count() == 0
