"""Lines of items, checked: the catalogue table, its attributes, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from huaxiang.shop.base import ATTRIBUTE_COLUMNS, ITEM_COLUMNS, QUARANTINE_COLUMNS, in_shape
from huaxiang.shop.categories import normal_path, path_attributes
from huaxiang.shop.cells import amounts, ids, is_given, minor_units, numbers, stated, truths
from huaxiang.shop.columns import DIMENSIONS, ITEM_NAMES, name_and_language
from huaxiang.shop.images import Photos, by_stem
from huaxiang.shop.labels import labels_of
from huaxiang.shop.raw import ATTRIBUTE, FILE
from huaxiang.shop.tables import LINE, UNREADABLE
from huaxiang.shop.times import parse_times

_CHINESE = r"[\u4e00-\u9fff]"
_TEXTS = ("title", "description")
_PLAIN_DIMENSIONS = ("brand", "colour", "material", "style", *DIMENSIONS[3:])


@dataclass(frozen=True, kw_only=True)
class ItemRules:
    """What items are checked against; `images` is where their photos are."""

    languages: Sequence[str]
    currency: str | None
    timezone: str
    images: Path | None


@dataclass(frozen=True, kw_only=True)
class CheckedItems:
    """The catalogue. `quarantine` has lines that are no item, and cells without which an item was kept."""

    items: pl.DataFrame
    attributes: pl.DataFrame
    labels: Mapping[str, Mapping[str, Mapping[str, str]]]
    languages: tuple[str, ...]
    quarantine: pl.DataFrame
    guesses: tuple[str, ...]


def check_items(raw: pl.DataFrame, rules: ItemRules) -> CheckedItems:
    """Return the items in the order of their lines; a bad cell is left out, a bad line is no item."""
    raw = raw.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in ITEM_NAMES if name not in raw.columns
    )
    raw = raw.with_columns(ids("item_id"), stated("language").str.to_lowercase())
    languages, guesses = _languages(raw, rules.languages)
    worded = _texts_by_language(raw, languages)
    is_repeat = worded.select(
        pl.struct("item_id", "language").is_duplicated() & ~_is_first("item_id", "language")
    )
    whys = _why_no_item(worded, is_repeat.to_series())
    lines = worded.filter(whys.is_null())
    items = _merged(lines, languages)
    typed, bad_cells = _typed(items, rules)
    photos, image_guesses = _photos(typed, rules.images)
    finished = typed.with_columns(photos)
    texts = [f"{text}_{code}" for code in languages for text in _TEXTS]
    return CheckedItems(
        items=in_shape(finished, ITEM_COLUMNS, *texts),
        attributes=_attributes(finished),
        labels=labels_of(finished, languages),
        languages=tuple(languages),
        quarantine=pl.concat([_bad_lines(worded, whys), *bad_cells]),
        guesses=(*guesses, *image_guesses),
    )


def _languages(raw: pl.DataFrame, stated_languages: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the languages of the texts, the shop's own first, and what was assumed."""
    in_names = [found[1] for name in raw.columns if (found := name_and_language(name)) and found[0] in _TEXTS]
    in_cells = raw["language"].drop_nulls().unique(maintain_order=True).to_list()
    named = list(dict.fromkeys([*stated_languages, *in_names, *in_cells]))
    if named:
        return named, ()
    titles = raw["title"].drop_nulls().head(1000)
    share = float(titles.str.contains(_CHINESE).mean() or 0) if len(titles) else 0.0  # type: ignore[arg-type]
    code = "zh" if share > 0.5 else "en"
    return [code], (f"titles are read as {'Chinese' if code == 'zh' else 'English'}",)


def _texts_by_language(raw: pl.DataFrame, languages: Sequence[str]) -> pl.DataFrame:
    """Return the lines with `title_<language>` and `description_<language>` for each language."""
    keywords = stated("keywords").str.replace_all("|", " ", literal=True)
    described = pl.concat_str(stated("description"), keywords, separator=" ", ignore_nulls=True)
    plain = {"title": stated("title"), "description": pl.when(described.str.len_bytes() > 0).then(described)}
    own = pl.coalesce("language", pl.lit(languages[0]))
    columns = []
    for code in languages:
        for text, cell in plain.items():
            name = f"{text}_{code}"
            in_own_column = [stated(name)] if name in raw.columns else []
            columns.append(pl.coalesce(*in_own_column, pl.when(own == code).then(cell)).alias(name))
    return raw.with_columns(columns)


def _is_first(*columns: str) -> pl.Expr:
    return pl.struct(columns).is_first_distinct()


def _why_no_item(lines: pl.DataFrame, is_repeat: pl.Series) -> pl.Series:
    reason = (
        pl.when(pl.col(UNREADABLE).is_not_null())
        .then(UNREADABLE)
        .when(pl.col("item_id").is_null())
        .then(pl.lit("no item_id"))
        .when(is_repeat)
        .then(pl.lit("item_id seen before"))
    )
    return lines.select(reason.alias("reason"))["reason"]


