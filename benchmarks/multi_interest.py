"""Claim: several interests of a shopper find more of what comes next, and more kinds of it, than one vector.

From the same item vectors (titles, fused as `fit` fuses them), 50 items that the shopper has not had are
retrieved by the nearest to

- single: the decayed mean of what the shopper did, which is one interest;
- max: the profile's interests (at most five), an item being as near as its nearest interest;
- quotas: each interest for itself, with places in proportion to its weight.

All are found by the profile's own code. `max` or `quotas` is chosen by Recall@50 on the validation items; the
test items are read once, for that one and for `single`. Variety is the mean cosine distance within a list;
kinds are how many of 100 clusters of the item vectors (k-means) are in it.

    python benchmarks/multi_interest.py [--shoppers 3000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from huaxiang import metrics
from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import (
    HeldOut,
    Next,
    hold_out,
    item_pairs,
    new_items_only,
    training_events,
    training_part,
)
from huaxiang.evaluate.measure import interval
from huaxiang.fusion import Parts, make
from huaxiang.journey import DEFAULT_CACHE
from huaxiang.profile.acts import acts_of
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import find_interests
from huaxiang.profile.interests import Direction
from huaxiang.profile.weights import Config
from huaxiang.recommend.base import Targets
from huaxiang.recommend.histories import take_events, take_shoppers
from huaxiang.recommend.top import top_rows
from huaxiang.records import Matrix, Vector
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.read import read_shop
from huaxiang.shop.splits import by_time, leave_one_out

DATA = Path(__file__).parents[1].parent / "shared" / "data"
SHOPS = ("amazon_beauty", "online_retail")
K = 50
N_KINDS = 100
MANY, ONE = Config(), Config(interests=1)

Floats = NDArray[np.float64]
Way = Callable[[Sequence[Direction], Matrix, NDArray[np.bool_]], NDArray[np.int32]]
"""From a shopper's interests, the item vectors (I, D) and the items that may be listed (I,), a list (K,)."""


