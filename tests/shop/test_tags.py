from __future__ import annotations

from pathlib import Path

import pytest

from huaxiang.errors import ShopError
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop
from huaxiang.shop.tags import with_tags


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    (tmp_path / "items.csv").write_text("item_id,title,colour\na,Red dress,red\nb,Hat,\n", encoding="utf-8")
    return read_shop(tmp_path)


def tags(folder: Path, *lines: str) -> Path:
    (folder / "tags.csv").write_text(
        "\n".join(["item_id,dimension,value,confidence", *lines]) + "\n", encoding="utf-8"
    )
    return folder / "tags.csv"


def test_a_tag_is_an_inferred_attribute_with_its_confidence(shop: Shop, tmp_path: Path) -> None:
    tagged = with_tags(shop, tags(tmp_path, "b,style,boho,0.75"))
    row = tagged.attributes.filter(dimension="style").row(0, named=True)
    assert (row["item_row"], row["value"], row["source"], row["confidence"]) == (1, "boho", "inferred", 0.75)
    assert tagged.fingerprint != shop.fingerprint


def test_what_the_shop_states_stays_alone(shop: Shop, tmp_path: Path) -> None:
    tagged = with_tags(shop, tags(tmp_path, "a,colour,blue,0.99", "b,colour,blue,0.9"))
    colours = tagged.attributes.filter(dimension="colour").select("item_row", "value").rows()
    assert colours == [(0, "red"), (1, "blue")]


def test_tags_of_unknown_items_are_counted(shop: Shop, tmp_path: Path) -> None:
    tagged = with_tags(shop, tags(tmp_path, "b,style,boho,0.7", "z,style,boho,0.7"))
    assert "tags.csv: 1 tags of items that the shop does not have" in tagged.guesses


@pytest.mark.parametrize("confidence", ["", "high", "NaN", "1.2", "-0.1"])
def test_a_confidence_that_can_not_be_names_its_line(shop: Shop, tmp_path: Path, confidence: str) -> None:
    path = tags(tmp_path, "b,style,boho,0.7", f"b,style,plain,{confidence}")
    with pytest.raises(ShopError, match=r"confidence is no number in 0 to 1: tags.csv:3 confidence"):
        with_tags(shop, path)


def test_a_missing_column_is_named(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("item_id,value\nb,red\n", encoding="utf-8")
    with pytest.raises(ShopError, match=r"column is missing: t.csv dimension"):
        with_tags(shop, tmp_path / "t.csv")


def test_tags_of_another_shop_are_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="no tag is of an item of this shop"):
        with_tags(shop, tags(tmp_path, "z,style,boho,0.7"))
