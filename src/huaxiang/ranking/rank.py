"""From scores to a list: rules, wishes, variety, then a reason for each place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from huaxiang.errors import InputError, SettingsError
from huaxiang.notes import Note
from huaxiang.profile.names import value_name
from huaxiang.ranking.base import Case, Occasion, Shelf
from huaxiang.ranking.reasons import personal_reasons, reason_events
from huaxiang.ranking.ruled import (
    Tally,
    in_places,
    pinned_places,
    rule_gains,
    rule_reasons,
    without_groups,
)
from huaxiang.ranking.rules import Rules, allowed_items
from huaxiang.ranking.stated import has_value, likes_met
from huaxiang.ranking.variety import choose_places
from huaxiang.ranking.wording import said
from huaxiang.records import Ranked, Reason, Vector
from huaxiang.shop.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of a list.

    Parameters
    ----------
    rules
        What may be listed at all.
    variety
        0 ranks by score alone, 1 by difference from what is placed above.
    temperature
        0 lists the best; above, places are drawn by chance and the propensity recorded. ≥ 0.
    wish_weight
        What an item that has all that was asked for gains, in spans of the scores (best minus middle); ≥ 0.
    described_wish_weight
        The same for somebody of whom nothing but wishes is known; ≥ 0.
    n_candidates
        Best items that variety chooses from; ≥ 1.
    """

    rules: Rules = field(default_factory=Rules)
    variety: float = 0.1
    temperature: float = 0.0
    wish_weight: float = 0.5
    described_wish_weight: float = 1.5
    n_candidates: int = 100

    def __post_init__(self) -> None:
        fits = (
            0 <= self.variety <= 1
            and self.temperature >= 0
            and min(self.wish_weight, self.described_wish_weight) >= 0
        )
        if not fits or self.n_candidates < 1:
            remedy = "variety is 0 to 1, temperature and wish weights at least 0, n_candidates at least 1"
            raise SettingsError("out of range", column="ranking", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A list with its reasons, the rows of its items, and what was not as it should be."""

    items: tuple[Ranked, ...]
    item_rows: NDArray[np.int64]
    degraded: tuple[Note, ...] = ()


def rank(
    case: Case,
    shelf: Shelf,
    *,
    k: int,
    config: Config | None = None,
    occasion: Occasion | None = None,
) -> Ranking:
    """Return the best list for one shopper.

    Raises
    ------
    InputError
        `k` ≤ 0.
    """
    check_length(k)
    config, occasion, catalogue = config or Config(), occasion or Occasion(), shelf.catalogue
    language, ruling = occasion.language, occasion.ruling
    allowed = allowed_items(
        catalogue,
        config.rules,
        case.stated,
        had_rows=case.had_rows,
        disliked_rows=case.deeds.disliked_rows(),
        now_ms=occasion.now_ms,
        ruling=ruling,
    )
    gains_I = _wish_gains(case, catalogue, allowed.items_I, config.wish_weight)
    scores_I = case.scores_I + gains_I
    rises_I = rule_gains(scores_I, allowed.items_I, ruling)
    scores_I = scores_I if rises_I is None else scores_I + rises_I
    tally = Tally.of(() if ruling is None else ruling.caps)
    pinned = pinned_places(ruling, scores_I, allowed.items_I, catalogue, k=k, tally=tally)
    free_I = without_groups(allowed.items_I, pinned, catalogue)
    candidates = _candidates(scores_I, free_I, catalogue, config, tally)
    places = choose_places(
        scores_I[candidates],
        shelf.vectors_ID[candidates],
        k=k - len(pinned),
        variety=config.variety,
        temperature=config.temperature,
        rng=occasion.rng,
    )
    chosen = in_places(
        {place: (one.row, 1.0, one.rule) for place, one in pinned.items()},
        [
            (int(candidates[one]), float(chance), None)
            for one, chance in zip(places.candidates, places.propensities, strict=True)
        ],
        k=k,
    )
    item_rows = np.array([row for row, _, _ in chosen], dtype=np.int64)
    reasons = _reasons(case, shelf, item_rows, gains_I, language)
    if ruling is not None:
        reasons = [
            _with_rules(
                own,
                rule_reasons(
                    ruling,
                    row,
                    pinned=rule,
                    gain=0.0 if rises_I is None else float(rises_I[row]),
                    language=language,
                ),
                is_pinned=rule is not None,
            )
            for own, (row, _, rule) in zip(reasons, chosen, strict=True)
        ]
    items = tuple(
        Ranked(
            rank=place + 1,
            item_id=catalogue.item_ids[row],
            title=catalogue.title(row, language=language),
            score=float(scores_I[row]),
            propensity=propensity,
            reasons=reasons[place],
            is_pinned=rule is not None,
        )
        for place, (row, propensity, rule) in enumerate(chosen)
    )
    return Ranking(items=items, item_rows=item_rows, degraded=allowed.degraded)


_LOOKED_AT = 4
"""Items looked at for each candidate, since some are variants of others; more where they are not enough."""


def check_length(k: int) -> None:
    """Raise `InputError` where `k` is no length of a list."""
    if k <= 0:
        raise InputError("a list needs at least one place", column="k", value=str(k), remedy="give 1 or more")


def _candidates(
    scores_I: Vector,
    allowed_I: NDArray[np.bool_],
    catalogue: Catalogue,
    config: Config,
    tally: Tally | None = None,
) -> NDArray[np.int64]:
    """Return the best items that may be listed, one of each product; of equal ones the first.

    A cap of the shop's rules keeps the best of those that it counts: whatever is chosen of these keeps to it.
    """
    listable_I = np.where(allowed_I, scores_I, -np.inf).astype(np.float32)
    n_listable = int(np.count_nonzero(np.isfinite(listable_I)))
    n_wanted = config.n_candidates
    n_looked = min(_LOOKED_AT * n_wanted, n_listable)
    while True:
        best = _top(listable_I, n_looked)
        if config.rules.group_variants:
            _, firsts = np.unique(catalogue.group_rows[best], return_index=True)
            best = best[np.sort(firsts)]
        if tally is not None and tally.is_counting:
            best = np.array(tally.copy().admitted(best.tolist(), most=n_wanted), dtype=np.int64)
        if len(best) >= n_wanted or n_looked == n_listable:
            return best[:n_wanted]
        n_looked = min(_LOOKED_AT * n_looked, n_listable)


def _top(scores_I: Vector, n: int) -> NDArray[np.int64]:
    """Return the rows of the `n` highest scores, and of all equal to the lowest of them, best first."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    least = np.partition(scores_I, len(scores_I) - n)[len(scores_I) - n]
    rows = np.flatnonzero(scores_I >= least)
    return rows[np.argsort(-scores_I[rows], kind="stable")]


def _wish_gains(case: Case, catalogue: Catalogue, allowed_I: NDArray[np.bool_], weight: float) -> Vector:
    """Return what each item gains by having what was asked for, on the scale of the scores, (I,)."""
    if not case.stated.liked or not allowed_I.any():
        return np.zeros_like(case.scores_I)
    scores = case.scores_I[allowed_I]
    span = float(scores.max() - np.median(scores)) or 1.0
    return np.asarray(weight * span * likes_met(catalogue, case.stated), dtype=np.float32)


def _reasons(
    case: Case, shelf: Shelf, item_rows: NDArray[np.int64], gains_I: Vector, language: str
) -> list[tuple[Reason, ...]]:
    """Return each listed item's reasons: events, wishes and rules; else what it is to everybody."""
    effects_EK = case.effects.at(item_rows)
    events = reason_events(case, item_rows, effects_EK=effects_EK)
    found = []
    for row, named, effects_E in zip(item_rows.tolist(), events, effects_EK.T, strict=True):
        personal = personal_reasons(
            case.deeds,
            named,
            effects_E,
            shelf.catalogue,
            language=language,
            relation_to=_relation(shelf, row),
        )
        wished = _wish_reasons(case, shelf.catalogue, row, float(gains_I[row]), language)
        rest = float(case.scores_I[row] - effects_E.sum())
        found.append(personal + wished or (_impersonal(row, shelf, rest, language),))
    return found


def _relation(shelf: Shelf, row: int) -> Callable[[int], str | None] | None:
    """Return what says how a listed item stands to another one; None where reasons don't say it."""
    return None if shelf.relate is None else partial(shelf.relate, row)


def _with_rules(own: tuple[Reason, ...], ruled: tuple[Reason, ...], *, is_pinned: bool) -> tuple[Reason, ...]:
    """Return an item's reasons with its rules; what is pinned isn't there for being popular."""
    if is_pinned:
        own = tuple(reason for reason in own if reason.kind != "impersonal")
    return own + ruled


def _wish_reasons(
    case: Case, catalogue: Catalogue, row: int, gain: float, language: str
) -> tuple[Reason, ...]:
    met = [one for one in case.stated.liked if has_value(catalogue, one)[row] > 0]
    reasons = [
        Reason(
            kind="personal",
            text=said(
                "liked",
                language=language,
                about=value_name(one.dimension, one.value, language=language, catalogue=catalogue),
            ),
            event_id=one.event_id,
            type="state",
            contribution=gain / len(met),
        )
        for one in met
    ]
    price = int(catalogue.price_minor[row])
    low, high = case.stated.min_minor or 0, case.stated.max_minor
    if case.stated.has_limit and price >= low and (high is None or price <= high):
        text = said("within_limit", language=language)
        reasons.append(Reason(kind="rule", text=text, event_id=case.stated.limit_event_id, type="state"))
    return tuple(reasons)


def _impersonal(row: int, shelf: Shelf, rest: float, language: str) -> Reason:
    if shelf.popularity_I is None:
        key = "typical"
    elif shelf.popularity_I[row] <= 0:
        key = "new"
    else:
        key = "popular" if shelf.popularity_I[row] >= shelf.popular_from else "typical"
    return Reason(kind="impersonal", text=said(key, language=language), contribution=rest)
