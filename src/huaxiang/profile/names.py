"""What the dimensions of a profile are called, for pages and the terminal."""

from __future__ import annotations

from collections.abc import Mapping

_CHINESE: Mapping[str, str] = {
    "category": "类目",
    "brand": "品牌",
    "colour": "颜色",
    "material": "材质",
    "style": "风格",
    "price_band": "价格带",
    "price_limit": "价格上限",
    "image_tag": "图像标签",
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
