"""What shop rules add to a list: milliseconds, for as many rules and items as are asked for.

    python benchmarks/shop_rules.py --rules 20 --items 20000

A list is ranked with and without rules, turn about, so that what else the machine does falls on both alike.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from huaxiang.knowledge.rules import Circumstances, Goods, Rulebook, RulesOnGoods, problems, read_rules
from huaxiang.ranking.base import Case, Deeds, Occasion, Shelf
from huaxiang.ranking.effects import Effects
from huaxiang.ranking.rank import rank
from huaxiang.records import EventType
from huaxiang.shop.catalogue import Catalogue, Dimension

N_BRANDS = 200
ACTIONS = (
    "exclude: true",
    "boost: 0.5",
    "bury: 0.5",
    "pin: {place: 3, most: 2}",
    "price_floor: 3",
)
CONDITIONS = (
    "",
    "when: {placement: [home, item]}, ",
    "when: {time: {weekdays: [mon, tue, wed], hours: '9-18'}}, ",
    "when: {not: {channel: app}}, ",
)


def catalogue(n_items: int, rng: np.random.Generator) -> Catalogue:
    """Return items of many brands, with prices."""
    brand = Dimension(
        name="brand",
        values=[f"brand {row}" for row in range(N_BRANDS)],
        offsets=np.arange(n_items + 1),
        value_rows=rng.integers(0, N_BRANDS, n_items).astype(np.int32),
        weights=np.ones(n_items, np.float32),
        confidence=np.ones(n_items, np.float32),
        is_inferred=np.zeros(n_items, bool),
    )
    return Catalogue(
        item_ids=[f"i{row}" for row in range(n_items)],
        titles={"en": [f"item {row}" for row in range(n_items)]},
        group_rows=np.arange(n_items, dtype=np.int32),
        price_minor=rng.integers(100, 100_000, n_items),
        in_stock=np.ones(n_items, bool),
        valid_from_ms=np.zeros(n_items, np.int64),
        dimensions={"brand": brand},
        version="1",
    )


def rules_text(n_rules: int, rng: np.random.Generator) -> str:
    """Return rules of every kind; the last is a cap."""
    lines = [
        f"- {{name: r{n}, {CONDITIONS[n % len(CONDITIONS)]}items: {{brand: brand {rng.integers(N_BRANDS)}}}, "
        f"{ACTIONS[n % len(ACTIONS)]}}}"
        for n in range(n_rules - 1)
    ]
    return "\n".join(["version: 1", "rules:", *lines, "- {name: cap, cap: {of: brand, most: 2}}"])


def case(n_items: int, rng: np.random.Generator) -> Case:
    """Return a shopper of one purchase."""
    scores_I = rng.normal(size=n_items).astype(np.float32)
    return Case(
        scores_I=scores_I,
        effects=Effects.of(scores_I[None]),
        deeds=Deeds(
            event_ids=["e"],
            types=np.full(1, EventType.PURCHASE.code, np.uint8),
            item_rows=np.zeros(1, np.int32),
            texts=[None],
        ),
        had_rows=np.zeros(1, np.int32),
    )


def main() -> None:  # noqa: PLR0915 - one measurement after another
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--lists", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    goods = Goods(catalogue=catalogue(asked.items, rng))
    text = rules_text(asked.rules, rng)
    started = time.process_time()
    rules = read_rules(text)
    read_ms = 1000 * (time.process_time() - started)
    shelf = Shelf(catalogue=goods.catalogue, vectors_ID=np.zeros((asked.items, 32), np.float32))
    shopper = case(asked.items, rng)
    book, now = Rulebook(), datetime(2026, 6, 1, 12, tzinfo=UTC)
    started = time.process_time()
    on_goods = RulesOnGoods(rules, goods)
    on_goods.ruling(Circumstances(now=now))
    first_ms = 1000 * (time.process_time() - started)
    book.put(on_goods)
    without, with_rules, ruling_ms = [], [], []
    for turn in range(asked.lists):
        under = Circumstances(now=now + timedelta(minutes=turn))
        started = time.process_time()
        rank(shopper, shelf, k=10, occasion=Occasion())
        without.append(1000 * (time.process_time() - started))
        started = time.process_time()
        said = book.ruling(goods, under)
        ruling_ms.append(1000 * (time.process_time() - started))
        rank(shopper, shelf, k=10, occasion=Occasion(ruling=said))
        with_rules.append(1000 * (time.process_time() - started))
    started = time.process_time()
    n_problems = len(problems(on_goods, now=now))
    check_ms = 1000 * (time.process_time() - started)
    print(
        json.dumps(
            {
                "rules": asked.rules,
                "items": asked.items,
                "lists": asked.lists,
                "list_ms_without": round(float(np.median(without)), 3),
                "list_ms_with": round(float(np.median(with_rules)), 3),
                "added_ms": round(float(np.median(np.subtract(with_rules, without))), 3),
                "added_ms_p95": round(float(np.quantile(np.subtract(with_rules, without), 0.95)), 3),
                "ruling_ms": round(float(np.median(ruling_ms)), 4),
                "read_ms": round(read_ms, 1),
                "first_ruling_ms": round(first_ms, 1),
                "check_ms": round(check_ms, 1),
                "problems": n_problems,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
