"""Titles and descriptions of the simulated items, written apart in English and in Chinese."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.shop.simulate.products import Products

TITLES = {
    "en": (
        "{brand} {style} {material} {noun}, {shade}",
        "{brand} {noun} in {shade} {material}",
        "{style} {shade} {noun} by {brand}",
        "{brand} “{line}” {style} {noun}, {material}, {shade}",
        "{shade} {material} {noun} – {brand} {line}",
        "{brand} {line} {noun} – {style}, {shade}",
    ),
    "zh": (
        "{brand} {style}{material}{noun} {shade}",
        "{brand} {shade}{material}{noun}",
        "{style}{shade}{noun} {brand}",
        "{brand}「{line}」系列 {style}{noun} {material} {shade}",
        "{shade}{material}{noun}｜{brand} {line}",
        "{brand} {line} {noun} {style}款 {shade}",
    ),
}

CLOSINGS = {
    "en": (
        "In {shade}.",
        "Shown here in {shade}; the photo is true to colour.",
        "This one is the {shade}.",
        "By {brand}, in {shade}.",
        "",
    ),
    "zh": (
        "颜色：{shade}。",
        "图为{shade}，实物颜色与照片一致。",
        "这款是{shade}。",
        "{brand}出品，{shade}。",
        "",
    ),
}


SMALL_WORDS = ("in", "by")


@dataclass(frozen=True, kw_only=True)
class ItemText:
    """An item's words in one language."""

    title: str
    description: str


def draw_texts(products: Products, *, rng: np.random.Generator) -> list[dict[str, ItemText]]:
    """Return each item's texts by language; variants of a product differ in the shade alone."""
    n_groups = len(products.quality_G)
    picks_GL6 = rng.integers(0, 2**31, size=(n_groups, len(TITLES), 6))
    lines_G = rng.choice(products.vocabulary.lines, n_groups)
    return [
        {
            language: _write(products, item, language, line=lines_G[group], picks=picks_GL6[group, at])
            for at, language in enumerate(TITLES)
        }
        for item, group in enumerate(products.group_rows)
    ]


def _write(products: Products, item: int, language: str, *, line: str, picks: NDArray[np.int64]) -> ItemText:
    words = products.vocabulary
    kind = words.kinds[products.values["category"][item]]
    material = words.materials[products.values["material"][item]]
    style = words.styles[products.values["style"][item]]
    said = {
        "brand": products.names["brand"][products.values["brand"][item]],
        "style": style.word[language],
        "material": material.word[language],
        "shade": words.shades[products.shade_rows[item]].word[language],
        "noun": _pick(kind.names[language], picks[0]),
        "line": line,
    }
    title = _pick(TITLES[language], picks[1]).format(**said)
    sentences = [
        _pick(style.said[language], picks[2]),
        _pick(material.said[language], picks[3]),
        _pick(kind.details[language], picks[4]),
        _pick(CLOSINGS[language], picks[5]).format(**said),
    ]
    gap = " " if language == "en" else ""
    return ItemText(title=_as_title(title, language), description=gap.join(filter(None, sentences)))


def _pick(choices: tuple[str, ...], number: int) -> str:
    return choices[int(number) % len(choices)]


def _as_title(title: str, language: str) -> str:
    """Return English words with a capital, but "in" and "by"; Chinese as it is."""
    if language != "en":
        return title
    return " ".join(word if word in SMALL_WORDS else word[0].upper() + word[1:] for word in title.split())
