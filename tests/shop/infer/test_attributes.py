"""What is inferred from texts, and what is left unsaid."""

from pathlib import Path

import numpy as np

from huaxiang.encoders.hashed import HashedEncoder
from huaxiang.shop.base import Shop
from huaxiang.shop.infer import infer_attributes
from huaxiang.shop.infer.taxonomy import with_taxonomy
from huaxiang.shop.lexicon import load_lexicon
from shop.shops import ITEMS, shop_of


def inferred(shop: Shop) -> Shop:
    encoder = HashedEncoder(dimensions=64)
    titles = [title or "" for title in shop.items[f"title_{shop.languages[0]}"]]
    vectors_ID = encoder.encode(titles).vectors_ID
    return infer_attributes(
        shop, text_vectors_ID=vectors_ID, encode=lambda said: encoder.encode(said).vectors_ID, seed=1
    )


def values(shop: Shop, dimension: str) -> list[tuple[int, str]]:
    found = shop.attributes.filter(dimension=dimension, source="inferred")
    return found.select("item_row", "value").sort("item_row", "value").rows()


def titled(folder: Path, *titles: str) -> Shop:
    lines = "".join(f'{row},"{title}"\n' for row, title in enumerate(titles))
    return shop_of(folder, items_csv=f"item_id,title\n{lines}")


def test_titles_name_colours_materials_styles_and_things(tmp_path: Path) -> None:
    shop = inferred(titled(tmp_path, "VINTAGE RED WOODEN BOX", "SET OF 6 WHITE CANDLES", "红色纯棉连衣裙"))
    assert values(shop, "colour") == [(0, "red"), (1, "white"), (2, "red")]
    assert values(shop, "material") == [(0, "wood"), (2, "cotton")]
    assert values(shop, "style") == [(0, "vintage")]
    assert values(shop, "category") == [(0, "storage box"), (1, "candle"), (2, "dress")]
    assert shop.attributes["confidence"].max() < 1


def test_what_a_shop_states_is_left_as_it_is(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, items_csv=ITEMS)
    after = inferred(shop)
    assert after.attributes.filter(source="stated").equals(shop.attributes)
    assert values(after, "colour") == values(after, "category") == values(after, "brand") == []
    assert values(after, "material") == [(0, "wool")]


def test_what_no_word_names_is_clustered_and_called_by_its_words_without_the_brand(tmp_path: Path) -> None:
    odd = [f"Gizmo sprocket {n}" for n in "abcd"] + [f"Flannel doohickey {n}" for n in "abcd"]
    named = dict(values(inferred(titled(tmp_path, *odd)), "category"))
    assert named == {row: "sprocket" if row < 4 else "doohickey" for row in range(8)}


def test_brands_that_lead_titles_are_found(tmp_path: Path) -> None:
    titles = [f"Zorba {what} {n}" for what in ("mug", "bowl") for n in "abc"]
    titles += [f"United Hues of Bergamo shirt {n}" for n in "abcd"]
    shop = inferred(titled(tmp_path, *titles))
    assert {value for _, value in values(shop, "brand")} == {"Zorba", "United Hues of Bergamo"}


def test_nothing_is_said_of_brands_without_evidence(tmp_path: Path) -> None:
    in_capitals = [f"ZORBA MUG {n}" for n in "ABCDEF"]
    everyday = [f"Red mug {n}" for n in "abcdef"]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert values(inferred(titled(tmp_path / "one", *in_capitals)), "brand") == []
    assert values(inferred(titled(tmp_path / "two", *everyday)), "brand") == []


def test_items_without_a_word_get_nothing(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, items_csv="item_id,title\na,\nb,\n")
    after = infer_attributes(
        shop,
        text_vectors_ID=np.zeros((2, 8), np.float32),
        encode=lambda said: np.zeros((len(said), 8), np.float32),
    )
    assert after.attributes.is_empty()


def test_a_taxonomy_adds_words_in_both_languages(tmp_path: Path) -> None:
    for code, category, colour in (
        ("en", "Home > Gnome", "Puce [Color]"),
        ("zh-CN", "家 > 侏儒", "紫褐色 [颜色]"),
    ):
        (tmp_path / code).mkdir()
        (tmp_path / code / "categories.txt").write_text(f"# notes\n\ngid://x/C/1 : {category}\n")
        (tmp_path / code / "attribute_values.txt").write_text(f"gid://x/V/1 : {colour}\n")
    lexicon = with_taxonomy(load_lexicon(), tmp_path)
    assert [said.value for said in lexicon.find("puce gnome")] == ["puce", "gnome"]
    assert lexicon.label("category", "gnome", language="zh") == "侏儒"
