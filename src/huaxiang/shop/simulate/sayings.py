"""What simulated shoppers type and write: queries, wishes and reviews, in their own language."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from huaxiang.shop.simulate.products import Products

QUERIES = {
    "en": (
        "{noun}",
        "{shade} {noun}",
        "{style} {noun}",
        "{material} {noun}",
        "{shade} {material} {noun}",
        "{brand} {noun}",
        "{noun} under {price} yuan",
        "{style} {shade} {noun}",
    ),
    "zh": (
        "{noun}",
        "{shade}{noun}",
        "{style}{noun}",
        "{material}{noun}",
        "{shade} {material} {noun}",
        "{brand} {noun}",
        "{price}元以内的{noun}",
        "{style} {shade} {noun}",
    ),
}

WISHES = {
    "en": (
        "I like {shade} and anything {style}.",
        "Looking for a {shade} {noun}, {material} if possible.",
        "I mostly wear {shade}; please show me {style} things.",
        "I need a new {noun}, up to {price} yuan.",
    ),
    "zh": (
        "我喜欢{shade}，偏{style}一点的。",
        "想找一款{shade}的{noun}，最好是{material}的。",
        "平时多用{shade}，多推荐些{style}的吧。",
        "想买{noun}，{price}元以内。",
    ),
}

OPENINGS = {
    "en": {
        "good": (
            "Love it.",
            "Very happy with this {noun}.",
            "Exactly what I was looking for.",
            "Even better than hoped.",
        ),
        "fair": ("It is fine.", "All right for the price.", "Does what it should.", "Not bad, not special."),
        "poor": (
            "Disappointed.",
            "I would not buy this {noun} again.",
            "Not what I expected.",
            "I am thinking of sending it back.",
        ),
    },
    "zh": {
        "good": ("非常喜欢！", "这款{noun}买得很满意。", "正是我想要的。", "比想象中还要好。"),
        "fair": ("还行吧。", "这个价位可以接受。", "中规中矩。", "一般般，没有惊喜。"),
        "poor": ("有点失望。", "这款{noun}不会再买了。", "和想象的差距挺大。", "正考虑退货。"),
    },
}

ASPECTS: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "clothing": {
        "en": {
            "good": (
                "The {material} feels great.",
                "Fits perfectly.",
                "The {shade} is just as in the photo.",
                "Well sewn.",
            ),
            "poor": (
                "The fabric is thin.",
                "It runs small.",
                "The {shade} looks different in daylight.",
                "A seam came undone.",
            ),
        },
        "zh": {
            "good": (
                "{material}的手感很好。",
                "尺码很准，上身合适。",
                "{shade}和图片上一样好看。",
                "做工细致。",
            ),
            "poor": ("面料太薄了。", "尺码偏小。", "{shade}有色差。", "线头很多，开线了。"),
        },
    },
    "shoes": {
        "en": {
            "good": (
                "Comfortable from the first step.",
                "True to size.",
                "The sole grips well.",
                "Light on the foot.",
            ),
            "poor": (
                "They rub at the heel.",
                "Half a size too small.",
                "The sole is hard.",
                "The glue gave way after a week.",
            ),
        },
        "zh": {
            "good": ("上脚就很舒服，不磨脚。", "尺码标准。", "鞋底防滑，走路稳。", "很轻便。"),
            "poor": ("磨脚后跟。", "偏小半码。", "鞋底太硬。", "穿了一周就开胶。"),
        },
    },
    "bags": {
        "en": {
            "good": (
                "Everything has its place.",
                "The zip runs smoothly.",
                "The {material} looks expensive.",
            ),
            "poor": ("Smaller than it looks.", "The zip sticks.", "It smelled strongly at first."),
        },
        "zh": {
            "good": ("容量大，分区合理。", "拉链顺滑。", "{material}很有质感。"),
            "poor": ("比看起来小。", "拉链卡顿。", "刚打开味道很大。"),
        },
    },
    "other": {
        "en": {
            "good": (
                "Feels solid.",
                "Looks lovely in {shade}.",
                "Came quickly and well packed.",
                "Good value.",
            ),
            "poor": (
                "It arrived scratched.",
                "Feels cheap.",
                "Delivery took two weeks.",
                "Too dear for what it is.",
            ),
        },
        "zh": {
            "good": ("质感扎实。", "{shade}很好看。", "发货快，包装严实。", "性价比高。"),
            "poor": ("收到时有划痕。", "做工粗糙。", "物流等了两周。", "不值这个价。"),
        },
    },
}


def query(words: Mapping[str, str], language: str, *, rng: np.random.Generator) -> str:
    """Return what a shopper types who looks for something with these words."""
    return _fill(QUERIES[language], words, rng=rng)


def wish(words: Mapping[str, str], language: str, *, rng: np.random.Generator) -> str:
    """Return what a shopper says of themself."""
    return _fill(WISHES[language], words, rng=rng)


def review(
    words: Mapping[str, str], language: str, *, rating: int, department: str, rng: np.random.Generator
) -> str:
    """Return a review: 4 and 5 praise, 1 and 2 blame, 3 does a little of both."""
    mood = "good" if rating >= 4 else "poor" if rating <= 2 else "fair"
    sides = {"good": ("good", "good"), "poor": ("poor", "poor"), "fair": ("good", "poor")}[mood]
    aspects = ASPECTS.get(department, ASPECTS["other"])[language]
    about = rng.permutation(min(len(said) for said in aspects.values()))
    n_aspects = 2 if mood == "fair" else int(rng.integers(1, 3))
    sentences = [_fill(OPENINGS[language][mood], words, rng=rng)]
    for side, row in list(zip(sides, about, strict=False))[:n_aspects]:
        sentences.append(aspects[side][row].format(**words))
    return (" " if language == "en" else "").join(sentences)


def _fill(templates: tuple[str, ...], words: Mapping[str, str], *, rng: np.random.Generator) -> str:
    return templates[int(rng.integers(len(templates)))].format(**words)


def words_of(products: Products, item: int, language: str) -> dict[str, str]:
    """Return what an item is in the words of a language, and a round price above its own."""
    vocabulary = products.vocabulary
    values = {dimension: int(rows[item]) for dimension, rows in products.values.items()}
    return {
        "brand": products.names["brand"][values["brand"]],
        "shade": vocabulary.shades[products.shade_rows[item]].word[language],
        "material": vocabulary.materials[values["material"]].word[language],
        "style": vocabulary.styles[values["style"]].word[language],
        "noun": vocabulary.kinds[values["category"]].names[language][0],
        "price": str((int(products.price_yuan[item]) // 100 + 1) * 100),
    }
