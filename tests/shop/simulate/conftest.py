"""One small simulated shop, written once and only read by the tests."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pytest

from huaxiang.shop.simulate import Config, simulate

SMALL = Config(n_shoppers=80, n_items=120, days=60, photo_pixels=48)


@dataclass(frozen=True)
class Written:
    folder: Path

    @cached_property
    def items(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "items.csv")

    @cached_property
    def events(self) -> pl.DataFrame:
        events = pl.read_csv(self.folder / "events.csv.gz", infer_schema_length=None)
        stated = {
            "placement": pl.String,
            "slate_id": pl.String,
            "position": pl.Int64,
            "propensity": pl.Float64,
        }
        return events.with_columns(
            pl.col("context").str.json_path_match(f"$.{name}").cast(kind).alias(name)
            for name, kind in {**stated, "reason": pl.String}.items()
        )

    @cached_property
    def reviews(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "reviews.csv.gz")

    @cached_property
    def truth(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "truth.parquet")

    @cached_property
    def settings(self) -> dict[str, object]:
        return dict(json.loads((self.folder / "simulation.json").read_text()))

    def of(self, kind: str) -> pl.DataFrame:
        return self.events.filter(pl.col("type") == kind)


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    simulate(folder, config=SMALL, seed=7)
    return Written(folder)
