"""Claim to test: what completes a basket predicts its next item better than neighbours do.

Online Retail. What is counted and learnt ends where the newest tenth of purchases begins; of each basket
after it one item, drawn, is asked for, from the others alone (whoever holds the basket is unknown, as on the
cart page of a visitor). Hit rate of the ten highest:

- neighbours: as `placement=cart` lists them;
- bought together: summed logarithms of the smoothed lifts of pairs that enough shoppers bought together;
- complements: the same, only of items of another category than the one in the basket.

    python benchmarks/graph_cart.py [--baskets 2000]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from cold_items import _shown
from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.encoders.items import encode_texts
from huaxiang.evaluate.hardware import hardware
from huaxiang.knowledge.graph import Config, Graph, count_together
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.histories import histories_from_events, histories_of
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.records import EventType, Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.infer import infer_attributes
from huaxiang.shop.read import read_shop
from huaxiang.shop.splits import by_time

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "online_retail"
K = 10


def main() -> None:
    """Print the hit rates, and the paired gaps to neighbours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--baskets", type=int, default=2000)
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    print(hardware(), flush=True)
    reader = CachedEncoder(text_encoder("default", cache_folder=asked.cache), asked.cache / "vectors")
    shop = read_shop(asked.data)
    text_ID = encode_texts(shop.items, shop.languages, reader).vectors_ID
    shop = infer_attributes(shop, text_vectors_ID=text_ID, encode=lambda said: reader.encode(said).vectors_ID)
    bought = shop.events.filter(pl.col("type") == EventType.PURCHASE.code)
    cut_ms = int(np.quantile(bought["occurred_at"].dt.epoch("ms").to_numpy(), 0.9))
    before = by_time(shop.events, datetime.fromtimestamp(cut_ms / 1000, tz=UTC)).train
    after = bought.filter(pl.col("occurred_at").dt.epoch("ms") >= cut_ms)
    known, wanted = held_out(after, asked.baskets)
    print(f"{len(known):,} baskets of {np.mean([len(one) for one in known]):.1f} other items", flush=True)
    found = {
        name: ranked(score, known, wanted) for name, score in scores(shop, before, text_ID, known).items()
    }
    for name, hit_B in found.items():
        gap = (
            ""
            if name == "neighbours"
            else f"; minus neighbours {_shown(hit_B - found['neighbours'], '+.4f')}"
        )
        print(f"{name:16} {_shown(hit_B, '.4f')}{gap}", flush=True)


def held_out(after: pl.DataFrame, most: int) -> tuple[list[list[int]], list[int]]:
    """Return the items of each basket but one, and that one."""
    baskets = after.group_by("order_id", maintain_order=True).agg(pl.col("item_row").unique().sort())
    rng = np.random.default_rng(0)
    rows = [own for own in baskets["item_row"].to_list() if 3 <= len(own) <= 100]
    known, wanted = [], []
    for place in rng.permutation(len(rows))[:most]:
        own = rng.permutation(rows[place]).tolist()
        known.append(own[1:])
        wanted.append(own[0])
    return known, wanted


def scores(shop: Shop, before: pl.DataFrame, text_ID: Matrix, known: list[list[int]]) -> Mapping[str, Matrix]:
    """Return each way's scores, (baskets, I)."""
    catalogue, past = build_catalogue(shop), replace(shop, events=before)
    vectors = {"fused": text_ID, "text": text_ID}
    started = time.process_time()
    together = count_together(past)
    print(f"counted in {time.process_time() - started:.1f} CPU s: {together.shoppers_II.nnz // 2:,} pairs")
    history = histories_from_events(before, order_only=False)
    neighbours = Neighbours().fit(TrainingData(histories=history, catalogue=catalogue, vectors=vectors))
    now = [[0] * len(own) for own in known]
    carts = histories_of(
        known, types=[[EventType.ADD_TO_CART.code] * len(own) for own in known], occurred_ms=now
    )
    pairs = together.shoppers_II
    owner = np.repeat(np.arange(catalogue.n_items), np.diff(pairs.indptr))
    lifts = together.lift(owner, pairs.indices, pairs.data.astype(np.int64))
    weights = np.log(np.maximum(lifts, 1e-9)) * (lifts > 1)
    graph = Graph(catalogue=catalogue, together=together, vectors_ID=text_ID, config=Config())
    is_other = graph.category_I[owner] != graph.category_I[pairs.indices]
    shape = (len(known), catalogue.n_items)
    places = (np.repeat(np.arange(len(known)), [len(own) for own in known]), np.concatenate(known))
    cart_BI = csr_matrix((np.ones(len(places[0])), places), shape=shape)
    cosine = pairs.data / np.sqrt(together.shoppers_I[owner] * together.shoppers_I[pairs.indices])

    def summed(amounts: np.ndarray) -> Matrix:
        table = csr_matrix((amounts, pairs.indices, pairs.indptr), shape=pairs.shape)
        return np.asarray((cart_BI @ table).toarray(), dtype=np.float32)

    return {
        "neighbours": neighbours.score(carts),
        "bought together": summed(weights),
        "by cosine": summed(cosine),
        "complements": summed(weights * is_other),
        "its cosine": summed(cosine * is_other),
    }


def ranked(scores_BI: Matrix, known: list[list[int]], wanted: list[int]) -> np.ndarray:
    """Return whether the item that was held out is among the ten highest, (baskets,)."""
    hits = []
    for scores_I, own, item in zip(scores_BI, known, wanted, strict=True):
        left_I = scores_I.copy()
        left_I[own] = -np.inf
        hits.append(float((left_I > left_I[item]).sum() < K and left_I[item] > 0))
    return np.array(hits)


if __name__ == "__main__":
    main()
