"""The simulated shop as a shop folder, with its truth beside it."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from huaxiang.errors import ShopError
from huaxiang.shop.simulate.defects import Defect, defect_table, draw_defects
from huaxiang.shop.simulate.log import MS_PER_DAY, EventLog
from huaxiang.shop.simulate.photos import draw_photo
from huaxiang.shop.simulate.products import Products, draw_products
from huaxiang.shop.simulate.scene import Scene, make_scene
from huaxiang.shop.simulate.sessions import live
from huaxiang.shop.simulate.settings import Config
from huaxiang.shop.simulate.tastes import Shoppers, draw_shoppers
from huaxiang.shop.simulate.texts import draw_texts
from huaxiang.shop.simulate.vocabulary import LANGUAGES, vocabulary

Progress = Callable[[int, int, str], None] | None

FORMAT = 1
CURRENCY = "CNY"
ZIP_DATE = (2025, 1, 1, 0, 0, 0)
"""Of every photo in the zip file, so that the same seed gives the same bytes."""
REPORT_EVERY = 100

SHOP_TOML = """\
# A simulated shop: invented brands, drawn photos, simulated behaviour.
[shop]
name = "Simulated shop"
languages = ["en", "zh"]
currency = "CNY"
timezone = "Asia/Shanghai"

[items]
file = "items.csv"
[items.columns]
item_id = "item_id"
group_id = "group_id"
category = "category"
brand = "brand"
price = "price"
image = "image"
valid_from = "valid_from"
title_en = "title_en"
title_zh = "title_zh"
description_en = "description_en"
description_zh = "description_zh"
colour = "colour"
material = "material"
style = "style"

[events]
file = "events.csv.gz"

[reviews]
file = "reviews.csv.gz"
"""


def simulate(out: Path, *, config: Config | None = None, seed: int, progress: Progress = None) -> None:
    """Write a shop folder whose truth is known; the same settings and seed give the same bytes.

    The folder has `shop.toml`, `items.csv`, `events.csv.gz`, `reviews.csv.gz`, `images.zip`,
    `truth.parquet` (shopper_id, dimension, value, taste, from, until) and `simulation.json`, the settings;
    with `defect_share` also `defects.parquet` (item_id, aspect, drop).
    It is written beside and then renamed, so that there is never half a shop.

    Raises
    ------
    ShopError
        When `out` exists and is not a simulated shop.
    """
    config = config or Config()
    out = Path(out).absolute()
    _check_free(out)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_shop(partial, config, seed, progress or (lambda done, total, note: None))
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_free(out: Path) -> None:
    is_ours = (out / "simulation.json").is_file()
    if out.exists() and not is_ours and not (out.is_dir() and not any(out.iterdir())):
        raise ShopError(
            "a simulated shop would replace something else", file=str(out), remedy="choose an empty folder"
        )


def _write_shop(folder: Path, config: Config, seed: int, progress: Callable[[int, int, str], None]) -> None:
    of_products, of_texts, of_shoppers, of_photos = np.random.default_rng(seed).spawn(4)
    products = draw_products(config, vocabulary(), rng=of_products)
    shoppers = draw_shoppers(config, products, rng=of_shoppers)
    starts_at = datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC)
    (folder / "shop.toml").write_text(SHOP_TOML, encoding="utf-8")
    settings = {"version": FORMAT, "seed": seed, "config": _stated(config)}
    (folder / "simulation.json").write_text(json.dumps(settings, default=str, indent=1), encoding="utf-8")
    item_table(products, starts_at, rng=of_texts).write_csv(folder / "items.csv")
    _write_photos(folder / "images.zip", products, config, progress, rng=of_photos)
    defects = _plant(folder, products, config, seed)
    events = _behave(products, shoppers, config, starts_at, seed=seed, progress=progress, defects=defects)
    is_review = pl.col("type") == "review"
    _write_csv(folder / "events.csv.gz", events.filter(~is_review))
    _write_csv(folder / "reviews.csv.gz", _reviews(events.filter(is_review)))
    truth(products, shoppers, config, starts_at).write_parquet(folder / "truth.parquet")


def _stated(config: Config) -> dict[str, object]:
    """Return the settings; what no shop had before it was asked for is not said of a shop without it."""
    stated = asdict(config)
    if not config.defect_share:
        del stated["defect_share"], stated["defect_drop"]
    return stated


def _plant(folder: Path, products: Products, config: Config, seed: int) -> dict[int, Defect]:
    """Return what is wrong with which product, and write it down; drawn by a generator of its own."""
    if not config.defect_share:
        return {}
    defects = draw_defects(
        products,
        share=config.defect_share,
        drop=config.defect_drop,
        rng=np.random.default_rng((seed, 0xDEFEC7)),
    )
    defect_table(products, defects).write_parquet(folder / "defects.parquet")
    return defects


def item_table(products: Products, starts_at: datetime, *, rng: np.random.Generator) -> pl.DataFrame:
    """Return the items as the shop folder has them."""
    texts = draw_texts(products, rng=rng)
    stated = {
        "item_id": products.item_ids,
        "group_id": [item_id.partition("-")[0] for item_id in products.item_ids],
        **{f"title_{code}": [text[code].title for text in texts] for code in LANGUAGES},
        **{f"description_{code}": [text[code].description for text in texts] for code in LANGUAGES},
        **{d: _named(products, d) for d in ("category", "brand", "colour", "material", "style")},
        "price": products.price_yuan.astype(float),
        "image": [f"{item_id}.jpg" for item_id in products.item_ids],
        "valid_from": [_iso(starts_at + timedelta(days=float(day))) for day in products.from_day],
    }
    return pl.DataFrame(stated)


def _named(products: Products, dimension: str) -> list[str]:
    return [products.names[dimension][row] for row in products.values[dimension]]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_photos(
    file: Path,
    products: Products,
    config: Config,
    progress: Callable[[int, int, str], None],
    *,
    rng: np.random.Generator,
) -> None:
    """Write one JPEG per item; each is drawn by a generator of its own."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for item, own in enumerate(rng.spawn(products.n_items)):
            written = BytesIO()
            draw_photo(products, item, pixels=config.photo_pixels, rng=own).save(written, "JPEG", quality=88)
            entry = zipfile.ZipInfo(f"{products.item_ids[item]}.jpg", date_time=ZIP_DATE)
            archive.writestr(entry, written.getvalue())
            if item % REPORT_EVERY == 0:
                progress(item, products.n_items, "photos")


