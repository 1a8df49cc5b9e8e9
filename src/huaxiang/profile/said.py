"""What events say in words or by a photo: searches and statements, and the sides that own reviews judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from huaxiang.profile.acts import LIKED, Acts
from huaxiang.profile.contents import Contents
from huaxiang.profile.own_reviews import REVIEW_ASPECT, Sides, sides_of
from huaxiang.profile.prices import PriceLimit
from huaxiang.profile.values import Values
from huaxiang.profile.weights import Config
from huaxiang.profile.wishes import Wishes, read_wishes
from huaxiang.records import EventType, Matrix, Vector

_SEARCH, _STATE, _REVIEW = EventType.SEARCH.code, EventType.STATE.code, EventType.REVIEW.code

N_LOOK_ALIKES = 10
LEAST_LOOK = 0.25
"""Share of the look-alikes that must have a value before a photo is taken to show it."""


class Said(NamedTuple):
    """One value that an event names itself.

    `share` is of the words' or the photo's meaning, 0 to 1; `sure` is how many (item, day)s of confidence it
    is worth; `start` and `end` are where the words stand, both 0 for a photo.
    """

    value: int
    side: int
    share: float
    sure: float
    is_stated: bool
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said, by row of the event in its `Acts`."""

    said: Mapping[int, tuple[Said, ...]]
    limits: tuple[tuple[int, PriceLimit], ...]
    n_unknown: int


def hear(acts: Acts, values: Values, contents: Contents, *, item_vectors_ID: Matrix, config: Config) -> Heard:
    """Return what the searches, statements and reviews among the events say."""
    said: dict[int, tuple[Said, ...]] = {}
    limits: list[tuple[int, PriceLimit]] = []
    n_unknown = 0
    speaks_E = (
        (acts.content_E != 0) & (acts.item_E < 0) & ((acts.type_E == _SEARCH) | (acts.type_E == _STATE))
    )
    for e in np.flatnonzero(speaks_E).tolist():
        content, is_stated = int(acts.content_E[e]), bool(acts.type_E[e] == _STATE)
        text = contents.text(content)
        if text is not None:
            wishes = _read(content, text, values)
            said[e] = _of_words(wishes, is_stated=is_stated, config=config)
            if wishes.limit is not None and is_stated:
                limits.append((e, wishes.limit))
        elif contents.image(content) is not None:
            said[e] = _of_looks(
                content, contents, values, item_vectors_ID, config.photo_events if is_stated else 1.0
            )
        else:
            n_unknown += 1
    said |= _reviewed(acts, values, contents)
    return Heard(said, tuple(limits), n_unknown)


def _reviewed(acts: Acts, values: Values, contents: Contents) -> dict[int, tuple[Said, ...]]:
    """Return the sides that reviews of items praise and blame; the item itself counts by its own values."""
    said: dict[int, tuple[Said, ...]] = {}
    is_review_E = (acts.type_E == _REVIEW) & (acts.item_E >= 0) & (acts.content_E != 0)
    for e in np.flatnonzero(is_review_E & (acts.like_E + acts.dislike_E > 0)).tolist():
        sides = _sides(int(acts.content_E[e]), contents, values)
        if sides:
            row_of, share = values.row_of, 1 / len(sides)
            said[e] = tuple(
                Said(row_of[REVIEW_ASPECT, aspect], side, share, 1.0, False) for aspect, side in sides
            )
    return said


def _sides(content: int, contents: Contents, values: Values) -> Sides:
    """Return the sides that a review judges, read once."""
    text, read = contents.text(content), values.reviewed
    if content not in read and text is not None:
        if len(read) >= values.most_read:
            read.clear()
        read[content] = sides_of(text)
    return read.get(content, ())


def _read(content: int, text: str, values: Values) -> Wishes:
    """Return the wishes of a text, read once: the same searches come again and again."""
    read = values.read
    if content not in read:
        if len(read) >= values.most_read:
            read.clear()
        read[content] = read_wishes(
            text, values.words, things=values.things, currency=values.catalogue.currency
        )
    return read[content]


def _of_words(wishes: Wishes, *, is_stated: bool, config: Config) -> tuple[Said, ...]:
    sure = config.statement_events if is_stated else 1.0
    said = {}
    for wish in wishes.wishes:
        for value in wish.values:
            share = 1 / len(wish.values)
            said[value, wish.side] = Said(
                value, wish.side, share, sure * share, is_stated, wish.start, wish.end
            )
    return tuple(said.values())


def _of_looks(
    content: int, contents: Contents, values: Values, item_vectors_ID: Matrix, sure: float
) -> tuple[Said, ...]:
    vector = contents.vector(content)
    if vector is None or not len(item_vectors_ID):
        return ()
    return tuple(
        Said(value, LIKED, share, sure * share, False)
        for value, share in looks(vector, item_vectors_ID, values)
    )


def looks(vector: Vector, item_vectors_ID: Matrix, values: Values) -> list[tuple[int, float]]:
    """Return the values that the photo's look-alikes have, each with the share of them that do."""
    score_I = item_vectors_ID @ vector
    k = min(N_LOOK_ALIKES, len(score_I))
    share_V: dict[int, float] = {}
    for row in np.argpartition(-score_I, k - 1)[:k].tolist():
        begin, end = values.offsets[row], values.offsets[row + 1]
        for value, weight in zip(
            values.value_N[begin:end].tolist(), values.weight_N[begin:end].tolist(), strict=True
        ):
            share_V[value] = share_V.get(value, 0.0) + weight / k
    return [(value, share) for value, share in sorted(share_V.items()) if share >= LEAST_LOOK]
