"""Retail demo: a demo shop's catalogue with long descriptions; no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from huaxiang.errors import ShopError
from huaxiang.shop.datasets.base import Adapter, existing
from huaxiang.shop.raw import FILE, RawShop
from huaxiang.shop.tables import LINE, UNREADABLE, decoded, read_bytes

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Makes plain values only; written in C where there is one."""
_COLUMNS = {
    "item_id": "id",
    "title": "name",
    "description": "description",
    "price": "price",
    "image": "image",
    "gender": "gender_affinity",
    "stock": "current_stock",
    "kind": "style",
    "group": "category",
}


def read(folder: Path) -> RawShop:
    """Return the products; what the set calls a style is the second level of the category."""
    path = existing(folder, "products.yaml")
    rows = [
        {**{ours: _cell(product.get(theirs)) for ours, theirs in _COLUMNS.items()}, LINE: line}
        for line, product in enumerate(_products(path), start=1)
    ]
    schema = {**dict.fromkeys(_COLUMNS, pl.String), LINE: pl.UInt32}
    items = pl.DataFrame(rows, schema=schema).with_columns(
        pl.concat_str(
            [pl.col(part).str.replace_all("_", " ").str.to_titlecase() for part in ("group", "kind")],
            separator=" > ",
            ignore_nulls=True,
        ).alias("category"),
        pl.lit(path.name).alias(FILE),
        pl.lit(None, dtype=pl.String).alias(UNREADABLE),
    )
    return RawShop(
        events=None,
        items=items.drop("group", "kind"),
        files=(path,),
        name="Retail demo",
        currency="USD",
        languages=("en",),
        guesses=(
            "a catalogue only: nobody's behaviour is in the set",
            "lines count products, not lines of text",
        ),
    )


def _products(path: Path) -> list[Mapping[str, Any]]:
    text = decoded(read_bytes(path), path.name).decode("utf-8")
    try:
        products = _LOADER(text).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ShopError(
            "not a YAML file", file=path.name, line=line, remedy="mend or copy it again"
        ) from error
    if not isinstance(products, list) or not all(isinstance(product, Mapping) for product in products):
        raise ShopError("not a list of products", file=path.name, remedy="write one entry per product")
    return products


def _cell(value: object) -> str | None:
    return None if value is None else str(value)


RETAIL_DEMO = Adapter(
    name="retail_demo",
    title="the retail demo shop",
    matches=lambda folder: existing(folder, "products.yaml").is_file(),
    read=read,
)
