"""A shop after some of its items changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from huaxiang.records import Item, Text
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import Catalogue, build_catalogue, restocked
from huaxiang.shop.changed import changed_items, out_of_stock, outlook_of
from huaxiang.shop.infer.base import Claim, with_claims
from shop.shops import EVENTS, ITEMS, shop_of

SCARF = Item(
    item_id="a",
    texts={"en": Text(title="Red wool scarf")},
    category=("Clothes", "Scarves"),
    brand="Soft",
    price_minor=2000,
    currency=None,
    attributes={"colour": ("red",)},
)
BOWL = Item(
    item_id="d",
    texts={"en": Text(title="Blue bowl"), "zh": Text(title="蓝色碗")},
    category=("Kitchen", "Bowls"),
    brand="Clay",
    price_minor=1200,
    attributes={"colour": ("blue", "white")},
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return shop_of(tmp_path, items_csv=ITEMS, events_csv=EVENTS)


def values(shop: Shop, row: int) -> set[tuple[str, str]]:
    rows = shop.attributes.filter(pl.col("item_row") == row)
    return set(rows.select("dimension", "value").iter_rows())


def test_the_same_record_changes_nothing(shop: Shop) -> None:
    same = replace(SCARF, currency=shop.items["currency"][0])
    changed = changed_items(shop, [same])
    assert changed.rows.tolist() == changed.unsaid.tolist() == []
    assert changed.shop.items.equals(shop.items) and changed.shop.attributes.equals(shop.attributes)


def test_a_new_item_stands_behind_the_others_with_what_is_stated(shop: Shop) -> None:
    changed = changed_items(shop, [BOWL])
    assert changed.shop.items["item_id"].to_list() == ["a", "b", "c", "d"]
    assert changed.rows.tolist() == changed.worded.tolist() == changed.shown.tolist() == [3]
    assert values(changed.shop, 3) == {
        ("category", "Bowls"),
        ("department", "Kitchen"),
        ("brand", "Clay"),
        ("colour", "blue"),
        ("colour", "white"),
    }
    assert values(changed.shop, 0) == values(shop, 0)


def test_a_language_that_the_shop_did_not_speak_becomes_one_of_its_languages(shop: Shop) -> None:
    changed = changed_items(shop, [BOWL]).shop
    assert changed.languages == ("en", "zh")
    assert changed.items["title_zh"].to_list() == [None, None, None, "蓝色碗"]


def test_stock_and_price_are_no_other_description(shop: Shop) -> None:
    silent = Item(item_id="a", texts=SCARF.texts, in_stock=False, price_minor=1500)
    changed = changed_items(shop, [silent])
    assert (changed.rows.tolist(), changed.described.tolist()) == ([0], [])
    assert changed.shop.items["in_stock"].to_list() == [False, True, True]
    assert values(changed.shop, 0) == values(shop, 0)


def test_other_words_and_other_values_are_told_apart(shop: Shop) -> None:
    other_words = replace(SCARF, texts={"en": Text(title="Scarf, red")})
    other_colour = replace(SCARF, attributes={"colour": ("pink",)})
    assert changed_items(shop, [other_words]).worded.tolist() == [0]
    changed = changed_items(shop, [other_colour])
    assert (changed.worded.tolist(), changed.described.tolist()) == ([], [0])
    assert ("colour", "pink") in values(changed.shop, 0) and ("colour", "red") not in values(changed.shop, 0)


def test_of_several_records_of_one_item_the_last_counts(shop: Shop) -> None:
    changed = changed_items(shop, [BOWL, replace(BOWL, brand="Glaze")])
    assert len(changed.shop.items) == 4
    assert ("brand", "Glaze") in values(changed.shop, 3) and ("brand", "Clay") not in values(changed.shop, 3)


def test_what_was_inferred_goes_with_the_words_it_was_inferred_from(shop: Shop) -> None:
    inferred = with_claims(shop, [Claim(0, "material", "wool", 0.9), Claim(1, "material", "clay", 0.5)])
    reworded = changed_items(inferred, [replace(SCARF, texts={"en": Text(title="Red scarf")})]).shop
    assert ("material", "wool") not in values(reworded, 0)
    assert ("material", "clay") in values(reworded, 1)


def test_what_is_stated_now_overrules_what_was_inferred(shop: Shop) -> None:
    inferred = with_claims(shop, [Claim(0, "material", "wool", 0.9), Claim(0, "style", "warm", 0.9)])
    told = replace(SCARF, attributes={"colour": ("red",), "material": ("silk",)})
    changed = changed_items(inferred, [told]).shop
    assert {value for value in values(changed, 0) if value[0] in ("material", "style")} == {
        ("material", "silk"),
        ("style", "warm"),
    }


def test_a_known_category_keeps_its_name_and_a_new_one_gets_another(shop: Shop) -> None:
    garden = replace(BOWL, item_id="e", category=("Garden", "Mugs"))
    known = replace(BOWL, item_id="f", category=("Kitchen", "Mugs"))
    changed = changed_items(shop, [garden, known]).shop
    assert [
        next(value for dimension, value in values(changed, row) if dimension == "category")
        for row in (1, 3, 4)
    ] == ["Mugs", "Garden > Mugs", "Mugs"]


def shown(catalogue: Catalogue) -> tuple[object, ...]:
    return (
        catalogue.version,
        catalogue.in_stock.tolist(),
        catalogue.price_minor.tolist(),
        {name: one.value_rows.tolist() for name, one in catalogue.dimensions.items()},
    )


@pytest.mark.parametrize(
    "told",
    [{"in_stock": False}, {"price_minor": 100}, {"price_minor": None}, {"price_minor": 5, "in_stock": False}],
    ids=str,
)
def test_restocked_is_what_building_again_would_give(shop: Shop, told: dict[str, object]) -> None:
    before = build_catalogue(shop)
    changed = changed_items(shop, [replace(SCARF, **told)]).shop  # type: ignore[arg-type]
    quick = restocked(before, changed)
    assert shown(quick) == shown(build_catalogue(changed))
    assert quick.version != before.version


def test_a_removed_item_makes_another_version_and_is_out_of_stock(shop: Shop) -> None:
    gone = np.array([True, False, False])
    without = build_catalogue(out_of_stock(shop, gone), removed=gone)
    assert without.gone.tolist() == [True, False, False] and not without.in_stock[0]
    sold_out = build_catalogue(out_of_stock(shop, gone))
    assert len({without.version, sold_out.version, build_catalogue(shop).version}) == 3


def test_the_outlook_is_what_the_change_then_finds(shop: Shop) -> None:
    same = replace(SCARF, currency=shop.items["currency"][0])
    told = replace(same, texts={"en": Text(title="Blue wool scarf")})
    given = [
        same,
        replace(same, in_stock=False, price_minor=1),
        told,
        replace(same, category=("Clothes", "Shawls")),
        replace(same, brand="Hard"),
        replace(same, attributes={"colour": ("red", "blue")}),
        replace(same, images=("other.jpg",)),
        Item(item_id="a", texts=same.texts, images=same.images),
        BOWL,
    ]
    row_of = {item_id: row for row, item_id in enumerate(shop.items["item_id"].to_list())}
    outlook = outlook_of(shop, given, row_of)
    for place, item in enumerate(given):
        found = changed_items(shop, [item])
        for name in ("described", "worded", "shown"):
            assert (place in getattr(outlook, name)) == bool(len(getattr(found, name))), (place, name)
    assert outlook.worded.tolist() == [2, 8] and outlook.described.tolist() == [2, 3, 4, 5, 6, 8]
