"""What a search shows: each item with what of the query it answers and why it suits, and how all was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from huaxiang.profile.values import Values
from huaxiang.ranking.base import Case
from huaxiang.ranking.reasons import personal_reasons, reason_events
from huaxiang.ranking.wording import said
from huaxiang.records import Ranked, Reason
from huaxiang.search.base import FacetCount, NamedValue, Query, ReadQuery
from huaxiang.search.filters import counts, having_values
from huaxiang.search.match import Asked, Found, Rows, even
from huaxiang.search.tokens import tokens
from huaxiang.search.understand import Meant, Understood

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


@dataclass(frozen=True, kw_only=True)
class Whom:
    """The shopper that a search is for, as what their recommender says of the items."""

    case: Case
    strength: float


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is listed of what was found, and what was asked; `read` is None where there were no words."""

    query: Query
    read: Understood | None
    asked: Asked
    found: Found
    whom: Whom | None


def listed_items(model: Model, page: Page, is_exact: NDArray[np.bool_]) -> tuple[Ranked, ...]:
    """Return the items of a page; `is_exact` says which of them the query names outright."""
    query, rows = page.query, page.found.rows
    had = _words_had(model, page) if query.explain else []
    personal = _personal(model, page) if query.explain else []
    return tuple(
        Ranked(
            rank=query.offset + place + 1,
            item_id=model.catalogue.item_ids[row],
            title=model.catalogue.title(row, language=query.language),
            score=float(page.found.relevance[place]),
            propensity=1.0,
            reasons=(_why(page, row, had[place], is_exact=bool(is_exact[place])), *personal[place])
            if query.explain
            else (),
        )
        for place, row in enumerate(rows.tolist())
    )


def _why(page: Page, row: int, had: list[str], *, is_exact: bool) -> Reason:
    """Return what of the query the item answers."""
    language, asked = page.query.language, page.asked
    if is_exact:
        return Reason(kind="impersonal", text=said("named", language=language), contribution=1.0)
    if asked.photo is not None and page.read is None:
        return Reason(kind="impersonal", text=said("looks", language=language))
    if had:
        about = ("、" if language == "zh" else ", ").join(had)
        share = 0.0 if asked.lexical_I is None else float(asked.lexical_I[row])
        return Reason(
            kind="impersonal", text=said("has_words", language=language, about=about), contribution=share
        )
    key = "popular" if asked.words is None else "means"
    return Reason(kind="impersonal", text=said(key, language=language))


def _words_had(model: Model, page: Page) -> list[list[str]]:
    """Return, for each item, the words of the query that it has in any wording, as they were written."""
    read = page.read
    if read is None:
        return [[] for _ in page.found.rows]
    index, values = model.search_index.lexical, model.population.values
    has = [(one, having_values(model.catalogue, values, one.values)) for one in read.wanted]
    covered = {place for one in read.wanted for place in range(one.start, one.end)}
    single = [
        token
        for token in tokens(read.searched)
        if token.start not in covered and token.term in read.wordings[0]
    ]
    found = []
    for row in page.found.rows.tolist():
        spans = {(one.start, one.end) for one, has_I in has if has_I[row]}
        spans |= {(token.start, token.end) for token in single if index.has_all([token.term], row)}
        found.append([read.searched[start:end] for start, end in sorted(spans)])
    return found


def _personal(model: Model, page: Page) -> list[tuple[Reason, ...]]:
    """Return the events that move each item up, for those that fit the shopper better than the others."""
    whom, rows = page.whom, page.found.rows
    if whom is None or not len(rows) or page.query.sort != "relevance":
        return [() for _ in rows]
    effects_EK = whom.case.effects.at(rows)
    events = reason_events(whom.case, rows, effects_EK=effects_EK)
    fit_N = even(whom.case.scores_I[rows])
    return [
        personal_reasons(whom.case.deeds, named, effects_E, model.catalogue, language=page.query.language)
        if fit_N[place] > 0 or len(rows) == 1
        else ()
        for place, (named, effects_E) in enumerate(zip(events, effects_EK.T, strict=True))
    ]


def facet_counts(model: Model, rows: Rows, language: str) -> tuple[FacetCount, ...]:
    """Return how many of some items have each value, in words."""
    dimensions = model.catalogue.dimensions
    return tuple(
        FacetCount(
            dimension=one.dimension,
            value=one.value,
            label=dimensions[one.dimension].label(
                dimensions[one.dimension].row_of[one.value], language=language
            ),
            n_items=one.n_items,
        )
        for one in counts(model.catalogue, rows)
    )


def read_query(model: Model, read: Understood, language: str) -> ReadQuery:
    """Return how a query was read, in words."""
    values = model.population.values
    wanted = [_named(values, one, "preferred", language) for one in read.wanted]
    refused = [_named(values, one, "refused", language) for one in read.refused]
    return ReadQuery(
        text=read.text,
        searched=read.searched,
        did_you_mean=read.did_you_mean,
        values=tuple(sorted([*wanted, *refused], key=lambda one: one.start)),
        min_minor=read.min_minor,
        max_minor=read.max_minor,
    )


def _named(values: Values, one: Meant, use: Literal["preferred", "refused"], language: str) -> NamedValue:
    first = one.values[0]
    return NamedValue(
        dimension=values.dimension(first),
        value=values.names[first],
        label=values.label(first, language=language),
        use=use,
        start=one.start,
        end=one.end,
    )
