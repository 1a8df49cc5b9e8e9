"""The portrait: what a profile says in sentences, each with its evidence and none below confidence .3.

A sentence makes one claim. It carries a number that falls with its evidence ("14 of 40 actions"), so that
taking the evidence away can be seen in it, or names what only that evidence shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import floor
from typing import NamedTuple

import numpy as np

from huaxiang.profile import sentences as say
from huaxiang.profile.acts import DAY_MS, Acts
from huaxiang.profile.cite import Citations
from huaxiang.profile.findings import Finding
from huaxiang.profile.interests import Direction
from huaxiang.profile.own_reviews import REVIEW_ASPECT
from huaxiang.profile.prices import PRICE_LIMIT, minor_units, price_limit_of
from huaxiang.profile.values import Values
from huaxiang.profile.weights import Config
from huaxiang.records import EventType, Evidence, Facet, Intent, Sentence

_PURCHASE = EventType.PURCHASE.code
_SAID_PER_DIMENSION = {"category": 2, "brand": 2}
_MOST_STATED, _MOST_DISLIKED, _MOST_INTERESTS = 8, 3, 2
_ABOVE_AVERAGE = 1.05
_FEWEST_FOR_HOURS = 10
_WINDOW_HOURS = 4

Texts = Mapping[str, str]


class Claim(NamedTuple):
    """One sentence in every language.

    `key` says what is claimed, `strength` how strongly: with less strength the same claim is weaker.
    """

    key: tuple[str, ...]
    strength: float
    texts: Texts
    evidence: tuple[Evidence, ...]


class Ground(NamedTuple):
    """What claims are made from."""

    values: Values
    acts: Acts
    cite: Citations
    config: Config
    now: datetime | None


def portrait_of(claims: Iterable[Claim]) -> dict[str, tuple[Sentence, ...]]:
    """Return the claims' sentences by language."""
    claims = tuple(claims)
    return {
        language: tuple(Sentence(text=claim.texts[language], evidence=claim.evidence) for claim in claims)
        for language in say.LANGUAGES
    }


def claims_of(
    findings: Sequence[Finding], found: Sequence[Direction], intent: Intent | None, ground: Ground
) -> tuple[Claim, ...]:
    """Return all that the portrait claims, the shopper's own words first."""
    sure = [one for one in findings if one.facet.confidence >= ground.config.min_confidence]
    return (
        *_spoken(sure, ground),
        *_liked(sure, ground),
        *_disliked(sure, ground),
        *_interests(found, ground),
        *_bought(ground),
        *_hours(ground),
        *_intent(intent, ground),
        *_absent(ground),
    )


def _key(facet: Facet) -> tuple[str, ...]:
    return ("facet", facet.source, facet.dimension, facet.value, facet.side)


def _spoken(findings: Sequence[Finding], ground: Ground) -> Iterator[Claim]:
    spoken = [one for one in findings if one.facet.source != "inferred"]
    for one in spoken[:_MOST_STATED]:
        facet = one.facet
        texts = _limit_texts(one, ground) if facet.dimension == PRICE_LIMIT else _spoken_texts(one, ground)
        yield Claim(_key(facet), facet.confidence, texts, facet.evidence)


def _spoken_texts(one: Finding, ground: Ground) -> Texts:
    forms = say.CORRECTED if one.facet.source == "corrected" else say.STATED
    return {lang: forms[lang][one.facet.side].format(v=_label(one, ground, lang)) for lang in say.LANGUAGES}


def _limit_texts(one: Finding, ground: Ground) -> Texts:
    limit = price_limit_of(one.facet.value)
    if limit is None or one.facet.side == "disliked":
        return _spoken_texts(one, ground)
    currency = ground.values.catalogue.currency
    units = minor_units(currency)
    kind = "least" if limit.max_minor is None else "most" if limit.min_minor is None else "both"
    return {
        lang: say.LIMITS[lang][kind].format(
            low=say.money(limit.min_minor or 0, currency, units, lang),
            high=say.money(limit.max_minor or 0, currency, units, lang),
        )
        for lang in say.LANGUAGES
    }


