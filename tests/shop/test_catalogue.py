from pathlib import Path

import numpy as np

from huaxiang.shop.catalogue import build_catalogue
from shop.shops import EVENTS, ITEMS, shop_of


def test_items_become_arrays_and_values_rows(tmp_path: Path) -> None:
    catalogue = build_catalogue(shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS))
    colour = catalogue.dimensions["colour"]
    assert list(catalogue.item_ids) == ["a", "b", "c"]
    assert list(colour.values) == ["blue", "red", "white"]
    assert colour.value_rows.tolist() == [1, 0, 2]
    assert colour.offsets.tolist() == [0, 1, 2, 3]
    assert list(colour.labels["zh"]) == ["蓝色", "红色", "白色"]
    assert not colour.is_inferred.any()
    assert list(catalogue.dimensions["category"].values) == ["Mugs", "Scarves"]
    assert list(catalogue.dimensions["department"].values) == ["Clothes", "Kitchen"]


def test_several_values_share_an_item(tmp_path: Path) -> None:
    items = "item_id,title,material\na,Bag,cotton|leather\nb,Box,wood\nc,Air,\n"
    catalogue = build_catalogue(shop_of(tmp_path, items_csv=items))
    assert catalogue.dimensions["material"].weights.tolist() == [0.5, 0.5, 1.0]
    assert catalogue.dimensions["material"].offsets.tolist() == [0, 2, 3, 3]


def test_price_bands_are_quarters_inside_a_category(tmp_path: Path) -> None:
    dear = [f"d{n},D,Watches,{100 * n}" for n in range(1, 9)]
    cheap = [f"c{n},C,Pens,{n}" for n in range(1, 9)]
    items = "\n".join(["item_id,title,category,price", *dear, *cheap]) + "\n"
    band = build_catalogue(shop_of(tmp_path, items_csv=items)).dimensions["price_band"]
    assert list(band.values) == ["low", "medium", "high", "premium"]
    assert band.value_rows.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] * 2


def test_equal_prices_are_in_one_band(tmp_path: Path) -> None:
    items = "item_id,title,price\n" + "".join(f"i{n},X,5\n" for n in range(9))
    band = build_catalogue(shop_of(tmp_path, items_csv=items)).dimensions["price_band"]
    assert np.unique(band.value_rows).tolist() == [2]


def test_variants_share_a_group(tmp_path: Path) -> None:
    items = "item_id,group_id,title\na1,a,X\nb,,Y\na2,a,X\n"
    assert build_catalogue(shop_of(tmp_path, items_csv=items)).group_rows.tolist() == [0, 1, 0]


def test_the_version_changes_with_the_items_alone(tmp_path: Path) -> None:
    first = build_catalogue(shop_of(tmp_path, items_csv=ITEMS)).version
    second = build_catalogue(shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS)).version
    third = build_catalogue(shop_of(tmp_path, items_csv=ITEMS.replace("Blue", "Navy"))).version
    assert first == second != third
