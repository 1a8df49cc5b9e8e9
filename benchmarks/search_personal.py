"""Claim: a search that knows the shopper puts what they buy next higher (mean reciprocal rank; aim: a fifth).

Everything before a moment is learnt; of each shopper the first item after it that they had never bought is
looked for by a general query, for everybody and for them. How far the profile moves items was chosen on an
earlier stretch of time. A query that is the item's own title shows that what is named outright stays on top,
and one of half of its words that taste doesn't decide where much was said.

- simulated: a shop with known tastes; the query is the item's category;
- online_retail: a real shop; the query is the two most typical words of the item's inferred category.

    python benchmarks/search_personal.py [--shops simulated,online_retail] [--seeds 7,4,5,6]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import huaxiang as hx
from huaxiang.config import read_settings
from huaxiang.evaluate.hardware import hardware
from huaxiang.metrics import bootstrap_statistic
from huaxiang.model import Model
from huaxiang.records import EventType
from huaxiang.search.base import Query
from huaxiang.search.tokens import tokens
from huaxiang.shop.base import Shop

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "online_retail"
STRENGTHS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
CHOSEN_AT, REPORTED_AT = 0.8, 0.9
"""Share of the events, in time order, before which everything is learnt."""
DEEPEST = 400
SETTINGS = (
    "image.encoder=none",
    "recommend.members=['popular','own_frequency','neighbours','closed_form']",
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A shopper, and the row of the item that they bought next for the first time."""

    shopper_id: str
    item_row: int


