"""Claims to test: facets of families find a taste sooner, and foretell what a household buys.

1. Fixed test worlds with 50 values (three concentrations), five values to a family; after n events, how often
   the family a shopper truly prefers most beside others is the first that the profile names: without, the
   family of the first category facet; with, the first of these and of the family facets, as they are ordered.
2. The Complete Journey (department > commodity > type), three cut dates. Commodities that a profile names, up
   to five: without, those of its category facets; with, its family facets among them. Of the households that
   bought in the 28 days after the cut: the share of named commodities that were bought; of what was bought,
   the share that was named; and whether the first named was.

    python benchmarks/graph_facets.py [--households 400]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from cold_items import _shown
from facets import NOW, shopper_id, world_catalogue, world_events
from huaxiang.evaluate.hardware import hardware
from huaxiang.knowledge.graph import tree_of
from huaxiang.profile.bulk import build_states
from huaxiang.profile.contents import Contents
from huaxiang.profile.derive import Background, derive_profile
from huaxiang.profile.population import Population
from huaxiang.profile.removal import audit_facets
from huaxiang.records import Facet
from huaxiang.shop.catalogue import Catalogue, build_catalogue
from huaxiang.shop.read import read_shop
from huaxiang.shop.simulate.worlds import TasteWorld, fixed_worlds
from huaxiang.shop.splits import by_time

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "complete_journey"
PER_FAMILY = 5
MOST_NAMED = 5
CUTS = ("2017-08-01", "2017-09-15", "2017-11-01")
DAYS = 28


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--shoppers", type=int, default=200)
    parser.add_argument("--households", type=int, default=400)
    asked = parser.parse_args()
    print(hardware(), flush=True)
    for world in fixed_worlds(n_shoppers=asked.shoppers):
        if len(world.population_V) == 50:
            print_world(world)
    if asked.data.exists():
        print_households(asked.data, asked.households)


def print_world(world: TasteWorld) -> None:
    """Print how often the true family is named first, without families and with."""
    catalogue = in_families(world)
    share_F, taste_UF = (_summed(one) for one in (world.population_V[None, :], world.tastes_UV))
    true_U = (taste_UF / share_F).argmax(axis=1)
    for n in (5, 10, 30):
        events = world_events([world], n)
        background = Background(
            catalogue=catalogue,
            population=Population.from_events(events, catalogue),
            contents=Contents(events),
            item_vectors_ID=np.zeros((catalogue.n_items, 1), np.float32),
            now=NOW,
        )
        states = build_states(events, order_only=False)
        hits = {False: [], True: []}
        for u, true in enumerate(true_U):
            facets = derive_profile(states.state(shopper_id(u)), background, with_vector=False).facets
            for is_upwards, hit in hits.items():
                first = next(iter(named(facets, catalogue, is_upwards=is_upwards)), "")
                hit.append(float(first == f"family {true}"))
        without, with_ = (np.array(hits[one]) for one in (False, True))
        gap = _shown(with_ - without, "+.3f")
        print(
            f"{world.name} after {n:2} events: {_shown(without, '.3f')} -> {_shown(with_, '.3f')}; gain {gap}"
        )


def in_families(world: TasteWorld) -> Catalogue:
    """Return the world's catalogue with its values as categories, five to a family."""
    from dataclasses import replace

    whole = world_catalogue([world])
    categories = whole.dimensions[world.name]
    paths = tuple(f"all > family {v // PER_FAMILY} > {value}" for v, value in enumerate(categories.values))
    return replace(whole, dimensions={"category": replace(categories, name="category", paths=paths)})


def _summed(shares: np.ndarray) -> np.ndarray:
    return shares.reshape(len(shares), -1, PER_FAMILY).sum(axis=2)


def named(facets: Sequence[Facet], catalogue: Catalogue, *, is_upwards: bool) -> list[str]:
    """Return the families that a profile names, best first, each once, at most five."""
    tree = tree_of(catalogue)
    found = []
    for facet in facets:
        if facet.side == "liked" and facet.dimension == "family" and is_upwards:
            found.append(facet.value)
        elif facet.side == "liked" and facet.dimension == "category":
            found += [tree.names[row] for row in _above(facet.value, catalogue)]
    return list(dict.fromkeys(found))[:MOST_NAMED]


def _above(category: str, catalogue: Catalogue) -> list[int]:
    """Return the row of the family next above a category, or nothing."""
    tree = tree_of(catalogue)
    row = tree.category_row_of.get(category)
    return [] if row is None else tree.families_of(row)[:1].tolist()


def print_households(data: Path, most: int) -> None:
    """Print what the named commodities foretell, and whether family facets hold under removal."""
    shop = read_shop(data)
    catalogue = build_catalogue(shop)
    figures: dict[bool, list[tuple[float, float, float]]] = {False: [], True: []}
    n_families = []
    for cut in (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in CUTS):
        before = by_time(shop.events, cut).train
        background = Background(
            catalogue=catalogue,
            population=Population.from_events(before, catalogue),
            contents=Contents(before),
            item_vectors_ID=np.zeros((catalogue.n_items, 1), np.float32),
            now=cut,
        )
        states = build_states(before, order_only=False)
        chosen = list(bought_after(shop.events, cut, catalogue, states.shopper_ids))
        chosen = [chosen[row] for row in np.random.default_rng(0).permutation(len(chosen))[:most]]
        for household, later in chosen:
            facets = derive_profile(states.state(household), background, with_vector=False).facets
            n_families.append(sum(facet.dimension == "family" and facet.side == "liked" for facet in facets))
            for is_upwards, own in figures.items():
                told = named(facets, catalogue, is_upwards=is_upwards)
                hits = [name in later for name in told]
                own.append((np.mean(hits), len(set(told) & later) / len(later), float(hits[0])))
        audit = audit_facets([states.state(one) for one, _ in chosen[:20]], background)
        print(
            f"{cut:%Y-%m-%d}: {len(chosen)} households; {audit.n_facets_held}/{audit.n_facets} facets, "
            f"{audit.n_sentences_held}/{audit.n_sentences} sentences hold under removal",
            flush=True,
        )
    print(f"family facets per household: {np.mean(n_families):.2f}")
    without, with_ = (np.array(figures[one]) for one in (False, True))
    for column, name in enumerate(("named that were bought", "bought that were named", "first one bought")):
        pair = without[:, column], with_[:, column]
        gain = _shown(pair[1] - pair[0], "+.4f")
        print(f"{name:24} {_shown(pair[0], '.4f')} -> {_shown(pair[1], '.4f')}; gain {gain}", flush=True)


def bought_after(
    events: pl.DataFrame, cut: datetime, catalogue: Catalogue, known: Sequence[str]
) -> Iterator[tuple[str, set[str]]]:
    """Yield each known household that bought in the days after a moment, and the commodities."""
    tree, categories, have = tree_of(catalogue), catalogue.dimensions["category"], set(known)
    later = events.filter(
        (pl.col("occurred_at") >= cut) & (pl.col("occurred_at") < cut + timedelta(days=DAYS))
    )
    for household, rows in sorted(later.group_by("shopper_id").agg(pl.col("item_row")).iter_rows()):
        values = {
            categories.values[categories.value_rows[categories.offsets[row]]]
            for row in rows
            if categories.offsets[row] < categories.offsets[row + 1]
        }
        above = [tree.families_of(tree.category_row_of[value]) for value in values]
        commodities = {tree.names[own[0]] for own in above if len(own)}
        if household in have and commodities:
            yield household, commodities


if __name__ == "__main__":
    main()
