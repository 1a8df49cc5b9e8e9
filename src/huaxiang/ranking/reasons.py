"""Why an item is listed: the few events that lift it above the others, checked by leaving them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from huaxiang.ranking.base import Case, Deeds
from huaxiang.ranking.effects import Effects
from huaxiang.ranking.removal import drops
from huaxiang.ranking.variety import softmax
from huaxiang.ranking.wording import has_words, key_of, said
from huaxiang.records import EVENT_TYPES, Matrix, Reason, Vector
from huaxiang.shop.catalogue import Catalogue

MOST_EVENTS = 3
"""Events that one reason names at most."""

SMALLEST_SHARE = 0.6
"""Of the strongest event's advantage: a weaker event is not named beside it."""

N_TRIED = 32
"""Newest events that are left out one by one where the quick choice did not stand the check."""


def advantages(
    effects: Effects, scores_I: Vector, item_rows: NDArray[np.integer], *, effects_EK: Matrix | None = None
) -> NDArray[np.float64]:
    """Return how much more each event adds to an item than to what it competes with, (E, K).

    What it competes with is every item, weighted by the softmax of the scores: to first order this is what
    the item loses in log-softmax score without the event.

    Parameters
    ----------
    effects_EK
        Those on the items alone, where they are known.
    """
    mean_E1 = effects.toward(softmax(scores_I))[:, None]
    effects_EK = effects.at(item_rows) if effects_EK is None else effects_EK
    return np.asarray(effects_EK - mean_E1, dtype=np.float64)


def named_events(advantage_EK: NDArray[np.float64]) -> list[list[int]]:
    """Return, for each item, the places of the events to name, strongest first.

    They are few, alike in strength, and never all of several.

    Examples
    --------
    >>> named_events(np.array([[0.1, 0.9, -0.2, 0.7]]).T)
    [[1, 3]]
    """
    most = min(MOST_EVENTS, max(len(advantage_EK) - 1, 1))
    strongest_MK = np.argsort(-advantage_EK, axis=0, kind="stable")[:most]
    of_strongest_MK = np.take_along_axis(advantage_EK, strongest_MK, axis=0)
    enough_K = np.maximum(SMALLEST_SHARE * of_strongest_MK.max(axis=0, initial=0.0), 1e-12)
    is_enough_MK = of_strongest_MK >= enough_K
    columns = zip(strongest_MK.T, is_enough_MK.T, strict=True)
    return [events[is_enough].tolist() for events, is_enough in columns]


def reason_events(
    case: Case, item_rows: NDArray[np.integer], *, effects_EK: Matrix | None = None
) -> list[list[int]]:
    """Return, for each listed item, the places of the events that are its reason, or none.

    Where the case can be scored again, all choices are checked in one go, and one that does not lower its
    item is replaced by the single event that lowers it most, if any does.
    """
    advantage_EK = advantages(case.effects, case.scores_I, item_rows, effects_EK=effects_EK)
    named = named_events(advantage_EK)
    if case.score_kept is None or not len(advantage_EK):
        return named
    fell_K = drops(case.score_kept, _masks(named, len(advantage_EK)), item_rows)
    failed = [place for place, events in enumerate(named) if events and fell_K[place] <= 0]
    for place, events in zip(failed, _best_single(case, item_rows[failed]), strict=True):
        named[place] = events
    return named


def personal_reasons(
    deeds: Deeds,
    events: list[int],
    effects_E: Vector,
    catalogue: Catalogue,
    *,
    language: str,
    relation_to: Callable[[int], str | None] | None = None,
) -> tuple[Reason, ...]:
    """Return one reason for each named event, with what it adds to the item's score.

    Parameters
    ----------
    relation_to
        How the listed item stands to the item of an event. It changes the words alone: which events are named
        was decided by what they add, so what holds under removal still does.
    """
    found = (_personal(deeds, event, float(effects_E[event]), catalogue, language) for event in events)
    if relation_to is None:
        return tuple(found)
    rows = (int(deeds.item_rows[event]) for event in events)
    return tuple(
        _related(
            reason, relation_to(row) if row >= 0 else None, catalogue.title(row, language=language), language
        )
        for reason, row in zip(found, rows, strict=True)
    )


def _related(reason: Reason, relation: str | None, about: str, language: str) -> Reason:
    """Return a reason that says how its item stands to the listed one, where there are words for it."""
    if relation is None or not has_words(f"{relation}:{reason.type}"):
        return reason
    text = said(f"{relation}:{reason.type}", language=language, about=about)
    return replace(reason, text=text, relation=relation)


def _personal(deeds: Deeds, event: int, contribution: float, catalogue: Catalogue, language: str) -> Reason:
    kind, row, text = EVENT_TYPES[deeds.types[event]], int(deeds.item_rows[event]), deeds.texts[event]
    about = catalogue.title(row, language=language) if row >= 0 else text or ""
    key = key_of(kind, has_item=row >= 0, has_text=bool(text))
    return Reason(
        kind="personal",
        text=said(key, language=language, about=about),
        event_id=deeds.event_ids[event],
        item_id=catalogue.item_ids[row] if row >= 0 else None,
        type=str(kind),
        contribution=contribution,
    )


def _best_single(case: Case, item_rows: NDArray[np.integer]) -> list[list[int]]:
    """Return, for each item, the one event whose removal lowers it most, or none."""
    assert case.score_kept is not None
    n_events = case.effects.n_events
    tried = np.arange(max(n_events - N_TRIED, 0), n_events)
    removed_XE = np.zeros((len(tried), n_events), dtype=bool)
    removed_XE[np.arange(len(tried)), tried] = True
    found = []
    for item_row in item_rows:
        fell_X = drops(case.score_kept, removed_XE, np.full(len(tried), item_row))
        found.append([int(tried[np.argmax(fell_X)])] if fell_X.max() > 0 else [])
    return found


def _masks(named: list[list[int]], n_events: int) -> NDArray[np.bool_]:
    masks_KE = np.zeros((len(named), n_events), dtype=bool)
    for place, events in enumerate(named):
        masks_KE[place, events] = True
    return masks_KE
