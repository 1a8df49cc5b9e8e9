"""The written shop agrees with itself, with its truth, and with its seed."""

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from huaxiang.errors import ShopError
from huaxiang.records import EventType
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate import Config, folder, simulate
from huaxiang.shop.simulate.products import PRICE_BANDS, price_bands
from huaxiang.shop.simulate.settings import DIMENSIONS
from huaxiang.shop.simulate.vocabulary import vocabulary

from .conftest import SMALL, Written

TINY = Config(n_shoppers=4, n_items=40, days=20, photo_pixels=32)


def contents(shop: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(shop.iterdir())}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        simulate(tmp_path / name, config=TINY, seed=3)
    simulate(tmp_path / "c", config=TINY, seed=4)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert {name for name in first if first[name] == other[name]} == {"shop.toml"}


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(ShopError, match="empty folder"):
        simulate(tmp_path, config=TINY, seed=3)
    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_a_simulated_shop_is_replaced(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    simulate(shop, config=TINY, seed=3)
    before = contents(shop)
    simulate(shop, config=TINY, seed=4)
    assert contents(shop)["events.csv.gz"] != before["events.csv.gz"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(folder, "truth", fail)
    with pytest.raises(OSError, match="no space left"):
        simulate(tmp_path / "shop", config=TINY, seed=3)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_complete(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    simulate(tmp_path / "shop", config=TINY, seed=3, progress=lambda *said: seen.append(said))
    assert seen[-1] == (4, 4, "shoppers")


def test_settings_and_seed_are_kept(small_shop: Written) -> None:
    assert small_shop.settings["seed"] == 7
    assert small_shop.settings["config"]["n_items"] == SMALL.n_items  # type: ignore[index]


def test_every_item_has_texts_in_both_languages_and_a_photo(small_shop: Written) -> None:
    items = small_shop.items
    assert items.null_count().sum_horizontal().sum() == 0
    with zipfile.ZipFile(small_shop.folder / "images.zip") as photos:
        assert set(items["image"]) == set(photos.namelist())
        photo = Image.open(BytesIO(photos.read(items["image"][0])))
        assert (photo.size, photo.mode) == ((48, 48), "RGB")


def test_the_shop_is_read_without_a_guess_or_a_quarantined_line(small_shop: Written) -> None:
    shop = read_shop(small_shop.folder)
    assert shop.guesses == ()
    assert shop.accounting.agrees and shop.quarantine.is_empty()
    assert shop.accounting.n_events == small_shop.events.height + small_shop.reviews.height
    assert shop.languages == ("en", "zh")


def test_the_truth_speaks_of_the_values_that_are_read(small_shop: Written) -> None:
    dimensions = build_catalogue(read_shop(small_shop.folder)).dimensions
    for name, dimension in dimensions.items():
        assert set(small_shop.truth.filter(dimension=name)["value"]) == set(dimension.values)
    assert set(dimensions) == set(DIMENSIONS)


def test_price_bands_are_those_that_are_read(small_shop: Written) -> None:
    catalogue = build_catalogue(read_shop(small_shop.folder))
    bands = catalogue.dimensions["price_band"]
    kinds = [vocabulary().values("category").index(value) for value in small_shop.items["category"]]
    ours = price_bands(small_shop.items["price"].to_numpy(), np.array(kinds))
    assert [PRICE_BANDS[row] for row in ours] == [bands.values[row] for row in bands.value_rows]


def test_titles_name_the_shade_or_the_brand(small_shop: Written) -> None:
    item = small_shop.items.row(0, named=True)
    assert item["brand"] in item["title_en"] and item["brand"] in item["title_zh"]
    assert not any("{" in str(value) for row in small_shop.items.iter_rows() for value in row)


def test_every_event_is_of_a_known_type_and_item(small_shop: Written) -> None:
    events = small_shop.events
    assert set(events["type"]) <= {kind.value for kind in EventType}
    assert set(events["item_id"].drop_nulls()) <= set(small_shop.items["item_id"])
    assert events["event_id"].n_unique() == events.height
    assert events["received_at"].is_sorted()
    assert (events["occurred_at"] < events["received_at"]).all()


def test_nothing_happens_to_an_item_before_it_is_sold(small_shop: Written) -> None:
    both = small_shop.events.join(small_shop.items.select("item_id", "valid_from"), on="item_id")
    assert small_shop.items["valid_from"].n_unique() > 1
    assert (both["occurred_at"].str.slice(0, 10) >= both["valid_from"].str.slice(0, 10)).all()


def test_what_is_clicked_was_shown_at_that_place(small_shop: Written) -> None:
    key = ["slate_id", "position", "item_id", "propensity"]
    clicks = small_shop.of("select_item")
    assert clicks.join(small_shop.of("view_item_list"), on=key, how="semi").height == clicks.height > 50
    assert clicks["propensity"].is_between(0, 1).all()


def test_lower_places_are_clicked_less(small_shop: Written) -> None:
    clicks = small_shop.of("select_item")["position"].value_counts().sort("position")["count"]
    assert clicks[0] > 1.5 * clicks[3] > 0


def test_a_refund_follows_its_purchase(small_shop: Written) -> None:
    refunds, purchases = small_shop.of("refund"), small_shop.of("purchase")
    both = refunds.join(purchases, on=["shopper_id", "item_id", "order_id"], suffix="_bought")
    assert both.height == refunds.height > 0
    assert (both["occurred_at"] > both["occurred_at_bought"]).all()
    assert set(refunds["reason"]) <= {"not_as_described", "wrong_size", "changed_mind"}


def test_reviews_are_of_what_the_shopper_bought(small_shop: Written) -> None:
    reviews = small_shop.reviews
    bought = reviews.join(small_shop.of("purchase"), on=["shopper_id", "item_id"], how="semi")
    assert bought.height == reviews.height > 10
    assert reviews["rating"].is_between(1, 5).all()
    is_chinese = reviews["text"].str.contains(r"[\x{4e00}-\x{9fff}]")
    assert (is_chinese == (reviews["language"] == "zh")).all()


def test_the_truth_covers_every_day_of_every_taste(small_shop: Written) -> None:
    held = small_shop.truth.with_columns((pl.col("until") - pl.col("from")).dt.total_days().alias("days"))
    sums = held.group_by("shopper_id", "dimension").agg((pl.col("taste") * pl.col("days")).sum())
    assert sums.height == SMALL.n_shoppers * 6
    assert sums["taste"].is_between(SMALL.days - 1e-6, SMALL.days + 1e-6).all()
    assert held.columns[:6] == ["shopper_id", "dimension", "value", "taste", "from", "until"]


def test_shoppers_buy_what_they_love_more_than_what_they_are_shown(small_shop: Written) -> None:
    loves = (
        small_shop.truth.filter(dimension="colour")
        .group_by("shopper_id", "value")
        .agg(pl.col("taste").mean())
    )

    def mean_taste(kind: str) -> float:
        shown = small_shop.of(kind).join(small_shop.items.select("item_id", value="colour"), on="item_id")
        return float(shown.join(loves, on=["shopper_id", "value"])["taste"].mean())  # type: ignore[arg-type]

    assert mean_taste("purchase") > 1.5 * mean_taste("view_item_list")
