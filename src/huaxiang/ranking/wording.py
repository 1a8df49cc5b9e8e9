"""The words of a reason, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from huaxiang.records import EventType

_EN: Mapping[str, str] = {
    "purchase": "Because you bought {about}",
    "review": "Because you reviewed {about}",
    "rate": "Because you rated {about}",
    "add_to_wishlist": "Because you saved {about}",
    "add_to_cart": "Because you put {about} in your cart",
    "select_item": "Because you looked at {about}",
    "view_item": "Because you looked at {about}",
    "search": "Because you searched for “{about}”",
    "state": "Because you said “{about}”",
    "photo": "Because of the photo you showed us",
    "dislike": "Unlike {about}, which you did not like",
    "deed": "Because of what you did with {about}",
    "liked": "You asked for {about}",
    "within_limit": "Within the price you named",
    "popular": "Popular in this shop",
    "new": "New in this shop",
    "typical": "Often chosen in this shop",
    "alike": "Like {about}",
    "named": "Is what you named",
    "has_words": "Has {about}",
    "means": "Close to what you mean",
    "looks": "Looks like your photo",
    "complement:purchase": "Completes {about}, which you bought",
    "complement:add_to_wishlist": "Goes with {about}, which you saved",
    "complement:add_to_cart": "Goes with {about} in your cart",
    "complement:select_item": "Goes with {about}, which you looked at",
    "complement:view_item": "Goes with {about}, which you looked at",
    "substitute:purchase": "Like {about}, which you bought",
    "substitute:add_to_wishlist": "An alternative to {about}, which you saved",
    "substitute:add_to_cart": "An alternative to {about} in your cart",
    "substitute:select_item": "An alternative to {about}, which you looked at",
    "substitute:view_item": "An alternative to {about}, which you looked at",
    "shop_rule": "By the shop’s rule “{about}”",
}
_ZH: Mapping[str, str] = {
    "purchase": "因为您买过{about}",
    "review": "因为您评价过{about}",
    "rate": "因为您给{about}打过分",
    "add_to_wishlist": "因为您收藏了{about}",
    "add_to_cart": "因为您把{about}加入了购物车",
    "select_item": "因为您看过{about}",
    "view_item": "因为您看过{about}",
    "search": "因为您搜索过“{about}”",
    "state": "因为您说过“{about}”",
    "photo": "因为您给我们看的照片",
    "dislike": "与您不喜欢的{about}不同",
    "deed": "因为您与{about}有关的行为",
    "liked": "您想要{about}",
    "within_limit": "在您说的价格之内",
    "popular": "本店热销",
    "new": "本店新品",
    "typical": "本店常有人选",
    "alike": "与{about}相似",
    "named": "正是您所说的商品",
    "has_words": "含有{about}",
    "means": "与您的意思相近",
    "looks": "与您的照片相似",
    "complement:purchase": "与您买过的{about}搭配",
    "complement:add_to_wishlist": "与您收藏的{about}搭配",
    "complement:add_to_cart": "与您购物车里的{about}搭配",
    "complement:select_item": "与您看过的{about}搭配",
    "complement:view_item": "与您看过的{about}搭配",
    "substitute:purchase": "与您买过的{about}相似",
    "substitute:add_to_wishlist": "可替代您收藏的{about}",
    "substitute:add_to_cart": "可替代您购物车里的{about}",
    "substitute:select_item": "可替代您看过的{about}",
    "substitute:view_item": "可替代您看过的{about}",
    "shop_rule": "按本店规则“{about}”",
}
_LANGUAGES = {"en": _EN, "zh": _ZH}


def said(key: str, *, language: str, about: str = "") -> str:
    """Return the words for `key`, an event type or a rule, about an item's title, a text or a value.

    A language without words of its own reads English.

    Examples
    --------
    >>> said("purchase", language="zh", about="跑步鞋"), said("popular", language="en")
    ('因为您买过跑步鞋', 'Popular in this shop')
    """
    words = _LANGUAGES.get(language, _EN)
    return words.get(key, words["deed"]).format(about=_short(about))


def has_words(key: str) -> bool:
    """Return whether there are words of their own for `key`."""
    return key in _EN


def key_of(kind: EventType, *, has_item: bool, has_text: bool) -> str:
    """Return the key of the words for an event of this kind."""
    if not has_item and not has_text:
        return "photo"
    if not has_item and kind != EventType.SEARCH:
        return "state"
    return str(kind)


def _short(about: str, *, longest: int = 60) -> str:
    return about if len(about) <= longest else about[: longest - 1].rstrip() + "…"
