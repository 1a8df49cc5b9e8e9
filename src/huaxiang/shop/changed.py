"""A shop after some of its items changed: rows stay where they are, new items stand at the end.

Values that shoppers may have corrected keep their names: a new item's category is named so that it is told
apart from those that are there, and theirs stay. Building the run again names all of them afresh.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from huaxiang.records import Item
from huaxiang.shop.base import ATTRIBUTE_COLUMNS, ITEM_COLUMNS, Shop, in_shape
from huaxiang.shop.categories import DIVIDER
from huaxiang.shop.item_records import is_silent, item_table, languages_of, stated_values

_TEXTS = ("title", "description")
_OF_THE_DAY = frozenset({"price_minor", "currency", "in_stock"})
"""Columns that change without changing what an item is."""
_OF_PATHS = ("category", "department")
"""Dimensions that follow from the column `category`."""

Rows = NDArray[np.int64]
Meaning = tuple[str, str]
"""(dimension, value)."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A shop after a change, and which of its rows have to be looked at again; each int64, ascending.

    Parameters
    ----------
    rows
        Those that differ in anything, new ones included.
    described
        Those that differ in more than price and stock.
    worded, shown
        Those with other words, and with another photo.
    unsaid
        Those of which what is not stated has to be inferred, again or for the first time.
    """

    shop: Shop
    rows: Rows
    described: Rows
    worded: Rows
    shown: Rows
    unsaid: Rows


def changed_items(shop: Shop, items: Sequence[Item], *, deleted: Collection[str] = ()) -> Changed:
    """Return the shop with these items in place of those of the same id, or after the others.

    An item of the shop whose record says no category, brand or attribute keeps those that the shop states.
    What was inferred from words that have changed is dropped.

    Parameters
    ----------
    items
        Of several with one id the last counts.
    deleted
        Ids that are no longer sold: out of stock, whatever their record says.

    Examples
    --------
    >>> from huaxiang.shop.base import EVENT_COLUMNS, QUARANTINE_COLUMNS, Accounting
    >>> empty = [pl.DataFrame(schema=dict(c)) for c in (EVENT_COLUMNS, ATTRIBUTE_COLUMNS, QUARANTINE_COLUMNS)]
    >>> accounting = Accounting(lines_read=0, n_events=0, set_aside={}, quarantined={})
    >>> shop = Shop(name="small", languages=("en",), currency="USD", timezone="UTC", events=empty[0],
    ...     items=item_table([], ["en"]), attributes=empty[1], quarantine=empty[2], accounting=accounting)
    >>> changed = changed_items(shop, [Item(item_id="mug", brand="Acme", price_minor=900)])
    >>> changed.rows.tolist(), changed.shop.attributes.rows()
    ([0], [(0, 'brand', 'Acme', 'stated', 1.0)])
    """
    given = list({item.item_id: item for item in items}.values())
    languages = languages_of(shop, given)
    before = _spoken(shop.items, languages)
    row_of = {item_id: row for row, item_id in enumerate(before["item_id"].to_list())}
    rows = np.array([row_of.setdefault(item.item_id, len(row_of)) for item in given], dtype=np.int64)
    is_new = rows >= len(before)
    is_kept = np.array([is_silent(item) for item in given], dtype=np.bool_) & ~is_new
    table = _keeping(item_table(given, languages, deleted=deleted), before, rows, is_kept)
    was_stated = _stated_before(shop.attributes, rows)
    stated = _stated(shop, given, table["category"].to_list())
    restated = ~is_kept & np.array(
        [stated[place] != was_stated.get(int(row), set()) for place, row in enumerate(rows)], dtype=np.bool_
    )
    differs = _Differs(before, table, rows, is_new)
    worded = differs.among(_texts(table))
    described = differs.among(set(table.columns) - _OF_THE_DAY) | restated
    attributes = _attributes(
        shop, _Restated(rows[restated], [stated[place] for place in np.flatnonzero(restated)]), rows[worded]
    )
    take = np.arange(len(row_of))
    take[rows] = len(before) + np.arange(len(rows))
    whole = replace(shop, items=pl.concat([before, table])[take], attributes=attributes, languages=languages)
    return Changed(
        shop=whole,
        rows=np.sort(rows[differs.among(table.columns) | restated]),
        described=np.sort(rows[described]),
        worded=np.sort(rows[worded]),
        shown=np.sort(rows[differs.among(["image"])]),
        unsaid=np.sort(rows[worded | restated]),
    )


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Items as rows of a table, and what of them differs from the shop.

    Parameters
    ----------
    described
        Places of those that differ in more than price and stock; each int64, ascending.
    worded, shown
        Places of those with other words, and with another photo.
    """

    items: pl.DataFrame
    languages: tuple[str, ...]
    described: Rows
    worded: Rows
    shown: Rows


