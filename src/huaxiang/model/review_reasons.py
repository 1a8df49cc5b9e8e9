"""Reasons from reviews: what a shopper cares about, as their own reviews show, is praised of a listed item.

Such a reason says what others found and lifts nothing: it is a rule's, counted apart from the personal ones,
which are checked by leaving their events out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from huaxiang.model.known import Known
from huaxiang.profile.own_reviews import sides_of
from huaxiang.records import EventType, Ranked, Reason, Slate
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.reviews.tally import Tally
from huaxiang.reviews.wording import say

LEAST_OWN = 2
"""Own reviews that judge a side before it is taken to matter to the shopper."""
FEWEST, LEAST_PRAISE, LEAST_SHARE = 5, 3, 0.7
"""Reviews of an item with words, reviews that praise the side, and their share of those that judge it."""
_REVIEW = EventType.REVIEW.code


def cared_for(known: Known, *, shopper_id: str) -> dict[str, str]:
    """Return the sides that a shopper's own reviews judge again and again → the newest such review."""
    found: dict[str, list[int]] = defaultdict(list)
    for event in sorted(known.state.strong, key=lambda one: (one.occurred_ms, one.key)):
        if event.type == _REVIEW and event.item_no >= 0 and event.content:
            for aspect, _ in sides_of(known.contents.text(event.content) or ""):
                found[aspect].append(event.key)
    often = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {
        aspect: known.contents.event_id(keys[-1], shopper_id=shopper_id)
        for aspect, keys in often
        if len(keys) >= LEAST_OWN
    }


def with_review_reasons(
    slate: Slate, known: Known, tallies: Callable[[list[str]], Mapping[str, Tally]], *, language: str
) -> Slate:
    """Return the list with one more reason for each item whose reviews praise what the shopper cares about.

    Parameters
    ----------
    tallies
        Items → the sums of their reviews; asked only for a shopper who cares about something.
    """
    if slate.shopper_id is None or slate.of != "item":
        return slate
    cares = cared_for(known, shopper_id=slate.shopper_id)
    if not cares:
        return slate
    of_items = tallies([one.item_id for one in slate.items])
    items = tuple(_reasoned(one, cares, of_items.get(one.item_id), language) for one in slate.items)
    return replace(slate, items=items)


def _reasoned(one: Ranked, cares: Mapping[str, str], tally: Tally | None, language: str) -> Ranked:
    for aspect, event_id in cares.items():
        sums = None if tally is None or tally.n_texts < FEWEST else tally.aspects.get(aspect)
        if tally is None or sums is None or sums.n_positive < LEAST_PRAISE:
            continue
        if sums.n_positive >= LEAST_SHARE * (sums.n_positive + sums.n_negative):
            about = aspect_name(aspect, language=language)
            text = say("for_you", language, about=about, n=sums.n_positive, of=tally.n_texts)
            reason = Reason(kind="rule", text=text, event_id=event_id, type="review")
            return replace(one, reasons=(*one.reasons, reason))
    return one
