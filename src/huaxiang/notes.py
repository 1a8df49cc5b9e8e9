"""What is not as it should be, in one sentence: the English that programs read, and the Chinese for people.

A note is made by `note` alone, from a form that is said in both languages, so that none can be without its
Chinese. What is kept, and answered as JSON, is the English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NewType

Note = NewType("Note", str)
"""The English; a type of its own, so that the type checker lets nothing else pass for one."""

FORMS: Mapping[str, tuple[str, str]] = {
    "by_student": ("read by the bilingual student", "文字由双语小模型读取"),
    "no_letter": ("the words have no letter that could be read", "文字中没有可读的字符"),
    "no_photos": (
        "the photo was not used: this model was built without photos",
        "未使用照片：此模型构建时没有照片",
    ),
    "photo_unused": ("the photo was not used: {why}", "未使用照片：{why}"),
    "photo_missing": ("photo is missing", "照片缺失"),
    "photo_too_large": ("photo file is larger than {n} MiB", "照片文件大于 {n} MiB"),
    "photo_too_many_pixels": ("photo has more than {n} million pixels", "照片超过 {n} 百万像素"),
    "photo_unreadable": ("photo can't be read", "照片无法读取"),
    "photo_cut_short": ("photo file is cut short", "照片文件不完整"),
    "photo_animated": ("photo is animated; its first frame is read", "照片是动图，只读取了第一帧"),
    "not_stored": ("{n} texts or photos are no longer stored", "{n} 条文字或照片已不再保存"),
    "not_read_yet": ("{n} texts or photos are not read yet", "{n} 条文字或照片尚未读取"),
    "other_currency": (
        "a price limit in {currency} can't be compared with prices in {own}",
        "以 {currency} 计的价格限制无法与以 {own} 计的价格比较",
    ),
    "search_corrected": (
        "searched for “{meant}” instead of “{written}”",
        "已改为搜索“{meant}”，原文为“{written}”",
    ),
    "search_by_meaning": (
        "no item has these words; shown is what is closest in meaning",
        "没有商品含有这些词，列出意思最接近的商品",
    ),
    "search_unlikely": (
        "nothing answers these words well; shown is what comes closest",
        "没有商品能很好地匹配这些词，列出最接近的结果",
    ),
    "search_without_price": (
        "nothing was found at this price; shown at any price",
        "该价格内没有找到商品，列出不限价格的结果",
    ),
    "search_without_refusals": (
        "nothing was found without what you refuse; shown with it",
        "排除之后没有找到商品，列出未排除的结果",
    ),
    "search_unpersonal": (
        "no consent for search; the order is the same for everybody",
        "顾客未授权用于搜索，排序对所有人相同",
    ),
    "search_nothing": ("nothing was found", "没有找到商品"),
    "search_filtered": (
        "nothing was found with these filters; without them there are {n}",
        "在这些筛选条件下没有找到商品，不筛选时有 {n} 件",
    ),
    "search_popular": ("nothing was found; shown are popular items", "没有找到商品，列出热门商品"),
    "rules_leave_none": ("the shop's rules leave no item", "按店铺规则没有可以列出的商品"),
    "no_item": ("no item may be listed", "没有可以列出的商品"),
    "beyond_limit": (
        "no item meets the price limit; shown without it",
        "没有商品符合价格限制，列表未按价格筛选",
    ),
    "beyond_wishes": ("no item meets the wishes; shown without them", "没有商品符合要求，列表未按要求筛选"),
    "nothing_known": ("nothing known of the shopper; popular items", "对这位顾客还一无所知，列出热门商品"),
    "no_consent": ("no consent for {purpose}; popular items", "顾客未授权用于{purpose}，列出热门商品"),
    "left_out": (
        "{name} left out: {n_items} items are more than its {limit}",
        "未使用 {name}：{n_items} 件商品超过其上限 {limit}",
    ),
    "no_new_items": (
        "{name} takes no new items: they are scored as those they look like",
        "{name} 不接受新商品：按与其相似的商品打分",
    ),
    "split_since": (
        "by time: {kinds} from {day} on, of all since {since}",
        "按时间：{day} 起的{kinds}，取自 {since} 以来的数据",
    ),
    "split_by_time": ("by time: {kinds} from {day} on", "按时间：{day} 起的{kinds}"),
    "split_last": ("leave-one-out: each shopper's last {kinds}", "留一法：每位顾客最后一次{kinds}"),
    "split_by_shopper": (
        "by shopper: the last {kinds} of shoppers of whom nothing was learnt",
        "按顾客：未参与学习的顾客最后一次{kinds}",
    ),
}
"""Name → the English and the Chinese form."""

PURPOSES: Mapping[str, str] = {
    "recommend": "推荐",
    "search": "搜索",
    "service": "客服",
    "ads": "广告",
    "research": "研究",
    "train": "模型训练",
}
"""What a profile may be read for, in Chinese."""

EVENT_TYPES: Mapping[str, str] = {
    "view_item_list": "看到列表",
    "select_item": "点选",
    "view_item": "浏览",
    "search": "搜索",
    "add_to_cart": "加入购物车",
    "remove_from_cart": "移出购物车",
    "add_to_wishlist": "收藏",
    "begin_checkout": "开始结账",
    "purchase": "购买",
    "refund": "退款",
    "review": "评价",
    "rate": "打分",
    "dislike": "不喜欢",
    "state": "说明",
    "correct": "更正",
    "consent": "授权",
    "alias": "身份合并",
}
"""What happened, in Chinese."""


def note(name: str, /, **parts: object) -> Note:
    """Return the note of a form, its parts filled in.

    Examples
    --------
    >>> note("not_stored", n=3)
    '3 texts or photos are no longer stored'
    """
    return Note(FORMS[name][0].format(**parts))


def spoken(said: str, *, language: str) -> str:
    """Return a note in `language`; what is no note, such as one that an older release wrote, as it stands.

    Examples
    --------
    >>> spoken("the photo was not used: photo is missing", language="zh")
    '未使用照片：照片缺失'
    """
    return _chinese(said) if language == "zh" else said


def _chinese(said: str) -> str:
    for pattern, form in _patterns():
        if found := pattern.fullmatch(said):
            return form.format(**{name: _chinese_part(part) for name, part in found.groupdict().items()})
    return said


def _chinese_part(part: str) -> str:
    """Return a part of a note in Chinese: it may be a note itself, or words that are known."""
    words = (PURPOSES.get(word) or EVENT_TYPES.get(word, word) for word in part.split(" and "))
    return _chinese("或".join(words))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what finds each English form and its parts, and the Chinese form; those without parts first."""
    forms = sorted(FORMS.values(), key=lambda form: "{" in form[0])
    return tuple((re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in forms)


def _pattern(english: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(english))
