"""Claim: what tags of the product photo add to recommendation, once fused with the title (Sports, masked).

The photos' labels (`image_labels` of the catalogue) are written as one text and encoded as the titles are.
Titles alone, or titles and labels, are fused as `fit` does it, λ learnt from what shoppers took one after the
other. From the fused vectors items are listed by

- content: the nearest to the faded mean of what the shopper took;
- closed form: the fused vectors are its kernel, in place of the titles; the 4,096 most popular items are
  solved exactly, which is quicker.

Of the ways to fuse (`weighted`, `concatenated`, and plainly the sum of both spaces' cosines, which projects
nothing) the validation items choose; the test items are read once, for that way and for titles alone the same
way.

    python benchmarks/image_tags.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.evaluate.amazon import PROTOCOLS, Dataset, measured_under, read_dataset, recommender_for
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import item_pairs
from huaxiang.evaluate.measure import Measurement, interval, measure
from huaxiang.fusion import Parts, make
from huaxiang.recommend.base import Targets, TrainingData
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import newest
from huaxiang.records import Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.datasets.amazon import IMAGE_TAG
from huaxiang.shop.read import read_shop
from peers.content import Content

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_sports"
MASKED = PROTOCOLS["masked"]
GROUPS = ((0, 3), (4, 20), (21, None))
"""Items by how often they were taken in what was learnt from."""


def label_vectors(shop: Shop, dataset: Dataset, cache: Path) -> Matrix:
    """Return the vectors of each item's labels as one text, zero where it has none, (I, D)."""
    labels: list[list[str]] = [[] for _ in range(dataset.catalogue.n_items)]
    for item_row, dimension, value in shop.attributes.select("item_row", "dimension", "value").iter_rows():
        if dimension == IMAGE_TAG:
            labels[item_row].append(value)
    texts = [", ".join(own) for own in labels]
    encoder = CachedEncoder(text_encoder("default", cache_folder=cache), cache / "vectors")
    vectors_ID = encoder.encode(texts).vectors_ID.copy()
    vectors_ID[[not text for text in texts]] = 0.0
    print(f"{sum(map(bool, texts)):,} of {len(texts):,} items have labels")
    return vectors_ID


def spaces_of(labels_ID: Matrix, dataset: Dataset) -> dict[str, dict[str, Matrix]]:
    """Return way to fuse → which views → vectors."""
    pairs_P2 = item_pairs(dataset.training)
    views: Mapping[str, Mapping[str, Matrix]] = {
        "titles": {"text": dataset.vectors["text"]},
        "titles and labels": {"text": dataset.vectors["text"], "image": labels_ID},
    }
    found: dict[str, dict[str, Matrix]] = {}
    for way in ("weighted", "concatenated"):
        found[way] = {}
        for name, vectors in views.items():
            parts = Parts.of(vectors)
            fusion = make(way, {"dimensions": 256})
            fusion.fit(parts, pairs_P2, seed=0)
            found[way][name] = fusion.fuse(parts)
            shares = {view: round(share, 2) for view, share in fusion.weights(parts).items()}
            print(f"{way}, {name}: shares {shares}", flush=True)
    titles_ID = dataset.vectors["text"]
    summed_ID = np.concatenate([titles_ID, labels_ID], axis=1) / np.float32(2**0.5)
    found["cosines"] = {"titles": titles_ID, "titles and labels": summed_ID}
    return found


def lists(model: str, items_ID: Matrix, dataset: Dataset, targets: Targets) -> Measurement:
    """Return how well a model that reads these vectors lists."""
    if model == "content":
        cut = replace(targets, histories=newest(targets.histories, MASKED.history))
        content = Content(items_ID=items_ID)
        return measure(model, content.score, cut, exclude_had=True, had=targets.histories)
    quicker = {"closed_form": ClosedFormConfig(n_exact=4096, n_head=4096)}
    fitted = recommender_for("closed_form", MASKED.name, quicker).fit(
        TrainingData(
            histories=dataset.training,
            catalogue=dataset.catalogue,
            vectors={"text": items_ID, "fused": items_ID},
            seed=0,
        )
    )
    return measured_under(fitted, targets, MASKED)


def main() -> None:
    """Print the shares, what validation says of each way, and the test items' figures and gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    dataset = read_dataset(asked.data, cache=asked.cache, progress=lambda *_: None)
    shop = read_shop(asked.data, adapter="amazon")
    print(f"{hardware()}; {dataset.name}, masked", flush=True)
    labels_ID = label_vectors(shop, dataset, asked.cache)
    spaces = spaces_of(labels_ID, dataset)
    counts_I = np.bincount(dataset.training.item_rows, minlength=dataset.catalogue.n_items)
    count_U = counts_I[dataset.test.item_rows]
    for model in ("content", "closed form"):
        on_validation = {}
        for way, of in spaces.items():
            figures = {
                view: float(lists(model, own, dataset, dataset.validation).ndcg_U.mean())
                for view, own in of.items()
            }
            print(f"{model}, {way}, validation NDCG@10: {figures}", flush=True)
            on_validation[way] = figures["titles and labels"]
        best = max(on_validation, key=lambda way: on_validation[way])
        with_labels = lists(model, spaces[best]["titles and labels"], dataset, dataset.test)
        without = lists(model, spaces[best]["titles"], dataset, dataset.test)
        print(f"{model}, {best}, test items:")
        for name, with_U, without_U in (
            ("Recall@10", with_labels.recall_U, without.recall_U),
            ("NDCG@10", with_labels.ndcg_U, without.ndcg_U),
        ):
            print(f"  {name}: titles {_shown(without_U)}, with labels {_shown(with_U)}", end="; ")
            print(f"gain {_shown(with_U - without_U, signed=True)}")
        for low, high in GROUPS:
            here = (count_U >= low) & (count_U <= (np.inf if high is None else high))
            gain_U = (with_labels.recall_U - without.recall_U)[here]
            name = f"{low}+" if high is None else f"{low}-{high}"
            print(
                f"  wanted items taken {name} times ({here.sum():,}): Recall@10 {_shown(gain_U, signed=True)}"
            )


def _shown(values_U: np.ndarray, *, signed: bool = False) -> str:
    figure = interval(values_U, seed=0)
    form = "+.4f" if signed else ".4f"
    return f"{figure['mean']:{form}} [{figure['low']:{form}}, {figure['high']:{form}}]"


if __name__ == "__main__":
    main()
