"""Claims: facets know a taste nearly as well as can be known, weaken with their evidence, and are quick.

1. The nine fixed test worlds (5, 20, 50 values × three concentrations) are one shop: item i is event i, and
   has one value in each of nine dimensions. After n events, Spearman's correlation of the inferred share with
   the known taste, averaged over shoppers, then over dimensions; beside it exact Bayes, which
   knows the concentration and the population's shares that we must learn. Reach: 95 % of it at 30 events.
2. Every facet and every sentence of the portraits of simulated shoppers, with its evidence taken away.
   Reach: all vanish or weaken.
3. One profile derived from a full state (128 strong, 128 light events) over seven of the dimensions.
   Reach: 1 ms without interests and vector, which are printed apart.

    python benchmarks/facets.py [--shoppers 400]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from huaxiang.evaluate.hardware import hardware
from huaxiang.profile import derive as deriving
from huaxiang.profile.acts import acts_of
from huaxiang.profile.bulk import build_states
from huaxiang.profile.cite import Citations
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background
from huaxiang.profile.population import Population
from huaxiang.profile.removal import audit_facets
from huaxiang.profile.said import Heard
from huaxiang.profile.shares import share_of_values
from huaxiang.profile.state import ProfileState
from huaxiang.profile.vector import profile_vector
from huaxiang.profile.weights import Config
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue, Dimension
from huaxiang.shop.simulate.worlds import N_SHOPPERS, TasteWorld, fixed_worlds

CURVE = (1, 3, 10, 30, 100)
NOW = datetime(2025, 6, 1, tzinfo=UTC)
WIDTH = 128
N_ROUNDS = 7


def main() -> None:
    """Print the three claims."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shoppers", type=int, default=N_SHOPPERS)
    worlds = fixed_worlds(n_shoppers=parser.parse_args().shoppers)
    print(hardware())
    print_correlation(worlds)
    shop = FullShop([world for world in worlds if world.name not in ("v5_c0.1", "v5_c0.3")])
    print_removal(shop)
    print_time(shop)


def print_correlation(worlds: Sequence[TasteWorld]) -> None:
    """Print the correlation with the known taste, ours and the oracle's."""
    rows = {n: correlations(worlds, n) for n in CURVE}
    print("\nSpearman of inferred share and known taste (exact Bayes) after n events")
    print(f"{'world':10}" + "".join(f"{n:>18}" for n in CURVE))
    for w, world in enumerate(worlds):
        print(f"{world.name:10}" + "".join(f"{rows[n][w][0]:10.3f} ({rows[n][w][1]:.3f})" for n in CURVE))
    means = {n: np.mean(rows[n], axis=0) for n in CURVE}
    print(f"{'mean':10}" + "".join(f"{means[n][0]:10.3f} ({means[n][1]:.3f})" for n in CURVE))
    print(f"{'of oracle':10}" + "".join(f"{means[n][0] / means[n][1]:18.1%}" for n in CURVE))


def correlations(worlds: Sequence[TasteWorld], n_events: int) -> list[tuple[float, float]]:
    """Return ours and the oracle's mean correlation in each world after `n_events`."""
    events = world_events(worlds, n_events)
    catalogue = world_catalogue(worlds)
    population = Population.from_events(events, catalogue)
    states = build_states(events, order_only=True)
    contents = Contents(events)
    guessed = [
        share_of_values(states.state(shopper_id(u)), population, contents=contents, now=None)
        for u in range(len(worlds[0].tastes_UV))
    ]
    found = []
    for world in worlds:
        ours_UV = np.array([guess[world.name] for guess in guessed])
        oracle_UV = world.oracle(n_events)
        found.append((spearman(ours_UV, world.tastes_UV), spearman(oracle_UV, world.tastes_UV)))
    return found


def spearman(guess_UV: NDArray[np.float64], taste_UV: NDArray[np.float64]) -> float:
    """Return the mean over shoppers of the rank correlation of the two."""
    left, right = rankdata(guess_UV, axis=1), rankdata(taste_UV, axis=1)
    left -= left.mean(axis=1, keepdims=True)
    right -= right.mean(axis=1, keepdims=True)
    norm_U = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(((left * right).sum(axis=1) / np.maximum(norm_U, 1e-12)).mean())


def shopper_id(u: int) -> str:
    """Return the id of shopper `u`."""
    return f"s-{u:05d}"


def world_catalogue(worlds: Sequence[TasteWorld]) -> Catalogue:
    """Return one item per event of the worlds, with a value in each world's dimension."""
    n_items = worlds[0].values_UE.size
    return Catalogue(
        item_ids=[f"i-{row}" for row in range(n_items)],
        titles={"en": [f"item {row}" for row in range(n_items)]},
        group_rows=np.arange(n_items, dtype=np.int32),
        price_minor=np.full(n_items, 1_000),
        in_stock=np.ones(n_items, bool),
        valid_from_ms=np.zeros(n_items, np.int64),
        dimensions={world.name: _dimension(world, n_items) for world in worlds},
    )


def _dimension(world: TasteWorld, n_items: int) -> Dimension:
    return Dimension(
        name=world.name,
        values=[f"v{v}" for v in range(len(world.population_V))],
        offsets=np.arange(n_items + 1, dtype=np.int64),
        value_rows=world.values_UE.ravel().astype(np.int32),
        weights=np.ones(n_items, np.float32),
        confidence=np.ones(n_items, np.float32),
        is_inferred=np.zeros(n_items, bool),
    )


