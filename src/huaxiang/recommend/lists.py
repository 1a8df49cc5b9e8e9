"""Lists with reasons, of items or of the categories, brands and price bands that items have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from huaxiang.errors import InputError
from huaxiang.knowledge.rules import Ruling
from huaxiang.notes import Note, note
from huaxiang.ranking.base import Case, Deeds, Occasion, Shelf
from huaxiang.ranking.rank import Config, check_length, rank
from huaxiang.ranking.reasons import personal_reasons, reason_events
from huaxiang.ranking.removal import Claim
from huaxiang.ranking.ruled import rule_gains
from huaxiang.ranking.rules import allowed_items
from huaxiang.ranking.stated import NOTHING_STATED, Stated
from huaxiang.ranking.variety import choose_places
from huaxiang.ranking.wording import said
from huaxiang.recommend.attribution import score_kept, scores_by_event
from huaxiang.recommend.base import Histories, Recommender
from huaxiang.records import Ranked, Reason, Vector
from huaxiang.shop.catalogue import Catalogue, Dimension

MOST_REASONS = 3


@dataclass(frozen=True, kw_only=True)
class Asker:
    """The shopper that a list is for.

    Parameters
    ----------
    history
        Of this one shopper: what the recommender reads.
    deeds
        The same events, as reasons name them.
    had_rows
        Items the shopper had, also those whose events have left the state.
    """

    history: Histories
    deeds: Deeds
    had_rows: NDArray[np.int32]
    stated: Stated = NOTHING_STATED


@dataclass(frozen=True, kw_only=True)
class ListOf:
    """A list, and what was not as it should be."""

    rows: tuple[Ranked, ...]
    degraded: tuple[Note, ...] = ()


def list_items(
    recommender: Recommender,
    asker: Asker,
    shelf: Shelf,
    *,
    k: int,
    config: Config | None = None,
    occasion: Occasion | None = None,
    checked: bool = True,
) -> ListOf:
    """Return the shopper's list of items, each with its reasons.

    A shopper of whom nothing is known gets the recommender's list for nobody, and `degraded` says so.
    """
    case = case_of(recommender, asker, checked=checked)
    ranking = rank(case, shelf, k=k, config=config, occasion=occasion)
    return ListOf(rows=ranking.items, degraded=_nobody(asker) + ranking.degraded)


def list_values(  # noqa: PLR0913 - one argument per choice
    recommender: Recommender,
    asker: Asker,
    catalogue: Catalogue,
    *,
    of: str,
    k: int,
    config: Config | None = None,
    language: str = "en",
    ruling: Ruling | None = None,
) -> ListOf:
    """Return the categories, brands or price bands the shopper is most likely to take next.

    A value's score is the share of the scores above the middle that its items have; over all values they sum
    to at most 1. What the shopper had counts here: a brand is no worse for being known. Of the shop's rules
    those that leave items out, boost and bury count: a value of which no item is left is not listed.

    Raises
    ------
    InputError
        The catalogue has no dimension `of`, or `k` ≤ 0.
    """
    check_length(k)
    dimension = _dimension(catalogue, of)
    config = config or Config()
    case = case_of(recommender, asker, checked=False)
    nothing_had = np.zeros(0, dtype=np.int32)
    allowed = allowed_items(catalogue, config.rules, asker.stated, had_rows=nothing_had, ruling=ruling)
    rises_I = rule_gains(case.scores_I, allowed.items_I, ruling)
    scores_I = case.scores_I if rises_I is None else case.scores_I + rises_I
    above_I = np.maximum(scores_I - np.median(case.scores_I), 0) * allowed.items_I
    share_IV = _membership(dimension) / max(float(above_I.sum()), 1e-12)
    scores_V = np.asarray(above_I @ share_IV, dtype=np.float32)
    places = choose_places(scores_V, np.zeros((len(scores_V), 1), dtype=np.float32), k=k)
    best = places.candidates[scores_V[places.candidates] > 0]
    effects_EV = (case.effects.scaled(above_I > 0).matrix() @ share_IV).toarray()
    rows = tuple(
        Ranked(
            rank=place + 1,
            item_id=dimension.values[value],
            title=dimension.label(int(value), language=language),
            score=float(scores_V[value]),
            propensity=1.0,
            reasons=_value_reasons(asker.deeds, effects_EV[:, value], catalogue, language),
        )
        for place, value in enumerate(best)
    )
    return ListOf(rows=rows, degraded=_nobody(asker) + allowed.degraded)


def case_of(recommender: Recommender, asker: Asker, *, checked: bool = True) -> Case:
    """Return what ranking needs to know of one shopper.

    Parameters
    ----------
    checked
        Whether reasons are checked by leaving their events out, which takes several times as long.
    """
    scores_I, effects = scores_by_event(recommender, asker.history)
    return Case(
        scores_I=scores_I,
        effects=effects,
        deeds=asker.deeds,
        had_rows=asker.had_rows,
        score_kept=score_kept(recommender, asker.history) if checked else None,
        stated=asker.stated,
    )


def claims_of(
    recommender: Recommender, asker: Asker, item_rows: NDArray[np.integer], *, checked: bool = True
) -> list[Claim]:
    """Return what the personal reasons of listed items claim, for `ranking.removal.audit_reasons`."""
    case = case_of(recommender, asker, checked=checked)
    score_again = score_kept(recommender, asker.history)
    return [
        Claim(score_kept=score_again, n_events=case.effects.n_events, item_row=int(row), events=events)
        for row, events in zip(item_rows, reason_events(case, item_rows), strict=True)
        if events
    ]


def _nobody(asker: Asker) -> tuple[Note, ...]:
    return () if len(asker.history.item_rows) else (note("nothing_known"),)


def _dimension(catalogue: Catalogue, of: str) -> Dimension:
    if of not in catalogue.dimensions:
        known = ", ".join(["item", *catalogue.dimensions])
        raise InputError("nothing to list of", column="of", value=of, remedy=f"choose one of {known}")
    return catalogue.dimensions[of]


def _membership(dimension: Dimension) -> csr_matrix:
    parts = (dimension.weights, dimension.value_rows, dimension.offsets)
    return csr_matrix(parts, shape=(len(dimension.offsets) - 1, len(dimension.values)), dtype=np.float32)


def _value_reasons(
    deeds: Deeds, effects_E: Vector, catalogue: Catalogue, language: str
) -> tuple[Reason, ...]:
    """Return the events that add most to the value's score, or that it is popular."""
    strongest = np.argsort(-effects_E, kind="stable")[:MOST_REASONS]
    enough = [int(event) for event in strongest if effects_E[event] > 0.5 * float(effects_E.max(initial=0.0))]
    named = [event for event in enough if effects_E[event] > 0]
    if not named:
        return (Reason(kind="impersonal", text=said("popular", language=language)),)
    return personal_reasons(deeds, named, effects_E, catalogue, language=language)
