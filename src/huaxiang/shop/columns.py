"""Which column of a file is which of ours, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from huaxiang.errors import ShopError

DIMENSIONS = ("colour", "material", "style", "usage", "gender", "season", "size", "pattern", "department")
"""Dimensions known by name in an items file; others are named under [items.attributes]."""

ITEM_ALIASES: Mapping[str, tuple[str, ...]] = {
    "item_id": (
        "id",
        "product_id",
        "sku",
        "stock_code",
        "asin",
        "goods_id",
        "article_id",
        "商品id",
        "商品编号",
    ),
    "group_id": ("parent_id", "parent_asin", "product_group_id", "item_group_id", "spu"),
    "title": ("name", "product_name", "product_title", "item_name", "标题", "商品名称", "名称"),
    "description": ("desc", "product_description", "details", "body", "描述", "商品描述"),
    "keywords": ("tags",),
    "category": ("categories", "category_path", "product_category", "product_type", "类目", "分类", "品类"),
    "brand": ("brand_name", "manufacturer", "品牌"),
    "price": ("unit_price", "list_price", "sale_price", "价格", "售价"),
    "price_minor": (),
    "currency": ("币种",),
    "image": ("image_name", "image_file", "photo", "picture", "图片"),
    "language": ("lang", "locale", "语言"),
    "in_stock": ("available", "availability"),
    "stock": ("current_stock", "inventory", "stock_quantity", "库存"),
    "valid_from": ("available_from", "launch_date", "on_sale_from"),
    "colour": ("color", "base_colour", "base_color", "颜色"),
    "material": ("fabric", "材质"),
    "style": ("风格",),
    **{name: () for name in DIMENSIONS[3:]},
}

EVENT_ALIASES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("message_id", "insert_id", "事件id"),
    "shopper_id": (
        "user_id",
        "customer_id",
        "visitor_id",
        "member_id",
        "household_id",
        "client_id",
        "buyer_id",
        "reviewer_id",
        "user",
        "customer",
        "shopper",
        "用户id",
        "会员id",
    ),
    "anonymous_id": (),
    "item_id": ITEM_ALIASES["item_id"][1:] + ("item", "product", "properties_product_id"),
    "type": ("event", "event_type", "event_name", "action", "behavior", "behavior_type", "行为"),
    "query": ("search_query", "search_term", "keyword", "properties_query", "搜索词"),
    "text": ("comment", "statement", "message"),
    "image": ("photo", "picture"),
    "occurred_at": (
        "timestamp",
        "time",
        "datetime",
        "date",
        "event_time",
        "created_at",
        "invoice_date",
        "order_date",
        "order_time",
        "transaction_timestamp",
        "original_timestamp",
        "ts",
        "时间",
    ),
    "received_at": ("server_time",),
    "quantity": ("qty", "units", "value_quantity", "数量"),
    "price": ("unit_price", "value_price", "价格", "单价"),
    "price_minor": ("value_price_minor",),
    "currency": ("value_currency",),
    "rating": ("stars", "score", "overall", "value_rating", "评分"),
    "session_id": ("visit_id", "session", "会话id"),
    "order_id": ("invoice_no", "invoice", "order_no", "basket_id", "transaction_id", "订单号"),
    "utc_offset_minutes": (),
    "channel": (),
    "device": (),
    "placement": (),
    "slate_id": (),
    "position": (),
    "propensity": (),
    "language": (),
    "reason": (),
    "dimension": (),
    "value": (),
    "side": (),
    "context": (),
    "title": ("product_name", "product_title", "item_name", "商品名称"),
    "category": ("product_category",),
    "brand": (),
}
"""`title`, `category` and `brand` describe the item, where a shop has no items file."""

REVIEW_ALIASES: Mapping[str, tuple[str, ...]] = {
    **EVENT_ALIASES,
    "text": ("review", "review_text", "review_body", "comment", "content", "body", "评论", "评价"),
}
"""In reviews a `title` is the review's own."""

ITEM_NAMES, EVENT_NAMES, REVIEW_NAMES = tuple(ITEM_ALIASES), tuple(EVENT_ALIASES), tuple(REVIEW_ALIASES)

_IN_A_LANGUAGE = re.compile(r"(title|description|category|brand|colour|material|style)_([a-z]{2,3}(?:-\w+)?)")


def is_item_name(name: str) -> bool:
    """Whether an items file may have a column of ours so called: a known name, or one in a language.

    Examples
    --------
    >>> is_item_name("title_zh"), is_item_name("titel")
    (True, False)
    """
    return name in ITEM_ALIASES or _IN_A_LANGUAGE.fullmatch(name) is not None


def name_and_language(column: str) -> tuple[str, str] | None:
    """Return ("title", "zh") for title_zh, and None for a column that is in no language."""
    found = _IN_A_LANGUAGE.fullmatch(column)
    return (found[1], found[2]) if found else None


def match_columns(
    header: Iterable[str],
    stated: Mapping[str, str],
    aliases: Mapping[str, tuple[str, ...]],
    *,
    file: str,
) -> tuple[dict[str, str], list[str]]:
    """Return our name → the file's column, and a sentence per name that was guessed.

    What `shop.toml` states comes first, then columns that bear our name, then those with a usual other name.

    Raises
    ------
    ShopError
        When a stated column is not in the file.
    """
    columns = list(header)
    _check_stated(columns, stated, file=file)
    found, guesses = dict(stated), []
    free = {_plain(column): column for column in reversed(columns) if column not in stated.values()}
    rounds: tuple[Callable[[str], tuple[str, ...]], ...] = (lambda name: (name,), aliases.__getitem__)
    for names in rounds:
        for name in (name for name in aliases if name not in found):
            known = next((_plain(alias) for alias in names(name) if _plain(alias) in free), None)
            if known is not None:
                found[name] = free.pop(known)
                if known != _plain(name):
                    guesses.append(f"{file}: column {found[name]} is read as {name}")
    unused = [column for column in columns if column in free.values()]
    if unused:
        guesses.append(f"{file}: not used: {', '.join(unused[:12])}{' …' if len(unused) > 12 else ''}")
    return found, guesses


def _check_stated(columns: Sequence[str], stated: Mapping[str, str], *, file: str) -> None:
    for name, column in stated.items():
        if column not in columns:
            nearest = (get_close_matches(column, columns, n=1, cutoff=0.0) or ["none"])[0]
            raise ShopError(
                "column is missing",
                file=file,
                column=column,
                remedy=f"[columns] names it as {name}; the nearest in the file is {nearest!r} "
                f"of {', '.join(columns[:20])}",
            )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
