"""How much words count beside meaning (`search.lexical_weight`), and what a named value adds.

The shop of `home_depot`'s titles is searched with the queries of judged pairs, for nobody in particular. The
weights are chosen on two thirds of the queries and reported on the others: how many of the
products judged 2.33 or better are among the first 10 and 100. What nobody judged counts as no answer.

    python benchmarks/search_weights.py [--items 20000] [--queries 1500]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import huaxiang as hx
from huaxiang.config import read_settings
from huaxiang.evaluate.hardware import hardware
from huaxiang.metrics import bootstrap_statistic
from huaxiang.model import Model
from huaxiang.search.base import Query

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "home_depot" / "relevance.csv.gz"
SETTINGS = ("image.encoder=none", "recommend.members=['popular']")
WEIGHTS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
VALUES = (0.0, 0.1, 0.2, 0.4)
GOOD = 2.33
DEPTHS = (10, 100)
LEARNT_SHARE = 2 / 3
NOWHERE = 10**6


def main() -> None:
    """Print what each weight finds, which is best, and what it finds for other queries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=1_500)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"skipped: {DATA} is absent")
    rng = np.random.default_rng(asked.seed)
    titles, wanted = judged(asked.items)
    queries = [str(query) for query in rng.permutation(sorted(wanted))[: asked.queries]]
    model = model_of(titles, asked)
    cut = int(LEARNT_SHARE * len(queries))
    print(
        f"{hardware()}; {len(titles):,} titles, {cut:,} queries to choose by, {len(queries) - cut:,} others"
    )
    usual = (model.settings.search.lexical_weight, model.settings.search.value_weight)
    chosen = best_of(model, queries[:cut], wanted, usual)
    figures = {ways: found(model, queries[cut:], wanted, ways) for ways in dict.fromkeys((chosen, usual))}
    for ways, found_QD in figures.items():
        gain = found_QD[:, 0] - figures[usual][:, 0]
        low, high = bootstrap_statistic(mean, gain, rng=rng)
        print(
            f"others, words {ways[0]}, values {ways[1]}: {said(found_QD)};"
            f" @10 against the defaults {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}]"
        )


def judged(n_items: int) -> tuple[list[str], Mapping[str, list[str]]]:
    """Return titles, and query → ids of the good products among them."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    titles = list(dict.fromkeys(row["product_title"] for row in rows))[:n_items]
    number = {title: place for place, title in enumerate(titles)}
    wanted: dict[str, list[str]] = {}
    for row in rows:
        if row["product_title"] in number and float(row["relevance"]) >= GOOD:
            wanted.setdefault(row["query"], []).append(f"p{number[row['product_title']]}")
    return titles, wanted


def model_of(titles: Sequence[str], asked: argparse.Namespace) -> Model:
    """Return a model of a shop with these titles and hardly an event."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        items = [json.dumps({"item_id": f"p{row}", "title": title}) for row, title in enumerate(titles)]
        (folder / "items.jsonl").write_text("\n".join(items), encoding="utf-8")
        events = [
            f"s{row % 50},p{row},purchase,2026-01-{1 + row // 50:02d}T12:00:00Z"
            for row in range(min(1_000, len(titles)))
        ]
        (folder / "events.csv").write_text("shopper_id,item_id,type,timestamp\n" + "\n".join(events))
        shop = hx.read_shop(folder)
    return hx.fit(shop, read_settings(changes=[*SETTINGS, f"seed={asked.seed}"]), cache=asked.cache)


def best_of(
    model: Model, queries: Sequence[str], wanted: Mapping[str, list[str]], usual: tuple[float, float]
) -> tuple[float, float]:
    """Return the weights that find most among the first ten: of words first, then of values."""
    tried = {(words, usual[1]): found(model, queries, wanted, (words, usual[1])) for words in WEIGHTS}
    best = max(tried, key=lambda ways: tried[ways][:, 0].mean())
    further = [(best[0], value) for value in VALUES if (best[0], value) not in tried]
    tried |= {ways: found(model, queries, wanted, ways) for ways in further}
    for ways, found_QD in tried.items():
        print(f"words {ways[0]}, values {ways[1]}: {said(found_QD)}", flush=True)
    return max(tried, key=lambda ways: tried[ways][:, 0].mean())


def found(
    model: Model, queries: Sequence[str], wanted: Mapping[str, list[str]], ways: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the share of each query's good products among the first of each depth, (Q, 2)."""
    search = replace(model.settings.search, lexical_weight=ways[0], value_weight=ways[1])
    changed = replace(model, settings=replace(model.settings, search=search))
    for name in ("search_index", "text_index", "index", "popularity"):
        if name in model.__dict__:
            changed.__dict__[name] = model.__dict__[name]
    shares = np.zeros((len(queries), len(DEPTHS)))
    for place, query in enumerate(queries):
        listed = changed.search(Query(text=query, k=max(DEPTHS), explain=False)).items
        rank = {one.item_id: number for number, one in enumerate(listed)}
        places = np.array([rank.get(item_id, NOWHERE) for item_id in wanted[query]])
        shares[place] = [(places < depth).mean() for depth in DEPTHS]
    return shares


def said(found_QD: NDArray[np.float64]) -> str:
    """Return both means in words."""
    return ", ".join(f"@{depth} {value:.4f}" for depth, value in zip(DEPTHS, found_QD.mean(0), strict=True))


def mean(values: NDArray[np.float64]) -> float:
    """Return the mean."""
    return float(values.mean())


if __name__ == "__main__":
    main()
