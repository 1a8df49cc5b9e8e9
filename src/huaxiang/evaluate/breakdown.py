"""Where it fails: measurements by history length, item popularity, category, repeat and new items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from huaxiang.evaluate.measure import Measurement
from huaxiang.recommend.base import Histories, Targets
from huaxiang.shop.catalogue import Catalogue

HISTORY_EDGES = (1, 3, 6, 11, 21, 51)
N_CATEGORIES = 8
SMALLEST_GROUP = 20


class Group(TypedDict):
    """One bar group of a chart: its name, what each language calls it, how many, and each model's figure."""

    name: str
    names: dict[str, str]
    n: int
    models: dict[str, float]


class _Named(NamedTuple):
    """What a group is, and what English and Chinese call it."""

    name: str
    english: str
    chinese: str


def _ours(english: str, chinese: str) -> _Named:
    return _Named(english, english, chinese)


def by_history(measurements: Sequence[Measurement], histories: Histories) -> list[Group]:
    """Return NDCG by how many events the shopper had."""
    edges = np.array([*HISTORY_EDGES, np.iinfo(np.int64).max])
    group_U = np.digitize(histories.lengths(), edges) - 1
    ranges = [_range(low, high - 1) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    names = [_ours(name, name) for name in ranges]
    return _groups(names, group_U, {one.name: one.ndcg_U for one in measurements})


def by_popularity(
    measurements: Sequence[Measurement], targets: Targets, training: Histories, n_items: int
) -> list[Group]:
    """Return how often a wanted item was listed, by how popular the item was in training (quarters)."""
    counts_I = np.bincount(training.item_rows[training.item_rows >= 0], minlength=n_items)
    counts_T = counts_I[targets.item_rows]
    edges = np.unique(np.quantile(counts_T, [0.25, 0.5, 0.75])) if len(counts_T) else np.zeros(0)
    group_T = np.where(counts_T == 0, 0, 1 + np.searchsorted(edges, counts_T, side="left"))
    quarters = [_ours(f"quarter {place}", f"第 {place} 四分位") for place in range(1, len(edges) + 2)]
    names = [_ours("never seen", "从未出现"), *quarters]
    return _groups(names, group_T, {one.name: found(one, targets) for one in measurements})


def by_category(measurements: Sequence[Measurement], targets: Targets, catalogue: Catalogue) -> list[Group]:
    """Return how often a wanted item was listed, for the categories wanted most."""
    dimension = catalogue.dimensions.get("category")
    if dimension is None:
        return []
    firsts_I = dimension.offsets[:-1]
    has_I = np.diff(dimension.offsets) > 0
    category_I = np.full(catalogue.n_items, -1)
    category_I[has_I] = dimension.value_rows[firsts_I[has_I]]
    category_T = category_I[targets.item_rows]
    counts_V = np.bincount(category_T[category_T >= 0], minlength=len(dimension.values))
    biggest = np.argsort(-counts_V, kind="stable")[:N_CATEGORIES]
    place_of = np.full(len(dimension.values) + 1, -1)
    place_of[biggest] = np.arange(len(biggest))
    names = [
        _Named(dimension.values[row], *(dimension.label(row, language=language) for language in ("en", "zh")))
        for row in biggest.tolist()
    ]
    return _groups(names, place_of[category_T], {one.name: found(one, targets) for one in measurements})


def by_novelty(measurements: Sequence[Measurement], targets: Targets, had: Histories) -> list[Group]:
    """Return how often a wanted item was listed, for items had before and new ones."""
    shopper_T = np.repeat(np.arange(had.n_shoppers), np.diff(targets.offsets))
    shopper_E = np.repeat(np.arange(had.n_shoppers), had.lengths())
    width = int(max(targets.item_rows.max(initial=0), had.item_rows.max(initial=0))) + 2
    is_new_T = ~np.isin(shopper_T * width + targets.item_rows, shopper_E * width + had.item_rows)
    names = [_ours("had before", "曾经有过"), _ours("new", "新商品")]
    return _groups(names, is_new_T.astype(int), {one.name: found(one, targets) for one in measurements})


def found(one: Measurement, targets: Targets) -> NDArray[np.float64]:
    """Return, per target, 1 where it is in its shopper's list, else 0, (T,)."""
    shopper_T = np.repeat(np.arange(len(one.top_UK)), np.diff(targets.offsets))
    is_listed_T = (one.top_UK[shopper_T] == targets.item_rows[:, None]).any(axis=1)
    return np.asarray(is_listed_T, dtype=np.float64)


def _groups(
    names: Sequence[_Named], group_N: NDArray[np.integer], figures: dict[str, NDArray[np.float64]]
) -> list[Group]:
    groups: list[Group] = []
    for number, (name, english, chinese) in enumerate(names):
        inside = group_N == number
        if inside.sum() >= SMALLEST_GROUP:
            means = {model: float(values[inside].mean()) for model, values in figures.items()}
            both = {"en": english, "zh": chinese}
            groups.append(Group(name=name, names=both, n=int(inside.sum()), models=means))
    return groups


def _range(low: int, high: int) -> str:
    if high > 10**9:
        return f"{low}+"
    return str(low) if low == high else f"{low}–{high}"
