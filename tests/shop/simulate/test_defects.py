"""Planted defects: nothing changes without them; with them reviews complain and ratings fall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from huaxiang.reviews.rules import RuleReader
from huaxiang.shop.simulate import Config, simulate
from huaxiang.shop.simulate.defects import CAUSES

FEW = Config(n_shoppers=60, n_items=40, days=60, photo_pixels=32, review_rate=1.0)


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flawed") / "shop"
    simulate(folder, config=replace(FEW, defect_share=0.5, defect_drop=3), seed=7)
    return folder


def test_a_shop_without_defects_says_nothing_of_them(tmp_path: Path) -> None:
    simulate(tmp_path / "shop", config=FEW, seed=7)
    assert not (tmp_path / "shop" / "defects.parquet").exists()
    assert "defect" not in (tmp_path / "shop" / "simulation.json").read_text()


def test_items_with_a_defect_rate_lower(flawed: Path) -> None:
    planted = pl.read_parquet(flawed / "defects.parquet")
    reviews = pl.read_csv(flawed / "reviews.csv.gz").with_columns(
        is_flawed=pl.col("item_id").is_in(planted["item_id"].implode())
    )
    means = dict(reviews.group_by("is_flawed").agg(pl.col("rating").mean()).rows())
    assert means[True] < means[False] - 0.5


def test_their_reviews_complain_of_it(flawed: Path) -> None:
    planted = dict(pl.read_parquet(flawed / "defects.parquet").select("item_id", "aspect").rows())
    said = {text for cause in CAUSES.values() for texts in cause.values() for text in texts}
    for item_id, text in pl.read_csv(flawed / "reviews.csv.gz").select("item_id", "text").rows():
        complaints = [one for one in said if text.endswith(one)]
        causes = CAUSES.get(planted.get(item_id, ""), {})
        assert not complaints or any(one in texts for texts in causes.values() for one in complaints)


@pytest.mark.parametrize("aspect", CAUSES)
def test_the_reader_finds_every_cause_in_both_languages(aspect: str) -> None:
    for texts in CAUSES[aspect].values():
        for reading in RuleReader().read(list(texts)):
            assert reading.judged()[aspect] == -1
