"""Insight as JSON: what `huaxiang reviews --json` prints and the service answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from huaxiang.reviews.change import Change, Stretch
from huaxiang.reviews.contrast import Contrast
from huaxiang.reviews.flags import Flag
from huaxiang.reviews.insight import Insight, Side, Suggestion
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.reviews.quotes import Quote
from huaxiang.reviews.wording import LANGUAGES, advice, say


def insight_json(insight: Insight) -> dict[str, Any]:
    """Return the stable JSON object; words are objects by language."""
    tally = insight.tally
    mean = tally.mean_rating
    return {
        "item_id": insight.item_id,
        "title": insight.title,
        "reader": insight.reader,
        "n_reviews": tally.n_reviews,
        "n_texts": tally.n_texts,
        "n_rated": tally.n_rated,
        "mean_rating": _rounded(mean),
        "ratings": {str(n + 1): count for n, count in enumerate(tally.stars)},
        "sentiment": dict(zip(("negative", "neutral", "positive"), tally.moods, strict=True)),
        "aspects": [_side(side) for side in insight.sides],
        "praised": [side.aspect for side in insight.praised],
        "complained": [side.aspect for side in insight.blamed],
        "over_time": [_stretch(one) for one in insight.stretches],
        "changes": [_change(one) for one in insight.changes],
        "category": {
            "name": insight.category,
            "mean": _rounded(insight.category_stars),
            "contrast": [_contrast(one) for one in insight.contrast],
        },
        "suggestions": [_suggestion(rank, one, insight) for rank, one in enumerate(insight.suggestions, 1)],
        "flags": [_flag(one) for one in insight.flags],
        "summary": {
            language: [{"text": one.text, "evidence": list(one.evidence)} for one in said]
            for language, said in insight.summary.items()
        },
        "degraded": list(insight.remarks),
    }


def suggestion_text(one: Suggestion, language: str, *, of: int) -> str:
    """Return a suggestion as one sentence; `of` is how many reviews have words."""
    return say(
        "cost",
        language,
        advice=advice(one.cost.aspect, language),
        n=one.cost.n,
        of=of,
        about=aspect_name(one.cost.aspect, language=language),
        cost=f"{one.cost.cost:.2f}",
    )


def flag_text(one: Flag, language: str) -> str:
    """Return a flag as one sentence."""
    return say(one.kind, language, n=one.n, n_items=one.n_items)


def note_text(key: str, language: str) -> str:
    """Return what is not as it should be, as one sentence."""
    from huaxiang.reviews.insight import FEW

    return say(key, language, n=FEW)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _by_language(made: Callable[[str], str]) -> dict[str, str]:
    return {language: made(language) for language in LANGUAGES}


def _quote(one: Quote) -> dict[str, Any]:
    return {
        "event_id": one.event_id,
        "text": one.text,
        "language": one.language,
        "polarity": one.polarity,
        "rating": one.rating,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "aspect": side.aspect,
        "name": _by_language(lambda language: aspect_name(side.aspect, language=language)),
        "n": side.sums.n,
        "positive": side.sums.n_positive,
        "negative": side.sums.n_negative,
        "neutral": side.sums.n_neutral,
        "evidence": [_quote(quote) for quote in side.quotes],
    }


def _stretch(one: Stretch) -> dict[str, Any]:
    return {
        "from": _iso(one.starts_at),
        "until": _iso(one.ends_at),
        "n": one.n,
        "mean": _rounded(one.mean_stars),
        "complained": dict(sorted(one.blamed.items())),
        "praised": dict(sorted(one.praised.items())),
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "aspect": one.aspect,
        "since": _iso(one.since),
        "before": _rounded(one.before),
        "after": _rounded(one.after),
        "n_before": one.n_before,
        "n_after": one.n_after,
    }


def _contrast(one: Contrast) -> dict[str, Any]:
    return {
        "aspect": one.aspect,
        "complained": _rounded(one.own),
        "category": _rounded(one.usual),
        "n": one.n,
        "z": _rounded(one.z),
    }


def _suggestion(rank: int, one: Suggestion, insight: Insight) -> dict[str, Any]:
    n_texts = insight.tally.n_texts
    return {
        "rank": rank,
        "aspect": one.cost.aspect,
        "text": _by_language(lambda language: suggestion_text(one, language, of=n_texts)),
        "n": one.cost.n,
        "cost": _rounded(one.cost.cost),
        "drop": _rounded(one.cost.drop),
        "phrases": [{"text": text, "n": n} for text, n in one.phrases],
        "evidence": [_quote(quote) for quote in one.quotes],
    }


def _flag(one: Flag) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "text": _by_language(lambda language: flag_text(one, language)),
        "n": one.n,
        "n_items": one.n_items,
        "event_ids": list(one.event_ids),
    }
