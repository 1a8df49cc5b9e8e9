"""All that is inferred about a shop's items, added to what it states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from huaxiang.errors import SettingsError
from huaxiang.records import Matrix
from huaxiang.shop.base import Shop
from huaxiang.shop.infer import brands, categories
from huaxiang.shop.infer.base import Claim, Encode, claims_table, rows_without
from huaxiang.shop.infer.mentions import ItemWords, mention_claims
from huaxiang.shop.infer.taxonomy import with_taxonomy
from huaxiang.shop.lexicon import Lexicon, load_lexicon

NAMED_DIMENSIONS = ("colour", "material", "style")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is inferred, and how sure it is.

    Parameters
    ----------
    stated_at_most
        A dimension of which the shop states more than this share of the items is left as it is. 0 to 1.
    in_title, in_description
        Confidence in a value that a title, or only a description, names. 0 to 1.
    category, brand
        Settings of these two.
    """

    stated_at_most: float = 0.5
    in_title: float = 0.9
    in_description: float = 0.5
    category: categories.Config = field(default_factory=categories.Config)
    brand: brands.Config = field(default_factory=brands.Config)

    def __post_init__(self) -> None:
        for name in ("stated_at_most", "in_title", "in_description"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingsError(
                    "setting is out of range",
                    column=f"infer.{name}",
                    value=str(value),
                    remedy="choose 0 to 1",
                )


def infer_attributes(
    shop: Shop,
    *,
    text_vectors_ID: Matrix,
    encode: Encode,
    taxonomy: str | Path | None = None,
    config: Config | None = None,
    seed: int = 0,
) -> Shop:
    """Return the shop with the categories, brands, colours, materials and styles that its texts show.

    What is stated stays; what is inferred is marked so, with its confidence, and `guesses` says how much.

    Parameters
    ----------
    text_vectors_ID
        float32, rows of unit length, zero where an item has no text.
    encode
        Texts → vectors in the same space, for the names of categories.
    taxonomy
        Folder of a product taxonomy whose names are looked for beside the lexicon's.
    """
    config = config or Config()
    lexicon = with_taxonomy(load_lexicon(), taxonomy) if taxonomy is not None else load_lexicon()
    words = _words_by_row(shop)
    claims, said = _named_claims(shop, words, lexicon, config)
    unbranded = sorted(rows_without(shop, brands.BRAND, stated_at_most=config.stated_at_most))
    branded = brands.brand_claims(unbranded, words, lexicon, config.brand)
    if branded:
        said.append(
            f"brand inferred for {len(branded)} of {len(unbranded)} items from the first words of titles"
        )
    rows = sorted(rows_without(shop, categories.CATEGORY, stated_at_most=config.stated_at_most))
    if rows:
        told = categories.Told(
            rows=rows,
            words=words,
            text_vectors_ID=text_vectors_ID,
            encode=encode,
            brands=_brand_names(shop, branded),
        )
        found, how = categories.category_claims(told, lexicon, config.category, seed=seed)
        claims += found
        said.append(f"category inferred for {len(found)} of {len(rows)} items: {', '.join(how) or 'none'}")
    return replace(
        shop,
        attributes=pl.concat([shop.attributes, claims_table([*claims, *branded])]),
        guesses=(*shop.guesses, *said),
        labels=_with_labels(shop, lexicon, claims),
    )


def _words_by_row(shop: Shop) -> dict[int, list[ItemWords]]:
    words: dict[int, list[ItemWords]] = {}
    for code in shop.languages:
        columns = shop.items.select(pl.col(f"title_{code}", f"description_{code}").fill_null(""))
        for row, (title, description) in enumerate(columns.iter_rows()):
            if title or description:
                words.setdefault(row, []).append(
                    ItemWords(item_row=row, title=title, description=description)
                )
    return words


def _brand_names(shop: Shop, claims: Sequence[Claim]) -> frozenset[str]:
    stated = shop.attributes.filter(dimension=brands.BRAND)["value"].unique()
    return frozenset({*stated, *(claim.value for claim in claims)})


def _named_claims(
    shop: Shop, words: Mapping[int, Sequence[ItemWords]], lexicon: Lexicon, config: Config
) -> tuple[list[Claim], list[str]]:
    claims: list[Claim] = []
    said = []
    for dimension in NAMED_DIMENSIONS:
        rows = rows_without(shop, dimension, stated_at_most=config.stated_at_most)
        texts = [text for row in sorted(rows) for text in words.get(row, ())]
        found = mention_claims(
            texts, lexicon, [dimension], in_title=config.in_title, in_description=config.in_description
        )
        surest: dict[tuple[int, str], Claim] = {}
        for claim in found:
            known = surest.get((claim.item_row, claim.value))
            if known is None or claim.confidence > known.confidence:
                surest[claim.item_row, claim.value] = claim
        claims += surest.values()
        if surest:
            n_items = len({claim.item_row for claim in surest.values()})
            said.append(f"{dimension} inferred for {n_items} of {len(rows)} items from their words")
    return claims, said


def _with_labels(
    shop: Shop, lexicon: Lexicon, claims: Sequence[Claim]
) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the shop's labels with those of inferred values that only a taxonomy knows."""
    labels = {
        language: {dimension: dict(names) for dimension, names in by_dimension.items()}
        for language, by_dimension in shop.labels.items()
    }
    for _, dimension, value, _ in claims:
        for language, spoken in lexicon.names.get(dimension, {}).get(value, {}).items():
            if spoken:
                labels.setdefault(language, {}).setdefault(dimension, {}).setdefault(value, spoken[0])
    return labels
