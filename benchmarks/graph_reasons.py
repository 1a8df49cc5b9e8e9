"""Claim: reasons that say what completes or replaces what hold when their events are removed.

Online Retail, lists of ten by neighbours for shoppers drawn at random, each reason checked as lists check it
(`explain=full`). Printed: how many listed items have a reason of each kind, and of the items with one, the
share that falls in log-softmax score without the named events, and by more than without as many others.

    python benchmarks/graph_reasons.py [--shoppers 150]
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.encoders.items import encode_texts
from huaxiang.evaluate.hardware import hardware
from huaxiang.fusion import Parts, make
from huaxiang.knowledge.graph import Graph, count_together
from huaxiang.ranking.base import Shelf
from huaxiang.ranking.removal import Claim, audit_reasons
from huaxiang.recommend.attribution import score_kept
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.histories import histories_from_events, newest, take_shoppers
from huaxiang.recommend.lists import list_items
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.infer import infer_attributes
from huaxiang.shop.read import read_shop
from reasons_by_removal import asker_of

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "online_retail"


def main() -> None:  # noqa: PLR0915 - one figure from end to end
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--shoppers", type=int, default=150)
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    print(hardware(), flush=True)
    reader = CachedEncoder(text_encoder("default", cache_folder=asked.cache), asked.cache / "vectors")
    shop = read_shop(asked.data)
    text_ID = encode_texts(shop.items, shop.languages, reader).vectors_ID
    shop = infer_attributes(shop, text_vectors_ID=text_ID, encode=lambda said: reader.encode(said).vectors_ID)
    catalogue, parts = build_catalogue(shop), Parts.of({"text": text_ID})
    fused_ID = make("weighted").fit(parts, np.zeros((0, 2), np.int32)).fuse(parts)
    graph = Graph(catalogue=catalogue, together=count_together(shop), vectors_ID=fused_ID)
    shelf = Shelf(catalogue=catalogue, vectors_ID=fused_ID, relate=graph.relation)
    histories = histories_from_events(shop.events, order_only=False)
    lesson = TrainingData(histories=histories, catalogue=catalogue, vectors={"fused": fused_ID})
    way = Neighbours().fit(lesson)
    named = [row for row, name in enumerate(histories.shopper_ids) if not name.startswith("anonymous:")]
    claims: dict[str, list[Claim]] = defaultdict(list)
    n_listed = 0
    for row in np.random.default_rng(0).permutation(named)[: asked.shoppers]:
        history = newest(take_shoppers(histories, np.array([row])), 100)
        asker = asker_of(history)
        place_of = {name: place for place, name in enumerate(asker.deeds.event_ids)}
        for ranked in list_items(way, asker, shelf, k=10).rows:
            n_listed += 1
            events = [place_of[one.event_id] for one in ranked.reasons if one.event_id is not None]
            for relation in {one.relation for one in ranked.reasons if one.event_id is not None}:
                claims[relation or "neither"].append(
                    Claim(
                        score_kept=score_kept(way, history),
                        n_events=len(history.item_rows),
                        item_row=catalogue.row_of[ranked.item_id],
                        events=events,
                    )
                )
    print(f"{n_listed:,} listed items", flush=True)
    for relation, own in claims.items():
        audit = audit_reasons(own, rng=np.random.default_rng(1))
        print(
            f"{relation:<12} reasons of {len(own):,} items ({len(own) / n_listed:.1%}): "
            f"lowered {audit.share_lowered:.4f}, and more than chance {audit.share_held:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
