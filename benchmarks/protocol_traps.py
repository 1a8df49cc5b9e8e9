"""What a figure owes to its protocol: the same models under the choices that papers make silently.

    python benchmarks/protocol_traps.py [--data ../shared/data/amazon_beauty] [--models closed_form]

Leave-one-out on one file, each model fitted once per order of events. Measured on the test items: items
already had left out or not, histories of 50 and of 20, the first 4,096 shoppers of the file and 4,096 drawn
at random, the item that came next among 100 drawn at random in place of the whole catalogue, and neighbouring
events swapped at random before anything else. It also counts how often the next item of a training sequence
has the higher product code, which a shop's own order would make no more likely than the lower one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.evaluate.amazon import (
    N_VALIDATION,
    PROTOCOLS,
    Dataset,
    Protocol,
    measured_under,
    read_dataset,
    recommender_for,
    sample,
)
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.measure import K, interval
from huaxiang.recommend.base import Histories, Recommender, Targets, TrainingData
from huaxiang.recommend.histories import newest, take_shoppers

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_beauty"
N_SAMPLED = 100
SWAP = 0.5
BLOCK = 1024


def main() -> None:
    """Measure each model under each choice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", default="popular,neighbours,closed_form")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    swapped = read_dataset(asked.data, cache=asked.cache, swap=SWAP, progress=lambda *_: None)
    print(f"{hardware()}; {dataset.name}\n")
    for which in (dataset, swapped):
        name = f"swapped with probability {which.swap:g}" if which.swap else "as published"
        print(f"next item has the higher product code, {name}: {rising_share(which, asked.data):.3f}")
    names = asked.models.split(",")
    columns = {name: choices(name, dataset, swapped) for name in names}
    print(f"\n| Recall@{K} | {' | '.join(names)} |\n| --- {'| --- ' * len(names)}|")
    for row in columns[names[0]]:
        print(f"| {row} | {' | '.join(_said(columns[name][row]) for name in names)} |", flush=True)


def choices(name: str, dataset: Dataset, swapped: Dataset) -> Mapping[str, NDArray[np.float64]]:
    """Return one figure per shopper for each choice of protocol."""
    masked, unmasked = PROTOCOLS["masked"], PROTOCOLS["unmasked"]
    model, test = fitted(name, dataset, masked), dataset.test
    ways = {
        "masked, history 50": (masked, test),
        "masked, history 20": (replace(masked, history=20), test),
        "nothing left out, history 50": (replace(unmasked, history=50), test),
        "masked, 4,096 shoppers at random": (masked, sample(test, N_VALIDATION, seed=0)),
        "masked, first 4,096 shoppers": (masked, _first(test, N_VALIDATION)),
    }
    found = {what: measured_under(model, targets, how).recall_U for what, (how, targets) in ways.items()}
    found["masked, among 100 at random"] = among_sampled(model, test, masked, dataset.catalogue.n_items)
    found["unmasked settings, history 20"] = measured_under(
        fitted(name, dataset, unmasked), test, unmasked
    ).recall_U
    found["masked, neighbours swapped"] = measured_under(
        fitted(name, swapped, masked), swapped.test, masked
    ).recall_U
    return found


def fitted(name: str, dataset: Dataset, protocol: Protocol) -> Recommender:
    """Return a model with the protocol's settings."""
    training = TrainingData(
        histories=dataset.training,
        catalogue=dataset.catalogue,
        vectors=dataset.vectors,
        validation=sample(dataset.validation, N_VALIDATION, seed=0),
    )
    return recommender_for(name, protocol.name).fit(training)


def among_sampled(
    model: Recommender, targets: Targets, protocol: Protocol, n_items: int
) -> NDArray[np.float64]:
    """Return whether the next item is among the best 10 of itself and 100 others drawn at random, (U,)."""
    rng = np.random.default_rng(0)
    cut = newest(targets.histories, protocol.history)
    found = []
    for start in range(0, cut.n_shoppers, BLOCK):
        rows = np.arange(start, min(start + BLOCK, cut.n_shoppers))
        scores_UI = model.score(take_shoppers(cut, rows))
        wanted_U1 = targets.item_rows[rows][:, None]
        others_UN = rng.integers(n_items, size=(len(rows), N_SAMPLED))
        own_U1 = np.take_along_axis(scores_UI, wanted_U1, axis=1)
        others = np.take_along_axis(scores_UI, others_UN, axis=1)
        ties_UN = (others == own_U1) & (rng.random(others.shape) < 0.5)  # a tie is won half of the time
        beaten_by_U = (((others > own_U1) | ties_UN) & (others_UN != wanted_U1)).sum(axis=1)
        found.append(beaten_by_U < K)
    return np.concatenate(found).astype(np.float64)


def rising_share(dataset: Dataset, data: Path) -> float:
    """Return how often the item after another has the higher product code, of those where it differs."""
    codes = product_codes(data)
    order = np.argsort(np.array([codes[item_id] for item_id in dataset.catalogue.item_ids]))
    rank_I = np.empty(len(order), dtype=np.int64)
    rank_I[order] = np.arange(len(order))
    steps = np.diff(rank_I[dataset.training.item_rows])[_inside(dataset.training)]
    return float((steps > 0).sum() / (steps != 0).sum())


def product_codes(data: Path) -> dict[str, str]:
    """Return the product code of each item, which no model reads."""
    with gzip.open(data / "items.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {str(row["id"]): str(row["asin"]) for row in map(json.loads, lines)}


def _inside(histories: Histories) -> NDArray[np.bool_]:
    return np.asarray(histories.shopper_of_event[1:] == histories.shopper_of_event[:-1])


def _first(targets: Targets, n: int) -> Targets:
    return Targets(
        histories=take_shoppers(targets.histories, slice(0, n)),
        offsets=targets.offsets[: n + 1],
        item_rows=targets.item_rows[:n],
    )


def _said(values_U: NDArray[np.float64]) -> str:
    told = interval(values_U, seed=0)
    return f"{told['mean']:.4f} [{told['low']:.4f}, {told['high']:.4f}]"


if __name__ == "__main__":
    main()
