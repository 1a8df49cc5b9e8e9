"""Claim: at least 95 % of reasons hold when the events they name are removed, on Beauty's histories."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from huaxiang.evaluate.hardware import hardware
from huaxiang.ranking.base import Deeds
from huaxiang.ranking.removal import Claim, audit_reasons
from huaxiang.recommend.base import Histories, Recommender, TrainingData
from huaxiang.recommend.closed_form import ClosedForm, Config
from huaxiang.recommend.ensemble import Ensemble
from huaxiang.recommend.histories import histories_from_events, leave_last_out, newest, take_shoppers
from huaxiang.recommend.lists import Asker, claims_of
from huaxiang.recommend.neighbours import Neighbours
from huaxiang.recommend.popular import Popular
from huaxiang.recommend.top import top_items
from huaxiang.shop.catalogue import build_catalogue
from huaxiang.shop.read import read_shop

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "amazon_beauty"
N_SHOPPERS = 300
SEEDS = (1, 2, 3)


def asker_of(history: Histories) -> Asker:
    """Return one shopper, named by event rows."""
    deeds = Deeds(
        event_ids=[str(key) for key in history.event_keys],
        types=history.types,
        item_rows=history.item_rows,
        texts=[None] * len(history.item_rows),
    )
    return Asker(history=history, deeds=deeds, had_rows=history.item_rows)


def claims(recommender: Recommender, histories: Histories, *, seed: int) -> Iterator[Claim]:
    """Yield the claims of ten reasons for each of a sample of shoppers."""
    sample = np.random.default_rng(seed).permutation(histories.n_shoppers)[:N_SHOPPERS]
    for row in sample:
        history = newest(take_shoppers(histories, np.array([row])), 50)
        listed = top_items(recommender.score, history, k=10, exclude_had=True).item_rows[0]
        yield from claims_of(recommender, asker_of(history), listed)


def main() -> None:
    """Print the shares of reasons that hold, for each way of recommending."""
    if not DATA.exists():
        sys.exit("skipped: ../shared/data/amazon_beauty is absent")
    shop = read_shop(DATA)
    catalogue = build_catalogue(shop)
    test = leave_last_out(histories_from_events(shop.events, order_only=True))
    nothing = np.zeros((catalogue.n_items, 1), dtype=np.float32)
    training = TrainingData(histories=test.histories, catalogue=catalogue, vectors={"fused": nothing})
    neighbours = Neighbours().fit(training)
    closed_form = ClosedForm(Config(text_weight=0)).fit(training)
    ensemble = Ensemble(
        members={"popular": Popular().fit(training), "neighbours": neighbours, "closed_form": closed_form}
    )
    ensemble.weights_ = {"popular": 0.1, "neighbours": 0.5, "closed_form": 1.0}
    print(hardware())
    for name, way in (("neighbours", neighbours), ("closed_form", closed_form), ("ensemble", ensemble)):
        for seed in SEEDS:
            audit = audit_reasons(claims(way, test.histories, seed=seed), rng=np.random.default_rng(seed))
            print(
                f"{name:<12} seed {seed}: {audit.n_claims} reasons of {N_SHOPPERS * 10} listed items, "
                f"lowered {audit.share_lowered:.4f}, and more than chance {audit.share_above_random:.4f}"
            )


if __name__ == "__main__":
    main()
