"""Products of a shop or a table, their photos read once, and split by title."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.pretraining.small_photos import small_products, write_photos
from huaxiang.encoders.photos import MISSING, UNREADABLE
from huaxiang.encoders.preprocessing import Preprocessing
from huaxiang.encoders.pretraining.photo_products import products_of_shop, products_of_table
from huaxiang.encoders.pretraining.photo_rows import hold_photos
from huaxiang.encoders.pretraining.photo_split import split_by_title
from huaxiang.errors import ShopError
from huaxiang.shop.read import read_shop

SMALL = Preprocessing(size=(12, 8), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def test_a_table_names_photos_by_id_without_ending(tmp_path: Path) -> None:
    products = small_products(tmp_path, 6)
    assert products.names[3] == "p3.png"
    assert products.tags[5] == [("colour", "green"), ("shape", "tall")]
    assert products.texts["any"][0] == "red wide dress 0"


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    table = write_photos(tmp_path, 4)
    with pytest.raises(ShopError, match="column is missing.*the nearest is colour"):
        products_of_table(table, photos=tmp_path / "photos", tags=["color"])


def test_a_shop_gives_each_level_of_its_categories(tmp_path: Path) -> None:
    table = write_photos(tmp_path / "raw", 4)
    (tmp_path / "raw" / "photos").rename(tmp_path / "images")
    paths = [
        "Clothes > Dresses > Long",
        "Clothes > Dresses > Short",
        "Home > Lamps > Small",
        "Home > Lamps > Big",
    ]
    shown = pl.read_csv(table).select(
        pl.col("id").alias("item_id"),
        pl.col("title"),
        pl.Series("category", paths),
        pl.col("colour"),
        pl.concat_str("id", pl.lit(".png")).alias("image"),
    )
    shown.write_csv(tmp_path / "items.csv")
    products = products_of_shop(read_shop(tmp_path))
    assert {("category.2", "Dresses"), ("department", "Clothes"), ("category", "Long")} <= set(
        products.tags[0]
    )
    assert products_of_shop(read_shop(tmp_path), dimensions=["colour"]).tags[0] == [("colour", "red")]
    with pytest.raises(ShopError, match="nothing is stated in a dimension.*choose among.*colour"):
        products_of_shop(read_shop(tmp_path), dimensions=["taste"])


def test_missing_and_broken_photos_are_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    products = small_products(tmp_path, 8)
    (tmp_path / "photos" / "p2.png").unlink()
    (tmp_path / "photos" / "p5.png").write_bytes(b"junk")
    rows = hold_photos(products.photo, 8, SMALL)
    assert rows.problems == {2: MISSING, 5: UNREADABLE}
    assert rows.rows.tolist() == [0, 1, 3, 4, 6, 7]
    assert rows.size == (12, 8)


def test_photos_held_or_unpacked_each_time_are_the_same_and_as_they_are_served(tmp_path: Path) -> None:
    products = small_products(tmp_path, 6)
    held, lazy = (hold_photos(products.photo, 6, SMALL, most_bytes=most) for most in (10**9, 0))
    asked = np.array([4, 0])
    np.testing.assert_array_equal(held.pixels(asked), lazy.pixels(asked))
    from huaxiang.encoders.photos import read_photo

    picture = read_photo(products.photo(4)).picture
    assert picture is not None
    served = SMALL.apply(picture)
    taught = (held.pixels(asked)[0].astype(np.float32) * SMALL.scale - 0.5) / 0.25
    np.testing.assert_allclose(taught, served, atol=1e-6)


@given(
    titles=st.lists(st.sampled_from(["a", "A ", "b", "c", "d", None]), max_size=40), seed=st.integers(0, 9)
)
def test_equal_titles_stay_on_one_side_and_every_row_is_on_one(titles: list[str | None], seed: int) -> None:
    split = split_by_title(titles, validation_share=0.3, test_share=0.3, seed=seed)
    parts = [split.train, split.validation, split.test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(titles)))
    seen = [{(titles[row] or f"{row}").casefold().strip() for row in part} for part in parts]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
