"""Claim: content finds items hardly anybody took: twice as many as ids alone, more than likeness alone.

Beauty, masked. Recall@10 by how often the item that came next was taken in what was learnt from:

- neighbours: ids alone, for which an item that nobody took does not exist;
- likeness: titles alone, the nearest to the faded mean of what the shopper took;
- closed form: both, as in the tables.

    python benchmarks/cold_items.py
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from huaxiang.evaluate.amazon import PROTOCOLS, measured_under, read_dataset, recommender_for
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.measure import Measurement, interval, measure
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.histories import newest
from huaxiang.recommend.ridge import centred_unit
from peers.content import Content

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_beauty"
MASKED = PROTOCOLS["masked"]
GROUPS = ((0, 0), (1, 3), (4, 5), (6, 10), (11, 20), (21, None))


def main() -> None:
    """Print the table, and the paired gaps of the closed form in each group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    print(f"{hardware()}; {dataset.name}, masked", flush=True)
    training = TrainingData(
        histories=dataset.training, catalogue=dataset.catalogue, vectors=dataset.vectors, seed=0
    )
    cut = replace(dataset.test, histories=newest(dataset.test.histories, MASKED.history))
    titles = Content(items_ID=centred_unit(dataset.vectors["text"]))
    found: dict[str, Measurement] = {
        name: measured_under(recommender_for(name, MASKED.name).fit(training), dataset.test, MASKED)
        for name in ("neighbours", "closed_form")
    }
    found["likeness"] = measure("likeness", titles.score, cut, exclude_had=True, had=dataset.test.histories)
    counts_I = np.bincount(dataset.training.item_rows, minlength=dataset.catalogue.n_items)
    count_U = counts_I[dataset.test.item_rows]
    for low, high in GROUPS:
        here_U = (count_U >= low) & (count_U <= (np.inf if high is None else high))
        name = f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}"
        print(f"taken {name} times, {here_U.sum():,} shoppers:")
        ours_U = found["closed_form"].recall_U[here_U]
        for model, one in found.items():
            own_U = one.recall_U[here_U]
            gap = "" if model == "closed_form" else f"; closed form minus it {_shown(ours_U - own_U, '+.4f')}"
            print(f"  {model:12} {_shown(own_U, '.4f')}{gap}", flush=True)


def _shown(values_U: np.ndarray, form: str) -> str:
    figure = interval(values_U, seed=0)
    return f"{figure['mean']:{form}} [{figure['low']:{form}}, {figure['high']:{form}}]"


if __name__ == "__main__":
    main()