def _behave(
    products: Products,
    shoppers: Shoppers,
    config: Config,
    starts_at: datetime,
    *,
    seed: int,
    progress: Callable[[int, int, str], None],
    defects: Mapping[int, Defect],
) -> pl.DataFrame:
    starts_ms = int(starts_at.timestamp() * 1000)
    log = EventLog(ends_ms=starts_ms + config.days * MS_PER_DAY)
    scene: Scene = make_scene(
        config, products, shoppers, log=log, starts_ms=starts_ms, seed=seed, defects=defects
    )
    for shopper in range(shoppers.n_shoppers):
        live(scene, shopper)
        if shopper % REPORT_EVERY == 0:
            progress(shopper, shoppers.n_shoppers, "shoppers")
    progress(shoppers.n_shoppers, shoppers.n_shoppers, "shoppers")
    return log.table(products.item_ids, shoppers.offset_minutes.tolist())


def _reviews(events: pl.DataFrame) -> pl.DataFrame:
    language = pl.col("context").str.json_path_match("$.language").alias("language")
    return events.select(
        "event_id",
        "shopper_id",
        "item_id",
        "rating",
        "text",
        language,
        "occurred_at",
        "received_at",
        "utc_offset_minutes",
        "channel",
    )


def _write_csv(file: Path, table: pl.DataFrame) -> None:
    with file.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as packed:
        packed.write(table.write_csv().encode("utf-8"))


def truth(products: Products, shoppers: Shoppers, config: Config, starts_at: datetime) -> pl.DataFrame:
    """Return every taste with the time in which it held: `from` inclusive, `until` exclusive."""
    tables = []
    for dimension, taste in shoppers.tastes.items():
        is_sold = products.shares(dimension) > 0
        names = [name for name, sold in zip(products.names[dimension], is_sold, strict=True) if sold]
        changes_on_U = np.minimum(taste.changes_on_U, config.days)
        drifting = np.flatnonzero(np.isfinite(taste.changes_on_U))
        everyone = np.arange(shoppers.n_shoppers)
        first = _held(everyone, taste.before_UV[:, is_sold], np.zeros(len(everyone)), changes_on_U)
        ends_on = np.full(len(drifting), float(config.days))
        second = _held(drifting, taste.after_UV[drifting][:, is_sold], changes_on_U[drifting], ends_on)
        both = pl.concat([first, second]).with_columns(pl.lit(dimension).alias("dimension"))
        tables.append(
            both.with_columns(pl.Series(names, dtype=pl.String).gather(both["value_row"]).alias("value"))
        )
    start = pl.lit(starts_at).cast(pl.Datetime("ms", "UTC"))
    times = [(start + pl.duration(days=pl.col(day))).alias(day) for day in ("from", "until")]
    whole = pl.concat(tables).sort("shopper", "dimension", "from", "value").with_columns(times)
    shopper_id = pl.format("s-{}", "shopper").alias("shopper_id")
    return whole.select(shopper_id, "dimension", "value", "taste", "from", "until")


def _held(
    shoppers: np.ndarray, tastes_UV: np.ndarray, from_day: np.ndarray, until_day: np.ndarray
) -> pl.DataFrame:
    n_values = tastes_UV.shape[1]
    return pl.DataFrame(
        {
            "shopper": np.repeat(shoppers, n_values),
            "value_row": np.tile(np.arange(n_values), len(shoppers)),
            "taste": tastes_UV.ravel(),
            "from": np.repeat(from_day.astype(np.int64), n_values),
            "until": np.repeat(until_day.astype(np.int64), n_values),
        }
    )