def _liked(findings: Sequence[Finding], ground: Ground) -> Iterator[Claim]:
    said: dict[str, int] = {}
    for one in findings:
        facet = one.facet
        if facet.source != "inferred" or facet.side != "liked":
            continue
        if said.get(facet.dimension, 0) >= _SAID_PER_DIMENSION.get(facet.dimension, 1):
            continue
        texts = _liked_texts(one, ground)
        if texts:
            said[facet.dimension] = said.get(facet.dimension, 0) + 1
            yield Claim(_key(facet), facet.confidence * facet.share, texts, facet.evidence)


def _liked_texts(one: Finding, ground: Ground) -> Texts:
    facet = one.facet
    if facet.evidence and all(one.image is not None for one in facet.evidence):
        return {lang: say.SEEN[lang].format(v=_label(one, ground, lang)) for lang in say.LANGUAGES}
    is_above = facet.lift >= _ABOVE_AVERAGE
    if not is_above and (facet.dimension not in say.CHOICES["en"] or 3 * one.n_with < one.n_of):
        return {}
    return {lang: _liked_text(one, ground, lang, is_above=is_above) for lang in say.LANGUAGES}


def _liked_text(one: Finding, ground: Ground, lang: str, *, is_above: bool) -> str:
    facet = one.facet
    forms = say.LIKES[lang] if is_above else say.CHOICES[lang]
    form = forms.get(facet.dimension) or forms[""]
    head = form.format(v=_label(one, ground, lang), d=facet.dimension.replace("_", " "))
    count = say.COUNTED[lang].format(n=one.n_with, of=one.n_of, actions=say.counted(one.n_of, say.ACTIONS))
    more = say.AT_LEAST[lang].format(lift=floor(facet.lift * 10) / 10) if facet.lift >= 1.1 else ""
    return f"{head}：{count}{more}。".replace("风风格", "风格") if lang == "zh" else f"{head}: {count}{more}."


def _label(one: Finding, ground: Ground, lang: str) -> str:
    facet = one.facet
    if facet.dimension == "price_band":
        return say.PRICE_BANDS[lang].get(facet.value, facet.value)
    if one.value < 0:
        return facet.value
    return ground.values.label(one.value, language=lang)


def _disliked(findings: Sequence[Finding], ground: Ground) -> Iterator[Claim]:
    disliked = [one for one in findings if one.facet.source == "inferred" and one.facet.side == "disliked"]
    above = [one for one in disliked if one.facet.lift >= _ABOVE_AVERAGE]
    for one in above[:_MOST_DISLIKED]:
        facet = one.facet
        texts = {
            lang: (say.BLAMES if facet.dimension == REVIEW_ASPECT else say.DISLIKES)[lang].format(
                v=_label(one, ground, lang), n=one.n_with, of=one.n_of, marks=say.counted(one.n_of, say.MARKS)
            )
            for lang in say.LANGUAGES
        }
        yield Claim(_key(facet), facet.confidence * facet.share, texts, facet.evidence)


def _interests(found: Sequence[Direction], ground: Ground) -> Iterator[Claim]:
    of = sum(direction.n_events for direction in found)
    for direction in found[:_MOST_INTERESTS]:
        n, catalogue = direction.n_events, ground.values.catalogue
        if direction.item < 0 or n / (n + ground.config.kappa) < ground.config.min_confidence:
            continue
        actions = say.counted(of, say.ACTIONS)
        texts = {
            lang: say.INTEREST[lang].format(
                title=catalogue.title(direction.item, language=lang), n=n, of=of, actions=actions
            )
            for lang in say.LANGUAGES
        }
        key = ("interest", catalogue.item_ids[direction.item])
        yield Claim(key, n, texts, ground.cite.events(direction.rows))


