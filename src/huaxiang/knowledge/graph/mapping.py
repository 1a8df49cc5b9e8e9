"""Which place of the public taxonomy each item has: found by the encoder, with confidence, and correctable.

An item is asked for by its text and by the name of its category. The nearest places share a vote among them,
and the item gets the deepest place that holds enough of it, itself or below: one that is surely a shoe, but
perhaps a boot and perhaps a sandal, is mapped to shoes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.errors import SettingsError, ShopError
from huaxiang.knowledge.graph.taxonomy import Taxonomy
from huaxiang.knowledge.graph.tree import CATEGORY, NO_PLACE, TAXONOMY, split_path
from huaxiang.records import Matrix
from huaxiang.shop.base import ATTRIBUTE_COLUMNS, Shop, in_shape
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.infer.base import Claim, Encode, claims_table
from huaxiang.shop.tables import LINE, read_table

MAP_COLUMNS = ("item_id", "title", "taxonomy_id", "path_en", "path_zh", "confidence", "source")
_PLACES = ("taxonomy_id", "path_en", "path_zh")
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Config:
    """How sure a place must be.

    Parameters
    ----------
    n_nearest
        Places that vote; ≥ 1.
    sharpness
        How much more a nearer place counts: e to this times the difference of the cosines. > 0.
    least_share
        Share of the vote that a place and all below it need. Above 0, up to 1.
    least_cosine
        An item to which no place is so near gets none. -1 to 1.
    level_cost
        What each level of a place takes from its cosine: a name deep in the tree, such as clock parts, must
        be nearer than clocks. ≥ 0.
    """

    n_nearest: int = 20
    sharpness: float = 30.0
    least_share: float = 0.5
    least_cosine: float = 0.3
    level_cost: float = 0.01

    def __post_init__(self) -> None:
        fits = (
            self.n_nearest >= 1
            and self.sharpness > 0
            and 0 < self.least_share <= 1
            and -1 <= self.least_cosine <= 1
            and self.level_cost >= 0
        )
        if not fits:
            remedy = (
                "n_nearest ≥ 1, sharpness > 0, least_share in (0, 1], least_cosine in [-1, 1], level_cost ≥ 0"
            )
            raise SettingsError("out of range", column="graph.mapping", remedy=remedy)


def mapped(
    shop: Shop, taxonomy: Taxonomy, *, text_vectors_ID: Matrix, encode: Encode, config: Config | None = None
) -> Shop:
    """Return the shop with a place in the taxonomy among the attributes of each item that is like one.

    What is stated stays, and is written as the taxonomy writes it; a statement that names no place is kept
    as a path of the shop's own.
    """
    shop = _as_written(shop, taxonomy)
    stated = set(shop.attributes.filter(dimension=TAXONOMY)["item_row"].to_list())
    rows = np.array([row for row in range(len(shop.items)) if row not in stated], dtype=np.int64)
    asked_ID = _asked(shop, rows, text_vectors_ID, encode)
    names_ND = encode([_said(path) for path in taxonomy.paths["en"]])
    claims = []
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        block = slice(first, first + _ROWS_AT_ONCE)
        places, shares = nearest_places(asked_ID[block], names_ND, taxonomy, config or Config())
        for row, place, share in zip(rows[block].tolist(), places.tolist(), shares.tolist(), strict=True):
            if place >= 0:
                claims.append(Claim(row, TAXONOMY, taxonomy.paths["en"][place], share))
    said = f"place in the taxonomy found for {len(claims)} of {len(rows)} items by nearness of their words"
    shop = replace(shop, attributes=pl.concat([shop.attributes, claims_table(claims)]))
    return replace(shop, labels=_with_labels(shop, taxonomy), guesses=(*shop.guesses, said))


def nearest_places(
    asked_ID: Matrix, names_ND: Matrix, taxonomy: Taxonomy, config: Config
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the place of each item, -1 where none is sure enough, and the share of the vote, (I,) each."""
    levels_N = (taxonomy.ancestors_NL >= 0).sum(axis=1)
    cosine_IN = asked_ID @ names_ND.T - np.float32(config.level_cost) * levels_N
    n = min(config.n_nearest, cosine_IN.shape[1])
    near_IK = np.argpartition(-cosine_IN, n - 1, axis=1)[:, :n]
    cosine_IK = np.take_along_axis(cosine_IN, near_IK, axis=1).astype(np.float64)
    vote_IK = np.exp(config.sharpness * (cosine_IK - cosine_IK.max(axis=1, keepdims=True)))
    vote_IK /= vote_IK.sum(axis=1, keepdims=True)
    places, shares = np.full(len(asked_ID), -1, np.int64), np.zeros(len(asked_ID))
    for above_N in taxonomy.ancestors_NL.T:  # from the top down, so that the deepest that is sure remains
        at_IK = above_N[near_IK]
        same_IKK = (at_IK[:, :, None] == at_IK[:, None, :]) & (at_IK >= 0)[:, :, None]
        mass_IK = (same_IKK * vote_IK[:, None, :]).sum(axis=2)
        best = mass_IK.argmax(axis=1)
        mass, at = mass_IK[np.arange(len(best)), best], at_IK[np.arange(len(best)), best]
        is_sure = (mass >= config.least_share) & (at >= 0)
        places[is_sure], shares[is_sure] = at[is_sure], mass[is_sure]
    is_near = cosine_IK.max(axis=1) >= config.least_cosine
    return np.where(is_near, places, -1), np.where(is_near, np.minimum(shares, 1.0), 0.0)