def outlook_of(shop: Shop, items: Sequence[Item], row_of: Mapping[str, int]) -> Outlook:
    """Return what `changed_items` is going to find, far sooner: nothing of the shop is made anew.

    Parameters
    ----------
    row_of
        Item id → its row in the shop.
    """
    languages = languages_of(shop, items)
    rows = np.array([row_of.get(item.item_id, -1) for item in items], dtype=np.int64)
    is_new, places = rows < 0, np.arange(len(rows))
    before = _spoken(shop.items[np.maximum(rows, 0)] if len(row_of) else shop.items, languages)
    is_kept = np.array([is_silent(item) for item in items], dtype=np.bool_) & ~is_new
    table = _keeping(item_table(items, languages), before, places, is_kept)
    stated: list[set[Meaning]] = [set() for _ in items]
    for place, dimension, value in stated_values(items):
        stated[place].add((dimension, value))
    was_stated = _stated_before(shop.attributes.filter(~pl.col("dimension").is_in(_OF_PATHS)), rows)
    restated = ~is_kept & np.array(
        [stated[place] != was_stated.get(int(row), set()) for place, row in enumerate(rows)], dtype=np.bool_
    )
    differs = _Differs(before, table, places, is_new)
    return Outlook(
        items=table,
        languages=languages,
        described=np.flatnonzero(differs.among(set(table.columns) - _OF_THE_DAY) | restated),
        worded=np.flatnonzero(differs.among(_texts(table))),
        shown=np.flatnonzero(differs.among(["image"])),
    )


def out_of_stock(shop: Shop, gone: NDArray[np.bool_]) -> Shop:
    """Return the shop with some of its items out of stock, (I,)."""
    in_stock = shop.items["in_stock"]
    if not (in_stock.to_numpy() & gone).any():
        return shop
    return replace(shop, items=shop.items.with_columns(in_stock & ~pl.Series(gone)))


def _spoken(items: pl.DataFrame, languages: Sequence[str]) -> pl.DataFrame:
    """Return the items with columns for the texts of every language."""
    names = [f"{text}_{code}" for code in languages for text in _TEXTS]
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in items.columns]
    return in_shape(items.with_columns(missing), ITEM_COLUMNS, *names)


def _texts(table: pl.DataFrame) -> list[str]:
    return [name for name in table.columns if name.partition("_")[0] in _TEXTS]


def _keeping(
    table: pl.DataFrame, before: pl.DataFrame, rows: Rows, is_kept: NDArray[np.bool_]
) -> pl.DataFrame:
    """Return the new rows, with category and brand of the old ones where they are kept."""
    if not is_kept.any():
        return table
    old, kept = before[np.where(is_kept, rows, 0)], pl.Series(is_kept)
    return table.with_columns(
        pl.when(kept).then(old[name]).otherwise(pl.col(name)).alias(name) for name in ("category", "brand")
    )