def _bad_lines(lines: pl.DataFrame, whys: pl.Series) -> pl.DataFrame:
    bad = lines.with_columns(whys).filter(pl.col("reason").is_not_null())
    return _quarantined(bad, pl.lit("item_id"), pl.col("item_id"), pl.col("reason"))


def _quarantined(lines: pl.DataFrame, column: pl.Expr, value: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    found = lines.select(
        pl.col(FILE).alias("file"),
        pl.col(LINE).alias("line"),
        column.alias("column"),
        value.alias("value"),
        reason.alias("reason"),
    )
    return in_shape(found, QUARANTINE_COLUMNS)


def _merged(lines: pl.DataFrame, languages: Sequence[str]) -> pl.DataFrame:
    """Return one row per item: the first cell that says something, over its lines in several languages."""
    if lines["item_id"].is_unique().all():
        return lines
    rest = pl.exclude("item_id").drop_nulls().first()
    return lines.group_by("item_id", maintain_order=True).agg(rest)


def _typed(items: pl.DataFrame, rules: ItemRules) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the items with typed columns, and the cells that could not be read."""
    price = (amounts("price") * minor_units(rules.currency)).round().cast(pl.Int64, strict=False)
    from_minor = numbers("price_minor").cast(pl.Int64, strict=False)
    from_when, guesses = parse_times(items["valid_from"], timezone=rules.timezone, column="valid_from")
    del guesses
    typed = items.with_columns(
        pl.coalesce(from_minor, price).alias("minor"),
        truths("in_stock").alias("is_in_stock"),
        from_when["occurred_at"].alias("from_when"),
    )
    wrong = {
        "price": is_given("price") & pl.col("minor").is_null(),
        "valid_from": is_given("valid_from") & pl.col("from_when").is_null(),
        "in_stock": is_given("in_stock") & pl.col("is_in_stock").is_null(),
    }
    wrong["price "] = pl.col("minor") < 0
    bad = [
        _quarantined(
            typed.filter(is_wrong),
            pl.lit(name.strip()),
            pl.col(name.strip()),
            pl.lit("can't be read; the item was kept without it"),
        )
        for name, is_wrong in wrong.items()
    ]
    currency = pl.coalesce(stated("currency").str.to_uppercase(), pl.lit(rules.currency, dtype=pl.String))
    minor = pl.when(pl.col("minor") >= 0).then("minor")
    return typed.with_columns(
        pl.coalesce(ids("group_id"), "item_id").alias("group_id"),
        normal_path(stated("category")).alias("category"),
        stated("brand").alias("brand"),
        minor.alias("price_minor"),
        pl.when(minor.is_not_null()).then(currency).alias("currency"),
        pl.coalesce("is_in_stock", numbers("stock") > 0, pl.lit(True)).alias("in_stock"),
        pl.col("from_when").alias("valid_from"),
        stated("image").str.split("|").list.first().alias("image"),
    ), bad


def _photos(items: pl.DataFrame, images: Path | None) -> tuple[pl.Series, tuple[str, ...]]:
    """Return each item's photo that is there, by its name or else by the item's id."""
    if images is None:
        n_named = items["image"].count()
        guesses = (f"{n_named} items name a photo, but there is no images folder or zip",) if n_named else ()
        return pl.Series("image", [None] * len(items), dtype=pl.String), guesses
    names = Photos(images).names
    stems, known = by_stem(names), set(names)
    found = [
        image if image in known else stems.get(item_id if image is None else Path(image).stem)
        for item_id, image in items.select("item_id", "image").iter_rows()
    ]
    n_missing = sum(photo is None for photo in found)
    guesses = (f"{n_missing} of {len(found)} items have no photo in {images.name}",) if n_missing else ()
    return pl.Series("image", found, dtype=pl.String), guesses


def _attributes(items: pl.DataFrame) -> pl.DataFrame:
    """Return the stated values of each item, one row per (item, dimension, value)."""
    rows = items.with_row_index("item_row")
    named = {name: name for name in _PLAIN_DIMENSIONS}
    named |= {c.removeprefix(ATTRIBUTE): c for c in items.columns if c.startswith(ATTRIBUTE)}
    tables = [path_attributes(rows.select("item_row", "category"))]
    for dimension, column in named.items():
        values = rows.select("item_row", stated(column).str.split("|").alias("value")).explode("value")
        values = values.with_columns(pl.col("value").str.strip_chars()).filter(
            pl.col("value").str.len_bytes() > 0
        )
        tables.append(values.select("item_row", pl.lit(dimension).alias("dimension"), "value"))
    stated_values = pl.concat([table.cast({"item_row": pl.Int32}) for table in tables]).unique(
        maintain_order=True
    )
    marked = stated_values.with_columns(pl.lit("stated").alias("source"), pl.lit(1.0).alias("confidence"))
    return in_shape(marked, ATTRIBUTE_COLUMNS)
