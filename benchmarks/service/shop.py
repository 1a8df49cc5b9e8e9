"""A run of any size without training: drawn shoppers, events and vectors, and the recommenders that count."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

import huaxiang as hx
from huaxiang.config import Settings, read_settings
from huaxiang.model import Model
from huaxiang.profile.bulk import build_states
from huaxiang.profile.population import Population
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.histories import histories_from_events
from huaxiang.shop.base import Shop
from huaxiang.shop.read import read_shop

DAY_MS = 86_400_000
N_EVENTS = 30
"""Events of each shopper."""
MEMBERS = ("popular", "own_frequency", "neighbours", "closed_form")
QUICK_MEMBERS = MEMBERS[:3]
"""Those that need no minutes to fit a large catalogue."""
N_FITTED = 1000
"""Shoppers that a run is fitted and tried on; the others enter its log and its states."""
N_COUNTED = 20_000
"""Shoppers whose events are counted into popularity and neighbours: more would fill no longer rows."""
WEIGHTS = {"popular": 0.5, "own_frequency": 0.2, "neighbours": 0.5, "closed_form": 0.35}
"""Every member counts, as in a real shop; drawn shoppers would be best served by one of them alone."""
KINDS = ("dress", "mug", "lamp", "shoe", "bag", "rug", "hat", "plate", "belt", "chair")
COLOURS = ("red", "blue", "green", "black", "white", "grey", "brown", "pink")


def synthetic_run(
    folder: Path,
    *,
    n_shoppers: int,
    n_items: int,
    n_events: int = N_EVENTS,
    members: Sequence[str] = MEMBERS,
    seed: int = 5,
) -> tuple[Path, list[str]]:
    """Write a run of drawn shoppers who each keep to two kinds of things; return it and its item ids.

    Of many shoppers the first are fitted on, and the others join the log, the states and the counts: a list
    costs the same, and a run of 100,000 shoppers is made in minutes. Every member has weight in each list.

    A run that is in the folder already is used as it is, whatever it was drawn with.
    """
    if (folder / "manifest.json").exists():
        return folder, pl.read_parquet(folder / "items.parquet")["item_id"].to_list()
    shop = folder.with_name(folder.name + ".shop")
    shop.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    item_ids = [f"i-{row}" for row in range(n_items)]
    kinds = rng.integers(0, len(KINDS), n_items)
    colours = rng.integers(0, len(COLOURS), n_items)
    pl.DataFrame(
        {
            "item_id": item_ids,
            "title": [
                f"{COLOURS[colour]} {KINDS[kind]} {row}"
                for row, (kind, colour) in enumerate(zip(kinds, colours, strict=True))
            ],
            "category": [KINDS[k] for k in kinds],
            "colour": [COLOURS[c] for c in colours],
            "brand": [f"brand {b}" for b in rng.integers(0, 60, n_items)],
            "price": rng.gamma(2, 20, n_items).round(2),
        }
    ).write_csv(shop / "items.csv")
    _events(rng, kinds, n_shoppers, n_events).write_parquet(shop / "events.parquet")
    (shop / "shop.toml").write_text('[shop]\nname = "drawn"\nlanguages = ["en"]\ncurrency = "USD"\n')
    whole = read_shop(shop)
    fitted = replace(whole, events=_of_first(whole, min(n_shoppers, N_FITTED)))
    model = hx.fit(fitted, _settings(members), progress=None)
    filled(model, whole).save(folder)
    return folder, item_ids


def filled(model: Model, shop: Shop) -> Model:
    """Return a model with the log and the states of a whole shop, of which it was fitted on a part."""
    counted = histories_from_events(_of_first(shop, N_COUNTED), order_only=False)
    training = TrainingData(histories=counted, catalogue=model.catalogue, vectors=model.vectors)
    for ensemble in (model.recommenders.new, model.recommenders.all):
        ensemble.weights_ = {name: WEIGHTS[name] for name in ensemble.members}
        for name in set(ensemble.members) & set(QUICK_MEMBERS):
            ensemble.members[name].fit(training)
    return replace(
        model,
        shop=replace(model.shop, events=shop.events),
        states=build_states(shop.events, order_only=False),
        population=Population.from_events(shop.events, model.catalogue, config=model.settings.profile),
    )


def _of_first(shop: Shop, n_shoppers: int) -> pl.DataFrame:
    first = pl.Series([f"s-{number}" for number in range(n_shoppers)])
    return shop.events.filter(pl.col("shopper_id").is_in(first.implode()))


def linked_run(home: Path, given: Path | None, *, n_shoppers: int, n_items: int) -> tuple[Path, list[str]]:
    """Return a run with its item ids: the given one if there is one, else one that is drawn now.

    What a service keeps beside its run comes into `home`, so the given run is not written to.
    """
    if given is None:
        return synthetic_run(home / "run", n_shoppers=n_shoppers, n_items=n_items, members=QUICK_MEMBERS)
    run, item_ids = synthetic_run(given.resolve(), n_shoppers=n_shoppers, n_items=n_items)
    (home / "run").symlink_to(run)
    return home / "run", item_ids


def _settings(members: Sequence[str]) -> Settings:
    return read_settings(changes=[f"recommend.members={json.dumps(list(members))}"])


def _events(rng: np.random.Generator, kinds: np.ndarray, n_shoppers: int, n_events: int) -> pl.DataFrame:
    by_kind = [np.flatnonzero(kinds == kind) for kind in range(len(KINDS))]
    tastes = rng.integers(0, len(KINDS), (n_shoppers, 2))
    total = n_shoppers * n_events
    shoppers = np.repeat(np.arange(n_shoppers), n_events)
    chosen = tastes[shoppers, rng.integers(0, 2, total)]
    sizes = np.array([len(rows) for rows in by_kind])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    items = np.concatenate(by_kind)[starts[chosen] + (rng.random(total) ** 2 * sizes[chosen]).astype(int)]
    end_ms = int(np.datetime64("now", "ms").astype(np.int64))
    times = end_ms - (rng.random(total) * 90 * DAY_MS).astype(np.int64)
    types = np.array(["view_item", "add_to_cart", "purchase"])[rng.choice(3, total, p=[0.7, 0.15, 0.15])]
    return pl.DataFrame(
        {
            "event_id": [f"e-{row}" for row in range(total)],
            "shopper_id": [f"s-{row}" for row in shoppers.tolist()],
            "type": types,
            "item_id": [f"i-{row}" for row in items.tolist()],
            "occurred_at": pl.Series(times).cast(pl.Datetime("ms", "UTC")),
        }
    ).sort("occurred_at")
