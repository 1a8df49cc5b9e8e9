"""A shop folder without an adapter: which file is what, and which column is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from huaxiang.errors import ShopError
from huaxiang.shop.columns import (
    EVENT_ALIASES,
    ITEM_ALIASES,
    REVIEW_ALIASES,
    match_columns,
    name_and_language,
)
from huaxiang.shop.images import find_images
from huaxiang.shop.raw import ATTRIBUTE, RawShop, renamed
from huaxiang.shop.settings import ShopSettings, TableSettings
from huaxiang.shop.tables import SUFFIXES, Table, read_table

_USUAL_FILES: Mapping[str, tuple[str, ...]] = {
    "items": ("items", "products", "catalogue", "catalog", "articles", "goods"),
    "events": ("events", "transactions", "interactions", "orders", "purchases", "clicks", "behavior", "log"),
    "reviews": ("reviews", "ratings", "comments"),
}
_WHO = ("shopper_id", "anonymous_id", "session_id", "order_id")
_ABOUT = ("item_id", "query", "text", "image")
_BOUGHT = ("quantity", "price", "price_minor", "order_id")


@dataclass(frozen=True, kw_only=True)
class _Read:
    frame: pl.DataFrame
    path: Path
    guesses: tuple[str, ...]


def read_folder(folder: Path, settings: ShopSettings) -> RawShop:
    """Return the shop in a folder as `shop.toml` says, and as names suggest where it says nothing.

    Raises
    ------
    ShopError
        When there is no file to read, or one lacks a column without which it says nothing.
    """
    paths, guesses = _files(folder, settings)
    if not paths:
        raise ShopError(
            "no items or events in the shop folder",
            file=str(folder),
            remedy=f"put events.csv there ({', '.join(SUFFIXES[:3])} or .gz), or name it in shop.toml",
        )
    items = _items(paths["items"], settings.items) if "items" in paths else None
    events = [
        _events(paths[name], part, default_type=default, aliases=aliases)
        for name, part, default, aliases in (
            ("events", settings.events, None, EVENT_ALIASES),
            ("reviews", settings.reviews, "review", REVIEW_ALIASES),
        )
        if name in paths
    ]
    frames = [read.frame for read in events]
    order_only = bool(frames) and not any("occurred_at" in frame.columns for frame in frames)
    if order_only:
        guesses.append("no file says when things happened; the order of lines is taken")
    said = [sentence for read in (*((items,) if items else ()), *events) for sentence in read.guesses]
    return RawShop(
        events=pl.concat(frames, how="diagonal") if frames else None,
        items=items.frame if items else None,
        files=tuple(paths.values()),
        types={**settings.events.types, **settings.reviews.types},
        order_only=order_only,
        images=find_images(folder),
        guesses=(*guesses, *said),
    )


def _files(folder: Path, settings: ShopSettings) -> tuple[dict[str, Path], list[str]]:
    found: dict[str, Path] = {}
    guesses = []
    for name, usual in _USUAL_FILES.items():
        stated = getattr(settings, name).file
        if stated is not None:
            found[name] = _inside(folder, stated)
            continue
        path = _first_of(folder, usual)
        if path is not None:
            found[name] = path
            if not path.name.startswith(f"{name}."):
                guesses.append(f"{path.name} is read as the {name}")
    if not found:
        alone = [path for path in sorted(folder.iterdir()) if path.name.endswith(SUFFIXES)]
        if len(alone) == 1:
            found["events"] = alone[0]
            guesses.append(f"{alone[0].name} is read as the events")
    return found, guesses


def _first_of(folder: Path, stems: Sequence[str]) -> Path | None:
    candidates = (folder / f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES)
    return next((path for path in candidates if path.exists()), None)


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ShopError(
            "file lies outside the shop folder",
            file="shop.toml",
            value=name,
            remedy="move it into the folder",
        )
    return path


def _items(path: Path, part: TableSettings) -> _Read:
    table = read_table(path, encoding=part.encoding)
    in_a_language = {name: () for name in table.columns if name_and_language(name)}
    aliases = {**ITEM_ALIASES, **in_a_language, **{name: () for name in part.columns}}
    columns, guesses = match_columns(
        [name for name in table.columns if name not in part.attributes.values()],
        part.columns,
        aliases,
        file=path.name,
    )
    _require(table, columns, ("item_id",), section="items")
    _require_attributes(table, part)
    attributes = {ATTRIBUTE + name: column for name, column in part.attributes.items()}
    return _Read(
        frame=renamed(table, {**columns, **attributes}), path=path, guesses=(*table.guesses, *guesses)
    )


def _require_attributes(table: Table, part: TableSettings) -> None:
    for column in part.attributes.values():
        if column not in table.columns:
            raise ShopError(
                "column is missing",
                file=table.file,
                column=column,
                remedy=f"[items.attributes] names it; the file has {', '.join(table.columns[:20])}",
            )


def _events(
    path: Path, part: TableSettings, *, default_type: str | None, aliases: Mapping[str, tuple[str, ...]]
) -> _Read:
    table = read_table(path, encoding=part.encoding)
    columns, guesses = match_columns(table.columns, part.columns, aliases, file=path.name)
    section = "reviews" if default_type == "review" else "events"
    _require(table, columns, _WHO, section=section)
    _require(table, columns, _ABOUT, section=section)
    frame = renamed(table, columns)
    kind = part.default_type or default_type
    if kind is None and "type" not in columns:
        kind = "purchase" if any(name in columns for name in _BOUGHT) else "view_item"
        guesses = [*guesses, f"{path.name}: no column says what happened; each line is read as {kind}"]
    if kind is not None:
        said = pl.col("type").str.strip_chars() if "type" in columns else pl.lit(None, dtype=pl.String)
        is_said = (said.str.len_bytes() > 0).fill_null(value=False)
        frame = frame.with_columns(pl.when(is_said).then(said).otherwise(pl.lit(kind)).alias("type"))
    return _Read(frame=frame, path=path, guesses=(*table.guesses, *guesses))


def _require(table: Table, columns: Mapping[str, str], one_of: Sequence[str], *, section: str) -> None:
    if not any(name in columns for name in one_of):
        raise ShopError(
            "column is missing",
            file=table.file,
            column=one_of[0],
            remedy=f'say which it is: [{section}.columns] {one_of[0]} = "…" in shop.toml; '
            f"the file has {', '.join(table.columns[:20])}",
        )