def _bought(ground: Ground) -> Iterator[Claim]:
    acts = ground.acts
    rows = np.flatnonzero((acts.type_E == _PURCHASE) & (acts.like_E > 0)).tolist()
    if not rows:
        return
    newest = rows[: -ground.config.evidence_per_facet - 1 : -1]
    purchases = "purchase" if len(rows) == 1 else "purchases"
    when = None if acts.order_only else datetime.fromtimestamp(int(acts.ms_E[newest[0]]) / 1000, UTC)
    texts = {
        lang: say.BOUGHT[lang]["undated" if when is None else "dated"].format(
            n=len(rows), purchases=purchases, when="" if when is None else say.day(when, lang)
        )
        for lang in say.LANGUAGES
    }
    yield Claim(("bought",), len(rows), texts, ground.cite.events(newest))


def _absent(ground: Ground) -> Iterator[Claim]:
    """Claim that the shopper stayed away: it falls when an event is added, and names the last ones."""
    acts = ground.acts
    if ground.now is None or acts.order_only or not len(acts):
        return
    days = float(acts.age_E[-1])
    if days < ground.config.absent_after_days:
        return
    when = ground.now - timedelta(days=days)
    texts = {
        lang: say.ABSENT[lang].format(when=say.day(when, lang), days=int(days)) for lang in say.LANGUAGES
    }
    newest = np.flatnonzero(acts.ms_E == acts.ms_E[-1]).tolist()
    yield Claim(("absent", str(int(acts.ms_E[-1]))), days, texts, ground.cite.events(newest))


def _hours(ground: Ground) -> Iterator[Claim]:
    """Claim the hours, in the shopper's own time, in which more than half of the events lie."""
    acts = ground.acts
    knows_days_only = not (acts.ms_E % DAY_MS).any()
    if acts.order_only or len(acts) < _FEWEST_FOR_HOURS or knows_days_only:
        return
    hour_E = (acts.ms_E + acts.offset_quarters_E * 900_000) // 3_600_000 % 24
    count_H = np.bincount(hour_E, minlength=24)
    after_H = np.concatenate([[0], np.cumsum(np.concatenate([count_H, count_H]))])
    in_window_H = after_H[_WINDOW_HOURS : _WINDOW_HOURS + 24] - after_H[:24]
    fullest = np.flatnonzero(in_window_H == in_window_H.max())
    start = int(fullest[len(fullest) // 2])
    n = int(in_window_H[start])
    if 2 * n <= len(acts):
        return
    rows = np.flatnonzero((hour_E - start) % 24 < _WINDOW_HOURS).tolist()
    end, actions = (start + _WINDOW_HOURS) % 24, say.counted(len(acts), say.ACTIONS)
    texts = {
        lang: say.HOURS[lang].format(start=start, end=end, n=n, of=len(acts), actions=actions)
        for lang in say.LANGUAGES
    }
    newest = rows[: -ground.config.evidence_per_facet - 1 : -1]
    yield Claim(("hours", str(start)), n, texts, ground.cite.events(newest))


def _intent(intent: Intent | None, ground: Ground) -> Iterator[Claim]:
    if intent is None or not intent.evidence or intent.stage not in say.INTENT["en"]:
        return
    n = intent.n_events
    if n / (n + ground.config.kappa) < ground.config.min_confidence:
        return
    texts = {lang: _intent_text(intent, ground, lang) for lang in say.LANGUAGES}
    yield Claim(("intent", intent.stage, str(intent.started_at)), n, texts, intent.evidence)


def _intent_text(intent: Intent, ground: Ground, lang: str) -> str:
    about = ""
    if intent.focus:
        dimension, value, _ = intent.focus[0]
        row = ground.values.row_of.get((dimension, value))
        label = value if row is None else ground.values.label(row, language=lang)
        about = say.ABOUT[lang].format(v=label)
    actions = say.counted(intent.n_events, say.ACTIONS)
    return say.INTENT[lang][intent.stage].format(about=about, n=intent.n_events, actions=actions)
