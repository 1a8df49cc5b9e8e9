"""What a search shows: each item with what of the query it answers and why it suits, and how all was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from huaxiang.knowledge.rules import Rule, Ruling
from huaxiang.profile.values import Values
from huaxiang.ranking.base import Case
from huaxiang.ranking.reasons import personal_reasons, reason_events
from huaxiang.ranking.ruled import rule_reasons
from huaxiang.ranking.wording import said
from huaxiang.records import Ranked, Reason, Vector
from huaxiang.search.base import FacetCount, NamedValue, Query, ReadQuery
from huaxiang.search.filters import counts, having_values
from huaxiang.search.match import Asked, Rows, even
from huaxiang.search.tokens import tokens
from huaxiang.search.understand import Meant, Understood

if TYPE_CHECKING:
    from huaxiang.model.whole import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class Whom:
    """The shopper that a search is for, as what their recommenders say of the items.

    Parameters
    ----------
    case
        How well items suit them that they never had, and why.
    again_I
        How well items suit them, those that they had included, (I,).
    """

    case: Case
    again_I: Vector
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One item of what was found.

    Parameters
    ----------
    is_exact
        The query names it outright.
    gain
        What the shop's rules added to its worth.
    pinned
        The rule that put it where it stands.
    """

    row: int
    relevance: float
    is_exact: bool = False
    gain: float = 0.0
    pinned: Rule | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that was found, in order, and what was asked; `read` is None where there were no words."""

    query: Query
    read: Understood | None
    asked: Asked
    placed: Sequence[Placed]
    whom: Whom | None
    ruling: Ruling | None = None

    @cached_property
    def listed(self) -> Sequence[Placed]:
        """What the page lists."""
        return self.placed[self.query.offset : self.query.offset + self.query.k]

    @cached_property
    def rows(self) -> Rows:
        """The rows of what the page lists."""
        return np.array([one.row for one in self.listed], dtype=np.int64)


def listed_items(model: Model, page: Page) -> tuple[Ranked, ...]:
    """Return the items of a page, each with its reasons."""
    query = page.query
    had = _words_had(model, page) if query.explain else []
    personal = _personal(model, page) if query.explain else []
    return tuple(
        Ranked(
            rank=query.offset + place + 1,
            item_id=model.catalogue.item_ids[one.row],
            title=model.catalogue.title(one.row, language=query.language),
            score=one.relevance,
            propensity=1.0,
            reasons=(_why(page, one, had[place]), *personal[place], *_rules(page, one))
            if query.explain
            else (),
        )
        for place, one in enumerate(page.listed)
    )


def _rules(page: Page, one: Placed) -> tuple[Reason, ...]:
    return rule_reasons(page.ruling, one.row, pinned=one.pinned, gain=one.gain, language=page.query.language)


def _why(page: Page, one: Placed, had: list[str]) -> Reason:
    """Return what of the query the item answers."""
    language, asked = page.query.language, page.asked
    if one.is_exact:
        return Reason(kind="impersonal", text=said("named", language=language), contribution=1.0)
    if asked.photo is not None and page.read is None:
        return Reason(kind="impersonal", text=said("looks", language=language))
    if had:
        about = ("、" if language == "zh" else ", ").join(had)
        share = 0.0 if asked.lexical_I is None else float(asked.lexical_I[one.row])
        return Reason(
            kind="impersonal", text=said("has_words", language=language, about=about), contribution=share
        )
    key = "popular" if asked.words is None else "means"
    return Reason(kind="impersonal", text=said(key, language=language))


def _words_had(model: Model, page: Page) -> list[list[str]]:
    """Return, for each item, the words of the query that it has in any wording, as they were written."""
    read = page.read
    if read is None:
        return [[] for _ in page.listed]
    index, values = model.search_index.lexical, model.population.values
    has = [(one, having_values(model.catalogue, values, one.values)) for one in read.wanted]
    covered = {place for one in read.wanted for place in range(one.start, one.end)}
    single = [
        token
        for token in tokens(read.searched)
        if token.start not in covered and token.term in read.wordings[0]
    ]
    found = []
    for row in page.rows.tolist():
        spans = {(one.start, one.end) for one, has_I in has if has_I[row]}
        spans |= {(token.start, token.end) for token in single if index.has_all([token.term], row)}
        found.append([read.searched[start:end] for start, end in sorted(spans)])
    return found


def _personal(model: Model, page: Page) -> list[tuple[Reason, ...]]:
    """Return the events that move each item up, for those that fit the shopper better than the others."""
    whom, rows = page.whom, page.rows
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
