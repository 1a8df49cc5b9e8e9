"""What an item that joins a shop leaves unsaid: read from its own words, else from the items most like it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.records import Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.infer.attributes import NAMED_DIMENSIONS
from huaxiang.shop.infer.attributes import Config as Words
from huaxiang.shop.infer.base import Claim
from huaxiang.shop.infer.brands import BRAND
from huaxiang.shop.infer.categories import CATEGORY
from huaxiang.shop.infer.mentions import ItemWords, mention_claims, thing_named
from huaxiang.shop.lexicon import Lexicon, load_lexicon

Entry = tuple[str, float]
"""A value, and how sure it is."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """When the items most like one say something about it.

    Parameters
    ----------
    n_nearest
        How many items are asked; ≥ 1.
    least_cosine
        Items farther away than this are not asked. -1 to 1.
    least_share
        Share of the votes, weighted by cosine, that a value needs. 0 to 1.
    words
        How sure the item's own words are.
    """

    n_nearest: int = 8
    least_cosine: float = 0.35
    least_share: float = 0.6
    words: Words = field(default_factory=Words)


def nearest_claims(
    shop: Shop,
    rows: Sequence[int],
    *,
    text_vectors_ID: Matrix,
    among_I: NDArray[np.bool_],
    config: Config | None = None,
) -> list[Claim]:
    """Return what is claimed of some items in the dimensions of which nothing is known of them.

    The item's own words come first: they can be shown. Else the items with the most similar texts vote, and
    a value is claimed if most of them agree; the confidence is their share, times how near they are, times
    how sure it is of them. A brand is claimed only if the item's own title names it.

    Parameters
    ----------
    text_vectors_ID
        float32, (I, D), rows of unit length, zero where an item has no text.
    among_I
        Items that may be asked.
    """
    config, lexicon = config or Config(), load_lexicon()
    known = _known(shop, rows)
    dimensions = sorted(shop.attributes["dimension"].unique().to_list())
    categories = _values_in(shop, CATEGORY)
    near_of = list(_nearest(rows, text_vectors_ID, among_I, config))
    entries = _entries_of(shop, sorted({asked for near in near_of for asked, _ in near}))
    claims: list[Claim] = []
    for row, near in zip(rows, near_of, strict=True):
        words = list(_words(shop, row))
        said = {dimension for dimension, _ in known.get(row, {})}
        own = _claims_of_words(row, words, categories, lexicon, config)
        claims += [claim for claim in own if claim.dimension not in said]
        said |= {claim.dimension for claim in own}
        for dimension in dimensions:
            if dimension not in said:
                claims += _voted(row, dimension, near, entries, words, config)
    return claims


def _known(shop: Shop, rows: Sequence[int]) -> Mapping[int, Mapping[tuple[str, str], float]]:
    known: dict[int, dict[tuple[str, str], float]] = defaultdict(dict)
    wanted = shop.attributes.filter(pl.col("item_row").is_in(list(rows)))
    columns = ("item_row", "dimension", "value", "confidence")
    for row, dimension, value, confidence in wanted.select(columns).iter_rows():
        known[row][dimension, value] = confidence
    return known


def _entries_of(shop: Shop, rows: Sequence[int]) -> Mapping[tuple[int, str], list[Entry]]:
    """Return (item row, dimension) → its values."""
    entries: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for row, known in _known(shop, rows).items():
        for (dimension, value), confidence in known.items():
            entries[row, dimension].append((value, confidence))
    return entries


def _words(shop: Shop, row: int) -> Iterator[ItemWords]:
    for code in shop.languages:
        title, description = (shop.items[f"{part}_{code}"][row] or "" for part in ("title", "description"))
        if title or description:
            yield ItemWords(item_row=row, title=title, description=description)


def _claims_of_words(
    row: int, words: Sequence[ItemWords], categories: Mapping[str, str], lexicon: Lexicon, config: Config
) -> list[Claim]:
    """Return what an item's own texts name, each value once; a category only if the shop has it."""
    sure = config.words
    found = list(
        mention_claims(
            words, lexicon, NAMED_DIMENSIONS, in_title=sure.in_title, in_description=sure.in_description
        )
    )
    named = next((name for text in words if (name := thing_named(text.title, lexicon))), "")
    if named in categories:
        found.append(Claim(row, CATEGORY, categories[named], sure.category.named_confidence))
    surest: dict[tuple[str, str], Claim] = {}
    for claim in sorted(found, key=lambda claim: -claim.confidence):
        surest.setdefault((claim.dimension, claim.value), claim)
    return list(surest.values())


def _values_in(shop: Shop, dimension: str) -> dict[str, str]:
    """Return the values that the shop's items have, by their names in small letters."""
    found = shop.attributes.filter(pl.col("dimension") == dimension)["value"].unique().sort()
    return {value.lower(): value for value in found}


def _nearest(
    rows: Sequence[int], vectors_ID: Matrix, among_I: NDArray[np.bool_], config: Config
) -> Iterator[list[tuple[int, float]]]:
    """Yield for each row the rows of the most similar items and their cosines, nearest first."""
    asked = np.flatnonzero(among_I & vectors_ID.any(axis=1))
    n = min(config.n_nearest, len(asked))
    is_first = len(asked) > 0 and len(asked) == asked[-1] + 1
    asked_ID = vectors_ID[: len(asked)] if is_first else vectors_ID[asked]
    for row, cosines in zip(rows, vectors_ID[list(rows)] @ asked_ID.T, strict=True):
        cosines[asked == row] = -1.0
        best = np.argpartition(-cosines, n - 1)[:n] if n else np.zeros(0, dtype=np.int64)
        best = best[np.argsort(-cosines[best], kind="stable")]
        yield [(int(asked[b]), float(cosines[b])) for b in best if cosines[b] >= config.least_cosine]


def _voted(
    row: int,
    dimension: str,
    near: Sequence[tuple[int, float]],
    entries: Mapping[tuple[int, str], Sequence[Entry]],
    words: Sequence[ItemWords],
    config: Config,
) -> Iterator[Claim]:
    votes: dict[str, float] = defaultdict(float)
    sureness: dict[str, float] = defaultdict(float)
    total = sum(cosine for _, cosine in near)
    for asked, cosine in near:
        for value, confidence in entries.get((asked, dimension), ()):
            votes[value] += cosine
            sureness[value] += cosine * cosine * confidence
    if not votes:
        return
    value = max(sorted(votes), key=lambda value: votes[value])
    if votes[value] < config.least_share * total:
        return
    if dimension == BRAND and not any(value.lower() in text.title.lower() for text in words):
        return
    yield Claim(row, dimension, value, min(1.0, sureness[value] / total))
