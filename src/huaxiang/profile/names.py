"""What the dimensions of a profile and their values are called, for pages and the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from huaxiang.knowledge.graph.tree import FAMILY, tree_of
from huaxiang.profile.own_reviews import REVIEW_ASPECT
from huaxiang.profile.prices import PRICE_LIMIT, PriceLimit, minor_units, price_limit_of
from huaxiang.reviews.lexicon import aspect_name
from huaxiang.shop.catalogue import Catalogue
from huaxiang.shop.lexicon import load_lexicon

_CHINESE: Mapping[str, str] = {
    "category": "类目",
    "brand": "品牌",
    "colour": "颜色",
    "material": "材质",
    "style": "风格",
    "price_band": "价格带",
    "price_limit": "价格上限",
    "image_tag": "图像标签",
    "review_aspect": "评价关注点",
    "family": "大类",
    "taxonomy": "分类体系",
    "department": "部门",
}


def dimension_name(dimension: str, language: str) -> str:
    """Return how a dimension is called; one of a shop's own is called as the shop calls it.

    Examples
    --------
    >>> dimension_name("price_band", "en"), dimension_name("price_band", "zh"), dimension_name("heel", "zh")
    ('price band', '价格带', 'heel')
    """
    plain = dimension.replace("_", " ")
    return _CHINESE.get(dimension, plain) if language == "zh" else plain


def value_name(dimension: str, value: str, *, language: str, catalogue: Catalogue) -> str:
    """Return a value as people say it: in the shop's words or the lexicon's, price limits in whole units."""
    limit = price_limit_of(value) if dimension == PRICE_LIMIT else None
    if limit is not None:
        return _limit(limit, catalogue.currency)
    if dimension == FAMILY:
        tree = tree_of(catalogue)
        return tree.label(tree.row_of[value], language=language) if value in tree.row_of else value
    known = catalogue.dimensions.get(dimension)
    if known is not None and value in known.row_of:
        return known.label(known.row_of[value], language=language)
    if dimension == REVIEW_ASPECT:
        return aspect_name(value, language=language)
    return load_lexicon().label(dimension, value, language=language)


def _limit(limit: PriceLimit, currency: str | None) -> str:
    units, unit = minor_units(currency), f" {currency}" if currency else ""
    ends = [None if end is None else f"{end / units:g}" for end in (limit.min_minor, limit.max_minor)]
    if ends[0] is None:
        return f"≤ {ends[1]}{unit}"
    return f"≥ {ends[0]}{unit}" if ends[1] is None else f"{ends[0]}–{ends[1]}{unit}"
