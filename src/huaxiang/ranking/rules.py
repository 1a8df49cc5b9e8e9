"""What may be listed at all: on sale, in stock, not had, not disliked, one variant of each product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.knowledge.rules import Ruling
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
    """Which items may be listed, (I,), and which wishes had to be set aside."""

    items_I: NDArray[np.bool_]
    degraded: tuple[Note, ...] = ()


def allowed_items(  # noqa: C901 - one question after another
    catalogue: Catalogue,
    rules: Rules,
    stated: Stated,
    *,
    had_rows: NDArray[np.int32],
    disliked_rows: NDArray[np.int32] = NO_ROWS,
    now_ms: int | None = None,
    ruling: Ruling | None = None,
) -> Allowed:
    """Return what may be listed.

    The shop's own rules, and its `ruling`, always hold. If nothing is left that meets the shopper's limits,
    those are set aside one after the other, the price first, and `degraded` says so: a list with a note beats
    an empty one.
    """
    shop_allows_I = ~catalogue.gone
    if rules.in_stock_only:
        shop_allows_I &= catalogue.in_stock
    if now_ms is not None:
        shop_allows_I &= catalogue.valid_from_ms <= now_ms
    if rules.exclude_had and len(had_rows):
        shop_allows_I &= ~_is_had(catalogue, rules, had_rows)
    shop_allows_I[disliked_rows] = False
    if ruling is not None and shop_allows_I.any():
        shop_allows_I &= ruling.allowed_I
        if not shop_allows_I.any():
            return Allowed(items_I=shop_allows_I, degraded=(note("rules_leave_none"),))
    if not stated.refused and not stated.has_limit and shop_allows_I.any():
        return Allowed(items_I=shop_allows_I)
    wishes = {"refused": is_refused(catalogue, stated), "beyond_limit": is_beyond_limit(catalogue, stated)}
    for names, degraded in _RELAXED:
        wanted_I = np.logical_and.reduce([shop_allows_I, *(~wishes[name] for name in names)])
        if wanted_I.any():
            return Allowed(items_I=wanted_I, degraded=degraded)
    return Allowed(items_I=shop_allows_I, degraded=(note("no_item"),))


_RELAXED: tuple[tuple[tuple[str, ...], tuple[Note, ...]], ...] = (
    (("refused", "beyond_limit"), ()),
    (("refused",), (note("beyond_limit"),)),
    ((), (note("beyond_wishes"),)),
)


def _is_had(catalogue: Catalogue, rules: Rules, had_rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    if rules.group_variants:
        n_groups = int(catalogue.group_rows.max(initial=-1)) + 1
        return _among(n_groups, catalogue.group_rows[had_rows])[catalogue.group_rows]
    return _among(catalogue.n_items, had_rows)


def _among(n: int, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of `n` rows are among some."""
    is_among = np.zeros(n, dtype=bool)
    is_among[rows] = True
    return is_among
