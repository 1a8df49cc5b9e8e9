"""How much the profile vector tells, beside five other representations, after the RecSys Challenge 2025.

    python benchmarks/representation.py [--data ../shared/data] [--out runs/representation] [--shops S …]

At each cut date the package is fitted on what had happened, every shopper's vector is frozen, and a small
fixed network learns from it churn, propensities and spend of the next 14 days and, where they are known, the
bands of age, income and household size. The other representations are made of the same past.
What is finished lies in --out, by shop and date; a stopped run goes on after it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from huaxiang.config import Settings
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.representation import Config, described, measure
from huaxiang.evaluate.representation_baselines import (
    category_counts,
    gru_autoencoder,
    mean_item_vector,
    purchases_of,
    rfm,
    svd,
)
from huaxiang.evaluate.representation_report import as_json, table_of
from huaxiang.evaluate.representation_tasks import Moment, moment_of, tasks_of
from huaxiang.files import write_json
from huaxiang.journey import fit
from huaxiang.model import Model
from huaxiang.profile.vector import LAYOUT
from huaxiang.records import Matrix
from huaxiang.runs import fingerprint_of
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop

DATA = Path(__file__).parents[1].parent / "shared" / "data"
CUTS = {
    "online_retail": ("2011-09-01", "2011-10-13", "2011-11-24"),
    "complete_journey": ("2017-08-31", "2017-10-26", "2017-12-14"),
}
BANDS = ("age", "income", "household_size")
OURS = "profile vector"


@dataclass(frozen=True)
class Cut:
    """A shop at a date: the model that it had then, and what came after."""

    model: Model
    moment: Moment


def cut_of(shop: Shop, date: str) -> Cut:
    """Return the shop at a date, with a model that knows only what had happened by then."""
    settings = Settings()
    quick = replace(settings.recommend, members=("popular",))  # lists are not asked for
    moment = moment_of(shop.events, datetime.fromisoformat(date).replace(tzinfo=UTC))
    then = replace(shop, events=moment.before, fingerprint=fingerprint_of(shop.fingerprint, date))
    return Cut(fit(then, replace(settings, recommend=quick)), moment)


def representations(cut: Cut, *, seed: int) -> dict[str, Matrix]:
    """Return every representation of the cut's shoppers, (U, ≤ 512) each."""
    model, moment = cut.model, cut.moment
    bought = purchases_of(moment, n_items=model.catalogue.n_items)
    return {
        OURS: model.representations(moment.shopper_ids, now=moment.at),
        "RFM features": rfm(bought),
        "category counts": category_counts(bought, model.catalogue.dimensions["category"]),
        "mean item vector": mean_item_vector(bought, model.vectors["text"]),
        "SVD": svd(bought),
        "GRU autoencoder": gru_autoencoder(bought, model.vectors["fused"], seed=seed),
    }


def bands_of(folder: Path) -> dict[str, dict[str, str]]:
    """Return the bands of the households with demographics; nothing where the shop has none."""
    file = folder / "demographics.csv.gz"
    if not file.exists():
        return {}
    table = pl.read_csv(file, infer_schema_length=0)
    known = {band: table.filter(pl.col(band).is_not_null() & (pl.col(band) != "")) for band in BANDS}
    return {band: dict(zip(rows["household_id"], rows[band], strict=True)) for band, rows in known.items()}


def measured(
    cut: Cut, bands: Mapping[str, Mapping[str, str]], config: Config, *, seed: int
) -> dict[str, Any]:
    """Return what each representation of a cut foretold, as JSON."""
    tasks = tasks_of(cut.moment, cut.model.catalogue.dimensions["category"], bands=bands)
    shown = representations(cut, seed=seed)
    ids = cut.moment.shopper_ids
    outcomes = measure(shown, tasks, ids, config=config, seed=seed, progress=_say)
    widths = {name: int(rows.shape[1]) for name, rows in shown.items()}
    return {"n_shoppers": len(ids), "widths": widths, "tasks": as_json(outcomes)}


def main() -> None:
    """Measure what is not yet measured, and print one table over all shops and dates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("runs/representation"))
    parser.add_argument("--shops", nargs="+", default=list(CUTS), choices=list(CUTS))
    parser.add_argument("--cuts", nargs="+", help="dates in place of the reported ones")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    config, results = Config(), []
    key = {"config": described(config), "seed": given.seed, "layout": LAYOUT, "hardware": hardware()}
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.shops:
        if not (given.data / name).exists():
            sys.exit(f"skipped: {given.data / name} is absent")
        dates = tuple(given.cuts or CUTS[name])
        done = {date: _finished(given.out / f"{name}-{date}.json", key) for date in dates}
        if not all(done.values()):
            shop, bands = read_shop(given.data / name), bands_of(given.data / name)
            for date in (date for date in dates if done[date] is None):
                print(f"{name} {date}", file=sys.stderr)
                own = measured(cut_of(shop, date), bands, config, seed=given.seed)
                done[date] = {"key": key, "shop": name, "cut": date, **own}
                write_json(given.out / f"{name}-{date}.json", done[date])
        results += [one for one in done.values() if one is not None]
    print(table_of(results, ours=OURS))
    print(f"\n{hardware()}")


def _finished(file: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what was measured before, if it was with the same settings."""
    if not file.exists():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    return kept if kept["key"] == json.loads(json.dumps(key)) else None


def _say(task: str, done: int, total: int, name: str) -> None:
    print(f"  {done + 1}/{total} {task}: {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
