"""What files call the things that shoppers do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from huaxiang.records import EventType

_SYNONYMS: Mapping[EventType, tuple[str, ...]] = {
    EventType.VIEW_ITEM_LIST: ("impression", "exposure", "product list viewed", "曝光"),
    EventType.SELECT_ITEM: ("click", "product clicked", "clk", "点击"),
    EventType.VIEW_ITEM: ("view", "pv", "page view", "detail view", "product viewed", "浏览"),
    EventType.SEARCH: ("products searched", "query", "搜索"),
    EventType.ADD_TO_CART: ("cart", "product added", "cart add", "加购"),
    EventType.REMOVE_FROM_CART: ("product removed", "cart remove"),
    EventType.ADD_TO_WISHLIST: (
        "fav",
        "favorite",
        "favourite",
        "like",
        "wishlist",
        "product added to wishlist",
        "收藏",
    ),
    EventType.BEGIN_CHECKOUT: ("checkout", "checkout started"),
    EventType.PURCHASE: ("buy", "order", "transaction", "order completed", "sale", "购买"),
    EventType.REFUND: ("return", "order refunded", "退货", "退款"),
    EventType.REVIEW: ("product reviewed", "评论"),
    EventType.RATE: ("rating", "product rated", "评分"),
    EventType.DISLIKE: ("hide", "not interested", "不感兴趣"),
    EventType.STATE: ("statement", "stated"),
    EventType.CORRECT: ("correction",),
    EventType.CONSENT: ("consent updated",),
    EventType.ALIAS: (),
}
"""GA4's names are ours; these are Segment's and those often met."""


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word.lower())


_KNOWN = {_plain(word): kind for kind, words in _SYNONYMS.items() for word in (kind.value, *words)}


def type_codes(words: Iterable[str], stated: Mapping[str, str]) -> dict[str, int]:
    """Return the stored number of each word that names an event type; unknown words are left out.

    Parameters
    ----------
    stated
        The shop's own word → one of our types; comes before the usual names.

    Examples
    --------
    >>> type_codes(["Product Viewed", "kauf", "jump"], {"kauf": "purchase"})
    {'Product Viewed': 2, 'kauf': 8}
    """
    own = {_plain(word): EventType(kind) for word, kind in stated.items()}
    found = ((word, own.get(_plain(word)) or _KNOWN.get(_plain(word))) for word in words)
    return {word: kind.code for word, kind in found if kind is not None}
