"""A public product taxonomy as further words for categories, colours and materials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from huaxiang.errors import ShopError
from huaxiang.shop.lexicon import Lexicon
from huaxiang.shop.tables import decoded, read_bytes

_FOLDERS = {"en": "en", "zh": "zh-CN"}
_LINE = re.compile(r"^(gid://\S+)\s+:\s+(.*?)(?:\s+\[([^\]]*)\])?$")
_DIMENSION_OF = {"Color": "colour", "Fabric": "material", "Material": "material"}
_SAY_NOTHING = frozenset(
    {"other", "universal", "none", "not applicable", "accessories", "parts", "sets", "kits"}
)

Words = dict[str, dict[str, tuple[str, ...]]]
"""value → language → words."""


def with_taxonomy(lexicon: Lexicon, folder: str | Path) -> Lexicon:
    """Return the lexicon with a taxonomy's names added; a word that the lexicon knows keeps its meaning.

    Parameters
    ----------
    folder
        Has `en/` and perhaps `zh-CN/`, each with `categories.txt[.gz]` and `attribute_values.txt[.gz]`, whose
        lines read `gid : Parent > Name` and `gid : Name [Attribute]`; the gids match across languages.

    Raises
    ------
    ShopError
        When the folder or a file of it can't be read.
    """
    folder = _checked(folder)
    names = {dimension: dict(values) for dimension, values in lexicon.names.items()}
    for dimension, words in (("category", _categories(folder)), *_values(folder).items()):
        known = names.setdefault(dimension, {})
        for value, by_language in words.items():
            if value not in known and not lexicon.find(value):
                known[value] = by_language
    return Lexicon(names)


def category_paths(folder: str | Path) -> dict[str, dict[str, str]]:
    """Return language → gid → the whole path of a category, its parts joined by " > ".

    Raises
    ------
    ShopError
        When the folder or a file of it can't be read.
    """
    folder = _checked(folder)
    return {
        language: {gid: path for gid, (path, _) in _lines(folder, code, "categories")}
        for language, code in _FOLDERS.items()
    }


def _checked(folder: str | Path) -> Path:
    folder = Path(folder)
    if not (folder / _FOLDERS["en"]).is_dir():
        raise ShopError(
            "no taxonomy in this folder", file=str(folder), remedy="name a folder that has en/categories.txt"
        )
    return folder


def _categories(folder: Path) -> Words:
    """Return the last parts of all category paths."""
    told = category_paths(folder)
    return _joined(
        {
            language: {gid: path.split(" > ")[-1] for gid, path in lines.items()}
            for language, lines in told.items()
        }
    )


def _values(folder: Path) -> dict[str, Words]:
    told = {language: dict(_lines(folder, code, "attribute_values")) for language, code in _FOLDERS.items()}
    dimension_of = {gid: _DIMENSION_OF.get(attribute or "") for gid, (_, attribute) in told["en"].items()}
    return {
        dimension: _joined(
            {
                language: {
                    gid: name for gid, (name, _) in lines.items() if dimension_of.get(gid) == dimension
                }
                for language, lines in told.items()
            }
        )
        for dimension in dict.fromkeys(_DIMENSION_OF.values())
    }


def _joined(names: Mapping[str, Mapping[str, str]]) -> Words:
    """Return English name in small letters → language → name, matched by gid."""
    words: Words = {}
    for gid, english in names["en"].items():
        if english.lower() not in _SAY_NOTHING:
            told: dict[str, tuple[str, ...]] = {
                language: (by_gid[gid],) for language, by_gid in names.items() if gid in by_gid
            }
            words.setdefault(english.lower(), told)
    return words


def _lines(folder: Path, code: str, name: str) -> Iterator[tuple[str, tuple[str, str | None]]]:
    if not (folder / code).is_dir():
        return
    found = (folder / code / f"{name}{ending}" for ending in (".txt.gz", ".txt"))
    path = next((path for path in found if path.exists()), folder / code / f"{name}.txt")
    for line in decoded(read_bytes(path), path.name).decode("utf-8").splitlines():
        parts = _LINE.match(line)
        if parts:
            yield parts[1], (parts[2], parts[3])
