"""Claim: closed form, sampled softmax and retrieval go on working from ten thousand items to a million.

A simulated shop, as many shoppers as items, nine events each: items lie in kinds of fifty, each follows one
of its kind, and a shopper mixes what follows (half), something else of two liked kinds, and what is popular
anyway. Vectors (64 numbers) say the kind, not what follows. The ninth item of 2,000 shoppers is to be
foretold among all items. Every model and size is a process of its own, so that its memory is its own.

- closed form: the `n_head` most popular items exactly, the others by those (`ridge_by_parts`);
- sequence: one pass over the sequences with 4,096 items drawn for each batch, log-Q correction;
- retrieval: the nearest 100 items to the outlooks by the index that serves, beside comparing all.

    python benchmarks/scale.py [--sizes 10000,100000,1000000] [--models closed_form,sequence] [--n-head 4096]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.measure import interval, measure
from huaxiang.recommend.base import Histories, Recommender, Targets, TrainingData
from huaxiang.recommend.closed_form import ClosedForm
from huaxiang.recommend.closed_form import Config as ClosedFormConfig
from huaxiang.recommend.histories import leave_last_out, take_targets
from huaxiang.recommend.sequence import Config as SequenceConfig
from huaxiang.recommend.sequence import SequenceRecommender
from huaxiang.recommend.similar import SimilarItems
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue
from huaxiang.training import Config as TrainingConfig

KIND, EVENTS, WIDTH, TASTES = 50, 9, 64, 2
FOLLOWS, LIKED = 0.5, 0.35
ASKED, NEAREST = 2000, 100


@dataclass(frozen=True, kw_only=True)
class World:
    """A simulated shop of some size."""

    training: TrainingData
    targets: Targets


def world_of(n_items: int, seed: int = 0) -> World:
    """Return a shop with as many shoppers as items."""
    rng = np.random.default_rng(seed)
    n_kinds = n_items // KIND
    popularity_I = rng.permutation(1 / np.arange(1, n_items + 1) ** 0.7)
    share_I = np.cumsum(popularity_I / popularity_I.sum())
    liked_UK = rng.integers(n_kinds, size=(n_items, TASTES))

    def of_liked() -> NDArray[np.int64]:
        kind_U = liked_UK[np.arange(n_items), rng.integers(TASTES, size=n_items)]
        return np.asarray(kind_U * KIND + rng.integers(KIND, size=n_items))

    taken_UE = np.empty((n_items, EVENTS), dtype=np.int32)
    taken_UE[:, 0] = of_liked()
    for event in range(1, EVENTS):
        last = taken_UE[:, event - 1]
        following = last // KIND * KIND + (last + 1) % KIND
        luck = rng.random(n_items)
        anything = np.searchsorted(share_I, rng.random(n_items)).clip(max=n_items - 1)
        taken_UE[:, event] = np.where(
            luck < FOLLOWS, following, np.where(luck < FOLLOWS + LIKED, of_liked(), anything)
        )
    centres = rng.normal(size=(n_kinds, WIDTH))
    vectors_ID = (np.repeat(centres, KIND, axis=0) + 0.7 * rng.normal(size=(n_items, WIDTH))).astype("f")
    vectors_ID /= np.linalg.norm(vectors_ID, axis=1, keepdims=True)
    split = leave_last_out(purchases(taken_UE))
    some = np.sort(rng.permutation(n_items)[:ASKED])
    return World(
        training=TrainingData(
            histories=split.histories,
            catalogue=catalogue_of(n_items),
            vectors={"fused": vectors_ID},
            seed=seed,
        ),
        targets=take_targets(split, some),
    )


def purchases(taken_UE: NDArray[np.int32]) -> Histories:
    """Return what each shopper bought, oldest first; only the order is known."""
    n_shoppers, n_each = taken_UE.shape
    n_events = taken_UE.size
    return Histories(
        offsets=np.arange(n_shoppers + 1, dtype=np.int64) * n_each,
        item_rows=taken_UE.ravel(),
        types=np.full(n_events, EventType.PURCHASE.code, dtype=np.uint8),
        occurred_ms=np.tile(np.arange(n_each, dtype=np.int64), n_shoppers),
        event_keys=np.arange(n_events, dtype=np.int64),
        content_rows=np.full(n_events, -1, dtype=np.int32),
        content_vectors=np.zeros((0, 0), dtype=np.float32),
        order_only=True,
    )


def catalogue_of(n_items: int) -> Catalogue:
    """Return a catalogue of which nothing but the size is read."""
    return Catalogue(
        item_ids=[str(row) for row in range(n_items)],
        titles={},
        group_rows=np.arange(n_items, dtype=np.int32),
        price_minor=np.full(n_items, -1, dtype=np.int64),
        in_stock=np.ones(n_items, dtype=bool),
        valid_from_ms=np.zeros(n_items, dtype=np.int64),
        dimensions={},
    )


def model_of(name: str, n_head: int) -> Recommender:
    """Return the model, yet to be fitted."""
    if name == "closed_form":
        return ClosedForm(ClosedFormConfig(n_exact=n_head, n_head=n_head, ridge=20.0, n_kept=50))
    once = TrainingConfig(min_epochs=1, max_epochs=1, batch_events=4096)
    return SequenceRecommender(SequenceConfig(n_negatives=4096, spaces=("fused",), training=once))


def retrieval(model: SequenceRecommender, targets: Targets) -> dict[str, float]:
    """Return how many of the nearest items the index finds, and what a search costs."""
    outlooks = model.outlooks_
    assert outlooks is not None
    asked_UD = outlooks.of(targets.histories)[:500]
    began = time.process_time()
    index = SimilarItems.of(outlooks.items_ID)
    build_s = time.process_time() - began
    found = 0.0
    began = time.process_time()
    rows = [index.nearest(outlook, NEAREST)[0] for outlook in asked_UD]
    search_ms = (time.process_time() - began) / len(asked_UD) * 1000
    for outlook, some in zip(asked_UD, rows, strict=True):
        exact = np.argpartition(-(outlooks.items_ID @ outlook), NEAREST)[:NEAREST]
        found += len(np.intersect1d(some, exact)) / NEAREST
    return {"index_cpu_s": build_s, "search_ms": search_ms, "recall@100": found / len(asked_UD)}


def measured(name: str, n_items: int, n_head: int) -> dict[str, object]:
    """Return the figures of one model at one size, in this process."""
    world = world_of(n_items)
    before_gib = _peak_gib()
    model = model_of(name, n_head)
    began, began_cpu = time.perf_counter(), time.process_time()
    model.fit(world.training)
    fit_s, fit_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    peak_gib = _peak_gib()
    lists = measure(name, model.score, world.targets, exclude_had=True)
    n_events = len(world.training.histories.item_rows)
    told: dict[str, object] = {
        "n_items": n_items,
        "fit_s": fit_s,
        "fit_cpu_s": fit_cpu_s,
        "events_per_cpu_s": n_events / fit_cpu_s,
        "peak_gib": peak_gib,
        "shop_gib": before_gib,
        "recall@10": interval(lists.recall_U, seed=0),
        "rank_ms": lists.rank_s / ASKED * 1000,
    }
    if isinstance(model, SequenceRecommender):
        told["retrieval"] = retrieval(model, world.targets)
    return told


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print one line a model and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--models", default="closed_form,sequence")
    parser.add_argument("--n-head", type=int, default=4096)
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "SIZE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.one[0], int(asked.one[1]), asked.n_head)))
        return
    print(hardware(), flush=True)
    for name in asked.models.split(","):
        for size in asked.sizes.split(","):
            command = [sys.executable, __file__, "--n-head", str(asked.n_head), "--one", name, size]
            said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            recall, found = said["recall@10"], said.get("retrieval")
            print(
                f"{name} {int(size):,} items: fit {said['fit_s']:.0f} s, {said['fit_cpu_s']:.0f} CPU-s, "
                f"{said['events_per_cpu_s']:,.0f} events a CPU-s, peak {said['peak_gib']:.1f} GiB "
                f"(the shop {said['shop_gib']:.1f}), Recall@10 {recall['mean']:.3f} "
                f"[{recall['low']:.3f}, {recall['high']:.3f}], {said['rank_ms']:.1f} ms to rank everything",
                flush=True,
            )
            if found:
                print(
                    f"  index {found['index_cpu_s']:.0f} CPU-s, search {found['search_ms']:.2f} CPU-ms, "
                    f"of the nearest {NEAREST} found {found['recall@100']:.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