def mapping_table(shop: Shop, taxonomy: Taxonomy | None) -> pl.DataFrame:
    """Return what is written for review: each item with its place in both languages and how sure it is."""
    own = shop.attributes.filter(dimension=TAXONOMY).sort("confidence", descending=True, maintain_order=True)
    own = own.unique("item_row", keep="first", maintain_order=True)
    titles = pl.coalesce(f"title_{code}" for code in shop.languages)
    table = shop.items.select("item_id", titles.alias("title")).with_row_index("item_row")
    table = table.cast({"item_row": pl.Int32}).join(own, on="item_row", how="left", maintain_order="left")
    ids = dict(zip(taxonomy.paths["en"], taxonomy.ids, strict=True)) if taxonomy else {}
    labels = shop.labels.get("zh", {}).get(TAXONOMY, {})
    return table.select(
        "item_id",
        "title",
        _looked_up("value", ids).alias("taxonomy_id"),
        pl.col("value").alias("path_en"),
        _looked_up("value", labels).alias("path_zh"),
        pl.col("confidence").round(3),
        "source",
    )


def _looked_up(column: str, known: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(dict(known), default=None, return_dtype=pl.String)


def with_map(shop: Shop, file: Path, taxonomy: Taxonomy | None) -> Shop:
    """Return the shop with the places that a reviewed table states; they override what the encoder finds.

    A place may be corrected in any one of its three columns. A row in which they still agree, and which is
    marked inferred, was not corrected and is left to the encoder. Where all are emptied the item has none.

    Raises
    ------
    ShopError
        A column is missing, a place is none of the taxonomy's, or no row is of an item of the shop.
    """
    table = read_table(file)
    for column in ("item_id", "path_en"):
        if column not in table.columns:
            remedy = f"write {', '.join(MAP_COLUMNS)}; the file has {', '.join(table.columns)}"
            raise ShopError("column is missing", file=file.name, column=column, remedy=remedy)
    row_of = {item_id: row for row, item_id in enumerate(shop.items["item_id"].to_list())}
    lines = [line for line in table.frame.iter_rows(named=True) if line["item_id"] in row_of]
    if not lines:
        raise ShopError(
            "no row is of an item of this shop", file=file.name, remedy="is the map of another shop?"
        )
    corrected = [
        Claim(row_of[line["item_id"]], TAXONOMY, place, 1.0)
        for line in lines
        if (place := _corrected(line, taxonomy, file)) is not None
    ]
    stated = claims_table(corrected).with_columns(source=pl.lit("stated"))
    others = shop.attributes.join(
        stated.select("item_row", "dimension"),
        on=["item_row", "dimension"],
        how="anti",
        maintain_order="left",
    )
    return replace(
        shop,
        attributes=pl.concat([others, in_shape(stated, ATTRIBUTE_COLUMNS)]),
        guesses=(*shop.guesses, f"{file.name}: {len(corrected):,} places in the taxonomy, as stated there"),
        fingerprint=f"{shop.fingerprint}+{stated.hash_rows(seed=0).sum():x}",
    )


def _corrected(line: Mapping[str, Any], taxonomy: Taxonomy | None, file: Path) -> str | None:
    """Return the place that a row states, `NO_PLACE` for none, and None where it corrects nothing."""
    said = {name: (line.get(name) or "").strip() for name in _PLACES if name in line}
    if taxonomy is None:
        found = dict.fromkeys(said, DIVIDER.join(split_path(said["path_en"])))
    else:
        found = {name: _place(written, taxonomy, line, name, file) for name, written in said.items()}
    times = Counter(found.values())
    if len(times) == 1 and (line.get("source") or "") == "inferred" and taxonomy is not None:
        return None
    odd = [name for name, place in found.items() if times[place] == 1 and len(times) > 1]
    return found[odd[0] if len(odd) == 1 else "path_en"] or NO_PLACE


def _place(written: str, taxonomy: Taxonomy, line: Mapping[str, Any], column: str, file: Path) -> str:
    row = taxonomy.find(written) if written else None
    if written and row is None:
        near = get_close_matches(written, taxonomy.paths["en"], n=1, cutoff=0.0)
        raise ShopError(
            "no such place in the taxonomy",
            file=file.name,
            line=int(line[LINE]),
            column=column,
            value=written,
            remedy=f"the nearest is {near[0]}",
        )
    return taxonomy.paths["en"][row] if row is not None else ""


def _as_written(shop: Shop, taxonomy: Taxonomy) -> Shop:
    """Return the shop with stated ids and paths in any language as English paths."""
    said = shop.attributes.filter(dimension=TAXONOMY)["value"].unique().to_list()
    rows = {written: taxonomy.find(written) for written in said}
    english = {written: taxonomy.paths["en"][row] for written, row in rows.items() if row is not None}
    if not english:
        return shop
    value = pl.when(pl.col("dimension") == TAXONOMY).then(pl.col("value").replace(english)).otherwise("value")
    return replace(shop, attributes=shop.attributes.with_columns(value))


def _asked(shop: Shop, rows: NDArray[np.int64], text_vectors_ID: Matrix, encode: Encode) -> Matrix:
    """Return what is looked for: the direction between an item's text and its category's name, (I, D)."""
    of_items = shop.attributes.filter(dimension=CATEGORY).sort(
        "confidence", descending=True, maintain_order=True
    )
    names = of_items["value"].unique().sort().to_list()
    asked_ID = text_vectors_ID.astype(np.float32, copy=True)
    if names:
        row_of = {name: row for row, name in enumerate(names)}
        names_CD = encode([name.rsplit(DIVIDER, 1)[-1] for name in names])
        first = of_items.unique("item_row", keep="first", maintain_order=True)
        asked_ID[first["item_row"].to_numpy()] += names_CD[[row_of[name] for name in first["value"]]]
    asked_ID = asked_ID[rows]
    length_I = np.linalg.norm(asked_ID, axis=1, keepdims=True)
    return np.asarray(asked_ID / np.where(length_I > 0, length_I, 1.0), dtype=np.float32)


def _said(path: str) -> str:
    """Return the words of a place: its own name, and that of the place above it."""
    return ", ".join(reversed(path.split(DIVIDER)[-2:]))


def _with_labels(shop: Shop, taxonomy: Taxonomy) -> dict[str, dict[str, dict[str, str]]]:
    """Return the shop's labels with the paths, in each language, of the places that its items have."""
    labels = {
        language: {dimension: dict(names) for dimension, names in by_dimension.items()}
        for language, by_dimension in shop.labels.items()
    }
    used = shop.attributes.filter(dimension=TAXONOMY)["value"].unique().to_list()
    rows = {path: row for path in used if (row := taxonomy.find(path)) is not None}
    for language in taxonomy.paths.keys() - {"en"}:
        own = labels.setdefault(language, {}).setdefault(TAXONOMY, {})
        own |= {path: taxonomy.paths[language][row] for path, row in rows.items()}
    return labels
