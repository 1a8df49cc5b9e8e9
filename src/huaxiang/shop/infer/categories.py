"""The categories of items that state none: named by their words, by the encoder, or by a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from huaxiang.records import Matrix
from huaxiang.shop.infer.base import Claim, Encode
from huaxiang.shop.infer.clusters import cluster_claims, typical_words
from huaxiang.shop.infer.mentions import ItemWords, thing_named
from huaxiang.shop.lexicon import Lexicon

CATEGORY = "category"
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True)
class Config:
    """How sure is sure.

    Parameters
    ----------
    named_confidence
        Confidence in a category that the title names.
    sure_cosine, sure_margin
        The encoder is sure when a title is at least so near a category's name, and nearer by the margin than
        to any other's.
    cluster_share
        Clusters for the rest: the square root of its number times this.
    cluster_confidence
        Confidence in a cluster at its centre.
    fewest_in_cluster
        Smaller clusters say nothing.
    """

    named_confidence: float = 0.8
    sure_cosine: float = 0.5
    sure_margin: float = 0.06
    cluster_share: float = 0.7
    cluster_confidence: float = 0.6
    fewest_in_cluster: int = 4


@dataclass(frozen=True, kw_only=True)
class Told:
    """The items to be told apart: their rows, their words by row, and all items' text vectors.

    `brands` are names that say who made a thing, not what it is.
    """

    rows: Sequence[int]
    words: Mapping[int, Sequence[ItemWords]]
    text_vectors_ID: Matrix
    encode: Encode
    brands: frozenset[str] = frozenset()


def category_claims(
    told: Told, lexicon: Lexicon, config: Config, *, seed: int
) -> tuple[list[Claim], list[str]]:
    """Return one claim for each item that words, the encoder or a cluster can name, and what was done.

    Words come first, since they can be shown; the encoder next, where it is sure; a cluster last.
    """
    named = list(_named(told, lexicon, config))
    left = _without(told.rows, named)
    sure = list(_sure(left, told, lexicon, config))
    left = [row for row in _without(left, sure) if told.text_vectors_ID[row].any()]
    clustered = cluster_claims(
        left,
        _documents(left, told, lexicon),
        told.text_vectors_ID[left],
        n_clusters=round(config.cluster_share * len(left) ** 0.5),
        confidence=config.cluster_confidence,
        fewest=config.fewest_in_cluster,
        seed=seed,
    )
    done = [
        f"{len(claims)} {how}"
        for claims, how in (
            (named, "by words of their titles"),
            (sure, "by nearness to a category's name"),
            (
                clustered,
                f"by {len({claim.value for claim in clustered})} clusters named by their typical words",
            ),
        )
        if claims
    ]
    return [*named, *sure, *clustered], done


def _named(told: Told, lexicon: Lexicon, config: Config) -> Iterator[Claim]:
    for row in told.rows:
        found = (thing_named(words.title, lexicon) for words in told.words.get(row, ()))
        value = next((value for value in found if value), None)
        if value is not None:
            yield Claim(row, CATEGORY, value, config.named_confidence)


def _sure(rows: Sequence[int], told: Told, lexicon: Lexicon, config: Config) -> Iterator[Claim]:
    values = lexicon.values(CATEGORY)
    if not rows or len(values) < 2:
        return
    names_VD = told.encode([lexicon.label(CATEGORY, value, language="en") for value in values])
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[first : first + _ROWS_AT_ONCE]
        cosine_IV = told.text_vectors_ID[list(block)] @ names_VD.T
        best_I = cosine_IV.argmax(axis=1)
        second_I, first_I = np.partition(cosine_IV, -2, axis=1)[:, -2:].T
        is_sure_I = (first_I >= config.sure_cosine) & (first_I - second_I >= config.sure_margin)
        for place in np.flatnonzero(is_sure_I).tolist():
            yield Claim(block[place], CATEGORY, values[best_I[place]], float(min(first_I[place], 1.0)))


def _documents(rows: Sequence[int], told: Told, lexicon: Lexicon) -> list[list[str]]:
    """Return the words of each item's titles that can say what it is: no brand, colour or style."""
    unsaid = _no_things(told, lexicon)
    return [
        [word for text in told.words.get(row, ()) for word in typical_words(text.title) if word not in unsaid]
        for row in rows
    ]


def _no_things(told: Told, lexicon: Lexicon) -> frozenset[str]:
    """Return the words of brands, colours and styles, in small letters: they name no kind of thing."""
    looks = (
        word
        for dimension in ("colour", "style")
        for by_language in lexicon.names.get(dimension, {}).values()
        for words in by_language.values()
        for word in words
    )
    return frozenset(word.lower() for name in (*told.brands, *looks) for word in (name, *name.split()))


def _without(rows: Sequence[int], claims: Sequence[Claim]) -> list[int]:
    claimed = {claim.item_row for claim in claims}
    return [row for row in rows if row not in claimed]
