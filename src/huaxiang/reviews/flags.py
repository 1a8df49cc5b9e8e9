"""Reviews that look copied, bought or mistaken. A flag is a question to a person, never a verdict.

Nothing is left out of the figures because of a flag: what it would take to be sure is not in the log.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from math import exp, lgamma, log

from huaxiang.reviews.base import ReadReview

DUPLICATE, BURST, MANY, CONTRADICTS, STRANGER = (
    "duplicate",
    "burst",
    "many_alike",
    "contradicts",
    "not_a_buyer",
)

_LETTER = re.compile(r"[^\W_]+")
_HAN = re.compile("[\u3400-\u9fff]")
LEAST_LETTERS = 60
"""Letters from which two equal texts are no coincidence; a Chinese character says as much as three."""
BURST_HOURS = 24
LEAST_BURST = 5
BURST_CHANCE = 1e-4
"""Chance of so many extreme ratings in so short a time below which they are flagged."""
LEAST_MANY = 5
"""Reviews of one shopper within a day, all with the same stars, that are flagged."""
SURE_WORDS = 0.6
"""Score from which words speak clearly against the rating."""
MOST_IDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something odd about `n` reviews; `n_items` is over how many items, `event_ids` names some of them."""

    kind: str
    n: int
    n_items: int
    event_ids: tuple[str, ...]


def text_key(text: str | None) -> int:
    """Return a number that equal texts share, whatever their marks and case; 0 for what is too short.

    Examples
    --------
    >>> long = "This dress is just the thing that I had been looking for since the spring, and more."
    >>> text_key(long) == text_key(long.upper() + "!!"), text_key("Love it.")
    (True, 0)
    """
    if not text:
        return 0
    letters = "".join(_LETTER.findall(text)).casefold()
    if len(letters) + 2 * len(_HAN.findall(letters)) < LEAST_LETTERS:
        return 0
    return int.from_bytes(blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


def flags_of(
    reviews: Sequence[ReadReview],
    *,
    alike: Mapping[int, Sequence[ReadReview]],
    of_shoppers: Mapping[str, Sequence[ReadReview]],
) -> tuple[Flag, ...]:
    """Return what is odd about an item's reviews, what concerns most of them first.

    Parameters
    ----------
    alike
        `text_key` → all reviews of the shop with this text.
    of_shoppers
        Shopper → all their reviews in the shop.
    """
    found = [
        *_duplicates(reviews, alike),
        *_bursts(reviews),
        *_many(reviews, of_shoppers),
        *_named(CONTRADICTS, [one for one in reviews if _contradicts(one)]),
        *_named(STRANGER, _strangers(reviews)),
    ]
    return tuple(sorted(found, key=lambda flag: (-flag.n, flag.kind, flag.event_ids)))


def _flag(kind: str, reviews: Sequence[ReadReview]) -> Flag:
    ids = [one.review.event_id for one in reviews]
    n_items = len({one.review.item_id for one in reviews})
    return Flag(kind=kind, n=len(ids), n_items=n_items, event_ids=tuple(ids[:MOST_IDS]))


def _named(kind: str, reviews: Sequence[ReadReview]) -> list[Flag]:
    return [_flag(kind, reviews)] if reviews else []


def _duplicates(reviews: Sequence[ReadReview], alike: Mapping[int, Sequence[ReadReview]]) -> list[Flag]:
    keys = dict.fromkeys(key for one in reviews if (key := text_key(one.review.text)))
    return [_flag(DUPLICATE, same) for key in keys if len(same := alike.get(key, ())) > 1]


def _bursts(reviews: Sequence[ReadReview]) -> list[Flag]:
    """Return the densest day of 5s and of 1s, where chance hardly explains it."""
    found = []
    for low, high in ((5.0, 5.0), (1.0, 1.0)):
        timed = sorted(
            (
                (one.review.occurred_at, one.review.position, one)
                for one in reviews
                if one.review.occurred_at is not None
                and one.review.rating is not None
                and low <= one.review.rating <= high
            ),
            key=lambda line: line[:2],
        )
        window, first, best = timedelta(hours=BURST_HOURS), 0, (0, 0)
        for last in range(len(timed)):
            while timed[last][0] - timed[first][0] > window:
                first += 1
            best = max(best, (last + 1 - first, -first))
        n, first = best[0], -best[1]
        if n >= LEAST_BURST:
            span = (timed[-1][0] - timed[0][0]) / window
            expected = (len(timed) - n + 1) / max(span, 1.0)
            if _tail(n, expected) * max(span, 1.0) < BURST_CHANCE:
                found.append(_flag(BURST, [one for _, _, one in timed[first : first + n]]))
    return found


def _tail(n: int, expected: float) -> float:
    """Return the chance of `n` or more where `expected` is the mean of a Poisson number.

    Examples
    --------
    >>> round(_tail(1, 1.0), 4)
    0.6321
    """
    return max(0.0, 1.0 - sum(exp(k * log(expected) - expected - lgamma(k + 1)) for k in range(n)))


def _many(reviews: Sequence[ReadReview], of_shoppers: Mapping[str, Sequence[ReadReview]]) -> list[Flag]:
    found = []
    for shopper_id in dict.fromkeys(one.review.shopper_id for one in reviews):
        by_day: dict[tuple[object, float], list[ReadReview]] = defaultdict(list)
        for one in of_shoppers.get(shopper_id, ()):
            if one.review.occurred_at is not None and one.review.rating is not None:
                by_day[one.review.occurred_at.date(), one.review.rating].append(one)
        own = {one.review.event_id for one in reviews if one.review.shopper_id == shopper_id}
        found += [
            _flag(MANY, same)
            for same in by_day.values()
            if len(same) >= LEAST_MANY and any(one.review.event_id in own for one in same)
        ]
    return found


def _contradicts(one: ReadReview) -> bool:
    """Whether the words speak clearly against the stars."""
    rating, score = one.review.rating, one.reading.score
    return rating is not None and (
        (rating >= 4 and score <= -SURE_WORDS) or (rating <= 2 and score >= SURE_WORDS)
    )


def _strangers(reviews: Sequence[ReadReview]) -> list[ReadReview]:
    """Return reviews by people who never bought the item, where most reviewers did."""
    known = [one for one in reviews if one.review.is_buyer is not None]
    strangers = [one for one in known if not one.review.is_buyer]
    return strangers if 2 * len(strangers) < len(known) else []
