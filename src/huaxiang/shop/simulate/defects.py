"""Planted defects: what is wrong with some products, so that what reviews are said to show can be checked.

A product has one defect at most. Of those who review it some notice: they say so in their own words and take
stars off. Everything else about the shop stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from huaxiang.shop.simulate.products import Products

NOTICE = 0.55
"""Share of reviewers who notice."""

CAUSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "fit": {
        "en": (
            "The sizing is way off for me.",
            "Much too tight around the middle.",
            "Order a size up, really.",
        ),
        "zh": ("尺码不准，差了一号。", "穿着太紧了。", "大小和尺码表对不上，偏小。"),
    },
    "fabric": {
        "en": (
            "The material is scratchy and thin.",
            "The cloth feels stiff.",
            "You can see through the fabric.",
        ),
        "zh": ("面料很差，扎人。", "料子发硬，不透气。", "布料太薄。"),
    },
    "colour": {
        "en": ("The colour faded after one wash.", "Not the shade in the picture at all: the color is off."),
        "zh": ("颜色和图片不一样，色差大。", "洗一次就掉色。"),
    },
    "quality": {
        "en": (
            "Poorly made: threads everywhere.",
            "The workmanship is sloppy.",
            "It came with a crack, broken.",
        ),
        "zh": ("做工粗糙，线头很多。", "质量太差了。", "有瑕疵，做工不好。"),
    },
    "comfort": {
        "en": ("Really uncomfortable after an hour.", "It hurts to wear all day."),
        "zh": ("穿久了不舒服。", "磨脚，走路疼。"),
    },
    "smell": {
        "en": ("There is a chemical smell that stays.", "It smells bad even after airing."),
        "zh": ("味道刺鼻，晾了几天还有。", "异味很重，难闻。"),
    },
    "packaging": {
        "en": ("The box was crushed and open.", "Badly packed, it arrived damaged."),
        "zh": ("包装破损，里面都压坏了。", "包装太差，盒子烂了。"),
    },
    "use": {
        "en": ("It is hard to use and the manual is no help.", "Half of it does not work."),
        "zh": ("很不好用，说明书也看不懂。", "操作麻烦，用不了。"),
    },
}
"""Aspect → language → complaints."""

OF_DEPARTMENT: Mapping[str, tuple[str, ...]] = {
    "clothing": ("fit", "fabric", "colour", "quality", "comfort", "smell"),
    "shoes": ("fit", "colour", "quality", "comfort", "smell"),
    "bags": ("fabric", "colour", "quality", "smell", "packaging"),
}
_OTHER = ("quality", "colour", "packaging", "smell", "use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """What is wrong with a product, and how many stars it takes off a review that notices."""

    aspect: str
    drop: int


def draw_defects(
    products: Products, *, share: float, drop: int, rng: np.random.Generator
) -> dict[int, Defect]:
    """Return product → its defect, for a share of the products."""
    n_groups = len(products.quality_G)
    chosen = np.sort(rng.permutation(n_groups)[: round(share * n_groups)]).tolist()
    defects = {}
    for group in chosen:
        kind = products.vocabulary.kinds[products.values["category"][int(products.items_of_group(group)[0])]]
        causes = OF_DEPARTMENT.get(kind.department, _OTHER)
        aspect = causes[int(rng.integers(len(causes)))]
        defects[group] = Defect(aspect=aspect, drop=drop)
    return defects


def complaint(defect: Defect, language: str, *, rng: np.random.Generator) -> str:
    """Return how somebody who noticed says so."""
    said: Sequence[str] = CAUSES[defect.aspect][language]
    return said[int(rng.integers(len(said)))]


def defect_table(products: Products, defects: Mapping[int, Defect]) -> pl.DataFrame:
    """Return item_id, aspect and drop of every item with a defect."""
    rows = [
        (products.item_ids[int(item)], defect.aspect, float(defect.drop))
        for group, defect in defects.items()
        for item in products.items_of_group(group)
    ]
    schema = {"item_id": pl.String, "aspect": pl.String, "drop": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
