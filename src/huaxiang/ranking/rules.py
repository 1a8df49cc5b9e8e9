"""What may be listed at all: on sale, in stock, not had, not disliked, one variant of each product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.notes import Note, note
from huaxiang.ranking.stated import Stated, is_beyond_limit, is_refused
from huaxiang.shop.catalogue import Catalogue

NO_ROWS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which rules hold.

    Parameters
    ----------
    exclude_had
        Leave out what the shopper had, in any variant.
    in_stock_only
        Leave out what can't be bought now.
    group_variants
        List each product once, by its best variant.
    """

    exclude_had: bool = True
    in_stock_only: bool = True
    group_variants: bool = True


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Which items may be listed, (I,), how many each rule took out, and which wishes had to be set aside."""

    items_I: NDArray[np.bool_]
    left_out: Mapping[str, int]
    degraded: tuple[Note, ...] = ()


def allowed_items(
    catalogue: Catalogue,
    rules: Rules,
    stated: Stated,
    *,
    had_rows: NDArray[np.int32],
    disliked_rows: NDArray[np.int32] = NO_ROWS,
    now_ms: int | None = None,
) -> Allowed:
    """Return what may be listed.

    The shop's own rules always hold. If nothing is left that meets the shopper's limits, those are set aside
    one after the other, the price first, and `degraded` says so: a list with a note beats an empty one.
    """
    shop_rules = {
        "had": _is_had(catalogue, rules, had_rows),
        "disliked": _among(catalogue.n_items, disliked_rows),
        "removed": catalogue.gone,
        "out_of_stock": ~catalogue.in_stock & rules.in_stock_only,
        "not_yet_on_sale": catalogue.valid_from_ms > (np.iinfo(np.int64).max if now_ms is None else now_ms),
    }
    wishes = {"refused": is_refused(catalogue, stated), "beyond_limit": is_beyond_limit(catalogue, stated)}
    left_out = {name: int(out_I.sum()) for name, out_I in (shop_rules | wishes).items()}
    shop_allows_I = ~np.any(list(shop_rules.values()), axis=0)
    for names, degraded in _RELAXED:
        wanted_I = np.logical_and.reduce([shop_allows_I, *(~wishes[name] for name in names)])
        if wanted_I.any():
            return Allowed(items_I=wanted_I, left_out=left_out, degraded=degraded)
    return Allowed(items_I=shop_allows_I, left_out=left_out, degraded=(note("no_item"),))


_RELAXED: tuple[tuple[tuple[str, ...], tuple[Note, ...]], ...] = (
    (("refused", "beyond_limit"), ()),
    (("refused",), (note("beyond_limit"),)),
    ((), (note("beyond_wishes"),)),
)


def _is_had(catalogue: Catalogue, rules: Rules, had_rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    if not rules.exclude_had:
        return np.zeros(catalogue.n_items, dtype=bool)
    if rules.group_variants:
        n_groups = int(catalogue.group_rows.max(initial=-1)) + 1
        return _among(n_groups, catalogue.group_rows[had_rows])[catalogue.group_rows]
    return _among(catalogue.n_items, had_rows)


def _among(n: int, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of `n` rows are among some."""
    is_among = np.zeros(n, dtype=bool)
    is_among[rows] = True
    return is_among
