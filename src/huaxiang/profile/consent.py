"""What each shopper has allowed: the newest answer for each purpose, read from the log like everything else.

A `consent` event carries its answers in its context, as in `{"consent": {"marketing": false}}`. Since they
are events, a past moment (`bulk.as_of`) shows the consent that was valid then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import polars as pl

from huaxiang.records import Event, EventType


def consent_of(event: Event) -> dict[str, bool]:
    """Return the answers that one event gives: purpose → allowed. Nothing but true and false is an answer.

    Examples
    --------
    >>> answered = {"consent": {"marketing": False, "search": "perhaps"}}
    >>> consent_of(Event(event_id="1", shopper_id="s", type=EventType.CONSENT, context=answered))
    {'marketing': False}
    """
    return _answers(event.context) if event.type is EventType.CONSENT else {}


def consents_in(events: pl.DataFrame) -> dict[str, dict[str, bool]]:
    """Return what every shopper in a table of events has answered; those who were never asked are absent.

    The newest answer to a purpose wins, wherever it stands in the log, and of two at one moment the refusal;
    in a shop that knows only an order, the last in the log.
    """
    asked = events.filter(pl.col("type") == EventType.CONSENT.code, pl.col("context").is_not_null())
    is_timed = not asked["occurred_at"].has_nulls()
    ordered = asked.sort("occurred_at", maintain_order=True) if is_timed else asked
    newest: dict[tuple[str, str], datetime] = {}
    answers: dict[str, dict[str, bool]] = {}
    for shopper_id, moment, context in ordered.select("shopper_id", "occurred_at", "context").iter_rows():
        own = answers.setdefault(shopper_id, {})
        for purpose, is_allowed in _answers(orjson.loads(context)).items():
            is_at_once = is_timed and newest.get((shopper_id, purpose)) == moment
            own[purpose] = is_allowed and own[purpose] if is_at_once else is_allowed
            newest[shopper_id, purpose] = moment
    return answers


def stricter(first: Mapping[str, bool], second: Mapping[str, bool]) -> dict[str, bool]:
    """Return the consent of two ids that turn out to be one shopper: what either refused is refused.

    Examples
    --------
    >>> stricter({"marketing": True, "search": True}, {"marketing": False})
    {'marketing': False, 'search': True}
    """
    purposes = sorted({*first, *second})
    return {purpose: first.get(purpose, True) and second.get(purpose, True) for purpose in purposes}


def _answers(context: Mapping[str, Any]) -> dict[str, bool]:
    answers = context.get("consent")
    if not isinstance(answers, Mapping):
        return {}
    return {str(purpose): answer for purpose, answer in answers.items() if isinstance(answer, bool)}
