"""Claim: a closed form by parts is as good as solved whole, where items hardly meet and where they do.

NDCG@10 of the validation part, items already had left out, with so many of the most popular items solved
exactly and the others by those; last the system solved whole. Gaps are shopper by shopper.

    python benchmarks/ridge_by_parts.py
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from huaxiang.encoders import CachedEncoder, text_encoder
from huaxiang.evaluate.hardware import hardware
from huaxiang.evaluate.holdout import hold_out, new_items_only
from huaxiang.evaluate.measure import Measurement, interval, measure
from huaxiang.profile.contents import Contents
from huaxiang.recommend.base import TrainingData
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.read import read_shop

DATA = Path(__file__).parents[1].parent / "shared" / "data"
SHOPS = {"amazon_beauty": (1000, 4000), "online_retail": (500, 2000)}
"""Shop → sizes of the head."""


def main() -> None:
    """Print a line for each shop and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    asked = parser.parse_args()
    if not asked.data.exists():
        sys.exit(f"skipped: {asked.data} is absent")
    encoder = CachedEncoder(text_encoder("default", cache_folder=asked.cache), asked.cache / "vectors")
    print(hardware(), flush=True)
    for name, sizes in SHOPS.items():
        shop = read_shop(asked.data / name)
        catalogue, held_out = build_catalogue(shop), hold_out(shop, Contents())
        titles = encoder.encode([catalogue.title(row) for row in range(catalogue.n_items)]).vectors_ID
        training = TrainingData(
            histories=held_out.training,
            catalogue=catalogue,
            vectors={"text": titles, "fused": titles},
            seed=0,
        )
        held = new_items_only(held_out.validation)
        found: dict[int, tuple[Measurement, float]] = {}
        for n_head in (*sizes, catalogue.n_items):
            config = Config(n_exact=n_head, n_head=n_head)  # all of them are solved whole
            began = time.process_time()
            model = ClosedForm(config).fit(training)
            cpu_s = time.process_time() - began
            listed = measure(name, model.score, held.targets, exclude_had=True, had=held.had)
            found[n_head] = (listed, cpu_s)
        whole = found[catalogue.n_items][0]
        for n_head, (one, cpu_s) in found.items():
            gap = interval(one.ndcg_U - whole.ndcg_U, seed=0)
            print(
                f"{name}, {catalogue.n_items:,} items, {n_head:,} exactly: "
                f"NDCG@10 {one.ndcg_U.mean():.4f}, minus whole {gap['mean']:+.4f} "
                f"[{gap['low']:+.4f}, {gap['high']:+.4f}]; fit {cpu_s:.0f} CPU-s",
                flush=True,
            )


if __name__ == "__main__":
    main()
