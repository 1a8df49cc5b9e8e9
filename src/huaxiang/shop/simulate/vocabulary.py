"""What can be sold in the simulated shop, read from `world.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh")

Words = Mapping[str, tuple[str, ...]]
"""language → words or sentences."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A category: what it is made of, what is bought after it, how it is called (`names`) and praised."""

    value: str
    department: str
    price: int
    materials: tuple[str, ...]
    leads_to: tuple[str, ...]
    names: Words
    details: Words


@dataclass(frozen=True, kw_only=True)
class Brand:
    """An invented brand; `level` multiplies prices."""

    value: str
    departments: tuple[str, ...]
    styles: tuple[str, ...]
    level: float


@dataclass(frozen=True, kw_only=True)
class Shade:
    """A colour as texts and photos have it: navy is blue."""

    colour: str
    word: Mapping[str, str]
    rgb: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A material or a style: its word in titles, and what descriptions say of it."""

    value: str
    word: Mapping[str, str]
    said: Words


@dataclass(frozen=True)
class Vocabulary:
    """Everything that can be sold, in a fixed order."""

    kinds: tuple[Kind, ...]
    brands: tuple[Brand, ...]
    shades: tuple[Shade, ...]
    colour_weights: Mapping[str, float]
    materials: tuple[Trait, ...]
    styles: tuple[Trait, ...]
    lines: tuple[str, ...]

    @cached_property
    def colours(self) -> tuple[str, ...]:
        """Names of the colours, each once."""
        return tuple(dict.fromkeys(shade.colour for shade in self.shades))

    def values(self, dimension: str) -> tuple[str, ...]:
        """Return the names of the values of category, brand, colour, material or style."""
        if dimension == "colour":
            return self.colours
        rooms: Mapping[str, tuple[Kind, ...] | tuple[Brand, ...] | tuple[Trait, ...]] = {
            "category": self.kinds,
            "brand": self.brands,
            "material": self.materials,
            "style": self.styles,
        }
        return tuple(thing.value for thing in rooms[dimension])


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with the package.

    Examples
    --------
    >>> vocabulary().values("colour")[:3]
    ('red', 'pink', 'orange')
    """
    world = tomllib.loads(files("huaxiang.shop.simulate").joinpath("world.toml").read_text(encoding="utf-8"))
    return Vocabulary(
        kinds=tuple(_kind(value, stated) for value, stated in world["kinds"].items()),
        brands=tuple(
            Brand(
                value=value,
                departments=tuple(stated["departments"]),
                styles=tuple(stated["styles"]),
                level=stated["level"],
            )
            for value, stated in world["brands"].items()
        ),
        shades=tuple(_shade(colour, *shade) for colour, all_ in world["colours"].items() for shade in all_),
        colour_weights=world["colour_weights"],
        materials=_traits(world["materials"]),
        styles=_traits(world["styles"]),
        lines=tuple(world["lines"]["names"]),
    )


def _kind(value: str, stated: Mapping[str, Any]) -> Kind:
    return Kind(
        value=value,
        department=stated["department"],
        price=stated["price"],
        materials=tuple(stated["materials"]),
        leads_to=tuple(stated["leads_to"]),
        names=_by_language(stated),
        details=_by_language(stated["details"]),
    )


def _shade(colour: str, english: str, chinese: str, code: str) -> Shade:
    red, green, blue = bytes.fromhex(code[1:])
    return Shade(colour=colour, word={"en": english, "zh": chinese}, rgb=(red, green, blue))


def _traits(stated: Mapping[str, Any]) -> tuple[Trait, ...]:
    return tuple(
        Trait(value=value, word={"en": said["en"], "zh": said["zh"]}, said=_by_language(said["said"]))
        for value, said in stated.items()
    )


def _by_language(stated: Mapping[str, Any]) -> Words:
    return {language: tuple(stated[language]) for language in LANGUAGES}