@dataclass(frozen=True)
class _Differs:
    """Where new rows differ from those that they replace."""

    before: pl.DataFrame
    table: pl.DataFrame
    rows: Rows
    is_new: NDArray[np.bool_]

    def among(self, columns: Iterable[str]) -> NDArray[np.bool_]:
        """Return which rows are new or differ in one of the columns."""
        found = self.is_new.copy()
        if found.all():
            return found
        old = self.before[np.where(self.is_new, 0, self.rows)]
        for name in columns:
            found |= old[name].ne_missing(self.table[name]).to_numpy()
        return found


def _stated_before(attributes: pl.DataFrame, rows: Rows) -> Mapping[int, set[Meaning]]:
    stated: dict[int, set[Meaning]] = defaultdict(set)
    wanted = attributes.filter((pl.col("source") == "stated") & pl.col("item_row").is_in(rows.tolist()))
    for row, dimension, value in wanted.select("item_row", "dimension", "value").iter_rows():
        stated[row].add((dimension, value))
    return stated


def _stated(shop: Shop, items: Sequence[Item], paths: Sequence[str | None]) -> list[set[Meaning]]:
    """Return what is stated of each item, its category under the name that tells it from the others."""
    stated: list[set[Meaning]] = [set() for _ in items]
    for place, dimension, value in stated_values(items):
        stated[place].add((dimension, value))
    if any(paths):
        names = _category_names(shop)
        has_departments = "department" in shop.attributes["dimension"].unique()
        for place, path in enumerate(paths):
            if path:
                stated[place].add(("category", _named(path, names)))
                first, divider, _ = path.partition(DIVIDER)
                if divider and has_departments:
                    stated[place].add(("department", first))
    return stated


def _category_names(shop: Shop) -> dict[str, str]:
    """Return path → the value by which the shop's items name it."""
    stated = shop.attributes.filter((pl.col("dimension") == "category") & (pl.col("source") == "stated"))
    paths = shop.items["category"].gather(stated["item_row"])
    named = pl.DataFrame({"category": paths, "value": stated["value"]}).drop_nulls("category")
    return dict(named.unique("category", keep="first", maintain_order=True).iter_rows())


def _named(path: str, names: dict[str, str]) -> str:
    """Return the shortest end of a path by which no other path is named, and remember it."""
    if path not in names:
        parts, taken = path.split(DIVIDER), set(names.values())
        ends = (DIVIDER.join(parts[-n:]) for n in range(1, len(parts) + 1))
        names[path] = next((end for end in ends if end not in taken), path)
    return names[path]


@dataclass(frozen=True)
class _Restated:
    """Rows of which other things are stated than before, and what."""

    rows: Rows
    stated: Sequence[set[Meaning]]


def _attributes(shop: Shop, restated: _Restated, worded: Rows) -> pl.DataFrame:
    """Return the attributes: stated ones renewed, and of the inferred ones those that still hold."""
    new = pl.DataFrame(
        [
            (int(row), dimension, value)
            for row, stated in zip(restated.rows, restated.stated, strict=True)
            for dimension, value in sorted(stated)
        ],
        schema={"item_row": pl.Int32, "dimension": pl.String, "value": pl.String},
        orient="row",
    ).with_columns(pl.lit("stated").alias("source"), pl.lit(1.0).alias("confidence"))
    if new.is_empty() and not len(worded) and not len(restated.rows):
        return shop.attributes
    is_stated = pl.col("source") == "stated"
    is_old = is_stated & pl.col("item_row").is_in(restated.rows.tolist())
    is_unread = ~is_stated & pl.col("item_row").is_in(worded.tolist())
    kept = shop.attributes.filter(~(is_old | is_unread))
    now_stated = new.select("item_row", "dimension").unique()
    overruled = kept.filter(~is_stated).join(now_stated, on=["item_row", "dimension"], how="semi")
    if not overruled.is_empty():
        kept = kept.join(overruled, on=list(ATTRIBUTE_COLUMNS), how="anti", maintain_order="left")
    return pl.concat([kept, in_shape(new, ATTRIBUTE_COLUMNS)])
