"""Claim: a search that knows the shopper puts what they buy next higher (mean reciprocal rank; aim: a fifth).

Everything before a moment is learnt; of each shopper the first item after it that they had never bought is
looked for by a general query, for everybody and for them. How far the profile moves items is chosen on an
earlier stretch of time. A query that is the item's own title shows that what is named outright stays on top.

- simulated: a shop with known tastes; the query is the item's category;
- online_retail: a real shop; the query is the two most typical words of the item's inferred category.

    python benchmarks/search_personal.py [--shops simulated,online_retail]
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
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    print(hardware())
    for name in asked.shops.split(","):
        shop = _shop(name, asked.cache, asked.seed)
        if shop is None:
            print(f"skipped: {DATA} is absent", file=sys.stderr)
            continue
        chosen = _best(name, shop, asked)
        _report(name, shop, chosen, asked)


def _shop(name: str, cache: Path, seed: int) -> Shop | None:
    if name == "simulated":
        return hx.simulate_shop(seed=seed, n_shoppers=1500, n_items=400, cache=cache)
    return hx.read_shop(DATA) if DATA.exists() else None


def _best(name: str, shop: Shop, asked: argparse.Namespace) -> float:
    model, wishes = _before(shop, CHOSEN_AT, asked)
    places = np.array([_places(model, wishes, _query(name, model), strength) for strength in STRENGTHS])
    found = (1 / places).mean(1)
    for strength, figure in zip(STRENGTHS, found, strict=True):
        said = f"strength {strength:.1f}, {len(wishes):,} shoppers of the earlier stretch"
        print(f"{name}: {said}, MRR {figure:.4f}", flush=True)
    return STRENGTHS[int(found.argmax())]


def _report(name: str, shop: Shop, strength: float, asked: argparse.Namespace) -> None:
    model, wishes = _before(shop, REPORTED_AT, asked)
    plain, personal = (1 / _places(model, wishes, _query(name, model), one) for one in (0.0, strength))
    rng = np.random.default_rng(asked.seed)
    low, high = bootstrap_statistic(_ratio, personal, plain, rng=rng)
    print(
        f"{name}: {len(wishes):,} shoppers, MRR {plain.mean():.4f} for everybody, {personal.mean():.4f} at"
        f" strength {strength}: times {_ratio(personal, plain):.3f} [{low:.3f}, {high:.3f}]; found at all"
        f" {(plain > 1 / (DEEPEST + 1)).mean():.3f}",
        flush=True,
    )
    usual = model.settings.search.strength
    usually = 1 / _places(model, wishes, _query(name, model), usual)
    low, high = bootstrap_statistic(_ratio, usually, plain, rng=rng)
    print(
        f"{name}: at the default strength {usual}: times {_ratio(usually, plain):.3f} [{low:.3f}, {high:.3f}]"
    )
    titles = [
        (1 / _places(model, wishes, lambda wish: model.catalogue.title(wish.item_row), one)).mean()
        for one in (0.0, strength)
    ]
    print(
        f"{name}: the title as the query, MRR {titles[0]:.4f} for everybody, {titles[1]:.4f} personal",
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
