"""Claim to test: what the catalogue says of an item, as one more view in fusion, helps items nobody took yet.

Masked, Recall@10, with the text alone and with text and graph fused. What the shop leaves unsaid (brand,
category, colour) is inferred from the titles as `build` does it; Sports also has real tags of its photos.

- by how often the item that came next was taken in what was learnt from;
- withheld: a tenth of the items is taken out of everything that is learnt, and asked for.

    python benchmarks/graph_cold.py [--data ../shared/data/amazon_sports] [--no-closed-form]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from cold_items import _shown
from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.evaluate.amazon import PROTOCOLS, Dataset, measured_under, read_dataset, recommender_for
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import item_pairs
from huaxiang.evaluate.measure import measure
from huaxiang.fusion import Parts, make
from huaxiang.knowledge.graph import Config, learn_view, tree_of
from huaxiang.recommend.base import Histories, TrainingData
from huaxiang.recommend.histories import newest, take_events
from huaxiang.records import Matrix
from huaxiang.shop.catalogue import Catalogue, build_catalogue
from huaxiang.shop.infer import infer_attributes
from huaxiang.shop.read import read_shop
from peers.content import Content

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_beauty"
MASKED = PROTOCOLS["masked"]
GROUPS = ((0, 0), (1, 5), (6, 20), (21, None), (0, None))
N_PLACES = 10


def main() -> None:
    """Print Recall@10 with and without the graph, and the paired gap."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--no-closed-form", action="store_true")
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    print(f"{hardware()}; {dataset.name}, masked", flush=True)
    catalogue = described(asked.data, dataset.vectors["text"], asked.cache)
    print(", ".join(f"{name}: {len(one.values)}" for name, one in catalogue.dimensions.items()), flush=True)
    names = ("likeness", "neighbours") + (() if asked.no_closed_form else ("closed_form",))
    withheld = np.random.default_rng(0).random(catalogue.n_items) < 0.1
    about = take_events(dataset.training, ~withheld[dataset.training.item_rows])
    for title, training in (
        ("everything learnt", dataset.training),
        ("a tenth of the items withheld", about),
    ):
        print(f"\n{title}", flush=True)
        recalls = {view: found(dataset, training, catalogue, view, names) for view in ("text", "text+graph")}
        for group, is_here_U in groups(dataset, training, withheld if training is about else None):
            print(f"next item {group}, {is_here_U.sum():,} shoppers:")
            for name in names:
                without, with_ = (recalls[view][name][is_here_U] for view in recalls)
                print(f"  {name:12} {_shown(without, '.4f')} -> {_shown(with_, '.4f')}", end="; ")
                print(f"gain {_shown(with_ - without, '+.4f')}", flush=True)


def described(data: Path, text_ID: Matrix, cache: Path) -> Catalogue:
    """Return the catalogue with what `build` infers from the titles."""
    reader = CachedEncoder(text_encoder("default", cache_folder=cache), cache / "vectors")
    shop = read_shop(data, adapter="amazon")
    shop = infer_attributes(
        shop, text_vectors_ID=text_ID, encode=lambda said: reader.encode(said).vectors_ID, seed=0
    )
    return build_catalogue(shop)


def found(
    dataset: Dataset, training: Histories, catalogue: Catalogue, view: str, names: tuple[str, ...]
) -> Mapping[str, np.ndarray]:
    """Return each way's recall of each shopper, (U,), with one choice of views."""
    started = time.process_time()
    fused_ID = fused(dataset, training, catalogue, view)
    print(f"  {view}: fused in {time.process_time() - started:.1f} CPU s", flush=True)
    lesson = TrainingData(
        histories=training, catalogue=catalogue, vectors={"text": fused_ID, "fused": fused_ID}, seed=0
    )
    cut = replace(dataset.test, histories=newest(dataset.test.histories, MASKED.history))
    recalls = {}
    for name in names:
        if name == "likeness":
            score = Content(items_ID=fused_ID).score
            one = measure(name, score, cut, exclude_had=True, had=dataset.test.histories)
        else:
            one = measured_under(recommender_for(name, MASKED.name).fit(lesson), dataset.test, MASKED)
        recalls[name] = one.recall_U
    return recalls


def fused(dataset: Dataset, training: Histories, catalogue: Catalogue, view: str) -> Matrix:
    """Return the fused vectors of titles, or of titles and the graph."""
    parts = {"text": dataset.vectors["text"]}
    if view != "text":
        tree = tree_of(catalogue)
        learnt = learn_view(catalogue, tree, Config().vectors, seed=0)
        assert learnt is not None
        parts["graph"] = learnt.vectors(catalogue, tree)
    whole = Parts.of(parts)
    fusion = make("weighted", {"dimensions": 128}).fit(whole, item_pairs(training, seed=0), seed=0)
    print(f"  λ: {dict(fusion.weights(whole))}")
    return fusion.fuse(whole)


def groups(
    dataset: Dataset, training: Histories, withheld: np.ndarray | None
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of each group of shoppers, and which they are."""
    if withheld is not None:
        yield "withheld", withheld[dataset.test.item_rows]
        return
    counts_I = np.bincount(training.item_rows, minlength=dataset.catalogue.n_items)
    count_U = counts_I[dataset.test.item_rows]
    for low, high in GROUPS:
        name = "any" if (low, high) == (0, None) else f"taken {low} to {high or 'more'} times"
        yield name, (count_U >= low) & (count_U <= (np.inf if high is None else high))


if __name__ == "__main__":
    main()