def nearest(vectors_ND: Matrix, items_ID: Matrix, may_list_I: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the items nearest to any of the vectors, best first, (K,)."""
    closeness_I = np.where(may_list_I, (items_ID @ vectors_ND.T).max(axis=1), -np.inf)
    return top_rows(closeness_I[None], K).item_rows[0]


def maximum(found: Sequence[Direction], items_ID: Matrix, may_list_I: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the items nearest to their nearest interest."""
    return nearest(np.stack([one.vector for one in found]), items_ID, may_list_I)


def quotas(found: Sequence[Direction], items_ID: Matrix, may_list_I: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the items nearest to each interest, with places in proportion to its weight."""
    listed: list[int] = []
    taken_I = ~may_list_I
    for one, n_places in zip(found, shares_of_places([one.weight for one in found]), strict=True):
        rows = nearest(one.vector[None], items_ID, ~taken_I)[:n_places]
        listed += rows[rows >= 0].tolist()
        taken_I[rows] = True
    return np.array(listed + [-1] * (K - len(listed)), dtype=np.int32)


def shares_of_places(weights: Sequence[float]) -> list[int]:
    """Return how many of the places each weight gets: largest remainders, the heaviest first where equal."""
    wanted = np.array(weights) / np.sum(weights) * K
    places = np.floor(wanted).astype(int)
    for n in np.argsort(places - wanted, kind="stable")[: K - places.sum()]:
        places[n] += 1
    return [int(n) for n in places]


WAYS: dict[str, tuple[Config, Way]] = {
    "single": (ONE, maximum),
    "max": (MANY, maximum),
    "quotas": (MANY, quotas),
}


@dataclass(frozen=True, kw_only=True)
class Lists:
    """What one way listed for each shopper, (U, K), and how good and how various that was, (U,)."""

    recall_U: Floats
    variety_U: Floats
    kinds_U: Floats

    @classmethod
    def of(cls, top_UK: NDArray[np.int32], targets: Targets, items_ID: Matrix, kind_I: Vector) -> Lists:
        """Return the figures of some lists."""
        hits_UK = metrics.hits(top_UK, targets.offsets, targets.item_rows)
        return cls(
            recall_U=metrics.recall(hits_UK, np.diff(targets.offsets)),
            variety_U=metrics.variety(top_UK, items_ID),
            kinds_U=np.array([len(np.unique(kind_I[row[row >= 0]])) for row in top_UK], dtype=np.float64),
        )

    def figures(self) -> dict[str, Floats]:
        """Return them by name."""
        return {f"recall@{K}": self.recall_U, "variety": self.variety_U, "kinds": self.kinds_U}


def item_vectors(shop: Shop, cache: Path) -> Matrix:
    """Return the titles' vectors, fused as `fit` fuses what a shop without photos has, (I, D)."""
    catalogue = build_catalogue(shop)
    encoder = CachedEncoder(text_encoder("default", cache_folder=cache), cache / "vectors")
    titles = encoder.encode([catalogue.title(row) for row in range(catalogue.n_items)]).vectors_ID
    parts = Parts.of({"text": titles})
    fusion = make("weighted", {"dimensions": 128})
    fusion.fit(parts, item_pairs(training_part(shop)), seed=0)
    return fusion.fuse(parts)


def interests_of(
    before: pl.DataFrame, shopper_ids: Sequence[str], items_ID: Matrix, config: Config, *, order_only: bool
) -> list[list[Direction]]:
    """Return the interests of each shopper as the profile derives them from their events before a moment."""
    states, contents = build_states(before, order_only=order_only), Contents()
    newest = before["occurred_at"].max()
    now_ms = 0 if order_only or not isinstance(newest, datetime) else int(newest.timestamp() * 1000)
    found = []
    for shopper_id in shopper_ids:
        acts = acts_of(states.state(shopper_id), n_items=len(items_ID), now_ms=now_ms, config=config)
        found.append(find_interests(acts, contents, items_ID, config)[1])
    return found


def lists_of(
    names: Sequence[str],
    held: Next,
    before: pl.DataFrame,
    items_ID: Matrix,
    kind_I: Vector,
) -> tuple[dict[str, Lists], float]:
    """Return what each way lists for the same shoppers, those without any interest left out.

    Also returned is how many interests a shopper has on average.
    """
    order_only = held.had.order_only
    by_config = {
        config.interests: interests_of(before, held.had.shopper_ids, items_ID, config, order_only=order_only)
        for config in (ONE, MANY)
    }
    has = np.flatnonzero([bool(found) for found in by_config[MANY.interests]])
    targets, had = taken_from(held.targets, has), take_shoppers(held.had, has)
    tops: dict[str, list[NDArray[np.int32]]] = {name: [] for name in names}
    for place, row in enumerate(has):
        may_list_I = items_ID.any(axis=1)
        may_list_I[had.item_rows[had.offsets[place] : had.offsets[place + 1]]] = False
        for name in names:
            config, way = WAYS[name]
            tops[name].append(way(by_config[config.interests][row], items_ID, may_list_I))
    lists = {name: Lists.of(np.stack(top), targets, items_ID, kind_I) for name, top in tops.items()}
    return lists, float(np.mean([len(by_config[MANY.interests][row]) for row in has]))


def taken_from(targets: Targets, rows: NDArray[np.int64]) -> Targets:
    """Return the targets of some shoppers."""
    wanted = [targets.item_rows[targets.offsets[row] : targets.offsets[row + 1]] for row in rows]
    return Targets(
        histories=take_shoppers(targets.histories, rows),
        offsets=np.cumsum([0, *map(len, wanted)]).astype(np.int64),
        item_rows=np.concatenate(wanted),
    )


def drawn(held: Next, n_shoppers: int) -> Next:
    """Return shoppers drawn at random who took something that they had not had."""
    new = new_items_only(held)
    new = replace(new, had=take_events(new.had, new.had.item_rows >= 0))
    rows = np.sort(np.random.default_rng(0).permutation(new.had.n_shoppers)[:n_shoppers])
    return Next(targets=taken_from(new.targets, rows), had=take_shoppers(new.had, rows))


def before_the_test(shop: Shop, held_out: HeldOut) -> pl.DataFrame:
    """Return the events before the test part."""
    if held_out.test_from_ms is None:
        split = leave_one_out(shop.events)
        return pl.concat([split.train, split.validation])
    return by_time(shop.events, datetime.fromtimestamp(held_out.test_from_ms / 1000, tz=UTC)).train


def show(title: str, lists: dict[str, Lists]) -> None:
    """Print the figures of each way, and its gap to the single vector, with 95 % intervals over shoppers."""
    single = lists["single"].figures()
    print(f"{title}, {len(lists['single'].recall_U)} shoppers")
    for name, own in lists.items():
        told = []
        for figure, values_U in own.figures().items():
            gap = interval(values_U - single[figure], seed=0)
            beside = f" ({gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}])"
            told.append(f"{figure} {values_U.mean():.4f}" + ("" if name == "single" else beside))
        print(f"  {name:7}" + "; ".join(told), flush=True)


def main() -> None:
    """Print the figures of both shops."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shoppers", type=int, default=3000)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    print(hardware())
    for shop_name in SHOPS:
        if not (asked.data / shop_name).exists():
            sys.exit(f"skipped: {asked.data / shop_name} is absent")
        shop = read_shop(asked.data / shop_name)
        items_ID = item_vectors(shop, asked.cache)
        kind_I = MiniBatchKMeans(N_KINDS, random_state=0, n_init=3).fit_predict(items_ID)
        held_out = hold_out(shop, Contents())
        validation = drawn(held_out.validation, asked.shoppers)
        tried, n_interests = lists_of(list(WAYS), validation, training_events(shop), items_ID, kind_I)
        show(f"{shop_name}, validation, {n_interests:.2f} interests a shopper", tried)
        chosen = max(("max", "quotas"), key=lambda name: float(tried[name].recall_U.mean()))
        test = drawn(held_out.test, asked.shoppers)
        names = ["single", chosen]
        measured, _ = lists_of(names, test, before_the_test(shop, held_out), items_ID, kind_I)
        show(f"{shop_name}, test", measured)


if __name__ == "__main__":
    main()
