"""Items find their place in the taxonomy, vaguer ones a higher place, and people have the last word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from huaxiang.errors import ShopError
from huaxiang.knowledge.graph.mapping import Config, mapped, mapping_table, nearest_places, with_map
from huaxiang.knowledge.graph.taxonomy import Taxonomy, read_taxonomy
from huaxiang.records import Matrix
from huaxiang.shop.base import Shop
from knowledge.graph.small_graph import shop_of

SHOES = ("Wear", "Wear > Shoes", "Wear > Shoes > Boots", "Wear > Shoes > Sandals")


@pytest.fixture
def taxonomy(tmp_path: Path) -> Taxonomy:
    said = {"en": SHOES[2:], "zh-CN": ("服饰 > 鞋 > 靴子", "服饰 > 鞋 > 凉鞋")}
    for code, paths in said.items():
        (tmp_path / code).mkdir()
        lines = [f"gid://t/{number} : {path}" for number, path in enumerate(paths)]
        (tmp_path / code / "categories.txt").write_text("\n".join(lines), encoding="utf-8")
    return read_taxonomy(tmp_path)


def encode(said: Sequence[str]) -> Matrix:
    """Boots lie along one axis, sandals along another, everything else between."""
    axes = {"Boots": [1.0, 0, 0], "Sandals": [0, 1.0, 0]}
    rows = np.array([axes.get(one.split(",")[0], [0.0, 0, 1]) for one in said], np.float32)
    return rows


def placed(shop: Shop) -> dict[int, tuple[str, float]]:
    rows = shop.attributes.filter(dimension="taxonomy").select("item_row", "value", "confidence").iter_rows()
    return {row: (value, confidence) for row, value, confidence in rows}


def test_missing_parents_are_taken_from_the_paths_below(taxonomy: Taxonomy) -> None:
    assert taxonomy.paths["en"] == list(SHOES)
    assert taxonomy.find("服饰 > 鞋 > 凉鞋") == taxonomy.find("gid://t/1") == 3
    assert taxonomy.find("Hats") is None


def test_what_is_surely_a_boot_is_one_and_what_may_be_either_is_a_shoe(taxonomy: Taxonomy) -> None:
    asked = np.array([[1, 0, 0], [0.7, 0.7, 0]], np.float32)
    names = encode([", ".join(reversed(path.split(" > ")[-2:])) for path in SHOES])
    places, shares = nearest_places(asked, names, taxonomy, Config(level_cost=0))
    assert [SHOES[place] for place in places] == ["Wear > Shoes > Boots", "Wear > Shoes"]
    assert shares[0] > 0.99


def test_an_item_like_nothing_gets_no_place(taxonomy: Taxonomy) -> None:
    names = encode([path.split(" > ")[-1] for path in SHOES])
    places, _ = nearest_places(np.array([[-1, 0, 0]], np.float32), names, taxonomy, Config())
    assert places.tolist() == [-1]


def test_a_reviewed_table_overrides_and_untouched_rows_stay_inferred(
    taxonomy: Taxonomy, tmp_path: Path
) -> None:
    texts = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)
    bare = shop_of([(), (), ()])
    found = mapped(bare, taxonomy, text_vectors_ID=texts, encode=encode)
    table = mapping_table(found, taxonomy)
    assert table["path_zh"].to_list() == ["服饰 > 鞋 > 靴子", "服饰 > 鞋 > 凉鞋", "服饰 > 鞋 > 靴子"]
    file = tmp_path / "map.csv"
    zh = pl.Series(["服饰 > 鞋 > 凉鞋", *table["path_zh"][1:]])  # the shop corrects one cell, in Chinese
    table.with_columns(path_zh=zh).write_csv(file)
    again = mapped(with_map(bare, file, taxonomy), taxonomy, text_vectors_ID=texts, encode=encode)
    assert placed(again)[0] == ("Wear > Shoes > Sandals", 1.0)
    assert placed(again)[1][0] == "Wear > Shoes > Sandals"
    assert again.attributes.filter(item_row=1, dimension="taxonomy")["source"].to_list() == ["inferred"]
    assert again.fingerprint != bare.fingerprint


def test_an_emptied_row_belongs_nowhere(taxonomy: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("item_id,path_en,source\ni-0,,inferred\n")
    shop = with_map(shop_of([("boots",)]), tmp_path / "map.csv", taxonomy)
    assert placed(shop) == {} or placed(shop)[0][0] == "-"


def test_a_place_that_does_not_exist_is_refused_with_the_nearest(taxonomy: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("item_id,path_en,source\ni-0,Wear > Shoes > Boot,stated\n")
    with pytest.raises(ShopError, match="Wear > Shoes > Boots") as refused:
        with_map(shop_of(), tmp_path / "map.csv", taxonomy)
    assert refused.value.line == 2


def test_a_map_of_another_shop_is_refused(taxonomy: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("item_id,path_en\nother,Wear\n")
    with pytest.raises(ShopError, match="another shop"):
        with_map(shop_of(), tmp_path / "map.csv", taxonomy)