def world_events(
    worlds: Sequence[TasteWorld], n_events: int, *, types: tuple[EventType, ...] = (EventType.PURCHASE,)
) -> pl.DataFrame:
    """Return the first `n_events` events of each shopper as a shop's table, spread over 180 days."""
    n_shoppers, n_all = worlds[0].values_UE.shape
    shoppers, order = np.divmod(np.arange(n_shoppers * n_events), n_events)
    rng = np.random.default_rng(1)
    days = np.sort(rng.uniform(0, 180, (n_shoppers, n_events)), axis=1).ravel()
    return pl.DataFrame(
        {
            "event_id": [f"e-{u}-{e}" for u, e in zip(shoppers, order, strict=True)],
            "shopper_id": [shopper_id(u) for u in shoppers],
            "anonymous": False,
            "type": np.array([kind.code for kind in types], np.uint8)[order % len(types)],
            "item_row": (shoppers * n_all + order % n_all).astype(np.int32),
            "occurred_at": [NOW - timedelta(days=180 - float(day)) for day in days],
            "price_minor": 1_000,
            "quantity": 1.0,
        },
        schema_overrides={"quantity": pl.Float32, "occurred_at": pl.Datetime("ms", "UTC")},
    ).with_columns(
        pl.lit(None, pl.String).alias("text"),
        pl.lit(None, pl.String).alias("image"),
        pl.lit(None, pl.Float32).alias("rating"),
        pl.lit(None, pl.String).alias("session_id"),
        pl.lit(None, pl.String).alias("order_id"),
        pl.lit(True).alias("new_order"),
        pl.lit(0, pl.Int16).alias("utc_offset_minutes"),
        pl.lit(None, pl.String).alias("channel"),
        pl.lit(None, pl.String).alias("context"),
    )


class FullShop:
    """Shoppers with full states of mixed events, and all that their profiles are made from."""

    def __init__(self, worlds: Sequence[TasteWorld]) -> None:
        kinds = (EventType.PURCHASE, EventType.VIEW_ITEM, EventType.ADD_TO_WISHLIST, EventType.ADD_TO_CART)
        kinds = (*kinds, *kinds, *kinds, EventType.DISLIKE, EventType.VIEW_ITEM)
        events = world_events(worlds, 300, types=kinds)
        self.catalogue = world_catalogue(worlds)
        vectors_ID = np.random.default_rng(0).standard_normal((self.catalogue.n_items, WIDTH))
        vectors_ID /= np.linalg.norm(vectors_ID, axis=1, keepdims=True)
        self.background = Background(
            catalogue=self.catalogue,
            population=Population.from_events(events, self.catalogue),
            contents=Contents(events),
            item_vectors_ID=vectors_ID.astype(np.float32),
            now=NOW,
        )
        states = build_states(events, order_only=False)
        self.states = [states.state(shopper_id(u)) for u in range(len(worlds[0].tastes_UV))]


def print_removal(shop: FullShop, *, n_shoppers: int = 20) -> None:
    """Print the share of facets and sentences that vanish or weaken without their evidence."""
    audit = audit_facets(shop.states[:n_shoppers], shop.background)
    print(f"\nremoval: {audit.n_facets_held}/{audit.n_facets} facets, ", end="")
    print(f"{audit.n_sentences_held}/{audit.n_sentences} sentences vanish or weaken ({audit.share:.1%})")


def print_time(shop: FullShop, *, n_shoppers: int = 100) -> None:
    """Print what deriving one profile from a full state costs."""
    states = shop.states[:n_shoppers]
    print(f"\none profile from {len(states[0].events())} events, CPU ms: median of {N_ROUNDS} rounds [range]")
    whole = round_ms(partial(deriving.derive_profile, background=shop.background), states)
    apart = round_ms(partial(interests_and_vector, shop), states)
    rest = [one - statistics.median(apart) for one in whole]
    for name, ms in (("whole", whole), ("interests and vector", apart), ("the rest", rest)):
        print(f"  {name:<22} {statistics.median(ms):.2f} [{min(ms):.2f}, {max(ms):.2f}]")


def interests_and_vector(shop: FullShop, state: ProfileState) -> None:
    """Do only what the interests and the vector add."""
    config = Config()
    values = shop.background.population.values
    now_ms = int(NOW.timestamp() * 1000)
    acts = acts_of(state, n_items=shop.catalogue.n_items, now_ms=now_ms, config=config)
    contents = shop.background.contents
    things, found = deriving.find_interests(acts, contents, shop.background.item_vectors_ID, config)
    heard = Heard({}, (), 0)
    cite = Citations(acts, heard, contents, shopper_id=None, described=False)
    cite.look_up(row for direction in found for row in direction.rows)
    deriving.name_interests(found, values, cite)
    profile_vector(state, acts, things, (), reference=shop.background.reference, values=values)


def round_ms(derive: Callable[[ProfileState], object], states: list[ProfileState]) -> list[float]:
    """Return the CPU milliseconds per state of each round; every round meets states that nobody has read."""
    rounds = []
    for _ in range(N_ROUNDS + 1):
        unread = [replace(state) for state in states]
        started = time.process_time()
        for state in unread:
            derive(state)
        rounds.append((time.process_time() - started) / len(states) * 1e3)
    return rounds[1:]


if __name__ == "__main__":
    main()
