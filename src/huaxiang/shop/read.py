"""A shop folder → a checked `Shop`: every line accounted for, every assumption said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from huaxiang.errors import ShopError
from huaxiang.shop.base import EVENT_COLUMNS, Accounting, Shop
from huaxiang.shop.datasets import adapter_named, find_adapter
from huaxiang.shop.event_checks import Rules
from huaxiang.shop.events import CheckedEvents, check_events
from huaxiang.shop.guess import read_folder
from huaxiang.shop.items import CheckedItems, ItemRules, check_items
from huaxiang.shop.raw import FILE, RawShop
from huaxiang.shop.seen_items import items_from_events
from huaxiang.shop.settings import ShopSettings, read_shop_toml, shop_settings
from huaxiang.shop.times import check_timezone

Progress = Callable[[int, int, str], None] | None

_N_STEPS = 4


def read_shop(
    folder: str | Path,
    *,
    adapter: str | None = None,
    settings: ShopSettings | Mapping[str, Any] | None = None,
    now: datetime | None = None,
    progress: Progress = None,
) -> Shop:
    """Return the shop in a folder.

    Parameters
    ----------
    adapter
        Name of a public data set's adapter; None takes what `shop.toml` names, else the one whose files
        these are, else reads `items`, `events` and `reviews`.
    settings
        Instead of `shop.toml`: the same tree of keys.
    now
        Nothing happens after it; None is this moment.
    progress
        Called with (steps done, steps, what is being done).

    Raises
    ------
    ShopError
        When the folder or a file can't be read, a column is missing, a setting is unknown, or there were
        lines of events and none could be used.
    """
    folder = _checked_folder(Path(folder))
    said = _settings(folder, settings)
    tell = progress or (lambda done, total, note: None)
    tell(0, _N_STEPS, "reading files")
    raw = _with_stated(_read_raw(folder, adapter or said.adapter, said), said)
    check_timezone(raw.timezone or "UTC")
    tell(1, _N_STEPS, "checking items")
    items = _checked_items(raw) if raw.items is not None else None
    tell(2, _N_STEPS, "checking events")
    events = _checked_events(raw, items, now=now or datetime.now(UTC))
    if items is None:
        items = _items_of_events(raw, events)
    tell(3, _N_STEPS, "taking stock")
    shop = _shop(folder, raw, items, events)
    tell(_N_STEPS, _N_STEPS, f"{shop.accounting.n_events:,} events")
    return shop


def require_events(shop: Shop) -> Shop:
    """Return the shop, if anything happened in it.

    Raises
    ------
    ShopError
        When it is a catalogue alone.
    """
    if shop.events.is_empty():
        remedy = "this is a catalogue alone: put events.csv (shopper_id, item_id, time) beside the items"
        raise ShopError("no events", file=shop.name, remedy=remedy)
    return shop


def _checked_folder(folder: Path) -> Path:
    if not folder.exists():
        raise ShopError("no such shop folder", file=str(folder), remedy="check --shop")
    if not folder.is_dir():
        raise ShopError("a file where a shop folder should be", file=str(folder), remedy="name its folder")
    return folder


def _settings(folder: Path, settings: ShopSettings | Mapping[str, Any] | None) -> ShopSettings:
    if settings is None:
        return read_shop_toml(folder)
    return settings if isinstance(settings, ShopSettings) else shop_settings(settings)


def _read_raw(folder: Path, adapter: str | None, settings: ShopSettings) -> RawShop:
    if adapter is not None:
        return adapter_named(adapter).read(folder)
    if settings.items.file or settings.events.file or settings.reviews.file:
        return read_folder(folder, settings)
    found = find_adapter(folder)
    if found is None:
        return read_folder(folder, settings)
    raw = found.read(folder)
    return replace(raw, guesses=(f"the files are those of {found.title}; read as such", *raw.guesses))


def _with_stated(raw: RawShop, said: ShopSettings) -> RawShop:
    """Return the raw shop with what `shop.toml` states, and what was assumed where nobody says anything."""
    guesses = list(raw.guesses)
    timezone = said.timezone or raw.timezone
    if timezone is None and raw.events is not None and not raw.order_only:
        guesses.append("times without a time zone are read as UTC")
    currency = said.currency or raw.currency
    if currency is None and raw.events is not None and "currency" in raw.events.columns:
        currency = next(iter(raw.events["currency"].drop_nulls().mode().sort()), None)
    return replace(
        raw,
        name=said.name or raw.name,
        languages=said.languages or raw.languages,
        currency=currency.upper() if currency else None,
        timezone=timezone or "UTC",
        guesses=tuple(guesses),
    )


def _checked_items(raw: RawShop, frame: pl.DataFrame | None = None) -> CheckedItems:
    rules = ItemRules(
        languages=raw.languages, currency=raw.currency, timezone=raw.timezone or "UTC", images=raw.images
    )
    items = frame if frame is not None else raw.items
    assert items is not None
    return check_items(items, rules)


def _checked_events(raw: RawShop, items: CheckedItems | None, *, now: datetime) -> CheckedEvents | None:
    if raw.events is None:
        return None
    rules = Rules(
        item_ids=None if items is None else items.items["item_id"],
        currency=raw.currency,
        timezone=raw.timezone or "UTC",
        order_only=raw.order_only,
        types=raw.types,
        now=now,
    )
    checked = check_events(raw.events, rules)
    if checked.events.is_empty():
        raise _nothing_usable(raw, raw.events, checked)
    return checked


def _nothing_usable(raw: RawShop, lines: pl.DataFrame, checked: CheckedEvents) -> ShopError:
    """Return the error that names the most frequent reason and the first line it struck."""
    if checked.quarantine.is_empty():
        counted = (
            ", ".join(f"{n} {reason}" for reason, n in checked.set_aside.items()) or "it has a header only"
        )
        file = next(iter(lines[FILE]), None) or ", ".join(path.name for path in raw.files)
        return ShopError("no usable events", file=file, remedy=f"check the file: {counted}")
    usual = checked.quarantine["reason"].mode().sort().first()
    first = checked.quarantine.filter(reason=usual).row(0, named=True)
    n = checked.quarantine.filter(reason=usual).height
    return ShopError(
        f"no usable events: {n} of {len(lines)} lines say {usual!r}",
        file=first["file"],
        line=first["line"],
        column=first["column"],
        value=first["value"] or "",
        remedy="correct the lines, or [events.columns] and [events.types] in shop.toml",
    )


def _items_of_events(raw: RawShop, events: CheckedEvents | None) -> CheckedItems:
    assert raw.events is not None
    assert events is not None
    lines = raw.events.select(pl.all().gather(events.kept))
    return _checked_items(raw, items_from_events(lines, events.events, currency=raw.currency))


def _shop(folder: Path, raw: RawShop, items: CheckedItems, events: CheckedEvents | None) -> Shop:
    quarantine = [items.quarantine, *([events.quarantine] if events else [])]
    return Shop(
        name=raw.name or folder.resolve().name,
        languages=items.languages,
        currency=raw.currency,
        timezone=raw.timezone or "UTC",
        items=items.items,
        events=events.events if events else pl.DataFrame(schema=dict(EVENT_COLUMNS)),
        attributes=items.attributes,
        quarantine=pl.concat(quarantine),
        accounting=_accounting(raw, items, events),
        order_only=raw.order_only,
        images=str(raw.images) if raw.images is not None else None,
        guesses=(*raw.guesses, *items.guesses, *(events.guesses if events else ())),
        fingerprint=_fingerprint(folder, raw.files, images=raw.images),
        labels=items.labels,
    )


def _accounting(raw: RawShop, items: CheckedItems, events: CheckedEvents | None) -> Accounting:
    items_quarantined = Counter(items.quarantine["reason"].to_list())
    if events is None or raw.events is None:
        return Accounting(
            lines_read=0, n_events=0, set_aside={}, quarantined={}, items_quarantined=items_quarantined
        )
    accounting = Accounting(
        lines_read=len(raw.events),
        n_events=len(events.events),
        set_aside=events.set_aside,
        quarantined=dict(Counter(events.quarantine["reason"].to_list()).most_common()),
        changed=events.changed,
        items_quarantined=items_quarantined,
    )
    assert accounting.agrees
    return accounting


def _fingerprint(folder: Path, files: Sequence[Path], *, images: Path | None) -> str:
    """Return a hash of what was read: names and contents of tables, names and sizes of photos."""
    digest = blake2b(digest_size=16)
    toml = folder / "shop.toml"
    for path in [*sorted(files), *([toml] if toml.exists() else [])]:
        digest.update(path.name.encode("utf-8") + b"\0" + path.read_bytes())
    if images is not None:
        photos = sorted(images.rglob("*")) if images.is_dir() else [images]
        for path in photos:
            digest.update(f"{path.name}\0{path.stat().st_size}".encode())
    return digest.hexdigest()
