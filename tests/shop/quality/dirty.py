"""A small table with one of everything, written out."""

from __future__ import annotations

import polars as pl

from huaxiang.shop.quality.given import Given, given_of

SOFT = "This soft cotton shirt fits me well and the colour is lovely."
SHORT = "穿着很舒服，颜色也好看，质量非常好，下次还会再来购买。"


def table(texts: list[str | None], **columns: list[str | None]) -> Given:
    """Return a table of these texts, its lines counted from 2."""
    return given_of(pl.DataFrame({"text": texts, **columns}, strict=False), name="reviews.csv")
