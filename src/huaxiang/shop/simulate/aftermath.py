"""What follows a purchase days later: it comes back, it is rated, it is written about."""

from __future__ import annotations

import numpy as np

from huaxiang.records import EventType
from huaxiang.shop.simulate.defects import NOTICE, Defect, complaint
from huaxiang.shop.simulate.log import MS_PER_DAY, Entry, as_context
from huaxiang.shop.simulate.sayings import review, words_of
from huaxiang.shop.simulate.scene import Scene

ONLY_STARS = 0.25
"""Share of ratings without a word."""
MEAN_RATING = 3.7


def follow_up(
    scene: Scene, purchase: Entry, language: str, appeal: float, *, rng: np.random.Generator
) -> None:
    """Write the refund and the review of one purchase, if there are any.

    Who notices a planted defect writes of all else as they would have, complains, and takes stars off.

    Poor products come back more and rate lower; what the shopper loves is forgiven.
    """
    quality = float(scene.quality_I[purchase.item_row])
    rating = int(
        np.clip(round(MEAN_RATING + 0.7 * quality + 0.1 * min(appeal, 3) + rng.normal(0, 0.9)), 1, 5)
    )
    noticed = _noticed(scene, purchase.item_row, rng=rng)
    if rng.random() < scene.config.refund_rate * np.exp(-0.6 * quality):
        _refund(scene, purchase, rating, rng=rng)
    if rng.random() < scene.config.review_rate:
        _review(scene, purchase, language, rating, noticed, rng=rng)


def _noticed(scene: Scene, item: int, *, rng: np.random.Generator) -> Defect | None:
    """Return the planted defect that this buyer notices; nothing is drawn where there is none."""
    defect = scene.defects.get(int(scene.products.group_rows[item]))
    return defect if defect is not None and rng.random() < NOTICE else None


def _refund(scene: Scene, purchase: Entry, rating: int, *, rng: np.random.Generator) -> None:
    poor, fair = ("not_as_described", "changed_mind"), ("wrong_size", "changed_mind")
    reason = str(rng.choice(poor if rating <= 3 else fair))
    when = purchase.occurred_ms + int(rng.uniform(2, 12) * MS_PER_DAY)
    scene.log.add(
        purchase._replace(
            occurred_ms=when,
            received_ms=when + 500,
            type=EventType.REFUND,
            session_id=None,
            context=as_context({"reason": reason}),
        )
    )


def _review(
    scene: Scene,
    purchase: Entry,
    language: str,
    rating: int,
    noticed: Defect | None,
    *,
    rng: np.random.Generator,
) -> None:
    words = words_of(scene.products, purchase.item_row, language)
    kind = scene.products.vocabulary.kinds[scene.products.values["category"][purchase.item_row]]
    when = purchase.occurred_ms + int(rng.uniform(3, 21) * MS_PER_DAY)
    text = None
    if rng.random() >= ONLY_STARS:
        text = review(words, language, rating=rating, department=kind.department, rng=rng)
    if text is not None and noticed is not None:
        text = f"{text}{' ' if language == 'en' else ''}{complaint(noticed, language, rng=rng)}"
    scene.log.add(
        Entry(
            occurred_ms=when,
            received_ms=when + 500,
            shopper=purchase.shopper,
            type=EventType.REVIEW if text else EventType.RATE,
            item_row=purchase.item_row,
            text=text,
            rating=rating if noticed is None else max(1, rating - noticed.drop),
            channel=purchase.channel,
            context=as_context({"language": language}) if text else None,
        )
    )