def main() -> None:
    """Print both figures of each shop, and the ratio with its interval."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shops", default="simulated,online_retail")
    parser.add_argument("--shoppers", type=int, default=1000, help="looked at in each stretch, drawn")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument(
        "--seeds", default="7,4,5,6", help="of the simulated shops; the first is the real one's"
    )
    asked = parser.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    print(hardware())
    for name in asked.shops.split(","):
        found: dict[str, list[NDArray[np.float64]]] = {}
        for seed in seeds if name == "simulated" else seeds[:1]:
            shop = _shop(name, asked.cache, seed)
            if shop is None:
                print(f"skipped: {DATA} is absent", file=sys.stderr)
                continue
            asked.seed = seed
            _choice(f"{name} {seed}", name, shop, asked)
            for question, pair in _ranks(name, shop, asked).items():
                found.setdefault(question, []).append(pair)
                _say(f"{name} {seed}", question, pair)
        if name == "simulated" and len(seeds) > 1:
            for question, pairs in found.items():
                _say(f"{name}, all", question, np.concatenate(pairs, axis=1))


def _shop(name: str, cache: Path, seed: int) -> Shop | None:
    if name == "simulated":
        return hx.simulate_shop(seed=seed, n_shoppers=1500, n_items=400, cache=cache)
    return hx.read_shop(DATA) if DATA.exists() else None


def _choice(said: str, name: str, shop: Shop, asked: argparse.Namespace) -> None:
    """Print what each strength finds in the earlier stretch: the default was chosen there."""
    model, wishes = _before(shop, CHOSEN_AT, asked)
    for strength in STRENGTHS:
        found = float((1 / _places(model, wishes, _query(name, model), strength)).mean())
        print(
            f"{said}: strength {strength:.1f}, {len(wishes):,} of the earlier stretch, MRR {found:.4f}",
            flush=True,
        )


def _ranks(name: str, shop: Shop, asked: argparse.Namespace) -> dict[str, NDArray[np.float64]]:
    """Return question → reciprocal ranks for everybody and for the shopper, by default, (2, U)."""
    model, wishes = _before(shop, REPORTED_AT, asked)
    questions = {
        "a general query": _query(name, model),
        "half of its title": _half_title(model),
        "its title": _title(model),
    }
    strengths = (0.0, model.settings.search.strength)
    return {
        question: np.array([1 / _places(model, wishes, query, strength) for strength in strengths])
        for question, query in questions.items()
    }


def _say(said: str, question: str, ranks_2U: NDArray[np.float64]) -> None:
    plain, personal = ranks_2U
    times = _ratio(personal, plain)
    low, high = bootstrap_statistic(_ratio, personal, plain, rng=np.random.default_rng(0))
    print(
        f"{said}: {question}, {len(plain):,} shoppers, MRR {plain.mean():.4f} for everybody,"
        f" {personal.mean():.4f} for the shopper: times {times:.3f} [{low:.3f}, {high:.3f}]",
        flush=True,
    )


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    return float(above.mean() / below.mean())


def _before(shop: Shop, share: float, asked: argparse.Namespace) -> tuple[Model, list[Wish]]:
    """Return what was learnt from the events before a moment, and what was bought first after it."""
    moment = shop.events["occurred_at"].sort()[int(share * len(shop.events))]
    known = shop.events.filter(pl.col("occurred_at") < moment)
    model = hx.fit(
        replace(shop, events=known, fingerprint=f"{shop.fingerprint}-{share}"),
        read_settings(changes=[*SETTINGS, f"seed={asked.seed}"]),
        cache=asked.cache,
    )
    bought = pl.col("type") == EventType.PURCHASE.code
    had = known.filter(bought).select("shopper_id", "item_row").unique()
    after = shop.events.filter((pl.col("occurred_at") >= moment) & bought & (pl.col("item_row") >= 0))
    new = after.sort("occurred_at", maintain_order=True).join(had, on=["shopper_id", "item_row"], how="anti")
    first = new.unique("shopper_id", keep="first", maintain_order=True)
    first = first.filter(pl.col("shopper_id").is_in(known["shopper_id"].unique().to_list()))
    first = first.sample(min(asked.shoppers, len(first)), seed=asked.seed)
    pairs = first.select("shopper_id", "item_row").iter_rows()
    return model, [Wish(shopper_id=shopper, item_row=row) for shopper, row in pairs]


def _query(name: str, model: Model):  # type: ignore[no-untyped-def]
    """Return what each wish is looked for by."""
    category = model.catalogue.dimensions["category"]
    first_V = category.value_rows[np.minimum(category.offsets[:-1], max(len(category.value_rows) - 1, 0))]

    def of(wish: Wish) -> int:
        return int(first_V[wish.item_row])

    if name == "simulated":
        return lambda wish: category.label(of(wish), language="en")
    words = _typical_words(model, first_V)
    return lambda wish: words[of(wish)]


def _title(model: Model):  # type: ignore[no-untyped-def]
    return lambda wish: model.catalogue.title(wish.item_row)


def _half_title(model: Model):  # type: ignore[no-untyped-def]
    """Return half of the words of a wish's title, two at least, drawn and in their order."""

    def of(wish: Wish) -> str:
        words = model.catalogue.title(wish.item_row).split()
        drawn = np.random.default_rng(wish.item_row).permutation(len(words))
        return " ".join(words[place] for place in sorted(drawn[: max(2, (len(words) + 1) // 2)]))

    return of


def _typical_words(model: Model, kind_I: NDArray[np.integer]) -> dict[int, str]:
    """Return, for each category, the two words that its titles have oftener than others have."""
    said = [_words(title) for title in model.catalogue.titles["en"]]
    everywhere = Counter(word for words in said for word in words)
    found = {}
    for kind in np.unique(kind_I).tolist():
        here = Counter(word for row in np.flatnonzero(kind_I == kind) for word in said[row])
        telling = sorted(here, key=lambda word: (-(here[word] ** 2) / everywhere[word], word))
        found[kind] = " ".join(telling[:2])
    return found


def _words(title: str) -> set[str]:
    found = (title[token.start : token.end].lower() for token in tokens(title))
    return {word for word in found if word.isalpha() and len(word) > 2}


def _places(model: Model, wishes: Sequence[Wish], query, strength: float) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
    """Return at which place each wish stands; infinitely far where it isn't found, (U,)."""
    places = np.full(len(wishes), np.inf)
    groups = model.catalogue.group_rows
    for number, wish in enumerate(wishes):
        asked = Query(text=query(wish), strength=strength, k=DEEPEST, explain=False)
        found = model.search(asked, shopper=wish.shopper_id if strength else None)
        rows = [model.catalogue.row_of[one.item_id] for one in found.items]
        same = np.flatnonzero(groups[rows] == groups[wish.item_row]) if rows else []
        if len(same):
            places[number] = same[0] + 1
    return places


if __name__ == "__main__":
    main()
