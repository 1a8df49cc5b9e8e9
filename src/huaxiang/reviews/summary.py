"""A few sentences about an item's reviews, each with the reviews that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.reviews.base import ReadReview
from huaxiang.reviews.change import Change
from huaxiang.reviews.contrast import Contrast
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.reviews.tally import Tally
from huaxiang.reviews.wording import LANGUAGES, say, share

if TYPE_CHECKING:
    from huaxiang.writing.base import Subject

MOST_EVIDENCE = 3
MOST_OF_A_KIND = 2
LEAST_GAP = 0.1
"""Stars from which the distance to the category's mean is worth a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One sentence and the ids of reviews behind it."""

    text: str
    evidence: tuple[str, ...]


def summary_of(
    reviews: Sequence[ReadReview],
    tally: Tally,
    changed: Sequence[Change],
    contrast: Sequence[Contrast],
    category_stars: float | None,
) -> Mapping[str, tuple[Said, ...]]:
    """Return language → sentences: how good, what is praised and blamed, since when, unlike what."""
    if not reviews:
        return {language: (Said(text=say("none", language), evidence=()),) for language in LANGUAGES}
    return {
        language: tuple(
            [
                *_how_good(reviews, tally, category_stars, language),
                *_sides(reviews, tally, language),
                *_changes(reviews, changed, language),
                *_contrasts(reviews, contrast, language),
            ]
        )
        for language in LANGUAGES
    }


def review_subjects(summaries: Mapping[str, Mapping[str, tuple[Said, ...]]], language: str) -> list[Subject]:
    """Return item → summary as what a language model may put into better words, a fact at a time."""
    from huaxiang.writing.base import Subject

    between = "" if language == "zh" else " "
    found = []
    for item_id, summary in summaries.items():
        facts = tuple(one.text for one in summary[language])
        start = between.join(facts)
        found.append(
            Subject(
                key=item_id, kind="reviews", language=language, facts=facts, start=start, keeps_facts=True
            )
        )
    return found


def _how_good(
    reviews: Sequence[ReadReview], tally: Tally, category_stars: float | None, language: str
) -> list[Said]:
    newest = tuple(one.review.event_id for one in list(reviews)[-MOST_EVIDENCE:])
    mean = tally.mean_rating
    if mean is None:
        return [Said(text=say("unrated", language, n=tally.n_reviews), evidence=newest)]
    said = [say("rated", language, n=tally.n_reviews, mean=f"{mean:.1f}")]
    if category_stars is not None and abs(mean - category_stars) >= LEAST_GAP:
        key = "above" if mean > category_stars else "below"
        said.append(say(key, language, gap=f"{abs(mean - category_stars):.1f}", mean=f"{category_stars:.1f}"))
    return [Said(text=text, evidence=newest) for text in said]


def _sides(reviews: Sequence[ReadReview], tally: Tally, language: str) -> list[Said]:
    said = []
    for key, polarity in (("praised", 1), ("blamed", -1)):
        counts = {a: s.n_positive if polarity > 0 else s.n_negative for a, s in tally.aspects.items()}
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_OF_A_KIND]
        for aspect, n in ordered:
            if n:
                text = say(key, language, about=aspect_name(aspect, language=language), n=n, of=tally.n_texts)
                said.append(Said(text=text, evidence=_ids(reviews, aspect, polarity)))
    return said


def _changes(reviews: Sequence[ReadReview], changed: Sequence[Change], language: str) -> list[Said]:
    said = []
    for one in changed[:MOST_OF_A_KIND]:
        since = one.since.date().isoformat()
        if one.aspect is None:
            about = {"before": f"{one.before:.1f}", "after": f"{one.after:.1f}"}
            text = say("stars_changed", language, since=since, **about)
            newest = tuple(read.review.event_id for read in list(reviews)[-MOST_EVIDENCE:])
            said.append(Said(text=text, evidence=newest))
            continue
        key = "blame_rose" if one.after > one.before else "blame_fell"
        about = {"before": share(one.before, language), "after": share(one.after, language)}
        text = say(key, language, since=since, about=aspect_name(one.aspect, language=language), **about)
        said.append(Said(text=text, evidence=_ids(reviews, one.aspect, -1)))
    return said


def _contrasts(reviews: Sequence[ReadReview], contrast: Sequence[Contrast], language: str) -> list[Said]:
    said = []
    for one in contrast[:MOST_OF_A_KIND]:
        key = "more_blamed" if one.z > 0 else "less_blamed"
        about = aspect_name(one.aspect, language=language)
        about = about[:1].upper() + about[1:]
        text = say(key, language, about=about, own=share(one.own, language), usual=share(one.usual, language))
        said.append(Said(text=text, evidence=_ids(reviews, one.aspect, -1)))
    return said


def _ids(reviews: Sequence[ReadReview], aspect: str, polarity: int) -> tuple[str, ...]:
    """Return the newest reviews that say so."""
    ids = [one.review.event_id for one in reviews if one.judged.get(aspect) == polarity]
    return tuple(ids[::-1][:MOST_EVIDENCE])
