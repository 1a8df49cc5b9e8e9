"""A shop as a run keeps it: its tables as Parquet, the rest as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from huaxiang.errors import ArtefactError
from huaxiang.shop.base import QUARANTINE_COLUMNS, Accounting, Shop

ABOUT = "vocabulary.json"
TABLES = ("items", "attributes", "events")
PLAIN = ("name", "currency", "timezone", "order_only", "fingerprint", "labels")


def save_shop(shop: Shop, folder: Path) -> None:
    """Write what `load_shop` reads back."""
    for name in TABLES:
        getattr(shop, name).write_parquet(folder / f"{name}.parquet")
    shop.quarantine.write_csv(folder / "quarantine.csv")
    about = {name: getattr(shop, name) for name in PLAIN} | {
        "languages": list(shop.languages),
        "guesses": list(shop.guesses),
        "accounting": asdict(shop.accounting),
        "images": shop.images,
    }
    (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def load_shop(folder: Path) -> Shop:
    """Return the shop that was saved; its photos stay where they were, and are none if they are gone.

    Raises
    ------
    ArtefactError
        When a table is missing or can't be read.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES}
        quarantine = pl.read_csv(folder / "quarantine.csv", schema=dict(QUARANTINE_COLUMNS))
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        remedy = "build the run again"
        raise ArtefactError("tables of the shop can't be read", file=str(folder), remedy=remedy) from error
    return Shop(
        **{name: about[name] for name in PLAIN},
        languages=tuple(about["languages"]),
        guesses=tuple(about["guesses"]),
        accounting=Accounting(**about["accounting"]),
        items=tables["items"],
        attributes=tables["attributes"],
        events=tables["events"],
        quarantine=quarantine,
        images=about["images"] if about.get("images") and Path(about["images"]).exists() else None,
    )
