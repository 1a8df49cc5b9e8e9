"""What `shop.toml` says: which file holds what, and how the shop's words read in ours."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from huaxiang.errors import ShopError
from huaxiang.records import EventType
from huaxiang.shop.columns import EVENT_NAMES, ITEM_NAMES, REVIEW_NAMES, is_item_name

SHOP_TOML = "shop.toml"

_KNOWN_NAMES = {"items": ITEM_NAMES, "events": EVENT_NAMES, "reviews": REVIEW_NAMES}


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """One table of the shop folder.

    Parameters
    ----------
    file
        Name inside the shop folder; None to look for a file of the table's name.
    encoding
        How the file is written; any name Python knows, such as "gbk".
    columns
        Our name → the file's column.
    attributes
        Items only: any further dimension → the file's column.
    types, default_type
        Events and reviews only: the file's word → an event type; what a line without a type is.
    """

    file: str | None = None
    encoding: str = "utf-8"
    columns: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    default_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShopSettings:
    """A whole `shop.toml`; the defaults mean "look and say what was assumed".

    Examples
    --------
    >>> shop_settings({"shop": {"name": "Tea", "currency": "CNY"}}).currency
    'CNY'
    """

    name: str | None = None
    languages: tuple[str, ...] = ()
    currency: str | None = None
    timezone: str | None = None
    adapter: str | None = None
    items: TableSettings = TableSettings()
    events: TableSettings = TableSettings()
    reviews: TableSettings = TableSettings()


_SHOP_KEYS = ("name", "languages", "currency", "timezone", "adapter")
_TABLE_KEYS = {
    "items": ("file", "encoding", "columns", "attributes"),
    "events": ("file", "encoding", "columns", "types", "default_type"),
    "reviews": ("file", "encoding", "columns", "types", "default_type"),
}


def read_shop_toml(folder: Path) -> ShopSettings:
    """Return what the folder's `shop.toml` says; the defaults where there is none.

    Raises
    ------
    ShopError
        When it is not TOML, a key is unknown (naming the nearest), or a value is of the wrong kind.
    """
    path = folder / SHOP_TOML
    if not path.exists():
        return ShopSettings()
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ShopError(f"not a TOML file ({error})", file=SHOP_TOML, remedy="mend it") from error
    return shop_settings(tree)


def shop_settings(tree: Mapping[str, Any]) -> ShopSettings:
    """Return checked settings from a tree of plain values, as `shop.toml` holds them."""
    _only_known(tree, ("shop", "items", "events", "reviews"), prefix="")
    stated = _section(tree, "shop")
    _only_known(stated, _SHOP_KEYS, prefix="shop.")
    languages = stated.get("languages", [])
    if not isinstance(languages, list) or not all(isinstance(code, str) and code for code in languages):
        raise _wrong("shop.languages", languages, 'write it as ["en", "zh"]')
    texts = {key: _text(stated, key, prefix="shop.") for key in _SHOP_KEYS if key != "languages"}
    tables = {name: _table(name, _section(tree, name)) for name in _TABLE_KEYS}
    return ShopSettings(languages=tuple(languages), **texts, **tables)  # type: ignore[arg-type]


def _table(name: str, stated: Mapping[str, Any]) -> TableSettings:
    _only_known(stated, _TABLE_KEYS[name], prefix=f"{name}.")
    maps = {key: _texts(stated, key, prefix=f"{name}.") for key in ("columns", "attributes", "types")}
    _check_columns(name, maps["columns"])
    default_type = _text(stated, "default_type", prefix=f"{name}.")
    for key, word in (("default_type", default_type), *((f"types.{k}", v) for k, v in maps["types"].items())):
        if word is not None:
            _only_known(
                [word], [kind.value for kind in EventType], prefix=f"{name}.{key} = ", what="event type"
            )
    return TableSettings(
        file=_text(stated, "file", prefix=f"{name}."),
        encoding=_text(stated, "encoding", prefix=f"{name}.") or "utf-8",
        default_type=default_type,
        **maps,
    )


def _check_columns(name: str, columns: Mapping[str, str]) -> None:
    unknown = [key for key in columns if not (name == "items" and is_item_name(key))]
    _only_known(unknown, _KNOWN_NAMES[name], prefix=f"{name}.columns.")


def _section(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = tree.get(name, {})
    if not isinstance(section, Mapping):
        raise _wrong(name, section, f"write it as a table, [{name}]")
    return section


def _text(stated: Mapping[str, Any], key: str, *, prefix: str) -> str | None:
    value = stated.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _wrong(prefix + key, value, "write it as text in quotes")
    return value


def _texts(stated: Mapping[str, Any], key: str, *, prefix: str) -> dict[str, str]:
    section = stated.get(key, {})
    if not isinstance(section, Mapping):
        raise _wrong(prefix + key, section, f"write it as a table, [{prefix}{key}]")
    return {name: _text(section, name, prefix=f"{prefix}{key}.") or "" for name in section}


def _only_known(keys: Iterable[str], known: Iterable[str], *, prefix: str, what: str = "key") -> None:
    allowed = list(known)
    for key in keys:
        if key not in allowed:
            nearest = get_close_matches(key, allowed, n=1, cutoff=0.0)[0]
            raise ShopError(
                f"no such {what}",
                file=SHOP_TOML,
                column=prefix + key,
                remedy=f"the nearest is {nearest}; there are {', '.join(allowed)}",
            )


def _wrong(key: str, value: object, remedy: str) -> ShopError:
    return ShopError(
        "value is of the wrong kind", file=SHOP_TOML, column=key, value=str(value), remedy=remedy
    )
