"""How the portrait says things in English and Chinese. Nothing here decides what is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

LANGUAGES = ("en", "zh")

PRICE_BANDS: Mapping[str, Mapping[str, str]] = {
    "en": {"low": "lowest", "medium": "middle", "high": "upper", "premium": "top"},
    "zh": {"low": "低价位", "medium": "中等价位", "high": "较高价位", "premium": "高端价位"},
}

LIKES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "category": "Is drawn to {v}",
        "family": "Likes all kinds of {v}",
        "brand": "Favours the brand {v}",
        "colour": "Prefers the colour {v}",
        "material": "Likes things made of {v}",
        "style": "Likes a {v} style",
        "price_band": "Leans towards the {v} price band",
        "image_tag": "Likes what looks like {v}",
        "review_aspect": "Cares about {v}, and praises it in reviews",
        "": "Prefers {v} ({d})",
    },
    "zh": {
        "category": "偏爱{v}",
        "family": "喜欢各类{v}",
        "brand": "偏爱品牌{v}",
        "colour": "偏爱{v}",
        "material": "喜欢{v}材质",
        "style": "喜欢{v}风格",
        "price_band": "偏向{v}的商品",
        "image_tag": "喜欢看起来像{v}的商品",
        "review_aspect": "看重{v}，评价时常称赞",
        "": "偏爱{v}（{d}）",
    },
}
"""Liked more than others do."""

CHOICES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "category": "Often chooses {v}",
        "brand": "Often chooses {v}",
        "price_band": LIKES["en"]["price_band"],
    },
    "zh": {"category": "常选{v}", "brand": "常选品牌{v}", "price_band": LIKES["zh"]["price_band"]},
}
"""Liked, though not surely more than others do."""

COUNTED = {"en": "{n} of {of} {actions}", "zh": "{of} 次行为中有 {n} 次"}
ACTIONS = ("action", "actions")
AT_LEAST = {"en": ", at least {lift} times as often as other shoppers", "zh": "，至少是其他顾客的 {lift} 倍"}

DISLIKES = {
    "en": "Does not care for {v}: {n} of {of} {marks}.",
    "zh": "不喜欢{v}：{of} 次不满中有 {n} 次与之有关。",
}
BLAMES = {
    "en": "Cares about {v}, and complains of it in {n} of {of} {marks}.",
    "zh": "看重{v}：{of} 次不满中有 {n} 次与之有关。",
}
MARKS = ("complaint", "complaints")

STATED = {
    "en": {"liked": "Asked for {v}.", "disliked": "Does not want {v}."},
    "zh": {"liked": "说过想要{v}。", "disliked": "说过不要{v}。"},
}
CORRECTED = {
    "en": {
        "liked": "Set right by the shopper: likes {v}.",
        "disliked": "Set right by the shopper: does not like {v}.",
    },
    "zh": {"liked": "本人更正：喜欢{v}。", "disliked": "本人更正：不喜欢{v}。"},
}
SEEN = {"en": "The picture shows something like {v}.", "zh": "图片看起来是{v}。"}

LIMITS = {
    "en": {
        "most": "Wants to pay at most {high}.",
        "least": "Wants to pay at least {low}.",
        "both": "Wants to pay between {low} and {high}.",
    },
    "zh": {
        "most": "希望价格不超过 {high}。",
        "least": "希望价格不低于 {low}。",
        "both": "希望价格在 {low} 到 {high} 之间。",
    },
}

CURRENCIES_ZH = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元"}

INTEREST = {
    "en": "Keeps coming back to things like “{title}”: {n} of {of} {actions}.",
    "zh": "经常关注“{title}”一类的商品：{of} 次行为中有 {n} 次。",
}
BOUGHT = {
    "en": {"dated": "Made {n} {purchases}, most recently on {when}.", "undated": "Made {n} {purchases}."},
    "zh": {"dated": "购买过 {n} 件次，最近一次在{when}。", "undated": "购买过 {n} 件次。"},
}
ABSENT = {
    "en": "Not seen since {when}, for {days} days.",
    "zh": "自{when}以来已有 {days} 天没有来过。",
}
HOURS = {
    "en": "Mostly comes between {start}:00 and {end}:00: {n} of {of} {actions}.",
    "zh": "多在 {start} 点到 {end} 点之间来访：{of} 次行为中有 {n} 次。",
}
INTENT = {
    "en": {
        "browsing": "Is looking around in this visit{about}: {n} {actions} so far.",
        "comparing": "Is comparing in this visit{about}: {n} {actions} so far.",
        "deciding": "Is about to decide in this visit{about}: {n} {actions} so far.",
        "buying": "Is buying in this visit{about}: {n} {actions} so far.",
    },
    "zh": {
        "browsing": "本次访问正在浏览{about}：已有 {n} 次行为。",
        "comparing": "本次访问正在比较{about}：已有 {n} 次行为。",
        "deciding": "本次访问即将做决定{about}：已有 {n} 次行为。",
        "buying": "本次访问正在购买{about}：已有 {n} 次行为。",
    },
}
ABOUT = {"en": ", mainly {v}", "zh": "，主要是{v}"}

_MONTHS = (
    "January February March April May June July August September October November December"
).split()  # fmt: skip


def day(when: date, language: str) -> str:
    """Return a date as the language writes it.

    Examples
    --------
    >>> day(date(2011, 12, 9), "en"), day(date(2011, 12, 9), "zh")
    ('9 December 2011', '2011年12月9日')
    """
    if language == "zh":
        return f"{when.year}年{when.month}月{when.day}日"
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def counted(n: int, forms: tuple[str, str]) -> str:
    """Return the singular or the plural."""
    return forms[n != 1]


def money(minor: int, currency: str | None, units: int, language: str) -> str:
    """Return an amount with its currency, without needless decimals.

    Examples
    --------
    >>> money(50_000, "CNY", 100, "zh"), money(1_999, "GBP", 100, "en")
    ('500 元', '19.99 GBP')
    """
    amount = f"{minor / units:,.2f}" if minor % units else f"{minor // units:,}"
    name = CURRENCIES_ZH.get(currency or "", currency) if language == "zh" else currency
    return f"{amount} {name}" if name else amount
