"""What of an item can be searched by words: its texts, what kind of thing it is, and its qualities by name.

The names of values stand there in every language that they are known in, so that 红色连衣裙 finds a red dress
whose shop writes English alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from huaxiang.search.tokens import terms
from huaxiang.shop.catalogue import Catalogue

if TYPE_CHECKING:
    from huaxiang.shop.base import Shop

TITLE_WEIGHT = 3
"""How many times a word of the title counts as often as one of the description."""
LONGEST_DESCRIPTION = 2_000
"""Characters of a description that are read."""
UNSPOKEN = frozenset({"price_band", "image_tag"})


def documents(shop: Shop, catalogue: Catalogue, item_rows: Sequence[int] | None = None) -> list[list[str]]:
    """Return the terms of items, of all where no rows are named."""
    rows = range(catalogue.n_items) if item_rows is None else item_rows
    texts = _texts(shop, rows)
    names = _value_terms(catalogue)
    return [
        [*(titles * TITLE_WEIGHT), *rest, *_terms_of_values(catalogue, names, row)]
        for row, (titles, rest) in zip(rows, texts, strict=True)
    ]


def titles(shop: Shop, item_rows: Sequence[int] | None = None) -> list[list[str]]:
    """Return the titles of items, in every language that has one."""
    columns = [f"title_{language}" for language in shop.languages]
    return [[title for title in row if title] for row in _chosen(shop, item_rows).select(columns).iter_rows()]


def _texts(shop: Shop, rows: Sequence[int]) -> list[tuple[list[str], list[str]]]:
    chosen = _chosen(shop, rows)
    found = []
    columns = {
        kind: [f"{kind}_{language}" for language in shop.languages] for kind in ("title", "description")
    }
    for titles, descriptions in zip(
        chosen.select(columns["title"]).iter_rows(),
        chosen.select(columns["description"]).iter_rows(),
        strict=True,
    ):
        said = [terms(title or "") for title in titles]
        rest = [terms((text or "")[:LONGEST_DESCRIPTION]) for text in descriptions]
        found.append((_joined(said), _joined(rest)))
    return found


def _chosen(shop: Shop, rows: Sequence[int] | None) -> pl.DataFrame:
    return shop.items if rows is None or len(rows) == len(shop.items) else shop.items[list(rows)]


def _value_terms(catalogue: Catalogue) -> dict[str, list[list[str]]]:
    """Return dimension → the terms of each value's names, (V,)."""
    found = {}
    for name, dimension in catalogue.dimensions.items():
        if name in UNSPOKEN:
            continue
        labels = [dimension.values, *dimension.labels.values()]
        found[name] = [
            _joined(terms(said) for said in dict.fromkeys(label[value] for label in labels))
            for value in range(len(dimension.values))
        ]
    return found


def _terms_of_values(catalogue: Catalogue, names: dict[str, list[list[str]]], row: int) -> list[str]:
    found: list[str] = []
    for name, terms_V in names.items():
        dimension = catalogue.dimensions[name]
        for value in dimension.value_rows[dimension.offsets[row] : dimension.offsets[row + 1]].tolist():
            found += terms_V[value]
    return found


def _joined(parts: object) -> list[str]:
    return [term for part in parts for term in part]  # type: ignore[attr-defined]
